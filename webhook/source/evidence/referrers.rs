//! Evidence that hangs on an image in its own registry: OCI 1.1 referrers.

use futures_util::{StreamExt as _, stream};
use serde_json::json;

use crate::{
    attest::{
        Candidate,
        artifact::{ARTIFACT_TYPE, LARGEST_LAYER, read_layer},
        oci::{Descriptor, Document},
    },
    name::{Code, Repository},
    source::{Deadline, FetchError, Peer, Reference, Registries},
    verify::Rejection,
};

use super::{
    answer::Records,
    lookup::{Haul, Key},
};

/// Lists what refers to the digest and reads what may be evidence, side by side.
pub async fn ask(
    registries: &Registries,
    key: &Key,
    deadline: Deadline,
) -> Result<Haul, FetchError> {
    let listed = registries.referrers(&key.repository, key.digest, deadline).await?;
    let (ours, foreign): (Vec<_>, Vec<_>) = listed.into_iter().partition(may_be_evidence);
    if ours.len() > MOST_READ {
        return Err(too_much(key, MOST_READ, "referrers of one image that may be attestations"));
    }
    let mut haul = Haul { records: foreign_records(&foreign), ..Haul::default() };
    let mut read = stream::iter(ours)
        .map(|referrer| read(registries, key, referrer, deadline))
        .buffered(AT_A_TIME);
    while let Some(part) = read.next().await {
        match part? {
            Part::Attestation(candidate) => haul.candidates.push(candidate),
            Part::Unreadable(rejection) => haul.unreadable.push(rejection),
            Part::Foreign(record) => haul.records.0.push(record),
        }
    }
    if haul.candidates.len() > MOST_ATTESTATIONS {
        return Err(too_much(key, MOST_ATTESTATIONS, "attestations that refer to one image"));
    }
    Ok(haul)
}

fn too_much(key: &Key, limit: usize, what: &'static str) -> FetchError {
    let peer = Peer::Registry(key.repository.host().into());
    FetchError::TooMuch { peer, limit: limit as u64, what }
}

/// What one referrer turned out to be.
enum Part {
    Attestation(Candidate),
    Unreadable(Rejection),
    Foreign((&'static str, serde_json::Value)),
}

/// Artifact types in lists are hints, and fallback tags have wrong ones or none: what is not
/// plainly something else is read to see.
fn may_be_evidence(referrer: &Descriptor) -> bool {
    match referrer.artifact_type.as_deref() {
        None | Some("" | "application/vnd.oci.empty.v1+json") => true,
        Some(artifact_type) => artifact_type == ARTIFACT_TYPE,
    }
}

async fn read(
    registries: &Registries,
    key: &Key,
    referrer: Descriptor,
    deadline: Deadline,
) -> Result<Part, FetchError> {
    let referrer = &referrer;
    let repository = &key.repository;
    let reference = Reference::Digest(referrer.digest);
    let fetched = match registries.manifest(repository, reference, deadline).await {
        Ok(fetched) => fetched,
        // Cleanup jobs leave entries of fallback tags behind that point at nothing.
        Err(error) if error.is_absence() => {
            return Ok(Part::Foreign(record(referrer, referrer.artifact_type.as_deref())));
        }
        Err(error) => return Err(error),
    };
    let Ok(Document::Manifest(manifest)) = fetched.document() else {
        return Ok(Part::Foreign(record(referrer, referrer.artifact_type.as_deref())));
    };
    if manifest.effective_type() != ARTIFACT_TYPE {
        return Ok(Part::Foreign(record(referrer, Some(manifest.effective_type()))));
    }
    let bad = |detail: String| Ok(Part::Unreadable(rejection(repository, referrer, detail)));
    if manifest.subject.as_ref().is_none_or(|subject| subject.digest != key.digest) {
        return bad(
            "it is listed as a referrer of this image and names another as its subject".into()
        );
    }
    let [layer] = manifest.layers.as_slice() else {
        return bad(format!("it has {} layers where one is read", manifest.layers.len()));
    };
    let bytes = registries.blob(repository, layer, LARGEST_LAYER, deadline).await?;
    match read_layer(&layer.media_type, bytes) {
        Err(error) => bad(error.to_string()),
        Ok(signed) => Ok(Part::Attestation(Candidate {
            source: SOURCE.into(),
            name: format!("{repository}@{}", referrer.digest),
            note: None,
            recorded_at: None,
            signed,
        })),
    }
}

fn rejection(repository: &Repository, referrer: &Descriptor, detail: String) -> Rejection {
    Rejection {
        source: SOURCE.into(),
        name: format!("{repository}@{}", referrer.digest),
        format: "oci".into(),
        code: Code::SignatureMalformed,
        detail,
    }
}

fn foreign_records(foreign: &[Descriptor]) -> Records {
    let records =
        foreign.iter().map(|referrer| record(referrer, referrer.artifact_type.as_deref()));
    Records(records.collect())
}

fn record(referrer: &Descriptor, artifact_type: Option<&str>) -> (&'static str, serde_json::Value) {
    let value = json!({
        "type": artifact_type,
        "digest": referrer.digest.to_string(),
        "size": referrer.size,
        "annotations": referrer.annotations,
    });
    ("referrers", value)
}

/// The name of this source.
const SOURCE: &str = "referrers";

/// More attestations of one image than any pipeline makes.
const MOST_ATTESTATIONS: usize = 64;

/// More referrers whose type only their manifest tells, as in fallback tags.
const MOST_READ: usize = 256;

/// How many referrers of one image are read at a time.
const AT_A_TIME: usize = 8;
