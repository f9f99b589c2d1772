//! Everything around a server: registry, store, keys, certificates, configuration, reviews.

use std::{
    fs, io,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use countersign_kit::{
    Ca, Content, Grafeas, Key, Registry, artifact, image, round_trips, simple_signing,
};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use tempfile::TempDir;

use crate::Outcome;

pub struct World {
    folder: TempDir,
    registry: Registry,
    grafeas: Grafeas,
    builder: Key,
    trusting: Arc<ClientConfig>,
}

impl World {
    /// A registry and a store without images, and a builder whom the configuration trusts.
    pub fn new() -> Outcome<Self> {
        let (registry, grafeas) = (Registry::start(), Grafeas::start());
        grafeas.put_project("projects/build");
        grafeas.put_note("projects/build/notes/built");
        let builder = Key::generate("Builder <builder@acme.example>");
        let folder = TempDir::with_prefix("countersign-load-")?;
        let ca = Ca::new();
        let server = ca.server(&["localhost"]);
        fs::write(folder.path().join("tls.crt"), server.certificate)?;
        fs::write(folder.path().join("tls.key"), server.key)?;
        fs::write(folder.path().join("builder.asc"), builder.certificate_armored())?;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(ca.pem().as_bytes())?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let trusting = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { folder, registry, grafeas, builder, trusting: Arc::new(trusting) })
    }

    /// A configuration file on free ports for reviews and probes.
    pub fn configure(&self) -> Outcome<(PathBuf, u16, u16)> {
        let (admission, probes) = (free_port()?, free_port()?);
        let path = self.folder.path().join(format!("{admission}.yaml"));
        let (host, store) = (self.registry.host(), self.grafeas.url());
        let text = format!(
            r#"listen: {{admission: "127.0.0.1:{admission}", probes: "127.0.0.1:{probes}"}}
tls: {{certificate: tls.crt, key: tls.key}}
cache: {{found: 1h, none: 1h}}
registries:
  allow: ["{host}/**"]
  hosts: [{{host: "{host}", plainHttp: true}}]
stores: [{{name: grafeas, url: "{store}", api: v1beta1, project: projects/build}}]
authorities:
  - {{name: builder, keys: [{{openpgp: builder.asc}}], note: projects/build/notes/built}}
policies:
  - {{name: attested, match: {{}}, rules: [{{use: attested, parameters: {{authorities: [builder]}}}}], mode: enforce}}
unmatched: deny
"#
        );
        fs::write(&path, text)?;
        Ok((path, admission, probes))
    }

    /// What a client must trust.
    pub fn trusting(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.trusting)
    }

    /// An image that the builder attested, by digest.
    pub fn attested_image(&self, name: &str) -> String {
        let content = image(name).build();
        self.attest(&content);
        self.name(&format!("@{}", self.registry.put(REPOSITORY, &content)))
    }

    /// The same, by tag.
    pub fn attested_tag(&self, name: &str) -> String {
        let content = image(name).build();
        self.attest(&content);
        self.registry.put_image(REPOSITORY, name, &content);
        self.name(&format!(":{name}"))
    }

    /// Many such images, by digest.
    pub fn attested_images(&self, count: usize) -> Vec<String> {
        (0..count).map(|number| self.attested_image(&format!("many {number}"))).collect()
    }

    /// From now on, every answer of a peer takes that long.
    pub fn latency(&self, time: Duration) {
        self.registry.latency(time);
        self.grafeas.latency(time);
    }

    /// The peers answer at once again.
    pub fn heal(&self) {
        self.registry.heal();
        self.grafeas.heal();
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        self.registry.forget();
        self.grafeas.forget();
    }

    /// Requests to the peers since then.
    pub fn requests(&self) -> usize {
        self.registry.total() + self.grafeas.total()
    }

    /// How many of them followed one on the other.
    pub fn trips(&self) -> usize {
        round_trips(&[self.registry.requests(), self.grafeas.requests()].concat())
    }

    fn attest(&self, content: &Content) {
        let payload = simple_signing(&self.name(""), &content.digest());
        let attestation = artifact("application/vnd.countersign.attestation.v1")
            .subject(content)
            .inline(
                "application/vnd.countersign.simple-signing.v1+pgp",
                self.builder.sign_message(&payload),
            )
            .build();
        self.registry.attach(REPOSITORY, &attestation);
    }

    fn name(&self, rest: &str) -> String {
        format!("{}/{REPOSITORY}{rest}", self.registry.host())
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

const REPOSITORY: &str = "acme/shop";
