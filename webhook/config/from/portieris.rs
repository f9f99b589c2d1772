//! `ImagePolicy` and `ClusterImagePolicy` of Portieris.
//!
//! <https://github.com/IBM/portieris/blob/main/POLICIES.md>

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    BadForeign, SHOWN, Translation,
    draft::{Authority, Key, Match, attested, from_repositories, nothing},
    read,
    requirement::{Scope, SignedIdentity},
};
use crate::{
    attest::sources::LOOKASIDE,
    name::{Pattern, escape},
};

/// The groups of its resources, old and new.
pub const GROUPS: [&str; 2] =
    ["portieris.cloud.ibm.com", "securityenforcement.admission.cloud.ibm.com"];

#[derive(Debug, Deserialize)]
struct Resource {
    kind: String,
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    name: String,
    namespace: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Spec {
    #[serde(default)]
    repositories: Vec<Repository>,
}

#[derive(Debug, Deserialize)]
struct Repository {
    name: String,
    policy: Option<Policy>,
}

#[derive(Debug, Default, Deserialize)]
struct Policy {
    trust: Option<Value>,
    simple: Option<Simple>,
    vulnerability: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Simple {
    #[serde(default)]
    requirements: Vec<Requirement>,
    #[serde(rename = "storeURL")]
    store_url: Option<String>,
    store_secret: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Requirement {
    InsecureAcceptAnything,
    Reject,
    SignedBy { key_secret: String, signed_identity: Option<SignedIdentity> },
}

/// Carries over its resources.
pub fn translate(resources: &[Value], translation: &mut Translation) -> Result<(), BadForeign> {
    // It denies what no policy is for.
    translation.draft.unmatched = "deny";
    let mut scopes = Vec::new();
    let mut namespaced = false;
    for resource in resources {
        let resource: Resource = read(resource, "a resource of Portieris")?;
        let namespaces = match resource.kind.as_str() {
            "ImagePolicy" => {
                namespaced = true;
                vec![resource.metadata.namespace.clone().unwrap_or_else(|| "default".into())]
            }
            "ClusterImagePolicy" => Vec::new(),
            other => {
                translation.remark(format!("{} is passed over", escape(other, SHOWN)));
                continue;
            }
        };
        for repository in &resource.spec.repositories {
            let applies = Match { namespaces: namespaces.clone(), images: Vec::new() };
            if let Some(scope) =
                repository_policy(&resource.metadata, repository, applies, translation)
            {
                scopes.push(scope);
            }
        }
    }
    if scopes.len() > 1 {
        translation.remark(
            "Portieris goes by the most specific name that matches, here every policy that matches \
             counts; narrow `match.images` where that is too much"
                .to_owned(),
        );
    }
    if namespaced && scopes.len() > 1 {
        translation.remark(
            "cluster-wide policies count in namespaces with policies of their own, too; narrow \
             `match.namespaces` where that is too much"
                .to_owned(),
        );
    }
    Ok(())
}

/// The policy for one entry; nothing where its name makes no pattern.
fn repository_policy(
    metadata: &Metadata,
    repository: &Repository,
    applies: Match,
    translation: &mut Translation,
) -> Option<Scope> {
    let scope = scope(&repository.name, translation)?;
    let shown = scope.shown();
    let none = Policy::default();
    let policy = repository.policy.as_ref().unwrap_or(&none);
    let mut rules = Vec::new();
    if let Some(simple) = &policy.simple {
        lookaside(simple, &scope, translation);
        for requirement in &simple.requirements {
            rules.push(match requirement {
                Requirement::InsecureAcceptAnything => accepted(&scope, translation),
                Requirement::Reject => nothing(),
                Requirement::SignedBy { key_secret, signed_identity } => {
                    signed_by(metadata, key_secret, signed_identity.as_ref(), &scope, translation)
                }
            });
        }
    }
    if enabled(policy.trust.as_ref()) {
        rules.push(nothing());
        translation.remark(format!(
            "{shown}: Docker Content Trust (Notary v1) is not verified here, so nothing is let in; sign with a key"
        ));
    }
    if policy.vulnerability.is_some() {
        rules.push(nothing());
        translation.remark(format!(
            "{shown}: IBM's Vulnerability Advisor is not asked here, so nothing is let in; have a scanner \
             write to a Grafeas server and use the rule `vulnerabilities`"
        ));
    }
    if rules.is_empty() {
        rules.push(accepted(&scope, translation));
    }
    let name = format!("{}-{}", metadata.name, repository.name);
    translation.draft.policy(&name, Match { images: scope.images.clone(), ..applies }, rules);
    Some(scope)
}

/// Everything of a scope, unless that would be more than was meant.
fn accepted(scope: &Scope, translation: &mut Translation) -> Value {
    if scope.widened {
        translation.remark(scope.cannot_accept());
        return nothing();
    }
    let all = vec!["**".to_owned()];
    from_repositories(if scope.images.is_empty() { &all } else { &scope.images })
}

fn enabled(trust: Option<&Value>) -> bool {
    trust.is_some_and(|trust| trust.get("enabled") != Some(&Value::Bool(false)))
}

/// Its `*` at the end reaches over slashes.
fn scope(name: &str, translation: &mut Translation) -> Option<Scope> {
    if name == "*" {
        return Some(Scope::all());
    }
    let Some(prefix) = name.strip_suffix("/*") else {
        let scope = Scope::new(name, translation);
        let sound = scope.images.iter().all(|image| image.parse::<Pattern>().is_ok());
        if sound && !name.contains('*') {
            return Some(scope);
        }
        let name = escape(name, SHOWN);
        translation.remark(format!(
            "{name} makes no pattern here, so its images are left to `unmatched`; write `match.images` by hand"
        ));
        return None;
    };
    let pattern = format!("{prefix}/**");
    if pattern.parse::<Pattern>().is_err() {
        let name = escape(name, SHOWN);
        translation
            .remark(format!("{name} makes no pattern here, so its images are left to `unmatched`"));
        return None;
    }
    Some(Scope { name: prefix.to_owned(), images: vec![pattern], widened: false })
}

fn signed_by(
    metadata: &Metadata,
    secret: &str,
    identity: Option<&SignedIdentity>,
    scope: &Scope,
    translation: &mut Translation,
) -> Value {
    let path = format!("keys/{}.asc", escape(secret, SHOWN).replace('/', "-"));
    let namespace = metadata.namespace.as_deref().unwrap_or("portieris");
    translation.remark(format!(
        "the key is in a Secret: kubectl get secret -n {} {} -o jsonpath='{{.data.key}}' | base64 -d > {path}",
        escape(namespace, SHOWN),
        escape(secret, SHOWN)
    ));
    let mut authority =
        Authority { sources: vec![LOOKASIDE], ..Authority::new(vec![Key::Openpgp(path)]) };
    if let Some(identity) = identity {
        identity.apply(scope, &mut authority, translation);
    }
    let name = translation.draft.authority(secret, authority);
    attested(&[name], None)
}

/// Where the signatures lie, if not in the registry itself.
fn lookaside(simple: &Simple, scope: &Scope, translation: &mut Translation) {
    let Some(url) = &simple.store_url else { return };
    match scope.name.split('/').next().filter(|host| !host.is_empty() && !host.contains('*')) {
        Some(host) => {
            let entry = json!({"host": host, "lookaside": url});
            if !translation.draft.registries.hosts.contains(&entry) {
                translation.draft.registries.hosts.push(entry);
            }
        }
        None => translation.remark(format!(
            "{}: name {} as `lookaside` of each host that it is for",
            scope.shown(),
            escape(url, SHOWN)
        )),
    }
    if simple.store_secret.is_some() {
        translation.remark(format!("{}: lookasides are asked without a credential", scope.shown()));
    }
}
