//! One rule: a package of Rego with its parameters, compiled once and run for each review.

use regorus::Value;

use super::{Limits, Metadata, Reads, RuleFault, Verdict, Violation, program::Program};

/// A rule that is ready to judge. Cheap to clone; evaluations may run side by side.
#[derive(Clone, Debug)]
pub struct Rule {
    pub(super) package: String,
    pub(super) metadata: Metadata,
    /// The code of violations that name none.
    pub(super) code: String,
    /// The entries that the package has, and whether each is `deny`.
    pub(super) entries: Vec<Entry>,
    pub(super) reads: Reads,
    pub(super) program: Program,
}

/// One of the two sets that a rule may be made of.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its path, `data.acme.reviewed.deny`.
    pub path: String,
    pub denies: bool,
}

impl Rule {
    /// The package that it is.
    pub fn package(&self) -> &str {
        &self.package
    }

    /// What the rule says about itself.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Whether more evidence can only help an image (P5): the rule says so, and reads no metadata,
    /// of which more can take back what there is.
    pub fn needs_presence(&self) -> bool {
        self.metadata.needs_presence() && !self.reads.metadata
    }

    /// What of the input it may read; anything else may be left out of the document.
    pub fn reads(&self) -> Reads {
        self.reads
    }

    /// The same rule with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { program: self.program.with_limits(limits), ..self }
    }

    /// Judges `input`, the document that [`super::Input`] builds. Takes CPU time up to its
    /// limits, so it belongs off the async threads.
    ///
    /// # Errors
    /// A [`RuleFault`], which denies: it never means that the rule has nothing to say.
    pub fn evaluate(&self, input: &Value) -> Result<Verdict, RuleFault> {
        self.read(input, self.program.run(&self.paths(), input)?)
    }

    /// Whether no single step of it can take long, so that it may be evaluated briefly.
    pub fn is_brief(&self) -> bool {
        self.program.is_brief()
    }

    /// The same in no more than a moment (some milliseconds), for any thread; `None` if that is
    /// not enough, or if the rule is not brief.
    pub fn evaluate_briefly(&self, input: &Value) -> Option<Result<Verdict, RuleFault>> {
        let values = self.program.run_briefly(&self.paths(), input)?;
        Some(values.and_then(|values| self.read(input, values)))
    }

    fn paths(&self) -> Vec<&str> {
        self.entries.iter().map(|entry| entry.path.as_str()).collect()
    }

    fn read(&self, input: &Value, values: Vec<Value>) -> Result<Verdict, RuleFault> {
        let mut verdict = Verdict::default();
        for (entry, value) in self.entries.iter().zip(values) {
            let violations = Violation::read_all(&value, &self.code, input)?;
            *(if entry.denies { &mut verdict.deny } else { &mut verdict.warn }) = violations;
        }
        Ok(verdict)
    }
}
