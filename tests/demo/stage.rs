//! What the tour needs: a folder, a registry, a store, keys, a configuration and the webhook.

use std::{
    fs,
    net::TcpListener,
    path::PathBuf,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use clap::Parser as _;
use countersign::cli::Cli;
use countersign_kit::{Ca, Registry, review};
use tempfile::TempDir;

use crate::{
    say,
    webhook::{Verdict, Webhook},
};

/// The repository that the tour is about.
pub const REPOSITORY: &str = "acme/shop";

/// The peers and the commands, up and running.
pub struct Stage {
    folder: TempDir,
    pub registry: Registry,
    /// URL of the Grafeas store.
    pub store: String,
    pub webhook: Webhook,
}

impl Stage {
    /// Starts everything.
    pub async fn set() -> Result<Self, String> {
        let _already = rustls::crypto::ring::default_provider().install_default();
        let folder =
            TempDir::with_prefix("countersign-demo-").map_err(|error| error.to_string())?;
        let registry = Registry::start();
        let [store, admission, probes] = [free_port()?, free_port()?, free_port()?];
        let ca = Ca::new();
        let stage = Self {
            webhook: Webhook::new(&ca.pem(), admission, probes)?,
            store: format!("http://127.0.0.1:{store}"),
            registry,
            folder,
        };
        let server = ca.server(&["127.0.0.1", "localhost"]);
        stage.write("ca.crt", &ca.pem())?;
        stage.write("tls.crt", &server.certificate)?;
        stage.write("tls.key", &server.key)?;
        stage.write("countersign.yaml", &stage.configuration(admission, probes))?;
        stage.keys("builder").await?;
        Self::in_background(&["store", "--data", ":memory:", "--listen", &stage.store[7..]]);
        let config = stage.path("countersign.yaml").display().to_string();
        Self::in_background(&["serve", "--config", &config]);
        stage.webhook.ready().await?;
        Ok(stage)
    }

    /// The registry's host, as references name it.
    pub fn host(&self) -> String {
        self.registry.host()
    }

    /// A reference to the tour's repository.
    pub fn image(&self, tag_or_digest: &str) -> String {
        format!("{}/{REPOSITORY}{tag_or_digest}", self.host())
    }

    /// A file of the stage.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes a key pair.
    pub async fn keys(&self, name: &str) -> Result<(), String> {
        let user = format!("Acme {name} <{name}@acme.example>");
        let out = self.path(name).display().to_string();
        self.run(&["keys", "generate", "--user", &user, "--out", &out]).await
    }

    /// Signs an image, to the store and to the registry, and prints the command that does it.
    pub async fn sign(&self, key: &str, image: &str) -> Result<(), String> {
        let key = self.path(&format!("{key}.key")).display().to_string();
        let note = "projects/demo/notes/built";
        let arguments = [
            "sign",
            image,
            "--key",
            &key,
            "--store",
            &self.store,
            "--note",
            note,
            "--create-note",
            "--attach",
        ];
        say(&format!("   $ countersign {}", arguments.join(" ")));
        self.run(&arguments).await
    }

    /// Asks `/mutate` about a Pod of this image.
    pub async fn asks(&self, image: &str) -> Result<Verdict, String> {
        self.webhook.ask("mutate", image).await
    }

    /// Asks `/validate` about a Pod of this image, and leaves the review for a person to send.
    pub async fn validates(&self, image: &str) -> Result<Verdict, String> {
        self.write("review.json", &review(&[image]).build().to_string())?;
        self.webhook.ask("validate", image).await
    }

    /// Exchanges a file that `serve` reads, and waits the second that it may take to notice.
    pub async fn exchange(&self, name: &str, text: &str) -> Result<(), String> {
        let begun = Instant::now();
        self.write(name, text)?;
        tokio::time::sleep(Duration::from_secs(1).saturating_sub(begun.elapsed())).await;
        Ok(())
    }

    fn write(&self, name: &str, text: &str) -> Result<(), String> {
        let new = self.path(&format!("{name}.new"));
        fs::write(&new, text).map_err(|error| error.to_string())?;
        fs::rename(new, self.path(name)).map_err(|error| error.to_string())
    }

    fn configuration(&self, admission: u16, probes: u16) -> String {
        let (host, store) = (self.host(), &self.store);
        format!(
            r#"listen: {{admission: "127.0.0.1:{admission}", probes: "127.0.0.1:{probes}"}}
tls: {{certificate: tls.crt, key: tls.key}}
registries:
  allow: ["{host}/**"]
  hosts: [{{host: "{host}", plainHttp: true}}]
stores: [{{name: grafeas, url: "{store}", api: v1beta1, project: projects/demo}}]
authorities:
  - {{name: builder, keys: [{{openpgp: builder.asc}}], note: projects/demo/notes/built}}
policies:
  - {{name: attested, match: {{}}, rules: [{{use: attested, parameters: {{authorities: [builder]}}}}], mode: enforce}}
unmatched: deny
cache: {{none: 0s}} # so that a signature counts the moment it is made
"#
        )
    }

    /// Runs a command of `countersign` to its end.
    async fn run(&self, arguments: &[&str]) -> Result<(), String> {
        let shown = arguments.join(" ");
        let cli = parsed(arguments);
        let code = tokio::task::spawn_blocking(move || cli.run()).await;
        let code = code.map_err(|error| error.to_string())?;
        if code == ExitCode::SUCCESS { Ok(()) } else { Err(format!("countersign {shown} failed")) }
    }

    /// Starts a command of `countersign` that does not end.
    fn in_background(arguments: &[&str]) {
        let cli = parsed(arguments);
        thread::spawn(move || cli.run());
    }
}

fn parsed(arguments: &[&str]) -> Cli {
    Cli::parse_from(std::iter::once("countersign").chain(arguments.iter().copied()))
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    Ok(listener.local_addr().map_err(|error| error.to_string())?.port())
}
