//! Reading a manifest or an index: which of the two it is, and that it is only that.

use std::collections::BTreeMap;

use serde::{Deserialize, de::IgnoredAny};

use super::{
    Descriptor, Index, Manifest,
    media_type::{DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST},
    spelling::DOCUMENT,
};

/// What a registry keeps under a tag or digest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Document {
    Manifest(Box<Manifest>),
    Index(Index),
}

/// Why bytes are no manifest and no index. Retrying will not help.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// A media type of something else, schema 1 included.
    #[error("its media type is none of the OCI and Docker manifests and indexes")]
    MediaType,
    /// The header says one thing, the document another: a client that trusts the other one would
    /// read another image.
    #[error("it is served as one media type and says that it is another")]
    Mismatch,
    /// Both a manifest and an index, so that two clients read two images in it.
    #[error("it is a manifest and an index at once")]
    Polyglot,
    /// A member that its kind must have is missing.
    #[error("it has no `{0}`")]
    Incomplete(&'static str),
    /// Schema 1, whose digests cover no bytes that are served.
    #[error("it is a manifest of schema 1; push the image with a newer client")]
    Schema,
    /// Not JSON, or a member of another type.
    #[error("it is not the JSON of a manifest")]
    Malformed(#[source] serde_json::Error),
}

impl Document {
    /// Reads `bytes` that were served as `media_type` (parameters such as `charset` are ignored).
    ///
    /// Success proves that every reader takes the document for the same kind, whichever of header
    /// and body it goes by. Whether the bytes are those of a digest is checked by who fetched them.
    ///
    /// ```
    /// # use countersign::attest::oci::Document;
    /// let index = br#"{"schemaVersion":2,"manifests":null}"#;
    /// let read = Document::parse(index, "application/vnd.oci.image.index.v1+json")?;
    /// assert!(matches!(read, Document::Index(index) if index.manifests.is_empty()));
    /// # Ok::<(), countersign::attest::oci::DocumentError>(())
    /// ```
    ///
    /// # Errors
    /// What it is instead.
    pub fn parse(bytes: &[u8], media_type: &str) -> Result<Self, DocumentError> {
        let media_type = essence(media_type);
        if SCHEMA_1.contains(&media_type) {
            return Err(DocumentError::Schema);
        }
        let is_index = match media_type {
            OCI_MANIFEST | DOCKER_MANIFEST => false,
            OCI_INDEX | DOCKER_INDEX => true,
            _ => return Err(DocumentError::MediaType),
        };
        let any = Any::read(bytes)?;
        if any.media_type.as_deref().is_some_and(|said| said != media_type) {
            return Err(DocumentError::Mismatch);
        }
        if any.schema_version == Some(1) || any.fs_layers.is_some() {
            return Err(DocumentError::Schema);
        }
        if any.schema_version != Some(2) {
            return Err(DocumentError::Incomplete("schemaVersion"));
        }
        if is_index { any.into_index() } else { any.into_manifest() }
    }

    /// The media type that a document gives itself, for those that were served as nothing in
    /// particular.
    pub fn own_media_type(bytes: &[u8]) -> Option<String> {
        Any::read(bytes).ok()?.media_type
    }

    /// The manifest that this one says it is about.
    pub fn subject(&self) -> Option<&Descriptor> {
        match self {
            Self::Manifest(manifest) => manifest.subject.as_ref(),
            Self::Index(index) => index.subject.as_deref(),
        }
    }
}

/// Members of both kinds, so that a document of both is noticed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Any {
    schema_version: Option<u32>,
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    #[serde(default, deserialize_with = "present")]
    manifests: Option<Vec<Descriptor>>,
    subject: Option<Descriptor>,
    annotations: Option<BTreeMap<String, String>>,
    fs_layers: Option<IgnoredAny>,
}

impl Any {
    fn read(bytes: &[u8]) -> Result<Self, DocumentError> {
        DOCUMENT.check(bytes).map_err(DocumentError::Malformed)?;
        serde_json::from_slice(bytes).map_err(DocumentError::Malformed)
    }

    fn into_index(self) -> Result<Document, DocumentError> {
        if self.config.is_some() || self.layers.is_some() {
            return Err(DocumentError::Polyglot);
        }
        Ok(Document::Index(Index {
            schema_version: 2,
            media_type: self.media_type,
            artifact_type: self.artifact_type,
            manifests: self.manifests.ok_or(DocumentError::Incomplete("manifests"))?,
            subject: self.subject.map(Box::new),
            annotations: self.annotations.unwrap_or_default(),
        }))
    }

    fn into_manifest(self) -> Result<Document, DocumentError> {
        if self.manifests.is_some() {
            return Err(DocumentError::Polyglot);
        }
        Ok(Document::Manifest(Box::new(Manifest {
            schema_version: 2,
            media_type: self.media_type,
            artifact_type: self.artifact_type,
            config: self.config.ok_or(DocumentError::Incomplete("config"))?,
            layers: self.layers.ok_or(DocumentError::Incomplete("layers"))?,
            subject: self.subject,
            annotations: self.annotations.unwrap_or_default(),
        })))
    }
}

/// Takes `null` for a list that is there and empty.
fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<Descriptor>>, D::Error> {
    Option::deserialize(deserializer).map(|list| Some(list.unwrap_or_default()))
}

/// A media type without its parameters.
pub(super) fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

