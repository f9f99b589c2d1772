//! `rules` of a policy: loaded, and their parameters held against the authorities.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Reading, SHOWN};
use crate::{
    admission::{PolicyRule, Uses},
    config::{
        At, Problem,
        document::{Authority, Rule},
        nearest,
    },
    name::escape,
    policy,
    policy::{Bundle, RuleError},
    verify::Trust,
};

/// One entry of `rules`, compiled.
pub(super) fn rule(
    reading: &mut Reading<'_>,
    policy: &str,
    entry: &At<Rule>,
    authorities: &[At<Authority>],
    trust: Option<&Trust>,
) -> Option<PolicyRule> {
    let parameters = entry.parameters.as_ref();
    let value = Value::Object(parameters.map(|found| found.value.clone()).unwrap_or_default());
    match (&entry.library, &entry.path, &entry.package) {
        (Some(name), None, None) => {
            let line = parameters.map_or(entry.line, |parameters| parameters.line);
            let named = named(reading, line, name, &value, authorities, trust)?;
            let rule = policy::Rule::library(name, &value);
            let rule = loaded(reading, policy, entry, rule)?;
            let uses = match (name.as_str(), named) {
                ("registries" | "pinned", _) => Uses::Nothing,
                ("attested" | "built" | "fresh", Some(named)) => Uses::Authorities(named),
                ("vulnerabilities", _) => Uses::Records,
                (metadata, Some(named)) if OF_METADATA.contains(&metadata) => Uses::Metadata(named),
                _ => Uses::Everything,
            };
            Some(PolicyRule { name: name.value.clone(), rule, uses })
        }
        (None, Some(path), Some(package)) => {
            let at = reading.path(path);
            // Noted first: what changes while it is loaded is seen as a change.
            reading.files.note(&at);
            let bundle = loaded(reading, policy, entry, Bundle::open(&at))?;
            let rule = policy::Rule::load(&bundle, package, &value);
            let rule = loaded(reading, policy, entry, rule)?;
            Some(PolicyRule { name: package.value.clone(), rule, uses: Uses::Everything })
        }
        _ => {
            reading.fail(entry.line, Problem::Choice(ONE_RULE));
            None
        }
    }
}

fn loaded<T>(
    reading: &mut Reading<'_>,
    policy: &str,
    entry: &At<Rule>,
    outcome: Result<T, RuleError>,
) -> Option<T> {
    let problem = |source| Problem::Rule { policy: policy.to_owned(), source };
    reading.take(entry.line, outcome.map_err(problem))
}

/// The authorities that parameters of a library rule name, under `authorities` or `authority`:
/// they must be there, and no two of them may be one person's to speak for. `None` where something
/// is wrong, `Some(None)` where the parameters name none.
#[expect(clippy::option_option, reason = "wrong is another thing than absent")]
fn named(
    reading: &mut Reading<'_>,
    line: u64,
    rule: &str,
    parameters: &Value,
    authorities: &[At<Authority>],
    trust: Option<&Trust>,
) -> Option<Option<Vec<Arc<str>>>> {
    let errors = reading.errors.len();
    let Value::Object(parameters) = parameters else { return Some(None) };
    let names: Vec<&str> = match (parameters.get("authorities"), parameters.get("authority")) {
        (Some(Value::Array(names)), _) => names.iter().filter_map(Value::as_str).collect(),
        (None, Some(Value::String(name))) => vec![name],
        // Wrong types are the schema's to tell.
        _ => return Some(None),
    };
    if names.is_empty() {
        let why = "is empty, so that nothing would be asked for; name at least one";
        reading.fail(line, Problem::Senseless { key: "authorities", why });
    }
    match (rule, trust) {
        ("approved", Some(trust)) => {
            threshold(reading, line, parameters, trust.signers(&names), "signers");
        }
        ("approved", None) => {}
        _ => threshold(reading, line, parameters, names.len(), "authorities"),
    }
    let known: Vec<&str> = authorities.iter().map(|known| known.name.value.as_str()).collect();
    for name in names.iter().filter(|name| !known.contains(name)) {
        let nearest = nearest(name, &known).map(|nearest| (*nearest).to_owned());
        reading.fail(line, Problem::UnknownAuthority { name: escape(name, SHOWN), nearest });
    }
    if let Some(trust) = trust {
        let pairs = names
            .iter()
            .enumerate()
            .flat_map(|(at, first)| names.iter().skip(at + 1).map(move |second| (*first, *second)));
        for (first, second) in pairs.filter(|(first, second)| trust.share_keys(first, second)) {
            let (first, second) = (first.to_owned(), second.to_owned());
            reading.fail(line, Problem::SharedInRule { first, second });
        }
    }
    let names = names.into_iter().map(Arc::from).collect();
    (reading.errors.len() == errors).then_some(Some(names))
}

/// `atLeast`, which must be reachable and more than nothing.
fn threshold(
    reading: &mut Reading<'_>,
    line: u64,
    parameters: &Map<String, Value>,
    there: usize,
    of_what: &'static str,
) {
    let Some(Value::Number(number)) = parameters.get("atLeast") else { return };
    let reachable = |number: u64| number >= 1 && number <= there as u64;
    if !number.as_u64().is_some_and(reachable) && there > 0 {
        let at_least = number.to_string();
        reading.fail(line, Problem::AtLeast { at_least, there, of_what });
    }
}

/// The library's rules over metadata.
const OF_METADATA: [&str; 3] = ["approved", "contact", "profile"];

const ONE_RULE: &str = "a rule is `use` of the library, or `path` and `package` of your own";
