//! `countersign policy`: rules of one's own, before the webhook has them.

use std::{path::PathBuf, process::ExitCode};

use serde::Serialize;

use crate::policy::{Bundle, INPUT_SCHEMA, TestOutcome, TestReport, run_tests};

use super::{
    Failure,
    output::{self, Format},
};

/// Test rules of one's own, or see what they get to read.
#[derive(Debug, clap::Subcommand)]
pub enum Policy {
    Test(Test),
    Schema(Schema),
}

/// Run the tests of rules
///
/// Every rule named `test_…` is a test, in files named `*_test.rego`, and passes when it is true.
/// They are run as the webhook runs rules, so that a test here says what it does there. Exit 0: all
/// pass; 1: one fails, or a file cannot be read or does not compile, which is told with its place.
///
/// Example: countersign policy test policies
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Test {
    /// Rego files, folders with all that is in them, bundles (`.tar.gz`); tested together
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print the tests that pass, too
    #[arg(short, long)]
    verbose: bool,
    /// Fail if there are lines of rules that no test runs
    #[arg(long)]
    coverage: bool,
    /// How to print what came of it
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// Print the JSON Schema of the input that rules get to read
///
/// Example: countersign policy schema > input.schema.json
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Schema {}

impl Policy {
    /// Runs the command.
    pub fn run(self) -> Result<ExitCode, Failure> {
        match self {
            Self::Test(test) => test.run(),
            Self::Schema(Schema {}) => {
                output::data(INPUT_SCHEMA.trim_end());
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

impl Test {
    fn run(&self) -> Result<ExitCode, Failure> {
        let bundle = Bundle::open_all(&self.paths).map_err(Failure::of)?;
        let report = run_tests(&bundle).map_err(Failure::of)?;
        match self.output {
            Format::Json => output::json(&Whole::from(&report))?,
            Format::Text => self.print(&report),
        }
        let passed = report.outcomes.iter().all(|outcome| outcome.result.is_ok());
        let covered = !self.coverage || report.uncovered.is_empty();
        Ok(if passed && covered { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn print(&self, report: &TestReport) {
        for TestOutcome { name, at, result } in &report.outcomes {
            match result {
                Ok(()) if self.verbose => output::data(&format!("{at}: {name}: pass")),
                Ok(()) => {}
                Err(why) => output::data(&format!("{at}: {name}: fail: {why}")),
            }
        }
        for uncovered in report.uncovered.iter().filter(|_| self.coverage) {
            let lines: Vec<String> = uncovered.lines.iter().map(ToString::to_string).collect();
            output::data(&format!("{}: no test runs line {}", uncovered.file, lines.join(", ")));
        }
        let passed = report.outcomes.iter().filter(|outcome| outcome.result.is_ok()).count();
        output::say(&format!("{passed} of {} tests pass", report.outcomes.len()));
    }
}

#[derive(Serialize)]
struct Whole<'r> {
    tests: Vec<Row<'r>>,
    uncovered: Vec<Lines<'r>>,
}

#[derive(Serialize)]
struct Row<'r> {
    name: &'r str,
    at: String,
    passed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'r str>,
}

#[derive(Serialize)]
struct Lines<'r> {
    file: &'r str,
    lines: &'r [u32],
}

impl<'r> From<&'r TestReport> for Whole<'r> {
    fn from(report: &'r TestReport) -> Self {
        let row = |TestOutcome { name, at, result }: &'r TestOutcome| Row {
            name,
            at: at.to_string(),
            passed: result.is_ok(),
            why: result.as_ref().err().map(String::as_str),
        };
        let uncovered = report.uncovered.iter();
        Self {
            tests: report.outcomes.iter().map(row).collect(),
            uncovered: uncovered.map(|one| Lines { file: &one.file, lines: &one.lines }).collect(),
        }
    }
}
