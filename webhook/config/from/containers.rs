//! `policy.json` of podman, skopeo and CRI-O.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    attest::sources::{LOOKASIDE, REFERRERS, TAGS},
    name::escape,
};

use super::{
    BadForeign, Translation,
    draft::{Authority, Key, KeyMaterial, Match, attested, from_repositories, nothing},
    read,
    requirement::{Scope, SignedIdentity},
};

#[derive(Debug, Deserialize)]
struct File {
    default: Vec<Requirement>,
    #[serde(default)]
    transports: BTreeMap<String, BTreeMap<String, Vec<Requirement>>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Requirement {
    InsecureAcceptAnything,
    Reject,
    SignedBy(Signed),
    SigstoreSigned(Signed),
    SignedBaseLayer,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signed {
    key_type: Option<String>,
    key_path: Option<String>,
    #[serde(default)]
    key_paths: Vec<String>,
    key_data: Option<String>,
    #[serde(default)]
    key_datas: Vec<String>,
    fulcio: Option<Value>,
    pki: Option<Value>,
    rekor_public_key_path: Option<String>,
    rekor_public_key_data: Option<String>,
    signed_identity: Option<SignedIdentity>,
}

/// Carries over a `policy.json`.
pub fn translate(policy: &Value, translation: &mut Translation) -> Result<(), BadForeign> {
    let file: File = read(policy, "policy.json")?;
    let mut docker = BTreeMap::new();
    for (transport, scopes) in file.transports {
        if transport == "docker" {
            docker = scopes;
        } else {
            let transport = escape(&transport, 40);
            translation
                .remark(format!("transport {transport}: a cluster pulls from registries only"));
        }
    }
    let default = docker.remove("").unwrap_or(file.default);
    translation.draft.unmatched =
        if matches!(default.as_slice(), [Requirement::InsecureAcceptAnything]) {
            "allow"
        } else {
            "deny"
        };
    let accepts = |requirements: &[Requirement]| {
        requirements.iter().all(|one| matches!(one, Requirement::InsecureAcceptAnything))
    };
    let mut scopes = Vec::new();
    if !accepts(&default) && !matches!(default.as_slice(), [Requirement::Reject]) {
        scopes.push((Scope::all(), default));
    }
    for (name, requirements) in docker {
        let scope = Scope::new(&name, translation);
        scopes.push((scope, requirements));
    }
    if scopes.iter().any(|(scope, _)| scope.name.starts_with("*.")) {
        // Here `*` is one label of a host, there it is any number of them.
        translation.draft.unmatched = "deny";
        translation.remark(
            "`*.` stands for one label of a host here; hosts further down are left to `unmatched`, \
             which therefore denies"
                .to_owned(),
        );
    }
    for (at, (scope, requirements)) in scopes.iter().enumerate() {
        rule(scope, requirements, translation)?;
        for (wider, _) in
            scopes.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, s)| s)
        {
            if wider.covers(scope) {
                translation.remark(format!(
                    "{}: here every policy that matches counts, so what is asked for {} is asked for \
                     these images too; narrow its `match.images` where that is too much",
                    scope.shown(),
                    wider.shown()
                ));
            }
        }
    }
    if scopes.iter().any(|(_, requirements)| requirements.iter().any(is_signed_by)) {
        translation.remark(
            "where podman looks for signatures stands in registries.d; \
             name each as `lookaside` of its host under `registries.hosts`"
                .to_owned(),
        );
    }
    Ok(())
}

fn is_signed_by(requirement: &Requirement) -> bool {
    matches!(requirement, Requirement::SignedBy(_))
}

/// One policy for the images of a scope: all requirements must be met.
fn rule(
    scope: &Scope,
    requirements: &[Requirement],
    translation: &mut Translation,
) -> Result<(), BadForeign> {
    let mut rules = Vec::new();
    for requirement in requirements {
        let rule = match requirement {
            Requirement::InsecureAcceptAnything if scope.widened => {
                translation.remark(scope.cannot_accept());
                nothing()
            }
            Requirement::InsecureAcceptAnything => from_repositories(&all(scope)),
            Requirement::Reject => nothing(),
            Requirement::SignedBy(signed) => signed_by(signed, false, scope, translation)?,
            Requirement::SignedBaseLayer => {
                translation.remark(format!(
                    "{}: podman itself lets nothing in by `signedBaseLayer`, and so does this",
                    scope.shown()
                ));
                nothing()
            }
            Requirement::SigstoreSigned(signed) => signed_by(signed, true, scope, translation)?,
        };
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    if rules.is_empty() {
        rules.push(nothing());
    }
    let applies = Match { namespaces: Vec::new(), images: scope.images.clone() };
    let name = if scope.name.is_empty() { "default" } else { &scope.name };
    translation.draft.policy(name, applies, rules);
    Ok(())
}

fn all(scope: &Scope) -> Vec<String> {
    if scope.images.is_empty() { vec!["**".to_owned()] } else { scope.images.clone() }
}

fn signed_by(
    signed: &Signed,
    sigstore: bool,
    scope: &Scope,
    translation: &mut Translation,
) -> Result<Value, BadForeign> {
    let shown = scope.shown();
    // podman reads its other kinds, and lets nothing in by them.
    if let Some(kind) = signed.key_type.as_deref().filter(|kind| *kind != GPG_KEYS) {
        translation.remark(format!(
            "{shown}: only keys of the kind {GPG_KEYS} are read here, and these are {}, so nothing is \
             let in; name the signers' own keys",
            escape(kind, 40)
        ));
        return Ok(nothing());
    }
    if signed.fulcio.is_some() || signed.pki.is_some() {
        translation.remark(format!(
            "{shown}: signatures by certificates are not verified here, so nothing is let in; sign with a key"
        ));
        return Ok(nothing());
    }
    if signed.rekor_public_key_path.is_some() || signed.rekor_public_key_data.is_some() {
        translation
            .remark(format!("{shown}: there is no transparency log here; the key alone counts"));
    }
    let mut material = Vec::new();
    for path in signed.key_path.iter().chain(&signed.key_paths) {
        material.push(KeyMaterial::File(path.clone()));
    }
    for data in signed.key_data.iter().chain(&signed.key_datas) {
        let bytes = STANDARD.decode(data.trim()).map_err(|error| BadForeign::Shape {
            what: format!("keyData of {shown}"),
            why: error.to_string(),
        })?;
        material.push(KeyMaterial::Inline(bytes));
    }
    let name = if scope.name.is_empty() { "default" } else { &scope.name };
    let keys = material
        .into_iter()
        .map(|key| {
            if sigstore {
                Key::Pkix(translation.draft.key_file(name, ".pem", key))
            } else {
                Key::Openpgp(translation.draft.key_file(name, ".asc", key))
            }
        })
        .collect();
    let sources = if sigstore { vec![TAGS, REFERRERS] } else { vec![LOOKASIDE] };
    let mut authority = Authority { sources, ..Authority::new(keys) };
    let identity = signed.signed_identity.clone().unwrap_or(SignedIdentity::MatchRepoDigestOrExact);
    identity.apply(scope, &mut authority, translation);
    let authority = translation.draft.authority(name, authority);
    Ok(attested(&[authority], None))
}

/// The kind of keys that sign themselves what is let in.
const GPG_KEYS: &str = "GPGKeys";
