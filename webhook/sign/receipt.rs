//! What became of what was to be published.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::{FolderError, RecordKind, SigningKeyError};
use crate::{
    name::{BadName, Fingerprint, NoteName, PinnedImage},
    source::FetchError,
    verify::{Rejection, TrustError},
};

/// What became of one claim about one image signed with one key, or of one record.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The image's repository.
    pub image: String,
    /// Its digest.
    pub digest: String,
    /// `simple-signing` or a URI; null for a record.
    pub predicate_type: Option<String>,
    /// What kind of record it is, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordKind>,
    /// The fingerprint of the signer's certificate; null for a record, which nobody signs.
    pub signer: Option<String>,
    /// Where it stands now.
    pub published: Vec<Publication>,
    /// Why it does not stand everywhere.
    #[serde(rename = "error", skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    pub error: Option<PublishError>,
}

impl Receipt {
    /// Of a claim that stands nowhere yet.
    pub(super) fn of_claim(image: &PinnedImage, predicate_type: &str, signer: Fingerprint) -> Self {
        Self {
            predicate_type: Some(predicate_type.to_owned()),
            signer: Some(signer.to_string()),
            ..Self::of(image)
        }
    }

    /// Of a record that stands nowhere yet.
    pub(super) fn of_record(image: &PinnedImage, kind: RecordKind) -> Self {
        Self { record: Some(kind), ..Self::of(image) }
    }

    fn of(image: &PinnedImage) -> Self {
        Self {
            image: image.repository.to_string(),
            digest: image.digest.to_string(),
            predicate_type: None,
            record: None,
            signer: None,
            published: Vec::new(),
            error: None,
        }
    }

    /// Adds where it went, or why it did not go further.
    pub(super) fn with(mut self, outcome: Result<(), PublishError>) -> Self {
        self.error = outcome.err();
        self
    }
}

/// One place where it stands.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Publication {
    /// In a Grafeas server.
    Occurrence {
        store: String,
        name: String,
        /// It stood there before.
        unchanged: bool,
    },
    /// In the image's registry.
    Referrer {
        digest: String,
        /// The fallback tag that lists it, where the registry does not.
        #[serde(skip_serializing_if = "Option::is_none")]
        tag: Option<String>,
        /// It stood there before.
        unchanged: bool,
    },
    /// In a folder, to be uploaded.
    File {
        path: String,
        /// It stood there before.
        unchanged: bool,
    },
}

/// Why nothing, or not all, was published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The key cannot sign.
    #[error(transparent)]
    Key(#[from] SigningKeyError),
    /// The keys cannot stand for authorities.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A registry or store did not do its part.
    #[error(transparent)]
    Fetch(#[from] Arc<FetchError>),
    /// A folder cannot be written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Something signed by a key that is not beside it.
    #[error("the public half of key {0} is not in the folder, so nobody can check what it signed")]
    NoPublicHalf(Fingerprint),
    /// The store lacks notes.
    #[error("the store has no note {}; make it with --create-note", listed(.0))]
    NoNote(Vec<NoteName>),
    /// A note for a record cannot be called so.
    #[error("a record has no note to be filed under: {0}; give --note another name")]
    NoteName(#[source] BadName),
    /// A report of which findings are missing must not look like one of a clean image.
    #[error(
        "not all of the findings are filed, so it is not said either that the scan finished; \
         run it again"
    )]
    Findings,
    /// Nobody signs a record, so it cannot be attached.
    #[error("nobody signs a record, so it goes to a store alone; give --store and --note")]
    NoStore,
    /// The signature just made would not count, so it was not published.
    #[error("the signature that was just made does not count: {} ({})", .0.detail(), .0.code)]
    Useless(Box<Rejection>),
    /// The payload is not what verifiers read.
    #[error("the statement is not one that verifiers read; check the predicate")]
    Unreadable,
    /// The attestation is larger than verifiers read.
    #[error("an attestation of {size} bytes, of which at most {most} are read; say less in it")]
    TooLarge { size: usize, most: u64 },
}

fn listed(notes: &[NoteName]) -> String {
    let mut names: Vec<&str> = notes.iter().take(SHOWN).map(NoteName::as_str).collect();
    if notes.len() > SHOWN {
        names.push("…");
    }
    names.join(", ")
}

#[expect(clippy::ref_option, reason = "the form that serde calls")]
fn as_text<S: Serializer>(error: &Option<PublishError>, serializer: S) -> Result<S::Ok, S::Error> {
    match error {
        Some(error) => serializer.collect_str(error),
        None => serializer.serialize_none(),
    }
}

/// Missing notes that are named.
const SHOWN: usize = 5;
