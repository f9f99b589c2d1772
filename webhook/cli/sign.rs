//! `countersign sign`: attest what CI built.

use std::{fs, path::PathBuf, process::ExitCode, str::FromStr, sync::Arc};

use bytes::Bytes;
use jiff::Timestamp;

use crate::{
    attest::grafeas::Version,
    name::{Digest, ImageRef, NoteName, PinnedImage, ProjectName},
    sign::{
        Claim, Destinations, PredicateType, Publication, Publisher, Receipt, SigningKey,
        StoreDestination,
    },
    source::{
        CredentialOptions, CredentialSource, Deadline, GrafeasStore, HostOptions, Reference,
        Registries, RegistriesOptions, StoreOptions, StoreToken,
    },
};

use super::{
    Failure, output,
    secret::{BadSource, Source},
};

/// Attest images that this pipeline made
///
/// Signs each image's digest and stores the attestation where the webhook looks: as an occurrence
/// in a Grafeas server (`--store`, `--note`), as a referrer in the image's registry (`--attach`), or
/// both. Prints what was published, a line each. Running it again publishes nothing twice.
///
/// Example: countersign sign registry.example/acme/shop@sha256:3b1c… --key ci.key --attach
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Sign {
    /// Images by digest
    #[arg(required = true, value_name = "IMAGE@DIGEST")]
    images: Vec<ImageRef>,
    /// The secret key: a file, `env:NAME` (armored text), or `-` (stdin); repeat for several
    #[arg(long, value_name = "FILE|env:NAME|-", required = true)]
    key: Vec<Source>,
    /// The key's passphrase: a file, `env:NAME`, or `-`
    #[arg(long, value_name = "FILE|env:NAME|-")]
    passphrase: Option<Source>,
    /// Say more than "this is the image": a file with an in-toto predicate
    #[arg(long, value_name = "FILE", requires = "predicate_type")]
    predicate: Option<PathBuf>,
    /// What the predicate is: a URI, or provenance, vulnerabilities, sbom, …
    #[arg(long = "type", value_name = "TYPE", requires = "predicate")]
    predicate_type: Option<PredicateType>,
    /// Sign what a tag names at this moment
    #[arg(long)]
    allow_tag: bool,
    /// Push the attestation to the image's registry, as a referrer of the image
    #[arg(long)]
    attach: bool,
    #[command(flatten)]
    store: StoreArguments,
    #[command(flatten)]
    registry: RegistryArguments,
    /// How to print what was published
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// Which Grafeas server to write to, and how.
#[derive(Debug, clap::Args)]
struct StoreArguments {
    /// URL of a Grafeas server
    #[arg(long, value_name = "URL", requires = "note")]
    store: Option<url::Url>,
    /// The version that the server speaks: v1beta1 (the reference server) or v1 (Google's)
    #[arg(long, value_enum, default_value = "v1beta1")]
    api: Api,
    /// The note to file the occurrence under
    #[arg(long, value_name = "projects/P/notes/N", requires = "store")]
    note: Option<NoteName>,
    /// The project to write the occurrence into, if it is not the note's
    #[arg(long, value_name = "projects/P", requires = "store")]
    project: Option<ProjectName>,
    /// Make the note, and its project, where they are missing
    #[arg(long, requires = "store")]
    create_note: bool,
    /// The server's authority, in PEM
    #[arg(long, value_name = "FILE", requires = "store")]
    store_ca: Option<PathBuf>,
    /// Our certificate for the server, in PEM
    #[arg(long, value_name = "FILE", requires = "store_certificate_key")]
    store_certificate: Option<PathBuf>,
    /// Its key, in PEM
    #[arg(long, value_name = "FILE", requires = "store_certificate")]
    store_certificate_key: Option<PathBuf>,
    /// A bearer token for the server: a file, `env:NAME`, or `google` (its metadata server's)
    #[arg(long, value_name = "FILE|env:NAME|google", requires = "store")]
    store_token: Option<StoreTokenArgument>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
enum Api {
    V1beta1,
    V1,
}

impl From<Api> for Version {
    fn from(api: Api) -> Self {
        match api {
            Api::V1beta1 => Self::V1Beta1,
            Api::V1 => Self::V1,
        }
    }
}

/// Where the bearer token of a store comes from.
#[derive(Clone, Debug)]
enum StoreTokenArgument {
    Google,
    From(Source),
}

impl FromStr for StoreTokenArgument {
    type Err = BadSource;

    fn from_str(text: &str) -> Result<Self, BadSource> {
        Ok(if text == "google" { Self::Google } else { Self::From(text.parse()?) })
    }
}

impl StoreTokenArgument {
    fn token(&self) -> Result<StoreToken, Failure> {
        match self {
            Self::Google => Ok(StoreToken::Google),
            Self::From(Source::File(file)) => Ok(StoreToken::File(file.clone())),
            Self::From(source) => source.text("token").map(StoreToken::Given),
        }
    }
}

/// How to talk to the registries of the images.
#[derive(Debug, clap::Args)]
struct RegistryArguments {
    /// Talk to the registries without TLS (loopback ones need no flag)
    #[arg(long)]
    plain_http: bool,
    /// The registries' authority, in PEM
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The token service, where it is on another host than the registry
    #[arg(long, value_name = "URL")]
    token_realm: Option<url::Url>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Sign {
    /// Signs and publishes; what is published is printed at once.
    pub async fn run(self) -> Result<ExitCode, Failure> {
        if !self.attach && self.store.store.is_none() {
            return Err(Failure::usage(
                "nothing says where the attestation goes; give --attach, or --store and --note",
            ));
        }
        let keys = self.keys()?;
        let claim = self.claim()?;
        let registries = self.registry.connect(&self.images)?;
        let images = self.pinned(&registries).await?;
        let store = self.store.connect().await?;
        let destinations = Destinations { registries, attach: self.attach, store };
        let mut receipts = Vec::new();
        for key in &keys {
            let publisher = Publisher::new(key, std::slice::from_ref(&claim), &destinations)
                .map_err(Failure::of)?;
            for image in &images {
                let now = Timestamp::now();
                let receipt = publisher.publish(image, &claim, now).await.map_err(|error| {
                    Failure::failed(
                        format!("{image} is not attested by {}", key.fingerprint()),
                        error,
                    )
                })?;
                if self.output == Format::Text {
                    print(&receipt);
                }
                receipts.push(receipt);
            }
        }
        if self.output == Format::Json {
            output::json(&receipts)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn keys(&self) -> Result<Vec<SigningKey>, Failure> {
        let passphrase = self.passphrase.as_ref().map(Source::passphrase).transpose()?;
        let now = Timestamp::now();
        let load = |source: &Source| {
            let bytes = source.bytes("key")?;
            SigningKey::load(&bytes, passphrase.as_ref(), now).map_err(|error| {
                Failure::failed(format!("the key from {source} cannot sign"), error)
            })
        };
        self.key.iter().map(load).collect()
    }

    fn claim(&self) -> Result<Claim, Failure> {
        let (Some(file), Some(predicate_type)) = (&self.predicate, &self.predicate_type) else {
            return Ok(Claim::SimpleSigning);
        };
        let named = file.display();
        let bytes = fs::read(file)
            .map_err(|error| Failure::failed(format!("cannot read {named}"), error))?;
        let predicate = serde_json::from_slice(&bytes)
            .map_err(|error| Failure::failed(format!("{named} is no JSON"), error))?;
        Ok(Claim::Statement { predicate_type: predicate_type.clone(), predicate })
    }

    /// P14: a tag is refused with what to type instead, unless it is allowed.
    async fn resolved(&self, image: &ImageRef, registries: &Registries) -> Result<Digest, Failure> {
        let tag = Reference::Tag(image.tag().unwrap_or("latest"));
        let manifest = registries.manifest(image.repository(), tag, Deadline::after(PATIENCE));
        let digest = manifest.await.map_err(Failure::of)?.digest;
        if !self.allow_tag {
            return Err(Failure::usage(format!(
                "{} is a tag, which may move; it names {digest} now: sign that with\n  \
                 countersign sign {} …",
                image.as_str(),
                image.with_digest(digest),
            )));
        }
        output::say(&format!("{} is {digest}", image.as_str()));
        Ok(digest)
    }

    async fn pinned(&self, registries: &Registries) -> Result<Vec<PinnedImage>, Failure> {
        let mut pinned = Vec::new();
        for image in &self.images {
            let repository = image.repository().clone();
            let digest = match image.digest() {
                Some(digest) => digest,
                None => self.resolved(image, registries).await?,
            };
            pinned.push(PinnedImage { repository, digest });
        }
        pinned.sort();
        pinned.dedup();
        Ok(pinned)
    }
}

impl StoreArguments {
    async fn connect(&self) -> Result<Option<StoreDestination>, Failure> {
        let (Some(url), Some(note)) = (&self.store, &self.note) else { return Ok(None) };
        let project = self.project.clone().unwrap_or_else(|| note.project());
        let mut options =
            StoreOptions::new(url.as_str(), url.clone(), self.api.into(), project.clone());
        options.ca = pem(self.store_ca.as_ref())?;
        let own = [&self.store_certificate, &self.store_certificate_key];
        let own = own.map(|file| pem(file.as_ref()));
        if let [Ok(Some(certificate)), Ok(Some(key))] = &own {
            options.identity = Some([certificate.as_ref(), key].concat().into());
        }
        own.into_iter().collect::<Result<Vec<_>, _>>()?;
        options.token = self.store_token.as_ref().map(StoreTokenArgument::token).transpose()?;
        let store = Arc::new(GrafeasStore::new(options).map_err(Failure::of)?);
        self.prepare(&store, note, &project).await?;
        Ok(Some(StoreDestination { store, note: note.clone(), project }))
    }
}

impl StoreArguments {
    /// Sees to it that the note is there: an occurrence of a note that is not counts for nobody.
    async fn prepare(
        &self,
        store: &GrafeasStore,
        note: &NoteName,
        project: &ProjectName,
    ) -> Result<(), Failure> {
        let deadline = Deadline::after(PATIENCE);
        if store.has_note(note, deadline).await.map_err(Failure::of)? {
            return Ok(());
        }
        if !self.create_note {
            return Err(Failure::usage(format!(
                "the store has no note {note}; make it with --create-note"
            )));
        }
        for project in [&note.project(), project] {
            store.create_project(project, deadline).await.map_err(Failure::of)?;
        }
        store.create_note(note, deadline).await.map_err(Failure::of)?;
        Ok(())
    }
}

impl RegistryArguments {
    fn connect(&self, images: &[ImageRef]) -> Result<Arc<Registries>, Failure> {
        let ca = pem(self.ca.as_ref())?;
        let mut names: Vec<&str> = images.iter().map(|image| image.repository().host()).collect();
        names.sort_unstable();
        names.dedup();
        let logins = docker_config();
        let hosts = names.into_iter().map(|name| HostOptions {
            token_realm: self.token_realm.clone(),
            credentials: logins
                .iter()
                .map(|file| CredentialOptions {
                    repositories: Vec::new(),
                    source: CredentialSource::DockerConfig(file.clone()),
                })
                .collect(),
            ..HostOptions::typed(name, self.plain_http, ca.clone())
        });
        let options = RegistriesOptions { allow: None, hosts: hosts.collect() };
        Ok(Arc::new(Registries::new(options).map_err(Failure::of)?))
    }
}

/// Where `docker login` keeps what it was told, if it was used.
fn docker_config() -> Option<PathBuf> {
    let folder = std::env::var_os("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".docker")))?;
    Some(folder.join("config.json")).filter(|file| file.is_file())
}

fn pem(file: Option<&PathBuf>) -> Result<Option<Bytes>, Failure> {
    let read = |file: &PathBuf| {
        fs::read(file)
            .map(Bytes::from)
            .map_err(|error| Failure::failed(format!("cannot read {}", file.display()), error))
    };
    file.map(read).transpose()
}

fn print(receipt: &Receipt) {
    for publication in &receipt.published {
        let (name, unchanged) = match publication {
            Publication::Occurrence { name, unchanged, .. } => (name.clone(), unchanged),
            Publication::Referrer { digest, unchanged, .. } => {
                (format!("{}@{digest}", receipt.image), unchanged)
            }
        };
        if *unchanged {
            output::say(&format!("unchanged: {name}"));
        } else {
            output::data(&name);
        }
    }
}

/// Longest wait for one answer; a CI job has more time than a review.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);
