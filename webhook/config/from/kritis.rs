//! Resources of Kritis: attestation authorities, attestation and vulnerability policies.
//!
//! <https://github.com/grafeas/kritis/blob/master/docs/resources.md>

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    BadForeign, SHOWN, Translation,
    draft::{Authority, Key, KeyMaterial, Match, attested},
    read,
};
use crate::name::escape;

#[derive(Debug, Deserialize)]
struct Resource<S> {
    metadata: Metadata,
    spec: S,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    name: String,
    namespace: Option<String>,
}

impl Metadata {
    fn namespace(&self) -> String {
        self.namespace.clone().unwrap_or_else(|| "default".into())
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthoritySpec {
    note_reference: String,
    #[serde(default)]
    public_keys: Vec<PublicKey>,
    /// Before `publicKeys`.
    public_key_data: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PublicKey {
    ascii_armored_pgp_public_key: Option<String>,
    pkix_public_key: Option<PkixKey>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PkixKey {
    public_key_pem: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AttestationSpec {
    #[serde(default)]
    attestation_authority_names: Vec<String>,
    #[serde(default)]
    admission_allowlist_patterns: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SecuritySpec {
    #[serde(default)]
    image_allowlist: Vec<String>,
    #[serde(alias = "packageVulnerabilityPolicy", default)]
    package_vulnerability_requirements: Requirements,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Requirements {
    maximum_severity: Option<String>,
    maximum_fix_unavailable_severity: Option<String>,
    #[serde(rename = "allowlistCVEs", default)]
    allowlist_cves: Vec<String>,
}

/// Carries over its resources.
pub fn translate(resources: &[Value], translation: &mut Translation) -> Result<(), BadForeign> {
    // It admits what no policy is for.
    translation.draft.unmatched = "allow";
    let kind = |resource: &&Value, wanted: &str| {
        resource.get("kind").and_then(Value::as_str) == Some(wanted)
    };
    let of = |wanted: &'static str| resources.iter().filter(move |resource| kind(resource, wanted));
    let mut names = BTreeMap::new();
    let mut projects = BTreeSet::new();
    for resource in of("AttestationAuthority") {
        let resource: Resource<AuthoritySpec> = read(resource, "an AttestationAuthority")?;
        let at = (resource.metadata.namespace(), resource.metadata.name.clone());
        projects.extend(project(&resource.spec.note_reference));
        names.insert(at, authority(&resource, translation)?);
    }
    let mut policies: BTreeMap<String, Vec<Resource<AttestationSpec>>> = BTreeMap::new();
    for resource in of("GenericAttestationPolicy") {
        let resource: Resource<AttestationSpec> = read(resource, "a GenericAttestationPolicy")?;
        policies.entry(resource.metadata.namespace()).or_default().push(resource);
    }
    for (namespace, policies) in policies {
        attestation_policies(&namespace, &policies, &names, translation);
    }
    for resource in of("ImageSecurityPolicy") {
        let resource: Resource<SecuritySpec> = read(resource, "an ImageSecurityPolicy")?;
        security_policy(&resource, translation);
    }
    for resource in resources {
        let kind = resource.get("kind").and_then(Value::as_str).unwrap_or_default();
        if !KNOWN.contains(&kind) {
            translation.remark(format!("{} is passed over", escape(kind, SHOWN)));
        }
    }
    stores(&projects, translation);
    Ok(())
}

const KNOWN: [&str; 3] =
    ["AttestationAuthority", "GenericAttestationPolicy", "ImageSecurityPolicy"];

fn authority(
    resource: &Resource<AuthoritySpec>,
    translation: &mut Translation,
) -> Result<String, BadForeign> {
    let name = &resource.metadata.name;
    let mut keys = Vec::new();
    let old = resource.spec.public_key_data.iter();
    let armored = resource
        .spec
        .public_keys
        .iter()
        .filter_map(|key| key.ascii_armored_pgp_public_key.as_ref());
    for text in old.chain(armored) {
        let key = KeyMaterial::Inline(unwrapped(text, name)?);
        keys.push(Key::Openpgp(translation.draft.key_file(name, ".asc", key)));
    }
    for key in resource.spec.public_keys.iter().filter_map(|key| key.pkix_public_key.as_ref()) {
        let key = KeyMaterial::Inline(key.public_key_pem.clone().into_bytes());
        keys.push(Key::Pkix(translation.draft.key_file(name, ".pem", key)));
        translation.remark(format!(
            "{}: Kritis passes over PKIX keys, here they count",
            escape(name, SHOWN)
        ));
    }
    let note = Some(resource.spec.note_reference.clone());
    Ok(translation.draft.authority(name, Authority { note, ..Authority::new(keys) }))
}

/// Armor, which these resources have in base64 once more.
fn unwrapped(text: &str, name: &str) -> Result<Vec<u8>, BadForeign> {
    if text.trim_start().starts_with("-----BEGIN") {
        return Ok(text.as_bytes().to_vec());
    }
    let compact: String = text.split_whitespace().collect();
    STANDARD.decode(compact).map_err(|error| BadForeign::Shape {
        what: format!("the public key of {}", escape(name, SHOWN)),
        why: error.to_string(),
    })
}

/// One attestation policy of a namespace asks for all of its authorities; of several, one suffices.
fn attestation_policies(
    namespace: &str,
    policies: &[Resource<AttestationSpec>],
    names: &BTreeMap<(String, String), String>,
    translation: &mut Translation,
) {
    let applies = || Match { namespaces: vec![namespace.to_owned()], images: Vec::new() };
    let mut sets = Vec::new();
    for policy in policies {
        if !policy.spec.admission_allowlist_patterns.is_empty() {
            allow_list(&policy.metadata.name, translation);
        }
        let mut authorities = Vec::new();
        for wanted in &policy.spec.attestation_authority_names {
            match names.get(&(namespace.to_owned(), wanted.clone())) {
                Some(name) => authorities.push(name.clone()),
                None => translation.remark(format!(
                    "{}: its authority {} is not in the file, so nothing is let in until it is",
                    escape(&policy.metadata.name, SHOWN),
                    escape(wanted, SHOWN)
                )),
            }
        }
        let complete = authorities.len() == policy.spec.attestation_authority_names.len();
        sets.push((&policy.metadata.name, if complete { authorities } else { Vec::new() }));
    }
    let singles = sets.iter().all(|(_, authorities)| authorities.len() == 1);
    let mut any: Vec<String> =
        sets.iter().flat_map(|(_, authorities)| authorities).cloned().collect();
    any.sort();
    any.dedup();
    // Those with one key between them cannot stand in one rule.
    if sets.len() > 1 && singles && translation.draft.attested_by_all(&any).len() == 1 {
        translation.draft.policy(namespace, applies(), vec![attested(&any, Some(1))]);
        return;
    }
    if sets.len() > 1 {
        translation.remark(format!(
            "{}: of its policies one had to be met, here all must be; keep those that are meant",
            escape(namespace, SHOWN)
        ));
    }
    for (name, authorities) in sets {
        let mut rules = translation.draft.attested_by_all(&authorities);
        if rules.is_empty() {
            rules.push(super::draft::nothing());
        }
        if rules.len() > 1 {
            translation.remark(format!(
                "{}: some of its authorities hold the same key, so that whoever has it attests for \
                 each of them; give each its own",
                escape(name, SHOWN)
            ));
        }
        translation.draft.policy(&format!("{namespace}-{name}"), applies(), rules);
    }
}

fn security_policy(resource: &Resource<SecuritySpec>, translation: &mut Translation) {
    let Metadata { name, .. } = &resource.metadata;
    if !resource.spec.image_allowlist.is_empty() {
        allow_list(name, translation);
    }
    let requirements = &resource.spec.package_vulnerability_requirements;
    let fixable = limit(requirements.maximum_severity.as_deref(), "CRITICAL");
    let unfixable = limit(requirements.maximum_fix_unavailable_severity.as_deref(), "ALLOW_ALL");
    let parameters = json!({
        "fixable": fixable,
        "unfixable": unfixable,
        "allow": requirements.allowlist_cves,
        "scanned": false,
    });
    translation.remark(format!(
        "{}: Kritis lets images in that nobody has scanned, and so does this; take out `scanned: false` \
         once your scanner writes discoveries",
        escape(name, SHOWN)
    ));
    let namespace = resource.metadata.namespace();
    let applies = Match { namespaces: vec![namespace.clone()], images: Vec::new() };
    let rule = json!({"use": "vulnerabilities", "parameters": parameters});
    translation.draft.policy(&format!("{namespace}-{name}"), applies, vec![rule]);
}

/// The worst severity that is let in; what is not known lets nothing in.
fn limit(severity: Option<&str>, default: &'static str) -> &'static str {
    match severity.unwrap_or(default) {
        "ALLOW_ALL" | "CRITICAL" => "CRITICAL",
        "HIGH" => "HIGH",
        "MEDIUM" => "MEDIUM",
        "LOW" => "LOW",
        "MINIMAL" => "MINIMAL",
        _ => "NONE",
    }
}

fn allow_list(name: &str, translation: &mut Translation) {
    translation.remark(format!(
        "{}: its allow-list of images is not carried over; leave those out of `match.images`, or name \
         them by digest under `exceptions`",
        escape(name, SHOWN)
    ));
}

fn project(note: &str) -> Option<String> {
    let mut parts = note.split('/');
    match (parts.next(), parts.next()) {
        (Some("projects"), Some(project)) => Some(format!("projects/{project}")),
        _ => None,
    }
}

/// Kritis keeps its servers elsewhere, so their addresses are left to the person.
fn stores(projects: &BTreeSet<String>, translation: &mut Translation) {
    for (number, project) in projects.iter().enumerate() {
        let name =
            if number == 0 { "grafeas".to_owned() } else { format!("grafeas-{}", number + 1) };
        translation.draft.stores.push(json!({
            "name": name,
            "url": "https://grafeas.invalid",
            "api": "v1beta1",
            "project": project,
            "records": [format!("{project}/notes/*")],
        }));
    }
    translation.remark(
        "the servers stand in Kritis' own configuration: put their addresses for grafeas.invalid, and \
         `api: v1` with `token: {google: true}` for Google's; vulnerabilities are read from notes \
         under `records`"
            .to_owned(),
    );
}
