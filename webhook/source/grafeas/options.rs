//! What the configuration says about a Grafeas server.

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use url::Url;

use crate::{
    attest::grafeas::Version,
    name::{NotePattern, ProjectName},
    source::{Secret, TransportError},
};

/// One store, as `stores[]` describes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoreOptions {
    /// What it is called in the configuration and in evidence.
    pub name: Arc<str>,
    /// `https://grafeas.example:8443`; a path before the version is kept.
    pub url: Url,
    /// The version that it speaks.
    pub api: Version,
    /// Where occurrences are looked up. Those of other projects never count.
    pub project: ProjectName,
    /// Notes whose unsigned occurrences are handed on.
    pub records: Vec<NotePattern>,
    /// Certificates in PEM to trust beside the system's.
    pub ca: Option<Bytes>,
    /// Our own certificate chain and key in PEM.
    pub identity: Option<Bytes>,
    /// What is shown to it.
    pub token: Option<StoreToken>,
}

/// A bearer token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum StoreToken {
    /// In a file, read again when that changes.
    File(PathBuf),
    /// Here.
    Given(Secret),
    /// Of the machine's service account, from Google's metadata server. Shown to `googleapis.com`
    /// only.
    Google,
}

/// Options that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreOptionsError {
    #[error("{0} is not the base URL of a store; write it as https://grafeas.example:8443")]
    Url(Url),
    #[error("the token of store {0} would go over plain HTTP; use https, or no token")]
    PlainToken(Arc<str>),
    #[error(
        "the store {0} is not under googleapis.com, so it gets no token of Google's; give it a \
         token of its own"
    )]
    GoogleToken(Arc<str>),
    #[error(transparent)]
    Transport(#[from] TransportError),
}

impl StoreOptions {
    /// A store without certificates, records and token.
    pub fn new(name: &str, url: Url, api: Version, project: ProjectName) -> Self {
        let name = name.into();
        Self { name, url, api, project, records: vec![], ca: None, identity: None, token: None }
    }

    /// Checks what does not fit together.
    ///
    /// # Errors
    /// [`StoreOptionsError`].
    pub(super) fn check(&self) -> Result<(), StoreOptionsError> {
        let url = &self.url;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !plain {
            return Err(StoreOptionsError::Url(url.clone()));
        }
        if self.token.is_some() && url.scheme() != "https" {
            return Err(StoreOptionsError::PlainToken(Arc::clone(&self.name)));
        }
        if matches!(self.token, Some(StoreToken::Google)) && !is_google(url) {
            return Err(StoreOptionsError::GoogleToken(Arc::clone(&self.name)));
        }
        Ok(())
    }
}

fn is_google(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "googleapis.com" || host.ends_with(".googleapis.com")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, token: Option<StoreToken>) -> String {
        let project = "projects/p".parse().unwrap();
        let mut options = StoreOptions::new("s", url.parse().unwrap(), Version::V1Beta1, project);
        options.token = token;
        options.check().map_or_else(|error| error.to_string(), |()| "fits".to_owned())
    }

    #[test]
    fn p9_tokens_go_only_where_they_belong() {
        let given = || Some(StoreToken::Given(Secret::new("hunter2".into())));
        let google = || Some(StoreToken::Google);
        let cases = [
            ("https://grafeas.example:8443", None, "fits"),
            ("http://127.0.0.1:8080", None, "fits"),
            ("https://grafeas.example/base", given(), "fits"),
            ("http://grafeas.example", given(), "would go over plain HTTP"),
            ("http://127.0.0.1:8080", given(), "would go over plain HTTP"),
            ("https://containeranalysis.googleapis.com", google(), "fits"),
            ("http://containeranalysis.googleapis.com", google(), "would go over plain HTTP"),
            ("https://grafeas.example", google(), "not under googleapis.com"),
            ("https://evilgoogleapis.com", google(), "not under googleapis.com"),
            ("https://googleapis.com.evil.example", google(), "not under googleapis.com"),
            ("https://containeranalysis.googleapis.com.", google(), "not under googleapis.com"),
            ("ftp://grafeas.example", None, "is not the base URL of a store"),
            ("https://u:p@grafeas.example", None, "is not the base URL of a store"),
            ("https://grafeas.example/?x=1", None, "is not the base URL of a store"),
        ];
        for (url, token, want) in cases {
            let got = check(url, token);
            assert!(got.contains(want), "{url}: {got}");
            assert!(!got.contains("hunter2"), "{url}: {got}");
        }
    }
}
