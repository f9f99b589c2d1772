//! `test_*` rules: found, run, and what they covered.
//!
//! They run on the engine's interpreter, which knows `with`, and after the same rewriting of
//! negations as the rules themselves, so that a test says what OPA would.

use std::panic::{AssertUnwindSafe, catch_unwind};

use regorus::{
    Engine, Value,
    unstable::{Rule, RuleHead},
};

use super::{Bundle, Location, RuleError, bundle::RegoFile, compile, parsed, visit};

/// What came of one test.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TestOutcome {
    /// `data.acme.reviewed_test.test_no_evidence`
    pub name: String,
    pub at: Location,
    /// `Err` says why it did not pass.
    pub result: Result<(), String>,
}

/// Lines of a rule that no test came by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Uncovered {
    pub file: String,
    pub lines: Vec<u32>,
}

/// All tests of some files.
#[derive(Clone, Debug, Default)]
pub struct TestReport {
    pub outcomes: Vec<TestOutcome>,
    /// Empty where every line of the rules was run.
    pub uncovered: Vec<Uncovered>,
}

/// Runs every rule named `test_…` in the files of `bundle`, tests and others.
///
/// A test passes when it is `true`; what is undefined fails, as anything else does.
///
/// # Errors
/// A [`RuleError`] for files that do not compile; then nothing has been run.
pub fn run_tests(bundle: &Bundle) -> Result<TestReport, RuleError> {
    let files: Vec<RegoFile> = bundle.modules.iter().chain(&bundle.tests).cloned().collect();
    let files = compile::as_in_opa(NAME, &files)?;
    let mut engine = parsed::parse(NAME, &files)?;
    let data = Value::from(serde_json::Value::Object(bundle.data.clone()));
    engine.add_data(data).map_err(|error| RuleError::from_engine(NAME, &format!("{error:#}")))?;
    engine.set_enable_coverage(true);
    let mut report = TestReport::default();
    for (name, at) in tests(&mut engine) {
        let result = run(&mut engine, &name);
        report.outcomes.push(TestOutcome { name, at, result });
    }
    if report.outcomes.is_empty() {
        let at = files.first().map(|file| file.path.clone()).unwrap_or_default();
        let at = Location { file: at, line: 1, column: 1 };
        return Err(RuleError::At { at, detail: "no rule is named `test_…`".to_owned() });
    }
    report.uncovered = uncovered(&engine, bundle);
    Ok(report)
}

const NAME: &str = "tests";

/// The tests in the order of the files, each once, however many bodies it has.
fn tests(engine: &mut Engine) -> Vec<(String, Location)> {
    let mut tests: Vec<(String, Location)> = Vec::new();
    for module in engine.get_modules() {
        for rule in &module.policy {
            let Rule::Spec { head: RuleHead::Compr { refr, .. }, .. } = rule.as_ref() else {
                continue;
            };
            let short = visit::chain(refr).0.span().text();
            let name = format!("data.{}.{short}", parsed::name(module));
            if short.starts_with("test_") && !tests.iter().any(|(known, _)| *known == name) {
                tests.push((name, Location::of(refr.span())));
            }
        }
    }
    tests
}

fn run(engine: &mut Engine, name: &str) -> Result<(), String> {
    let value = catch_unwind(AssertUnwindSafe(|| engine.eval_rule(name.to_owned())));
    match value {
        Err(_) => Err("the engine panicked".to_owned()),
        Ok(Err(error)) => Err(RuleError::from_engine(NAME, &format!("{error:#}")).to_string()),
        Ok(Ok(Value::Bool(true))) => Ok(()),
        Ok(Ok(Value::Undefined)) => Err("undefined".to_owned()),
        Ok(Ok(value)) => Err(format!("is {value}, not true")),
    }
}

fn uncovered(engine: &Engine, bundle: &Bundle) -> Vec<Uncovered> {
    let Ok(report) = engine.get_coverage_report() else { return Vec::new() };
    let is_rule = |path: &String| bundle.modules.iter().any(|file| file.path == *path);
    report
        .files
        .into_iter()
        .filter(|file| is_rule(&file.path) && !file.not_covered.is_empty())
        .map(|file| Uncovered { file: file.path, lines: file.not_covered.into_iter().collect() })
        .collect()
}
