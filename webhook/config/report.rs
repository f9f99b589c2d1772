//! What `countersign config check` says of a configuration that loads.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::{At, Config};
use crate::{
    admission::{Mode, Policy},
    verify::describe::KeyReport,
};

/// Whose word counts, what is asked for, and what a person should look at.
#[derive(Clone, Debug)]
pub struct Report {
    /// The revision of policy and trust.
    pub revision: String,
    /// Authorities and their keys.
    pub authorities: Vec<AuthorityReport>,
    /// Policies and their rules.
    pub policies: Vec<PolicyReport>,
    /// What is no error, by line.
    pub warnings: Vec<Warning>,
}

/// One authority.
#[derive(Clone, Debug)]
pub struct AuthorityReport {
    /// Its name.
    pub name: String,
    /// Its keys.
    pub keys: Vec<KeyReport>,
}

/// One policy.
#[derive(Clone, Debug)]
pub struct PolicyReport {
    /// Its name.
    pub name: String,
    /// `enforce`, `warn` or `audit`.
    pub mode: &'static str,
    /// Its rules.
    pub rules: Vec<RuleReport>,
}

/// One rule.
#[derive(Clone, Debug)]
pub struct RuleReport {
    /// The library's name, or the package.
    pub name: String,
    /// What its METADATA calls it.
    pub title: Option<String>,
}

/// Something that a person should look at.
#[derive(Clone, Debug)]
pub struct Warning {
    /// The line of the configuration; 0 where the whole file is meant.
    pub line: u64,
    /// What it is.
    pub text: String,
}

impl Config {
    /// What this configuration comes to at `now`.
    pub fn report(&self, now: Timestamp) -> Report {
        let authorities: Vec<_> = self
            .trust
            .authorities()
            .iter()
            .map(|authority| AuthorityReport {
                name: authority.name.to_string(),
                keys: authority.keys.iter().map(|key| key.describe(now)).collect(),
            })
            .collect();
        let mut warnings = self.of_keys(&authorities, now);
        warnings.extend(self.of_notes());
        warnings.extend(self.of_times(now));
        warnings.extend(self.document.policies.is_empty().then(|| Warning {
            line: 0,
            text: "there is no policy, so `unmatched` decides about every image".to_owned(),
        }));
        warnings.sort_by_key(|warning| warning.line);
        let policies = self.policies.iter().map(PolicyReport::of).collect();
        Report { revision: self.revision.clone(), authorities, policies, warnings }
    }

    /// Keys that end soon, and what else their report warns of.
    fn of_keys(&self, authorities: &[AuthorityReport], now: Timestamp) -> Vec<Warning> {
        let entries = self.document.authorities.iter().zip(authorities);
        let keys =
            entries.flat_map(|(entry, found)| found.keys.iter().map(move |key| (entry, key)));
        let mut warnings = Vec::new();
        for (entry, key) in keys {
            let name = &entry.name.value;
            let about = |text: &str| Warning {
                line: entry.line,
                text: format!("authority \"{name}\", key {}: {text}", key.fingerprint),
            };
            warnings.extend(key.warnings.iter().map(|text| about(text)));
            if let Some(end) = key.expires().filter(|end| end.duration_since(now) < SOON) {
                warnings.push(about(&format!("expires at {end}; extend it, or exchange the key")));
            }
        }
        warnings
    }

    /// Authorities for whom nothing from any store counts, though there are stores.
    fn of_notes(&self) -> Vec<Warning> {
        let stores: Vec<&str> =
            self.document.stores.iter().map(|store| store.name.value.as_str()).collect();
        let entries = self.document.authorities.iter();
        let without = entries.filter(|entry| {
            let meant = entry.sources.as_ref();
            let meant =
                meant.map(|sources| sources.iter().any(|name| stores.contains(&&*name.value)));
            entry.note.is_none() && !stores.is_empty() && meant.unwrap_or(true)
        });
        without
            .map(|entry| Warning {
                line: entry.line,
                text: format!(
                    "authority \"{}\" has no note, so nothing from a store counts for it; name \
                     its note, or leave stores out of its `sources`",
                    entry.name.value
                ),
            })
            .collect()
    }

    /// Exceptions and break-glass that are over.
    fn of_times(&self, now: Timestamp) -> Vec<Warning> {
        let over = |until: &At<String>| until.parse().is_ok_and(|until: Timestamp| until <= now);
        let exceptions = self.document.exceptions.iter().map(|entry| &entry.until);
        let glass = self.document.break_glass.iter().map(|glass| &glass.until);
        exceptions
            .chain(glass)
            .filter(|until| over(until))
            .map(|until| Warning {
                line: until.line,
                text: format!("`until: {}` is past, so this counts no longer", until.value),
            })
            .collect()
    }
}

impl PolicyReport {
    fn of(policy: &Policy) -> Self {
        let rules = policy.rules.iter().map(|rule| RuleReport {
            name: rule.name.clone(),
            title: rule.rule.metadata().title.clone(),
        });
        let mode = match policy.mode {
            Mode::Enforce => "enforce",
            Mode::Warn => "warn",
            Mode::Audit => "audit",
        };
        Self { name: policy.name.clone(), mode, rules: rules.collect() }
    }
}

impl fmt::Display for Report {
    /// All but the warnings, which are for stderr.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for authority in &self.authorities {
            writeln!(formatter, "authority {}", authority.name)?;
            for key in &authority.keys {
                write!(formatter, "  {}", key.fingerprint)?;
                if let Some(user) = key.users.first() {
                    write!(formatter, "  {user}")?;
                }
                match (key.expires(), key.parts.iter().any(|part| part.may_sign)) {
                    (_, false) => writeln!(formatter, "  does not sign")?,
                    (Some(end), true) => writeln!(formatter, "  until {end}")?,
                    (None, true) => writeln!(formatter, "  without end")?,
                }
            }
        }
        for policy in &self.policies {
            writeln!(formatter, "policy {} ({})", policy.name, policy.mode)?;
            for rule in &policy.rules {
                write!(formatter, "  {}", rule.name)?;
                match &rule.title {
                    Some(title) => writeln!(formatter, "  {title}")?,
                    None => writeln!(formatter)?,
                }
            }
        }
        writeln!(formatter, "revision {}", self.revision)
    }
}

/// When the end of a key is near enough to be told.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);
