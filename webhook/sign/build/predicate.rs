//! The record as a predicate of SLSA provenance v1: <https://slsa.dev/spec/v1.0/provenance>.
//!
//! The source stands where GitHub's own provenance has it, in `externalParameters.workflow` and as
//! the first of the resolved dependencies, so that rules for that read this.

use serde_json::{Value, json};

use super::{BuildRecord, Origin};
use crate::sign::present::{filled, present};

impl BuildRecord {
    /// The predicate.
    pub fn predicate(&self) -> Value {
        let Origin { source, reference, path, .. } = &self.origin;
        let workflow = present([
            ("repository", source.clone().map(Value::from)),
            ("ref", reference.clone().map(Value::from)),
            ("path", path.clone().map(Value::from)),
        ]);
        let external = present([
            ("workflow", filled(workflow)),
            ("parameters", Some(json!(self.parameters)).filter(|_| !self.parameters.is_empty())),
        ]);
        let materials = self
            .materials
            .iter()
            .map(|one| json!({"uri": one.uri, "digest": {one.algorithm.as_str(): one.hex}}));
        let dependencies: Vec<Value> = self.source().into_iter().chain(materials).collect();
        let definition = present([
            ("buildType", Some(self.build_type.clone().into())),
            ("externalParameters", Some(external)),
            ("internalParameters", self.ci.map(|name| json!({"ci": name}))),
            ("resolvedDependencies", Some(dependencies.into())),
        ]);
        let time = |time: &Option<jiff::Timestamp>| time.map(|time| time.to_string().into());
        let metadata = present([
            ("invocationId", self.invocation_id.clone().map(Value::from)),
            ("startedOn", time(&self.started)),
            ("finishedOn", time(&self.finished)),
        ]);
        let details = present([
            ("builder", Some(present([("id", self.builder_id.clone().map(Value::from))]))),
            ("metadata", filled(metadata)),
        ]);
        json!({"buildDefinition": definition, "runDetails": details})
    }

    /// The source as a dependency. A tree with changes is not its revision, so it has no digest.
    fn source(&self) -> Option<Value> {
        let source = self.origin.source.as_ref()?;
        let uri = match &self.origin.reference {
            Some(reference) => format!("git+{source}@{reference}"),
            None => format!("git+{source}"),
        };
        let whole = self.whole_revision();
        let beside = present([
            ("dirty", self.dirty.map(Value::from)),
            ("revision", self.origin.revision.clone().filter(|_| whole.is_none()).map(Value::from)),
        ]);
        Some(present([
            ("uri", Some(uri.into())),
            ("digest", whole.map(|revision| json!({"gitCommit": revision}))),
            ("annotations", filled(beside)),
        ]))
    }
}