const SCHEMA_1: [&str; 2] = [
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "application/vnd.docker.distribution.manifest.v1+json",
];

#[cfg(test)]
mod tests {
    use super::*;

    const D: &str = r#"{"mediaType":"a/b","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}"#;

    #[test]
    fn p1_a_document_is_one_thing_to_every_reader() {
        for (name, media_type, body, want) in [
            (
                "manifest",
                OCI_MANIFEST,
                format!(r#"{{"schemaVersion":2,"config":{D},"layers":[{D}]}}"#),
                "manifest",
            ),
            (
                "parameters",
                "application/vnd.oci.image.index.v1+json; charset=utf-8",
                r#"{"schemaVersion":2,"manifests":[]}"#.into(),
                "index",
            ),
            (
                "docker list",
                DOCKER_INDEX,
                format!(r#"{{"schemaVersion":2,"mediaType":"{DOCKER_INDEX}","manifests":[{D}]}}"#),
                "index",
            ),
            (
                "null manifests",
                OCI_INDEX,
                r#"{"schemaVersion":2,"manifests":null}"#.into(),
                "index",
            ),
            ("no manifests", OCI_INDEX, r#"{"schemaVersion":2}"#.into(), "no `manifests`"),
            (
                "no layers",
                OCI_MANIFEST,
                format!(r#"{{"schemaVersion":2,"config":{D}}}"#),
                "no `layers`",
            ),
            ("no config", OCI_MANIFEST, r#"{"schemaVersion":2,"layers":[]}"#.into(), "no `config`"),
            ("no version", OCI_INDEX, r#"{"manifests":[]}"#.into(), "no `schemaVersion`"),
            (
                "other type in the body",
                OCI_MANIFEST,
                format!(r#"{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[{D}]}}"#),
                "says that it is another",
            ),
            (
                "index with layers",
                OCI_INDEX,
                format!(r#"{{"schemaVersion":2,"manifests":[{D}],"layers":[{D}]}}"#),
                "at once",
            ),
            (
                "manifest with manifests",
                OCI_MANIFEST,
                format!(r#"{{"schemaVersion":2,"config":{D},"layers":[],"manifests":[]}}"#),
                "at once",
            ),
            (
                "manifest with null manifests",
                OCI_MANIFEST,
                format!(r#"{{"schemaVersion":2,"config":{D},"layers":[],"manifests":null}}"#),
                "at once",
            ),
            (
                "two lists",
                OCI_INDEX,
                format!(r#"{{"schemaVersion":2,"manifests":[],"manifests":[{D}]}}"#),
                "not the JSON",
            ),
            (
                "two lists by case",
                OCI_INDEX,
                format!(r#"{{"schemaVersion":2,"manifests":[],"Manifests":[{D}]}}"#),
                "not the JSON",
            ),
            (
                "two lists by folding",
                OCI_INDEX,
                format!(r#"{{"schemaVersion":2,"manifests":[],"manife\u017fts":[{D}]}}"#),
                "not the JSON",
            ),
            (
                "two digests by case",
                OCI_INDEX,
                format!(
                    r#"{{"schemaVersion":2,"manifests":[{}]}}"#,
                    D.replacen('{', r#"{"DIGEST":"x","#, 1)
                ),
                "not the JSON",
            ),
            (
                "case in annotations",
                OCI_INDEX,
                r#"{"schemaVersion":2,"manifests":[],"annotations":{"Config":"x"}}"#.into(),
                "index",
            ),
            (
                "negative size",
                OCI_INDEX,
                format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, D.replace(":2}", ":-2}")),
                "not the JSON",
            ),
            (
                "crafted digest",
                OCI_INDEX,
                format!(
                    r#"{{"schemaVersion":2,"manifests":[{}]}}"#,
                    D.replace("sha256:4413", "sha256:../.")
                ),
                "not the JSON",
            ),
            (
                "trailing data",
                OCI_INDEX,
                r#"{"schemaVersion":2,"manifests":[]} {}"#.into(),
                "not the JSON",
            ),
            ("html", OCI_INDEX, "<html>".into(), "not the JSON"),
            ("html type", "text/html", "<html>".into(), "none of the OCI"),
            ("schema 1 type", SCHEMA_1[0], "{}".into(), "schema 1"),
            (
                "schema 1 body",
                DOCKER_MANIFEST,
                r#"{"schemaVersion":1,"fsLayers":[]}"#.into(),
                "schema 1",
            ),
        ] {
            let got = match Document::parse(body.as_bytes(), media_type) {
                Ok(Document::Manifest(_)) => "manifest".to_owned(),
                Ok(Document::Index(_)) => "index".to_owned(),
                Err(error) => error.to_string(),
            };
            assert!(got.contains(want), "{name}: {got}");
        }
    }

    #[test]
    fn lists_of_real_registries_are_read() {
        for (file, entries) in [
            ("fallback-tag-distribution2.http", 2),
            ("referrers-ggcr.http", 2),
            ("referrers-ociserver.http", 2),
            ("referrers-ociserver-empty.http", 0),
        ] {
            let path = format!("{}/fixtures/oci/{file}", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(path).unwrap();
            let body = &text[text.find('{').unwrap()..];
            let Document::Index(index) = Document::parse(body.as_bytes(), OCI_INDEX).unwrap()
            else {
                panic!("{file}: no index");
            };
            assert_eq!(index.manifests.len(), entries, "{file}");
        }
    }
}
