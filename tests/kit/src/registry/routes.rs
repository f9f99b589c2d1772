//! The registry's paths, and what is read from them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{INDEX, Referrers, Shared, contents::Repository, write};
use crate::{
    base64,
    peer::{Answer, Handler, Kind, Request},
    sha256,
};

pub(super) struct Routes(pub(super) Arc<Shared>);

/// A path of the distribution API.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Route<'a> {
    Ping,
    Token,
    Manifest(&'a str, &'a str),
    Blob(&'a str, &'a str),
    Upload(&'a str, &'a str),
    Referrers(&'a str, &'a str),
    Tags(&'a str),
    Extension(&'a str, &'a str),
    Lookaside(&'a str),
    Unknown,
}

impl<'a> Route<'a> {
    pub(super) fn of(path: &'a str) -> Self {
        if path == "/token" {
            return Self::Token;
        }
        if let Some(rest) = path.strip_prefix("/sigstore/") {
            return Self::Lookaside(rest);
        }
        if let Some(rest) = path.strip_prefix("/extensions/v2/") {
            let split = rest.rsplit_once("/signatures/");
            return split.map_or(Self::Unknown, |(name, digest)| Self::Extension(name, digest));
        }
        let Some(rest) = path.strip_prefix("/v2/").or((path == "/v2").then_some("")) else {
            return Self::Unknown;
        };
        if rest.is_empty() {
            return Self::Ping;
        }
        if let Some(name) = rest.strip_suffix("/tags/list") {
            return Self::Tags(name);
        }
        let split = |part: &str| rest.rsplit_once(part);
        if let Some((name, id)) = split("/blobs/uploads/") {
            Self::Upload(name, id)
        } else if let Some((name, reference)) = split("/manifests/") {
            Self::Manifest(name, reference)
        } else if let Some((name, digest)) = split("/blobs/") {
            Self::Blob(name, digest)
        } else if let Some((name, digest)) = split("/referrers/") {
            Self::Referrers(name, digest)
        } else {
            Self::Unknown
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Ping => Kind::Ping,
            Self::Token => Kind::Token,
            Self::Manifest(..) => Kind::Manifest,
            Self::Blob(..) => Kind::Blob,
            Self::Upload(..) => Kind::Upload,
            Self::Referrers(..) => Kind::Referrers,
            Self::Tags(_) => Kind::Tags,
            Self::Extension(..) | Self::Lookaside(_) => Kind::Signature,
            Self::Unknown => Kind::Other,
        }
    }

    fn repository(&self) -> &'a str {
        match self {
            Self::Manifest(name, _)
            | Self::Blob(name, _)
            | Self::Upload(name, _)
            | Self::Referrers(name, _)
            | Self::Extension(name, _)
            | Self::Tags(name) => name,
            _ => "",
        }
    }
}

impl Handler for Routes {
    fn kind(&self, _method: &str, path: &str) -> Kind {
        Route::of(path).kind()
    }

    fn answer(&self, request: &Request) -> Answer {
        let route = Route::of(&request.path);
        let (auth, referrers) = self.0.settings().clone();
        match route {
            Route::Token => return auth.token(request),
            Route::Lookaside(rest) => return self.lookaside(rest),
            Route::Unknown => return Answer::of(404, "text/plain", "404 page not found"),
            _ => {}
        }
        let action = match request.method.as_str() {
            "GET" | "HEAD" => "pull",
            "DELETE" => "delete",
            _ => "push",
        };
        if let Err(refusal) = auth.check(request, route.repository(), action) {
            return *refusal;
        }
        match (request.method.as_str(), route) {
            ("GET" | "HEAD", Route::Ping) => self.ping(),
            ("GET" | "HEAD", Route::Manifest(name, reference)) => self.manifest(name, reference),
            ("GET" | "HEAD", Route::Blob(name, digest)) => self.blob(name, digest),
            ("GET", Route::Referrers(name, digest)) => {
                self.referrers(request, name, digest, &referrers)
            }
            ("GET", Route::Tags(name)) => self.tags(request, name),
            ("GET", Route::Extension(name, digest)) => self.extension(name, digest),
            (_, route) => write::answer(&self.0, request, &route, &referrers),
        }
    }
}

impl Routes {
    fn ping(&self) -> Answer {
        let answer =
            Answer::json(200, &json!({})).with("docker-distribution-api-version", "registry/2.0");
        if self.0.signatures_extension {
            return answer.with("x-registry-supports-signatures", "1");
        }
        answer
    }

    fn manifest(&self, name: &str, reference: &str) -> Answer {
        let mut contents = self.0.contents();
        let found = contents.repositories.get_mut(name).and_then(|r| r.find(reference));
        let Some(manifest) = found else {
            return Answer::registry_error(404, "MANIFEST_UNKNOWN");
        };
        Answer::of(200, &manifest.media_type, manifest.bytes.clone())
            .with("docker-content-digest", sha256(&manifest.bytes))
    }

