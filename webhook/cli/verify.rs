//! `countersign verify`: the webhook's own decision, from a shell.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use serde::Serialize;

use crate::{
    admission::{self, Change, Gate, Inspection, Phase, Review, Subject, Unreadable},
    config::{Config, Purpose},
    policy::Lookup,
    source::Deadline,
    verify::{Rejection, Verified},
};

use super::{
    Failure, asked,
    output::{self, Format},
};

/// Ask what the webhook would decide about images, and why
///
/// Judges what `/mutate` would have made of a Pod with each image, by the same configuration,
/// evidence and rules as `countersign serve`. Success proves that the images would be admitted now.
/// Exit 0: allowed; 1: denied; 2: wrong usage or configuration.
///
/// Example: countersign verify registry.example/acme/shop:1.4 --config countersign.yaml
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Verify {
    /// Images to judge
    #[arg(required_unless_present = "filename", value_name = "IMAGE")]
    images: Vec<String>,
    /// Manifests whose workloads to judge instead; `-` for stdin
    #[arg(short, long, value_name = "MANIFEST.yaml", conflicts_with = "images")]
    filename: Option<PathBuf>,
    /// The webhook's configuration
    #[arg(long, value_name = "FILE", env = "COUNTERSIGN_CONFIG")]
    config: PathBuf,
    /// The namespace that the images would run in
    #[arg(short, long, default_value = "default")]
    namespace: String,
    /// How to print the decision
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

impl Verify {
    /// Judges all images and prints what came of it.
    pub async fn run(self) -> Result<ExitCode, Failure> {
        let gate = gate(&self.config)?;
        let bodies = match &self.filename {
            Some(file) => asked::manifests(file, &self.namespace)?,
            None => self.images.iter().map(|image| asked::pod_of(image, &self.namespace)).collect(),
        };
        let mut rows = Vec::new();
        for body in bodies {
            rows.extend(judged(&gate, &body).await?);
        }
        match self.output {
            Format::Json => output::json(&rows)?,
            Format::Text => rows.iter().for_each(Row::print),
        }
        let allowed = rows.iter().all(|row| row.allowed);
        Ok(if allowed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// The gate of a configuration, without the parts that only a server needs.
pub fn gate(config: &std::path::Path) -> Result<Arc<Gate>, Failure> {
    let loaded =
        Config::load(config, Purpose::Inspect).map_err(|errors| super::config::refused(&errors))?;
    Ok(loaded.gate)
}

/// The decision about one review, with what led to it. Waits as long as layers are compared, since
/// nobody goes on with that when the command has ended.
pub async fn inspect(gate: &Arc<Gate>, body: &[u8]) -> Result<Inspection, Failure> {
    loop {
        let inspection = inspect_once(gate, body).await?;
        if !inspection.is_unfinished() {
            return Ok(inspection);
        }
        output::say("note: layers are still being read and compared with a signed image ID");
    }
}

async fn inspect_once(gate: &Arc<Gate>, body: &[u8]) -> Result<Inspection, Failure> {
    let review = Review::parse(body).map_err(|unreadable| match unreadable {
        Unreadable::Invalid { violation, .. } => Failure::usage(violation.to_string()),
        Unreadable::Foreign => Failure::usage("this is no object that can be reviewed"),
    })?;
    let deadline = Deadline::after(gate.deadline());
    let change = review.change(gate.most_images());
    match change.map_err(|violation| Failure::fault(violation.to_string()))? {
        Change::Nothing(_) => Err(Failure::usage("no image is found in the object")),
        Change::Images(images) => gate
            .inspect(Phase::Mutate, &review, images, deadline)
            .await
            .map_err(|violation| Failure::usage(violation.to_string())),
    }
}

async fn judged(gate: &Arc<Gate>, body: &[u8]) -> Result<Vec<Row>, Failure> {
    let inspection = inspect(gate, body).await?;
    let images = inspection.subjects.iter().zip(&inspection.judgement.entries);
    Ok(images.map(|(subject, entries)| Row::new(gate, &inspection, subject, entries)).collect())
}

/// One image of the answer.
#[derive(Serialize)]
struct Row {
    image: String,
    reference: Option<String>,
    allowed: bool,
    violations: Vec<Violation>,
    warnings: Vec<Violation>,
    attestations: Vec<Verified>,
    #[serde(skip)]
    metadata: Vec<Verified>,
    rejected: Vec<Rejection>,
    lookups: BTreeMap<Arc<str>, Lookup>,
    notes: BTreeSet<String>,
    #[serde(skip)]
    lines: Vec<String>,
    #[serde(skip)]
    cautions: Vec<String>,
}

#[derive(Serialize)]
struct Violation {
    policy: String,
    code: String,
    image: String,
    msg: String,
}

impl Row {
    fn new(
        gate: &Gate,
        inspection: &Inspection,
        subject: &Subject,
        entries: &[admission::Entry],
    ) -> Self {
        let about = |violation: &&admission::Violation| {
            violation.path.is_empty() || violation.path == subject.image.path
        };
        let violations: Vec<_> = inspection.answer.violations.iter().filter(about).collect();
        let warnings: Vec<_> = inspection.answer.warnings.iter().filter(about).collect();
        let mut lookups: BTreeMap<Arc<str>, Lookup> = BTreeMap::new();
        let mut attestations: Vec<Verified> = Vec::new();
        let mut rejected: Vec<Rejection> = Vec::new();
        let missing = entries.iter().flat_map(|entry| &entry.missing);
        let notes = missing.map(ToString::to_string).collect();
        for entry in entries {
            for (source, lookup) in &entry.lookups {
                let known = lookups.entry(Arc::clone(source)).or_insert(Lookup::None);
                *known = known.joined(*lookup);
            }
            let (counted, useless) = gate.counted(subject, entry);
            for verified in counted {
                if !attestations.iter().any(|seen| same(&verified, seen)) {
                    attestations.push(verified);
                }
            }
            for rejection in useless {
                if !rejected.contains(&rejection) {
                    rejected.push(rejection);
                }
            }
        }
        let (metadata, attestations) =
            attestations.into_iter().partition(|one| one.metadata().is_some());
        Self {
            image: subject.image.given.clone(),
            reference: subject.pinned.as_ref().map(ToString::to_string),
            allowed: violations.is_empty(),
            lines: violations.iter().map(ToString::to_string).collect(),
            violations: violations.into_iter().map(Violation::from).collect(),
            cautions: warnings.iter().map(ToString::to_string).collect(),
            warnings: warnings.into_iter().map(Violation::from).collect(),
            attestations,
            metadata,
            rejected,
            lookups,
            notes,
        }
    }

    fn print(&self) {
        let verdict = if self.allowed { "allowed" } else { "denied" };
        let reference = self.reference.as_deref().unwrap_or(&self.image);
        output::data(&format!("{}: {verdict}", crate::name::escape(reference, 600)));
        for line in &self.lines {
            output::data(&format!("  {line}"));
        }
        for verified in &self.attestations {
            output::data(&format!(
                "  attested by {} ({}, key {}, from {})",
                verified.authority(),
                verified.predicate_type(),
                verified.signer().fingerprint(),
                verified.source(),
            ));
        }
        for (verified, said) in self.metadata.iter().filter_map(|one| Some((one, one.metadata()?)))
        {
            output::data(&format!(
                "  metadata {} by {} (key {}, of {})",
                said.metadata.kind,
                verified.authority(),
                verified.signer().fingerprint(),
                said.metadata.created,
            ));
        }
        for rejection in &self.rejected {
            output::data(&format!(
                "  rejected {}: {} ({})",
                crate::name::escape(&rejection.name, 300),
                crate::name::escape(rejection.detail(), 300),
                rejection.code,
            ));
        }
        for (source, lookup) in &self.lookups {
            if let Lookup::Failed(code) = lookup {
                output::say(&format!("note: {source} could not be looked up ({code})"));
            }
        }
        for note in &self.notes {
            output::say(&format!("note: {note}"));
        }
        for caution in &self.cautions {
            output::say(&format!("warning: {caution}"));
        }
    }
}

/// Whether two platforms of an image have the same attestation. One piece of evidence is several
/// where several keys signed it.
fn same(one: &Verified, two: &Verified) -> bool {
    one.source() == two.source()
        && one.name() == two.name()
        && one.authority() == two.authority()
        && one.signer().fingerprint() == two.signer().fingerprint()
        && one.subject() == two.subject()
}

impl From<&admission::Violation> for Violation {
    fn from(violation: &admission::Violation) -> Self {
        let msg = match &violation.todo {
            Some(todo) => format!("{}; {todo}", violation.what),
            None => violation.what.clone(),
        };
        Self {
            policy: violation.policy.clone(),
            code: violation.code.clone(),
            image: violation.path.clone(),
            msg,
        }
    }
}
