//! A configuration on its way out: as much of it as other tools' files can say.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use crate::verify::{self, Trust};

/// What is written as YAML. Its keys are those of the configuration.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Draft {
    tls: Tls,
    /// `deny` or `allow`.
    pub unmatched: &'static str,
    pub registries: Registries,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stores: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorities: Vec<Authority>,
    pub policies: Vec<Policy>,
    /// Files of keys that stood in the file itself, by the path that the configuration names.
    #[serde(skip)]
    pub files: BTreeMap<String, Vec<u8>>,
}

/// Where the server's certificate is put; no other tool's file says.
#[derive(Debug, Serialize)]
struct Tls {
    certificate: &'static str,
    key: &'static str,
}

impl Default for Tls {
    fn default() -> Self {
        Self { certificate: "tls/tls.crt", key: "tls/tls.key" }
    }
}

/// What is special about registries.
#[derive(Debug, Default, Serialize)]
pub struct Registries {
    allow: BTreeSet<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<Value>,
}

/// One authority.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Authority {
    pub name: String,
    pub keys: Vec<Key>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<&'static str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub identities: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub shared_key: bool,
}

/// A file of keys.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Key {
    Openpgp(String),
    Pkix(String),
}

/// Where a key is.
#[derive(Clone, Debug)]
pub enum KeyMaterial {
    /// In a file of this path.
    File(String),
    /// In the other tool's file itself.
    Inline(Vec<u8>),
}

/// One policy, which is always enforced.
#[derive(Debug, Serialize)]
pub struct Policy {
    pub name: String,
    #[serde(rename = "match")]
    pub applies: Match,
    pub rules: Vec<Value>,
    mode: &'static str,
}

/// Where a policy applies.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Match {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
}

impl Draft {
    /// Adds an authority and says what it is called: one that is there already, or a new one whose
    /// name begins with `name`.
    pub fn authority(&mut self, name: &str, wanted: Authority) -> String {
        let same = |known: &&Authority| {
            Authority { name: wanted.name.clone(), ..(*known).clone() } == wanted
        };
        if let Some(known) = self.authorities.iter().find(same) {
            return known.name.clone();
        }
        let taken: Vec<&str> = self.authorities.iter().map(|known| known.name.as_str()).collect();
        let name = free(name, &taken);
        self.authorities.push(Authority { name: name.clone(), ..wanted });
        name
    }

    /// Adds a policy, under a name that begins with `name`.
    pub fn policy(&mut self, name: &str, applies: Match, rules: Vec<Value>) {
        let taken: Vec<&str> = self.policies.iter().map(|known| known.name.as_str()).collect();
        let name = free(name, &taken);
        self.policies.push(Policy { name, applies, rules, mode: "enforce" });
    }

    /// The path of a key. One that stood in the other tool's file becomes a file called `name`.
    pub fn key_file(&mut self, name: &str, extension: &str, key: KeyMaterial) -> String {
        let bytes = match key {
            KeyMaterial::File(path) => return path,
            KeyMaterial::Inline(bytes) => bytes,
        };
        if let Some((path, _)) = self.files.iter().find(|(_, known)| **known == bytes) {
            return path.clone();
        }
        let taken: Vec<&str> = self
            .files
            .keys()
            .filter_map(|path| path.strip_prefix("keys/")?.strip_suffix(extension))
            .collect();
        let path = format!("keys/{}{extension}", free(name, &taken));
        self.files.insert(path.clone(), bytes);
        path
    }

    /// Allows the registries of all images that may come in to be asked; `true` if that is any.
    pub fn allow_registries(&mut self) -> bool {
        let images = self.policies.iter().flat_map(|policy| &policy.applies.images).cloned();
        let some = self.unmatched == "deny"
            && self.policies.iter().all(|policy| !policy.applies.images.is_empty());
        self.registries.allow = if some { images.collect() } else { ["**".to_owned()].into() };
        !some
    }

