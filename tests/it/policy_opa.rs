//! Rules mean what they mean in OPA, or are refused: what `opa eval` said of each probe in
//! `fixtures/policy/opa.json` is written beside it.

use std::collections::BTreeSet;

use countersign::policy::{Bundle, Rule, RuleFault, Verdict};
use serde::Deserialize;
use serde_json::{Value, json};

/// Texts, and what OPA makes of them.
#[derive(Deserialize)]
pub struct Corpus {
    pub input: Value,
    pub prelude: String,
    pub probes: Vec<Probe>,
}

#[derive(Deserialize)]
pub struct Probe {
    pub rego: String,
    /// What OPA finds in `deny`.
    pub deny: BTreeSet<String>,
    /// Why we do not load it.
    pub refused: Option<String>,
    /// Whether OPA ends with a conflict (`eval_conflict_error`), for which we deny.
    #[serde(default)]
    pub conflict: bool,
}

impl Corpus {
    pub fn read() -> Self {
        serde_json::from_str(include_str!("../../fixtures/policy/opa.json")).unwrap()
    }
}

/// What a rule comes to, and the same where it is given a moment only.
fn briefly_or_not(rule: &Rule, input: &regorus::Value) -> Result<Verdict, RuleFault> {
    let outcome = rule.evaluate(input);
    if let Some(briefly) = rule.evaluate_briefly(input) {
        assert_eq!(briefly, outcome);
    }
    outcome
}

#[test]
fn p7_rules_mean_what_they_mean_in_opa() {
    let corpus = Corpus::read();
    let input: regorus::Value = corpus.input.into();
    let mut wrong = Vec::new();
    for probe in corpus.probes {
        let bundle = Bundle::of_text("probe.rego", &format!("{}{}", corpus.prelude, probe.rego));
        let got = match (Rule::load(&bundle, "probe", &json!({})), probe.refused) {
            (Err(error), Some(refused)) => {
                let error = error.to_string();
                (!error.ends_with(&refused)).then(|| format!("refused with {error}"))
            }
            // The input that rules are tried on at load may show it.
            (Err(error), None) => (!probe.conflict
                || !error.to_string().contains("two different values at once"))
            .then(|| format!("refused with {error}")),
            (Ok(_), Some(refused)) => Some(format!("loaded; was refused with {refused}")),
            (Ok(rule), None) => match briefly_or_not(&rule, &input) {
                Err(RuleFault::Conflict) if probe.conflict => None,
                Err(fault) => Some(fault.to_string()),
                Ok(verdict) if probe.conflict => Some(format!("{verdict:?}; OPA: a conflict")),
                Ok(verdict) => {
                    let found: BTreeSet<String> =
                        verdict.deny.into_iter().map(|violation| violation.msg).collect();
                    (found != probe.deny).then(|| format!("{found:?}; OPA: {:?}", probe.deny))
                }
            },
        };
        wrong.extend(got.map(|got| format!("{}\n    {got}", probe.rego)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
