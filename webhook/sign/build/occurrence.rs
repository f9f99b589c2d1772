//! The record as the details of a Grafeas BUILD occurrence.

use serde_json::{Value, json};

use super::BuildRecord;
use crate::{
    name::{Digest, PinnedImage},
    sign::{
        PredicateType, Record, RecordKind, RecordNote,
        payload::statement,
        present::{filled, present},
    },
};

impl BuildRecord {
    /// The occurrence of `image`, under `note`: nobody signs it, so it only says again, where
    /// readers of Grafeas look, what the signed statement says.
    pub fn occurrence(&self, image: &PinnedImage, note: RecordNote) -> Record {
        Record {
            kind: RecordKind::Build,
            note,
            note_details: json!({"builderVersion": BUILDER_VERSION}),
            details: json!({
                "provenance": self.provenance(image),
                // `InTotoSlsaProvenanceV1`: what is signed elsewhere, word for word.
                "inTotoSlsaProvenanceV1": statement(
                    image,
                    &PredicateType::provenance(),
                    &self.predicate(),
                ),
            }),
        }
    }

    /// `BuildProvenance`, in the members that the reference server and Google's know.
    fn provenance(&self, image: &PinnedImage) -> Value {
        // An ID is asked for; without one of the run, the same record has the same.
        let hashed = || Digest::sha256(self.predicate().to_string().as_bytes()).to_string();
        let is_page = |id: &&String| id.starts_with("https://") || id.starts_with("http://");
        let page = self.invocation_id.as_ref().filter(is_page);
        let parameters = (!self.parameters.is_empty()).then(|| json!(self.parameters));
        present([
            ("id", Some(self.invocation_id.clone().unwrap_or_else(hashed).into())),
            (
                "builtArtifacts",
                Some(json!([{"checksum": image.digest.to_string(), "id": image.to_string()}])),
            ),
            ("startTime", self.started.map(|time| time.to_string().into())),
            ("endTime", self.finished.map(|time| time.to_string().into())),
            ("creator", self.builder_id.clone().map(Value::from)),
            ("logsUri", page.cloned().map(Value::from)),
            ("sourceProvenance", self.context().map(|context| json!({"context": context}))),
            ("buildOptions", parameters),
        ])
    }

    /// Where the build began; a tree with changes has no revision.
    fn context(&self) -> Option<Value> {
        let source = self.origin.source.clone()?;
        let git = present([
            ("url", Some(source.into())),
            ("revisionId", self.whole_revision().map(Value::from)),
        ]);
        let labels = present([("ref", self.origin.reference.clone().map(Value::from))]);
        Some(present([("git", Some(git)), ("labels", filled(labels))]))
    }
}

/// What wrote the record.
const BUILDER_VERSION: &str = concat!("countersign ", env!("CARGO_PKG_VERSION"));
