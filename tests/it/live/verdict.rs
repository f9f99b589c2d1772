//! What a gate makes of images in real registries, asked from a shell.

use std::process::Output;

use serde_json::Value;

use crate::{
    cli::{Desk, stderr},
    configuration::configuration,
};

/// A configuration for these registries, with these authorities and rules, in flow style.
pub fn configure(desk: &Desk, registries: &[&str], authorities: &str, rules: &str) {
    desk.write("countersign.yaml", &configuration(registries, authorities, "only", rules));
}

/// What was made of an image.
#[derive(Debug)]
pub struct Verdict {
    pub allowed: bool,
    /// The codes of what is wrong.
    pub codes: Vec<String>,
    /// Authority, source and type of the attestations that count, sorted.
    pub counts: Vec<String>,
    /// Source, format and code of those that do not, sorted.
    pub rejected: Vec<String>,
    pub whole: Value,
}

/// Asks `countersign verify`.
pub fn ask(desk: &Desk, image: &str) -> Verdict {
    let output = desk.run(&["verify", image, "--config", "countersign.yaml", "-o", "json"]);
    let whole = json(&output)[0].clone();
    let listed = |list: &str, members: &[&str]| {
        let rows = whole[list].as_array().unwrap().iter();
        let words = |row: &Value| {
            let words = members.iter().map(|member| row[member].as_str().unwrap_or("-").to_owned());
            words.collect::<Vec<_>>().join(" ")
        };
        let mut lines: Vec<String> = rows.map(words).collect();
        lines.sort();
        lines
    };
    Verdict {
        allowed: whole["allowed"].as_bool().unwrap(),
        codes: listed("violations", &["code"]),
        counts: listed("attestations", &["authority", "source", "predicateType"]),
        rejected: listed("rejected", &["source", "format", "code"]),
        whole,
    }
}

/// What `countersign evidence` prints of an image.
pub fn evidence(desk: &Desk, image: &str) -> Value {
    json(&desk.run(&["evidence", image, "--config", "countersign.yaml"]))
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(output)))
}
