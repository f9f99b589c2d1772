//! Which Grafeas server a command writes to, and how.

use std::{path::PathBuf, str::FromStr, sync::Arc};

use crate::{
    attest::grafeas::Version,
    name::{NoteName, ProjectName},
    sign::StoreDestination,
    source::{GrafeasStore, StoreOptions, StoreToken},
};

use super::{
    super::{
        Failure,
        secret::{BadSource, Source},
    },
    pem,
};

/// Which Grafeas server to write to, and how.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new(STORED).multiple(true))]
pub struct StoreArguments {
    /// URL of a Grafeas server
    #[arg(long, value_name = "URL", requires = NOTED, groups = [STORED, FILED])]
    pub store: Option<url::Url>,
    /// The version that the server speaks: v1beta1 (the reference server) or v1 (Google's)
    #[arg(long, value_enum, default_value = "v1beta1")]
    api: Api,
    /// The note to file the occurrence under
    #[arg(long, value_name = "projects/P/notes/N", requires = "store", group = NOTED)]
    note: Option<NoteName>,
    /// The project to write the occurrence into, if it is not the note's
    #[arg(long, value_name = "projects/P", requires = "store")]
    project: Option<ProjectName>,
    /// Make the note, and its project, where they are missing
    #[arg(long, requires = STORED)]
    pub create_note: bool,
    /// The server's authority, in PEM
    #[arg(long, value_name = "FILE", requires = STORED)]
    store_ca: Option<PathBuf>,
    /// Our certificate for the server, in PEM
    #[arg(long, value_name = "FILE", requires = "store_certificate_key")]
    store_certificate: Option<PathBuf>,
    /// Its key, in PEM
    #[arg(long, value_name = "FILE", requires = "store_certificate")]
    store_certificate_key: Option<PathBuf>,
    /// A bearer token for the server: a file, `env:NAME`, or `google` (its metadata server's)
    #[arg(long, value_name = "FILE|env:NAME|google", requires = STORED)]
    store_token: Option<StoreTokenArgument>,
}

/// Whatever names a store: `--store`, or an argument of a command of its own.
pub const STORED: &str = "stored";

/// Whatever says under which notes a store files: `--note`, or an argument of a command of its own.
pub const NOTED: &str = "noted";

/// Whatever takes records: a store, or a folder to be published to one.
pub const FILED: &str = "filed";

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

impl StoreArguments {
    /// The server, if one was named, with the note that occurrences are filed under. Contacts nobody.
    pub fn connect(&self) -> Result<Option<StoreDestination>, Failure> {
        let (Some(url), Some(note)) = (&self.store, &self.note) else { return Ok(None) };
        let project = self.project.clone().unwrap_or_else(|| note.project());
        self.connect_to(url, note.clone(), project).map(Some)
    }

    /// P9: what proves who we are goes to a server that the command line names, not to whatever a
    /// file does. Google's tokens go to Google's servers alone, whoever names them.
    ///
    /// `file` is what the file says.
    pub fn permit(&self, file: &url::Url) -> Result<(), Failure> {
        let origin = |url: &url::Url| url.origin().ascii_serialization();
        let told = origin(file);
        let proves = self.store_certificate.is_some()
            || matches!(self.store_token, Some(StoreTokenArgument::From(_)));
        match &self.store {
            Some(store) if store.origin() == file.origin() => Ok(()),
            Some(store) => Err(Failure::usage(format!(
                "--store is {}, and the file says {told}; change one of them",
                origin(store)
            ))),
            None if proves => Err(Failure::usage(format!(
                "the token or certificate would go to {told}, which nothing but the file names; if \
                 it is meant for that server, add --store {told}"
            ))),
            None => Ok(()),
        }
    }

    /// A server that something else than these arguments names.
    pub fn connect_to(
        &self,
        url: &url::Url,
        note: NoteName,
        project: ProjectName,
    ) -> Result<StoreDestination, Failure> {
        let mut options =
            StoreOptions::new(url.as_str(), url.clone(), self.api.into(), project.clone());
        options.ca = pem(self.store_ca.as_ref())?;
        let own = [&self.store_certificate, &self.store_certificate_key];
        let own = own.map(|file| pem(file.as_ref()));
        if let [Ok(Some(certificate)), Ok(Some(key))] = &own {
            options.identity = Some([certificate.as_ref(), b"\n", key].concat().into());
        }
        own.into_iter().collect::<Result<Vec<_>, _>>()?;
        options.token = self.store_token.as_ref().map(StoreTokenArgument::token).transpose()?;
        let store = Arc::new(GrafeasStore::new(options).map_err(Failure::of)?);
        Ok(StoreDestination { store, note, project })
    }
}