    /// Authorities that hold one key must all say so.
    pub fn mark_shared_keys(&mut self) {
        let shares = |authority: &Authority| {
            let mut others = self.authorities.iter().filter(|other| other.name != authority.name);
            others.any(|other| self.share_keys(authority, other))
        };
        let shared: Vec<bool> = self.authorities.iter().map(shares).collect();
        for (authority, shared) in self.authorities.iter_mut().zip(shared) {
            authority.shared_key = shared;
        }
    }

    /// The rules that each of these authorities attests: one, or more where some hold a key in
    /// common, since one rule cannot name those together.
    pub fn attested_by_all(&self, names: &[String]) -> Vec<Value> {
        let mut groups: Vec<Vec<&Authority>> = Vec::new();
        for authority in self.authorities.iter().filter(|one| names.contains(&one.name)) {
            let apart = |group: &&mut Vec<&Authority>| {
                group.iter().all(|other| !self.share_keys(authority, other))
            };
            match groups.iter_mut().find(apart) {
                Some(group) => group.push(authority),
                None => groups.push(vec![authority]),
            }
        }
        let names = |group: &Vec<&Authority>| -> Vec<String> {
            group.iter().map(|authority| authority.name.clone()).collect()
        };
        groups.iter().map(|group| attested(&names(group), None)).collect()
    }

    /// Whether two authorities hold a key in common: one file, or one key in two files.
    fn share_keys(&self, first: &Authority, second: &Authority) -> bool {
        if first.keys.iter().any(|key| second.keys.contains(key)) {
            return true;
        }
        let (first, second) = (self.known_keys(first), self.known_keys(second));
        if first.is_empty() || second.is_empty() {
            return false;
        }
        let authority = |name: &str, keys| verify::Authority {
            shared_key: true,
            ..verify::Authority::new(name, keys)
        };
        let trust = Trust::new(vec![authority("first", first), authority("second", second)]);
        trust.is_ok_and(|trust| trust.share_keys("first", "second"))
    }

    /// The keys of an authority that stood in the other tool's file, and are such.
    fn known_keys(&self, authority: &Authority) -> Vec<verify::Key> {
        let read = |key: &Key| match key {
            Key::Openpgp(path) => verify::Key::openpgp(self.files.get(path)?).ok(),
            Key::Pkix(path) => verify::Key::pkix(self.files.get(path)?).ok().map(|key| vec![key]),
        };
        authority.keys.iter().filter_map(read).flatten().collect()
    }
}

impl Authority {
    /// One that attests by simple signing; its name comes with [`Draft::authority`].
    pub fn new(keys: Vec<Key>) -> Self {
        Self {
            name: String::new(),
            keys,
            note: None,
            sources: Vec::new(),
            identities: BTreeMap::new(),
            shared_key: false,
        }
    }
}

/// The rule that all, or `at_least` so many, of these authorities attest.
pub fn attested(authorities: &[String], at_least: Option<usize>) -> Value {
    let mut parameters = json!({"authorities": authorities});
    if let (Some(least), Some(members)) = (at_least, parameters.as_object_mut()) {
        members.insert("atLeast".into(), json!(least));
    }
    json!({"use": "attested", "parameters": parameters})
}

/// The rule that images come from repositories of these patterns.
pub fn from_repositories(patterns: &[String]) -> Value {
    json!({"use": "registries", "parameters": {"allow": patterns}})
}

/// The rule that lets nothing in.
pub fn nothing() -> Value {
    from_repositories(&["nothing.invalid/**".to_owned()])
}

/// `name` in the letters that names have here, with a number behind it where it is taken.
fn free(name: &str, taken: &[&str]) -> String {
    let plain: String = name
        .to_lowercase()
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
        .collect();
    let plain = match plain.trim_matches('-') {
        "" => "other".to_owned(),
        plain => plain.to_owned(),
    };
    let mut candidates =
        std::iter::once(plain.clone()).chain((2..=taken.len() + 2).map(|n| format!("{plain}-{n}")));
    candidates.find(|candidate| !taken.contains(&candidate.as_str())).unwrap_or(plain)
}
