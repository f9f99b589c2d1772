//! What is written to a registry: uploads, manifests, deletions.

use serde_json::Value;

use super::{
    Referrers, Shared,
    contents::{Manifest, Tag},
    routes::Route,
};
use crate::{
    peer::{Answer, Request},
    sha256,
};

/// Answers everything that is no reading.
pub(super) fn answer(
    shared: &Shared,
    request: &Request,
    route: &Route<'_>,
    referrers: &Referrers,
) -> Answer {
    match (request.method.as_str(), route) {
        ("POST", Route::Upload(name, "")) => begin(shared, request, name),
        ("PUT", Route::Upload(name, _)) => upload(shared, request, name),
        ("PUT", Route::Manifest(name, reference)) => {
            manifest(shared, request, name, reference, referrers)
        }
        ("DELETE", Route::Manifest(name, reference)) => {
            let gone = shared.contents().repository(name).delete(reference);
            if gone { Answer::new(202) } else { Answer::registry_error(404, "MANIFEST_UNKNOWN") }
        }
        ("DELETE", Route::Blob(name, digest)) => {
            let gone = shared.contents().repository(name).blobs.remove(*digest).is_some();
            if gone { Answer::new(202) } else { Answer::registry_error(404, "BLOB_UNKNOWN") }
        }
        ("DELETE", Route::Upload(..)) => Answer::new(204),
        _ => Answer::registry_error(405, "UNSUPPORTED"),
    }
}

/// POST: a mount, a whole blob, or the beginning of an upload.
fn begin(shared: &Shared, request: &Request, name: &str) -> Answer {
    let mut contents = shared.contents();
    if let (Some(digest), Some(from)) = (request.parameter("mount"), request.parameter("from")) {
        let held = contents.repositories.get(&from).and_then(|r| r.blobs.get(&digest)).cloned();
        if let Some(bytes) = held {
            contents.repository(name).blobs.insert(digest.clone(), bytes);
            return created(name, &digest);
        }
    }
    if request.parameter("digest").is_some() {
        drop(contents);
        return upload(shared, request, name);
    }
    let id = contents.next_upload();
    Answer::new(202).with("location", format!("/v2/{name}/blobs/uploads/{id}?_state=kit"))
}

/// The bytes of a blob, whole, with its digest in the query.
fn upload(shared: &Shared, request: &Request, name: &str) -> Answer {
    let digest = request.parameter("digest").unwrap_or_default();
    if sha256(&request.body) != digest {
        return Answer::registry_error(400, "DIGEST_INVALID");
    }
    let mut contents = shared.contents();
    contents.repository(name).blobs.insert(digest.clone(), request.body.clone());
    created(name, &digest)
}

fn manifest(
    shared: &Shared,
    request: &Request,
    name: &str,
    reference: &str,
    referrers: &Referrers,
) -> Answer {
    let Some(media_type) = request.header("content-type").map(str::to_owned) else {
        return Answer::registry_error(400, "MANIFEST_INVALID");
    };
    let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
        return Answer::registry_error(400, "MANIFEST_INVALID");
    };
    let stored = sha256(&request.body);
    let by_digest = reference.contains(':');
    if by_digest && reference != stored {
        return Answer::registry_error(400, "DIGEST_INVALID");
    }
    let mut contents = shared.contents();
    let repository = contents.repository(name);
    for blob in
        std::iter::once(&body["config"]).chain(body["layers"].as_array().into_iter().flatten())
    {
        let digest = blob["digest"].as_str().unwrap_or_default();
        if blob.is_object() && !repository.blobs.contains_key(digest) {
            return Answer::registry_error(400, "MANIFEST_BLOB_UNKNOWN");
        }
    }
    let manifest = Manifest { media_type, bytes: request.body.clone() };
    let subject = manifest.subject();
    repository.put_manifest(manifest);
    if !by_digest {
        repository.tags.insert(reference.to_owned(), Tag(vec![stored.clone()]));
    }
    let answer = Answer::new(201)
        .with("location", format!("/v2/{name}/manifests/{stored}"))
        .with("docker-content-digest", stored);
    match subject {
        Some(subject) if !matches!(referrers, Referrers::Off) => {
            answer.with("oci-subject", subject)
        }
        _ => answer,
    }
}

fn created(name: &str, digest: &str) -> Answer {
    Answer::new(201)
        .with("location", format!("/v2/{name}/blobs/{digest}"))
        .with("docker-content-digest", digest)
}
