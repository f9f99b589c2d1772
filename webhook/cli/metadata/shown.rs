//! Stored metadata as people and scripts see it: by whom, and whether that is verified.

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    name::{PinnedImage, escape},
    source::{Deadline, FetchError, Registries, StoredMetadata},
    verify::{Image, Layers, Trust},
};

use super::super::arguments::PATIENCE;

/// What is known of who made it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase", tag = "status")]
pub enum Standing {
    /// Nobody signed it.
    Unsigned,
    /// Somebody did; nobody checked.
    Unverified {
        /// Whose key it says that it was.
        signer: Option<String>,
    },
    /// A key of this authority made it, and it is whole.
    Verified { authority: String, signer: String },
    /// It was checked, and does not count.
    Rejected { code: String, detail: String },
}

/// One piece of metadata.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    #[serde(rename = "type")]
    kind: String,
    media_type: String,
    digest: String,
    size: u64,
    created: Timestamp,
    expires: Option<Timestamp>,
    #[serde(flatten)]
    pub standing: Standing,
    /// `repository@digest` of the referrer.
    name: String,
}

impl Standing {
    /// What a stored piece is worth; its value is fetched only if somebody is trusted.
    pub async fn of(
        stored: &StoredMetadata,
        trust: Option<&Trust>,
        registries: &Registries,
    ) -> Result<Self, FetchError> {
        let Some(envelope) = &stored.envelope else { return Ok(Self::Unsigned) };
        let Some(trust) = trust else {
            let signer = envelope.signatures().iter().find_map(|one| one.key_id.clone());
            return Ok(Self::Unverified { signer: signer.map(|signer| escape(&signer, SHOWN)) });
        };
        let value = registries.metadata_value(stored, Deadline::after(PATIENCE)).await?;
        let Some(candidate) = stored.candidate(value) else { return Ok(Self::Unsigned) };
        let opened = trust.open(&candidate, &[]);
        let judged = trust.judge(&opened, &exactly(&stored.image), Timestamp::now());
        if let Some(verified) = judged.verified.first() {
            return Ok(Self::Verified {
                authority: verified.authority().to_owned(),
                signer: verified.signer().fingerprint().to_owned(),
            });
        }
        let rejection = judged.rejected.into_iter().next();
        Ok(rejection.map_or(Self::Unsigned, |why| Self::Rejected {
            code: why.code.to_string(),
            detail: why.detail().to_owned(),
        }))
    }

    /// In a few words.
    pub fn words(&self) -> String {
        match self {
            Self::Unsigned => "unsigned".to_owned(),
            Self::Unverified { signer: Some(signer) } => format!("{signer} (unverified)"),
            Self::Unverified { signer: None } => "somebody (unverified)".to_owned(),
            Self::Verified { authority, signer } => format!("{signer} ({authority})"),
            Self::Rejected { code, detail } => format!("rejected: {detail} ({code})"),
        }
    }
}

impl Shown {
    /// A stored piece as it stands.
    pub fn new(stored: &StoredMetadata, standing: Standing) -> Self {
        let metadata = &stored.metadata;
        Self {
            kind: metadata.kind.to_string(),
            media_type: metadata.media_type.to_string(),
            digest: metadata.digest.to_string(),
            size: metadata.size,
            created: metadata.created,
            expires: metadata.expires,
            standing,
            name: format!("{}@{}", stored.image.repository, stored.referrer),
        }
    }

    /// A line of a table: type, size, created, expires, signer.
    pub fn cells(&self) -> [String; 5] {
        [
            self.kind.clone(),
            self.size.to_string(),
            seconds(self.created),
            self.expires.map_or_else(|| "-".to_owned(), seconds),
            self.standing.words(),
        ]
    }
}

fn seconds(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

/// The image by its very digest, and nothing beside it.
fn exactly(image: &PinnedImage) -> Image<'_> {
    let PinnedImage { repository, digest } = image;
    Image {
        repository,
        digest: *digest,
        platform: None,
        config: None,
        equals: &[],
        layers: Layers::NotCompared,
    }
}

/// How much of outside text is shown.
const SHOWN: usize = 100;
