//! What the corpus says of OPA is what OPA says.

use std::{collections::BTreeSet, fs, process::Command};

use serde_json::Value;
use tempfile::TempDir;

use crate::{peer::binary, policy_opa::Corpus};

#[test]
#[ignore = "needs opa"]
fn the_corpus_is_what_opa_says() {
    let (corpus, folder) = (Corpus::read(), TempDir::new().unwrap());
    let at = |name: &str| folder.path().join(name);
    fs::write(at("input.json"), corpus.input.to_string()).unwrap();
    fs::write(at("parameters.json"), r#"{"parameters": {}}"#).unwrap();
    let mut wrong = Vec::new();
    // Some of what we do not load OPA does not either.
    for probe in corpus.probes.iter().filter(|probe| probe.refused.is_none()) {
        fs::write(at("probe.rego"), format!("{}{}", corpus.prelude, probe.rego)).unwrap();
        let mut opa = Command::new(binary("opa"));
        opa.args(["eval", "--format", "json", "--data", "probe.rego", "--data", "parameters.json"]);
        opa.args(["--input", "input.json", "data.probe.deny"]);
        let output = opa.current_dir(folder.path()).output().unwrap();
        let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let code = said["errors"][0]["code"].as_str();
        let found = said["result"][0]["expressions"][0]["value"].as_array().map(|values| {
            values.iter().filter_map(Value::as_str).map(str::to_owned).collect::<BTreeSet<_>>()
        });
        let right = if probe.conflict {
            code == Some("eval_conflict_error")
        } else {
            found.as_ref() == Some(&probe.deny)
        };
        if !right {
            wrong.push(format!("{}\n    {said}", probe.rego));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