    fn blob(&self, name: &str, digest: &str) -> Answer {
        let contents = self.0.contents();
        match contents.repositories.get(name).and_then(|r| r.blobs.get(digest)) {
            None => Answer::registry_error(404, "BLOB_UNKNOWN"),
            Some(bytes) => Answer::of(200, "application/octet-stream", bytes.clone())
                .with("docker-content-digest", digest),
        }
    }

    fn referrers(&self, request: &Request, name: &str, of: &str, mode: &Referrers) -> Answer {
        let contents = self.0.contents();
        let repository = contents.repositories.get(name);
        let mut listed = repository.map(|r: &Repository| r.referrers(of)).unwrap_or_default();
        let wanted = request.parameters("artifactType");
        let mut answer = Answer::new(200);
        match mode {
            Referrers::Off => return Answer::of(404, "text/plain", "404 page not found"),
            Referrers::All { filter: true } if !wanted.is_empty() => {
                let of_type = |one: &Value| wanted.iter().any(|kind| one["artifactType"] == **kind);
                listed.retain(of_type);
                answer = answer.with("oci-filters-applied", "artifactType");
            }
            Referrers::All { .. } => {}
            Referrers::Pages(size) => {
                let from = request.parameter("from").and_then(|at| at.parse().ok()).unwrap_or(0);
                let next = from + size;
                if next < listed.len() {
                    let link = format!("</v2/{name}/referrers/{of}?from={next}>; rel=\"next\"");
                    answer = answer.with("link", link);
                }
                listed = listed.into_iter().skip(from).take(*size).collect();
            }
        }
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed});
        answer.body = index.to_string().into();
        answer.with("content-type", INDEX)
    }

    fn tags(&self, request: &Request, name: &str) -> Answer {
        let contents = self.0.contents();
        let Some(repository) = contents.repositories.get(name) else {
            return Answer::registry_error(404, "NAME_UNKNOWN");
        };
        let last = request.parameter("last").unwrap_or_default();
        let n = request.parameter("n").and_then(|n| n.parse().ok()).unwrap_or(usize::MAX);
        let mut rest = repository.tags.keys().filter(|tag| **tag > last);
        let page: Vec<&String> = rest.by_ref().take(n).collect();
        let answer = Answer::json(200, &json!({"name": name, "tags": page}));
        match (rest.next(), page.last()) {
            (Some(_), Some(last)) => {
                let link = format!("</v2/{name}/tags/list?last={last}&n={n}>; rel=\"next\"");
                answer.with("link", link)
            }
            _ => answer,
        }
    }

    /// `<path>@sha256=<hex>/signature-<n>`, n from 1.
    fn lookaside(&self, rest: &str) -> Answer {
        let signature = rest.rsplit_once("/signature-").and_then(|(image, number)| {
            let (name, digest) = image.rsplit_once('@')?;
            let key = (name.to_owned(), digest.replacen('=', ":", 1));
            let at = number.parse::<usize>().ok()?.checked_sub(1)?;
            self.0.contents().signatures.get(&key)?.get(at).cloned()
        });
        match signature {
            None => Answer::of(404, "text/plain", "not found"),
            Some(bytes) => Answer::of(200, "application/octet-stream", bytes),
        }
    }

    fn extension(&self, name: &str, digest: &str) -> Answer {
        let key = (name.to_owned(), digest.to_owned());
        let contents = self.0.contents();
        let stored = contents.signatures.get(&key).map(Vec::as_slice).unwrap_or_default();
        let listed = stored.iter().map(|bytes| {
            let unique = &sha256(bytes)[7..39];
            json!({
                "schemaVersion": 2,
                "name": format!("{digest}@{unique}"),
                "type": "atomic",
                "content": base64(bytes),
            })
        });
        Answer::json(200, &json!({"signatures": listed.collect::<Vec<_>>()}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_apart() {
        let cases = [
            ("/v2/", Route::Ping),
            ("/token", Route::Token),
            ("/v2/acme/shop/manifests/1.4", Route::Manifest("acme/shop", "1.4")),
            ("/v2/manifests/blobs/manifests/x", Route::Manifest("manifests/blobs", "x")),
            ("/v2/acme/shop/blobs/sha256:0", Route::Blob("acme/shop", "sha256:0")),
            ("/v2/acme/shop/blobs/uploads/", Route::Upload("acme/shop", "")),
            ("/v2/acme/shop/referrers/sha256:0", Route::Referrers("acme/shop", "sha256:0")),
            ("/v2/acme/shop/tags/list", Route::Tags("acme/shop")),
            ("/sigstore/acme/shop@sha256=0/signature-1", {
                Route::Lookaside("acme/shop@sha256=0/signature-1")
            }),
            ("/elsewhere", Route::Unknown),
        ];
        for (path, want) in cases {
            assert_eq!(Route::of(path), want, "{path}");
        }
    }
}
