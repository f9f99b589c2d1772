//! What is said about the images.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    name::{NoteName, PinnedImage},
    sign::{
        Claim, Entry, PredicateType, Record, RecordNote,
        build::{BuildRecord, Origin},
        vulnerability::{Finding, Report},
    },
};

use super::{
    super::{Failure, arguments::FILED, input, output},
    build::BuildArguments,
};

/// What to sign.
#[derive(Debug, clap::Args)]
pub struct ClaimArguments {
    /// Say more than "this is the image": a file with an in-toto predicate
    #[arg(long, value_name = "FILE", requires = "predicate_type")]
    predicate: Option<PathBuf>,
    /// What the predicate is: a URI, or provenance, vulnerabilities, sbom, …
    #[arg(long = "type", value_name = "TYPE", requires = "predicate")]
    predicate_type: Option<PredicateType>,
    /// A scanner's report (Grype's or Trivy's JSON, SARIF), to file as VULNERABILITY occurrences, and
    /// that the scan finished as a DISCOVERY occurrence
    #[arg(long, value_name = "FILE", requires = FILED)]
    vulnerabilities: Option<PathBuf>,
    /// The note of the DISCOVERY occurrence; by default --note's name and `-scan`
    #[arg(long, value_name = "projects/P/notes/N", requires = "vulnerabilities")]
    scan_note: Option<NoteName>,
    #[command(flatten)]
    pub build: BuildArguments,
}

/// All that is said, of whichever image.
pub struct Said {
    claims: Vec<Arc<Claim>>,
    build: Option<(BuildRecord, RecordNote)>,
    scanned: Vec<Record>,
}

impl ClaimArguments {
    /// What to say about `images`: "this is the image", unless something else was asked for. Records
    /// are kept only where they are `filed`.
    pub fn said(
        &self,
        results: &Origin,
        images: &BTreeSet<PinnedImage>,
        filed: bool,
    ) -> Result<Said, Failure> {
        let mut said = Said { claims: Vec::new(), build: None, scanned: Vec::new() };
        if let (Some(file), Some(predicate_type)) = (&self.predicate, &self.predicate_type) {
            let bytes = read(file, LARGEST_PREDICATE)?;
            let predicate = serde_json::from_slice(&bytes).map_err(|error| {
                Failure::failed(format!("{} is no JSON", file.display()), error)
            })?;
            said.claim(Claim::Statement { predicate_type: predicate_type.clone(), predicate });
        }
        if self.build.build {
            let record = self.build.record(results);
            said.claim(Claim::Statement {
                predicate_type: PredicateType::provenance(),
                predicate: record.predicate(),
            });
            said.build = filed.then(|| (record, named(self.build.build_note.as_ref())));
        }
        if let Some(file) = &self.vulnerabilities {
            said.scanned = scanned(file, images, named(self.scan_note.as_ref()))?;
        } else if said.claims.is_empty() {
            said.claim(Claim::SimpleSigning);
        }
        Ok(said)
    }
}

impl Said {
    fn claim(&mut self, claim: Claim) {
        self.claims.push(Arc::new(claim));
    }

    /// Whether any of it is signed.
    pub fn is_signed(&self) -> bool {
        !self.claims.is_empty()
    }

    /// All of it about one image.
    pub fn about(&self, image: PinnedImage) -> Entry {
        let mut records = self.scanned.clone();
        if let Some((record, note)) = &self.build {
            records.push(record.occurrence(&image, note.clone()));
        }
        Entry { claims: self.claims.clone(), records, ..Entry::of(image) }
    }
}

/// A note that was named, or the one beside the attestations'.
fn named(note: Option<&NoteName>) -> RecordNote {
    note.map_or(RecordNote::Beside, |note| RecordNote::Named(note.clone()))
}

/// The occurrences of a report, if it is about the images.
fn scanned(
    file: &Path,
    images: &BTreeSet<PinnedImage>,
    scan_note: RecordNote,
) -> Result<Vec<Record>, Failure> {
    let named = file.display();
    let report = Report::parse(&read(file, LARGEST_REPORT)?)
        .map_err(|error| Failure::usage(format!("{named} {error}")))?;
    if report.about.is_empty() && images.len() > 1 {
        return Err(Failure::usage(format!(
            "{named} does not say which image was scanned, and {} are named here; \
             file each report with its image",
            images.len()
        )));
    }
    let is_other =
        |image: &&PinnedImage| !report.about.is_empty() && !report.about.contains(&image.digest);
    if let (Some(other), Some(scanned)) = (images.iter().find(is_other), report.about.first()) {
        return Err(Failure::usage(format!(
            "{named} is about {scanned}, not about {other}; scan the image by its digest"
        )));
    }
    if report.others > 0 {
        output::say(&format!(
            "note: {} results of {named} are no vulnerabilities of packages, so they are not filed",
            report.others
        ));
    }
    let mut records: Vec<Record> = report.findings.iter().map(Finding::occurrence).collect();
    match &report.scan {
        Some(scan) => {
            let open: Vec<&str> =
                [("the scanner", scan.scanners.is_empty()), ("the time", scan.finished.is_none())]
                    .into_iter()
                    .filter_map(|(what, is_open)| is_open.then_some(what))
                    .collect();
            if !open.is_empty() {
                output::say(&format!(
                    "note: {named} does not tell, so not recorded of the scan: {}",
                    open.join(", ")
                ));
            }
            records.push(Record { note: scan_note, ..scan.occurrence() });
        }
        None if records.is_empty() => {
            return Err(Failure::usage(format!(
                "{named} has no findings and does not tell that a scan finished, so there is nothing \
                 to file; scan again"
            )));
        }
        None => output::say(&format!(
            "note: {named} does not tell that the scan finished, so only its findings are filed"
        )),
    }
    Ok(records)
}

fn read(file: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let named = file.display();
    let cannot = |error| Failure::unreadable(format!("cannot read {named}"), error);
    input::read(file, limit).map_err(cannot)
}

/// Most bytes of a predicate: what verifiers read of a statement.
const LARGEST_PREDICATE: u64 = 8 * 1024 * 1024;

/// Most bytes of a report: those of large images reach tens of megabytes.
const LARGEST_REPORT: u64 = 128 * 1024 * 1024;
