//! Who a command is to a registry: flags, the environment, a prompt; else `docker login`.

use std::{convert::Infallible, env};

use crate::source::{Credential, Secret};

use super::super::{Failure, output, terminal};

/// Who we are to the registry; without these, what `docker login` knows.
#[derive(Debug, clap::Args)]
pub struct LoginArguments {
    /// User name for the registry; else `REGISTRY_USERNAME`, else that of `docker login`
    #[arg(short, long)]
    username: Option<String>,
    /// Password for the registry, which other users of this machine can see here; better
    /// `REGISTRY_PASSWORD`, a prompt, or `docker login`
    #[arg(short, long, value_parser = hidden)]
    password: Option<Secret>,
}

impl LoginArguments {
    /// Whether a user name was given, by flag or variable.
    pub fn is_given(&self) -> bool {
        self.username().is_some()
    }

    fn username(&self) -> Option<String> {
        self.username.clone().or_else(|| variable("REGISTRY_USERNAME"))
    }

    /// What was given for the one registry among `hosts`; asks for a password where only the user
    /// name was. Without a host nobody is asked for anything.
    pub fn given(&self, hosts: &[&str]) -> Result<Option<Credential>, Failure> {
        let password =
            self.password.clone().or_else(|| variable("REGISTRY_PASSWORD").map(Secret::new));
        if self.password.is_some() {
            output::say(
                "warning: other users can see the password of --password; use REGISTRY_PASSWORD",
            );
        }
        if hosts.is_empty() {
            return Ok(None);
        }
        let Some(username) = self.username() else {
            return match password {
                None => Ok(None),
                Some(_) => Err(Failure::usage("a password needs its user name; give --username")),
            };
        };
        let [host] = hosts else {
            return Err(Failure::usage(format!(
                "one user name for {} registries; use `docker login` for each",
                hosts.len()
            )));
        };
        let password = match password {
            Some(password) => password,
            None if terminal::can_ask() => {
                terminal::password(&format!("password of {username} for {host}: "))?
            }
            None => {
                return Err(Failure::usage(
                    "a user name needs its password; set REGISTRY_PASSWORD, or use `docker login`",
                ));
            }
        };
        Ok(Some(Credential::Password { username, password }))
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|text| !text.is_empty())
}

#[expect(clippy::unnecessary_wraps, reason = "the form that clap calls")]
fn hidden(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret::new(text.to_owned()))
}
