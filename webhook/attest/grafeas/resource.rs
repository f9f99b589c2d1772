//! What an occurrence is about: `resource.uri` in the spellings met in the wild.

use std::{fmt, str::FromStr};

use crate::name::{Digest, ImageRef, PinnedImage, Repository};

/// `https://registry.example/acme/shop@sha256:…`, however it was spelled.
///
/// Writers put `https://` before it or not, keep a tag or not, and call Docker Hub by three names;
/// so the digest is compared first and then the repository as it is known here. It is a claim of
/// the writer's and never proof.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResourceUri {
    written: String,
    repository: Repository,
    digest: Digest,
}

/// The text names no image by digest.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} names no image by digest; expected https://registry.example/name@sha256:…")]
pub struct BadResourceUri(String);

impl ResourceUri {
    /// The spelling in which this project writes: `https://repository@digest`.
    pub fn written_for(repository: &Repository, digest: Digest) -> String {
        format!("https://{repository}@{digest}")
    }

    /// Exact spellings under which other tools file the same image, ours first. Servers that
    /// filter do so by equality.
    pub fn spellings(repository: &Repository, digest: Digest) -> Vec<String> {
        let mut names = vec![repository.to_string()];
        if repository.host() == "docker.io" {
            names.push(format!("index.docker.io/{}", repository.path()));
            if let Some(short) = repository.path().strip_prefix("library/") {
                names.push(format!("docker.io/{short}"));
                names.push(short.to_owned());
            } else {
                names.push(repository.path().to_owned());
            }
        }
        names
            .iter()
            .flat_map(|name| [format!("https://{name}@{digest}"), format!("{name}@{digest}")])
            .collect()
    }

    /// The image that it claims to be about.
    pub fn image(&self) -> PinnedImage {
        PinnedImage { repository: self.repository.clone(), digest: self.digest }
    }

    /// Whether it claims to be about that repository and digest.
    pub fn is(&self, repository: &Repository, digest: Digest) -> bool {
        self.digest == digest && self.repository == *repository
    }

    /// The digest that it names.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

impl FromStr for ResourceUri {
    type Err = BadResourceUri;

    fn from_str(text: &str) -> Result<Self, BadResourceUri> {
        let bad = || BadResourceUri(text.to_owned());
        let reference = ["https://", "http://", "docker://"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme))
            .unwrap_or(text);
        let reference = HUB
            .iter()
            .find_map(|host| reference.strip_prefix(host))
            .map_or_else(|| reference.to_owned(), |path| format!("docker.io/{path}"));
        let image: ImageRef = reference.parse().map_err(|_| bad())?;
        let digest = image.digest().ok_or_else(bad)?;
        Ok(Self { written: text.to_owned(), repository: image.repository().clone(), digest })
    }
}

impl fmt::Display for ResourceUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.written)
    }
}

/// Hosts that serve Docker Hub, beside the names that every image reference knows.
const HUB: [&str; 3] = ["index.docker.io/", "registry-1.docker.io/", "registry.hub.docker.com/"];

#[cfg(test)]
mod tests {
    use super::*;

    const D: &str = "sha256:17224a51821524e7756bff0a4b8a4527fceec461595efaab2a517c493c99635b";

    #[test]
    fn spellings_of_one_image_are_one() {
        let cases = [
            ("https://registry.test/demo/app@D", "registry.test/demo/app", true),
            ("http://registry.test/demo/app@D", "registry.test/demo/app", true),
            ("registry.test/demo/app@D", "registry.test/demo/app", true),
            ("docker://registry.test/demo/app@D", "registry.test/demo/app", true),
            ("registry.test/demo/app:v1@D", "registry.test/demo/app", true),
            ("https://REGISTRY.test/demo/app@D", "registry.test/demo/app", true),
            ("https://registry.test:5000/demo/app@D", "registry.test:5000/demo/app", true),
            ("docker.io/o/r@D", "docker.io/o/r", true),
            ("o/r@D", "docker.io/o/r", true),
            ("https://index.docker.io/library/nginx@D", "docker.io/library/nginx", true),
            ("registry-1.docker.io/library/nginx@D", "docker.io/library/nginx", true),
            ("registry-1.docker.io/nginx@D", "docker.io/library/nginx", true),
            ("nginx@D", "docker.io/library/nginx", true),
            ("docker.io/nginx:1.27@D", "docker.io/library/nginx", true),
            ("https://registry.test/demo/app-evil@D", "registry.test/demo/app", false),
            ("https://registry.test/demo@D", "registry.test/demo/app", false),
            ("https://registry.test:5000/demo/app@D", "registry.test/demo/app", false),
            ("https://evil.test/registry.test/demo/app@D", "registry.test/demo/app", false),
        ];
        for (uri, repository, want) in cases {
            let uri: ResourceUri = uri.replace('D', D).parse().unwrap();
            let repository = repository.parse().unwrap();
            assert_eq!(uri.is(&repository, D.parse().unwrap()), want, "{uri}");
            assert!(!uri.is(&repository, Digest::sha256(b"another")), "{uri}");
        }
    }

    #[test]
    fn what_names_no_digest_is_refused() {
        for text in [
            "",
            "https://",
            "registry.test/demo/app",
            "registry.test/demo/app:v1",
            D,
            "registry.test/demo/app@sha256:1722",
            "https://registry.test/demo/app@D/x",
            "file:///x",
        ] {
            let error = text.parse::<ResourceUri>().unwrap_err().to_string();
            assert!(error.contains("names no image by digest"), "{text}: {error}");
        }
    }

    #[test]
    fn spellings_asked_for_are_of_the_image() {
        for (repository, count) in
            [("registry.test/demo/app", 2), ("docker.io/library/nginx", 8), ("docker.io/o/r", 6)]
        {
            let repository: Repository = repository.parse().unwrap();
            let digest = D.parse().unwrap();
            let spellings = ResourceUri::spellings(&repository, digest);
            assert_eq!(spellings.len(), count, "{spellings:?}");
            assert_eq!(spellings[0], ResourceUri::written_for(&repository, digest));
            for spelling in spellings {
                assert!(spelling.parse::<ResourceUri>().unwrap().is(&repository, digest));
            }
        }
    }
}
