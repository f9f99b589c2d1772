//! As much of a JSON Schema validator as our own schemas need.

use serde_json::Value;

/// What is wrong with the document `value`, called `name`, by this schema.
pub fn problems(schema: &str, name: &str, value: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(schema).unwrap();
    let mut problems = Vec::new();
    conforms(&schema, &schema, name, value, &mut problems);
    problems
}

fn conforms(root: &Value, schema: &Value, path: &str, value: &Value, problems: &mut Vec<String>) {
    if let Some(pointer) = schema["$ref"].as_str() {
        let schema = root.pointer(pointer.trim_start_matches('#')).unwrap();
        return conforms(root, schema, path, value, problems);
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is = |want: &Value| want == kind || (want == "integer" && value.is_u64());
    match &schema["type"] {
        want @ Value::String(text) if !is(want) => {
            problems.push(format!("{path}: {value} is no {text}"));
        }
        Value::Array(wants) if !wants.iter().any(is) => {
            problems.push(format!("{path}: {value} is none of {wants:?}"));
        }
        _ => {}
    }
    if schema["enum"].as_array().is_some_and(|choices| !choices.contains(value)) {
        problems.push(format!("{path}: {value} is not allowed"));
    }
    if !matches!(&schema["const"], Value::Null) && schema["const"] != *value {
        problems.push(format!("{path}: {value} is not {}", schema["const"]));
    }
    for choices in ["anyOf", "oneOf"].iter().filter_map(|key| schema[key].as_array()) {
        let tried = choices.iter().map(|choice| {
            let mut problems = Vec::new();
            conforms(root, choice, path, value, &mut problems);
            problems
        });
        // Of null and something, it is the something that tells.
        let tried: Vec<_> = tried.collect();
        if !tried.iter().any(Vec::is_empty) {
            problems.extend(tried.into_iter().rev().max_by_key(Vec::len).unwrap_or_default());
        }
    }
    if let Some(items) = value.as_array() {
        if schema["minItems"].as_u64().is_some_and(|least| (items.len() as u64) < least) {
            problems.push(format!("{path}: too short"));
        }
        for (at, item) in items.iter().enumerate() {
            conforms(root, &schema["items"], &format!("{path}[{at}]"), item, problems);
        }
    }
    let Some(members) = value.as_object() else { return };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !members.contains_key(name.as_str().unwrap()) {
            problems.push(format!("{path}: {name} is missing"));
        }
    }
    for (name, value) in members {
        match (&schema["properties"][name], &schema["additionalProperties"]) {
            (Value::Null, Value::Bool(false)) => {
                problems.push(format!("{path}: {name} is not known"))
            }
            (Value::Null, other) => {
                conforms(root, other, &format!("{path}.{name}"), value, problems)
            }
            (schema, _) => conforms(root, schema, &format!("{path}.{name}"), value, problems),
        }
    }
}
