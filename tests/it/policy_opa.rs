//! Rules mean what they mean in OPA, or are refused: what `opa eval` said of each probe in
//! `fixtures/policy/opa.json` is written beside it.

use std::collections::BTreeSet;

use countersign::policy::{Bundle, Rule};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Corpus {
    input: Value,
    prelude: String,
    probes: Vec<Probe>,
}

#[derive(Deserialize)]
struct Probe {
    rego: String,
    /// What OPA finds in `deny`.
    deny: BTreeSet<String>,
    /// Why we do not load it.
    refused: Option<String>,
}

#[test]
fn p7_rules_mean_what_they_mean_in_opa() {
    let corpus: Corpus =
        serde_json::from_str(include_str!("../../fixtures/policy/opa.json")).unwrap();
    let input = corpus.input.into();
    let mut wrong = Vec::new();
    for probe in corpus.probes {
        let bundle = Bundle::of_text("probe.rego", &format!("{}{}", corpus.prelude, probe.rego));
        let got = match (Rule::load(&bundle, "probe", &json!({})), probe.refused) {
            (Err(error), Some(refused)) => {
                let error = error.to_string();
                (!error.ends_with(&refused)).then(|| format!("refused with {error}"))
            }
            (Err(error), None) => Some(format!("refused with {error}")),
            (Ok(_), Some(refused)) => Some(format!("loaded; was refused with {refused}")),
            (Ok(rule), None) => match rule.evaluate(&input) {
                Err(fault) => Some(fault.to_string()),
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
