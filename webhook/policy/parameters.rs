//! The schema of a rule's parameters: the part of JSON Schema that parameters need, checked
//! when a rule is loaded, so that a misspelled parameter is no rule that never matches.
//!
//! Stricter than JSON Schema in one point: an object with `properties` allows no other members
//! unless it says `additionalProperties`. Keywords that we do not know are refused, not ignored.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// One schema, or one part of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Schema {
    #[serde(rename = "type")]
    kind: Option<Kind>,
    #[serde(default)]
    properties: BTreeMap<String, Self>,
    #[serde(default)]
    required: Vec<String>,
    additional_properties: Option<Additional>,
    items: Option<Box<Self>>,
    min_items: Option<usize>,
    max_items: Option<usize>,
    #[serde(default)]
    unique_items: bool,
    minimum: Option<f64>,
    maximum: Option<f64>,
    min_length: Option<usize>,
    #[serde(rename = "enum", default)]
    choices: Vec<Value>,
    /// For people; checked no further.
    #[serde(rename = "title")]
    _title: Option<String>,
    #[serde(rename = "description")]
    _description: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Array,
    Boolean,
    Integer,
    Null,
    Number,
    Object,
    String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Additional {
    Allowed(bool),
    Like(Box<Schema>),
}

impl Schema {
    /// What is wrong with `value`, each with the path of the member that it is about.
    pub fn problems(&self, value: &Value) -> Vec<String> {
        let mut problems = Vec::new();
        self.check("parameters", value, &mut problems);
        problems
    }

    fn check(&self, path: &str, value: &Value, problems: &mut Vec<String>) {
        if let Some(kind) = self.kind
            && !kind.fits(value)
        {
            problems.push(format!("{path} must be {}, not {}", kind.name(), name_of(value)));
            return;
        }
        if !self.choices.is_empty() && !self.choices.contains(value) {
            let choices: Vec<String> = self.choices.iter().map(Value::to_string).collect();
            problems.push(format!("{path} must be one of {}", choices.join(", ")));
        }
        match value {
            Value::Object(members) => self.check_object(path, members, problems),
            Value::Array(items) => self.check_array(path, items, problems),
            Value::Number(number) => {
                let number = number.as_f64().unwrap_or(f64::NAN);
                if let Some(least) = self.minimum.filter(|least| number < *least) {
                    problems.push(format!("{path} must be at least {least}"));
                }
                if let Some(most) = self.maximum.filter(|most| number > *most) {
                    problems.push(format!("{path} must be at most {most}"));
                }
            }
            Value::String(text) => {
                if let Some(least) = self.min_length.filter(|least| text.chars().count() < *least) {
                    problems.push(format!("{path} must have at least {least} characters"));
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn check_object(
        &self,
        path: &str,
        members: &serde_json::Map<String, Value>,
        problems: &mut Vec<String>,
    ) {
        for name in self.required.iter().filter(|name| !members.contains_key(*name)) {
            problems.push(format!("{path}.{name} is missing"));
        }
        for (name, value) in members {
            let path = format!("{path}.{name}");
            match (self.properties.get(name), &self.additional_properties) {
                (Some(schema), _) => schema.check(&path, value, problems),
                (None, Some(Additional::Like(schema))) => schema.check(&path, value, problems),
                (None, Some(Additional::Allowed(true))) => {}
                (None, None) if self.properties.is_empty() => {}
                (None, None | Some(Additional::Allowed(false))) => {
                    let known: Vec<&str> = self.properties.keys().map(String::as_str).collect();
                    problems.push(format!("{path} is not known; known are {}", known.join(", ")));
                }
            }
        }
    }

    fn check_array(&self, path: &str, items: &[Value], problems: &mut Vec<String>) {
        if let Some(least) = self.min_items.filter(|least| items.len() < *least) {
            problems.push(format!("{path} must have at least {least} item(s)"));
        }
        if let Some(most) = self.max_items.filter(|most| items.len() > *most) {
            problems.push(format!("{path} must have at most {most} item(s)"));
        }
        for (at, item) in items.iter().enumerate() {
            if let Some(schema) = &self.items {
                schema.check(&format!("{path}[{at}]"), item, problems);
            }
            if self.unique_items && items.iter().take(at).any(|other| other == item) {
                problems.push(format!("{path}[{at}] repeats {item}"));
            }
        }
    }
}

impl Kind {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Array => value.is_array(),
            Self::Boolean => value.is_boolean(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Null => value.is_null(),
            Self::Number => value.is_number(),
            Self::Object => value.is_object(),
            Self::String => value.is_string(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Array => "a list",
            Self::Boolean => "true or false",
            Self::Integer => "a whole number",
            Self::Null => "null",
            Self::Number => "a number",
            Self::Object => "an object",
            Self::String => "text",
        }
    }
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn problems_name_the_member() {
        let schema: Schema = serde_json::from_value(json!({
            "type": "object",
            "required": ["authorities"],
            "properties": {
                "authorities": {"type": "array", "minItems": 1, "uniqueItems": true,
                    "items": {"type": "string", "minLength": 1}},
                "atLeast": {"type": "integer", "minimum": 1, "maximum": 9},
                "level": {"enum": ["index", "every"]},
            },
        }))
        .unwrap();
        for (name, value, want) in [
            ("whole", json!({"authorities": ["qa"], "atLeast": 1, "level": "index"}), ""),
            ("no object", json!(["qa"]), "parameters must be an object, not a list"),
            ("missing", json!({}), "parameters.authorities is missing"),
            (
                "text for a list",
                json!({"authorities": "qa"}),
                "parameters.authorities must be a list, not text",
            ),
            (
                "empty list",
                json!({"authorities": []}),
                "parameters.authorities must have at least 1 item(s)",
            ),
            (
                "number in it",
                json!({"authorities": [1]}),
                "parameters.authorities[0] must be text, not a number",
            ),
            (
                "empty text",
                json!({"authorities": [""]}),
                "parameters.authorities[0] must have at least 1 characters",
            ),
            (
                "twice",
                json!({"authorities": ["qa", "qa"]}),
                "parameters.authorities[1] repeats \"qa\"",
            ),
            (
                "zero",
                json!({"authorities": ["qa"], "atLeast": 0}),
                "parameters.atLeast must be at least 1",
            ),
            (
                "half",
                json!({"authorities": ["qa"], "atLeast": 1.5}),
                "parameters.atLeast must be a whole number, not a number",
            ),
            (
                "ten",
                json!({"authorities": ["qa"], "atLeast": 10}),
                "parameters.atLeast must be at most 9",
            ),
            (
                "choice",
                json!({"authorities": ["qa"], "level": "any"}),
                "parameters.level must be one of \"index\", \"every\"",
            ),
            (
                "misspelled",
                json!({"authorities": ["qa"], "atleast": 1}),
                "parameters.atleast is not known; known are atLeast, authorities, level",
            ),
        ] {
            assert_eq!(schema.problems(&value).join("; "), want, "{name}");
        }
    }

    #[test]
    fn unknown_keywords_are_refused() {
        let error = serde_json::from_value::<Schema>(json!({"pattern": "^a$"})).unwrap_err();
        assert!(error.to_string().contains("unknown field `pattern`"), "{error}");
    }
}
