//! Policies of other tools: what they become here, and what is said about the rest.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign::config::{
    Config, Purpose,
    from::{Translation, from},
};
use serde_json::{Value, json};
use tempfile::TempDir;

pub const OPENPGP: &str = include_str!("../../../fixtures/keys/gpg-test.pub.asc");
const OTHER: &str = include_str!("../../../fixtures/gpg/extended-after.asc");
const PKIX: &str = include_str!("../../../fixtures/cosign/cosign.pub");

/// The configuration as JSON, once it was seen to load.
pub fn loaded(name: &str, translation: &Translation) -> Value {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("keys")).unwrap();
    for (path, bytes) in &translation.draft.files {
        std::fs::write(folder.path().join(path), bytes).unwrap();
    }
    // What a person is told to fetch, or has at hand.
    for path in ["keys/acme.asc", "keys/other.asc"] {
        std::fs::write(folder.path().join(path), OPENPGP).unwrap();
    }
    std::fs::write(folder.path().join("cosign.pub"), PKIX).unwrap();
    let yaml = serde_saphyr::to_string(&translation.draft).unwrap();
    let file = folder.path().join("countersign.yaml");
    std::fs::write(&file, &yaml).unwrap();
    if let Err(errors) = Config::load(&file, Purpose::Inspect) {
        panic!("{name}: {errors}\n{yaml}");
    }
    serde_saphyr::from_str(&yaml).unwrap()
}

struct Case {
    name: &'static str,
    file: String,
    authorities: Value,
    policies: Value,
    unmatched: &'static str,
    /// The beginning of each remark.
    remarks: &'static [&'static str],
}

fn policy(name: &str, applies: Value, rules: Value) -> Value {
    json!({"name": name, "match": applies, "rules": rules, "mode": "enforce"})
}

fn check(cases: &[Case]) {
    for Case { name, file, authorities, policies, unmatched, remarks } in cases {
        let translation = from(file).unwrap_or_else(|error| panic!("{name}: {error}"));
        let config = loaded(name, &translation);
        assert_eq!(config.get("authorities").unwrap_or(&json!([])), authorities, "{name}");
        assert_eq!(&config["policies"], policies, "{name}");
        assert_eq!(config["unmatched"], *unmatched, "{name}");
        let got = &translation.remarks;
        assert_eq!(got.len(), remarks.len(), "{name}: {got:#?}");
        for (got, want) in got.iter().zip(*remarks) {
            assert!(got.starts_with(want), "{name}: {got}");
        }
    }
}

#[test]
fn policy_json_of_podman() {
    let inline = STANDARD.encode(OPENPGP);
    check(&[
        Case {
            name: "signed or rejected",
            file: format!(
                r#"{{"default": [{{"type": "reject"}}],
                "transports": {{"docker": {{
                    "registry.example/acme": [{{"type": "signedBy", "keyType": "GPGKeys", "keyData": "{inline}",
                        "signedIdentity": {{"type": "matchRepository"}}}}],
                    "docker.io": [{{"type": "insecureAcceptAnything"}}]
                }}, "docker-daemon": {{"": [{{"type": "insecureAcceptAnything"}}]}}}}}}"#
            ),
            authorities: json!([{
                "name": "registry-example-acme",
                "keys": [{"openpgp": "keys/registry-example-acme.asc"}],
                "sources": ["lookaside"],
            }]),
            policies: json!([
                policy(
                    "docker-io",
                    json!({"images": ["docker.io/**"]}),
                    json!([{"use": "registries", "parameters": {"allow": ["docker.io/**"]}}]),
                ),
                policy(
                    "registry-example-acme",
                    json!({"images": ["registry.example/acme", "registry.example/acme/**"]}),
                    json!([{"use": "attested", "parameters": {"authorities": ["registry-example-acme"]}}]),
                ),
            ]),
            unmatched: "deny",
            remarks: &["transport docker-daemon:", "where podman looks for signatures"],
        },
        Case {
            name: "cosign's keys, another name, a tag, keyless",
            file: r#"{"default": [{"type": "insecureAcceptAnything"}],
                "transports": {"docker": {
                    "mirror.example/acme": [{"type": "sigstoreSigned", "keyPath": "cosign.pub",
                        "signedIdentity": {"type": "remapIdentity", "prefix": "mirror.example/acme", "signedPrefix": "registry.example/acme"}}],
                    "registry.example/acme/shop:v1": [{"type": "sigstoreSigned", "keyPath": "cosign.pub"}],
                    "registry.example/web": [{"type": "sigstoreSigned", "fulcio": {"caPath": "ca"}, "rekorPublicKeyPath": "r"}],
                    "registry.example/bad": [{"type": "reject"}]
                }}}"#
                .into(),
            authorities: json!([
                {
                    "name": "mirror-example-acme",
                    "keys": [{"pkix": "cosign.pub"}],
                    "sources": ["tags", "referrers"],
                    "identities": {
                        "mirror.example/acme": "registry.example/acme",
                        "mirror.example/acme/**": "registry.example/acme/**",
                    },
                    "sharedKey": true,
                },
                {
                    "name": "registry-example-acme-shop-v1",
                    "keys": [{"pkix": "cosign.pub"}],
                    "sources": ["tags", "referrers"],
                    "sharedKey": true,
                },
            ]),
            policies: json!([
                policy(
                    "mirror-example-acme",
                    json!({"images": ["mirror.example/acme", "mirror.example/acme/**"]}),
                    json!([{"use": "attested", "parameters": {"authorities": ["mirror-example-acme"]}}]),
                ),
                policy(
                    "registry-example-acme-shop-v1",
                    json!({"images": ["registry.example/acme/shop", "registry.example/acme/shop/**"]}),
                    json!([{"use": "attested", "parameters": {"authorities": ["registry-example-acme-shop-v1"]}}]),
                ),
                policy(
                    "registry-example-bad",
                    json!({"images": ["registry.example/bad", "registry.example/bad/**"]}),
                    json!([{"use": "registries", "parameters": {"allow": ["nothing.invalid/**"]}}]),
                ),
                policy(
                    "registry-example-web",
                    json!({"images": ["registry.example/web", "registry.example/web/**"]}),
                    json!([{"use": "registries", "parameters": {"allow": ["nothing.invalid/**"]}}]),
                ),
            ]),
            unmatched: "allow",
            remarks: &[
                "registry.example/acme/shop:v1: patterns name repositories, so this is for all of registry.example/acme/shop",
                "registry.example/acme/shop:v1: the tag in a signed name is not compared",
                "registry.example/web: signatures by certificates are not verified here, so nothing is let in",
                "any registry may be asked",
            ],
        },
        Case {
            name: "a default that asks for signatures, and a wider scope",
            file: r#"{"default": [{"type": "signedBy", "keyType": "GPGKeys", "keyPaths": ["keys/acme.asc"],
                        "signedIdentity": {"type": "matchRepository"}}],
                "transports": {"docker": {"registry.example": [{"type": "insecureAcceptAnything"}]}}}"#
                .into(),
            authorities: json!([{
                "name": "default",
                "keys": [{"openpgp": "keys/acme.asc"}],
                "sources": ["lookaside"],
            }]),
            policies: json!([
                policy(
                    "default",
                    json!({}),
                    json!([{"use": "attested", "parameters": {"authorities": ["default"]}}]),
                ),
                policy(
                    "registry-example",
                    json!({"images": ["registry.example/**"]}),
                    json!([{"use": "registries", "parameters": {"allow": ["registry.example/**"]}}]),
                ),
            ]),
            unmatched: "deny",
            remarks: &[
                "registry.example: here every policy that matches counts, so what is asked for everything",
                "where podman looks for signatures",
                "any registry may be asked",
            ],
        },
    ]);
}

#[test]
fn resources_of_portieris() {
    let resource = |name: &str, policy: &str| {
        format!(
            "apiVersion: portieris.cloud.ibm.com/v1\nkind: ImagePolicy\n\
             metadata: {{name: prod, namespace: prod}}\n\
             spec: {{repositories: [{{name: \"{name}\", policy: {policy}}}]}}\n"
        )
    };
    let prod = |images: &[&str]| json!({"namespaces": ["prod"], "images": images});
    let nothing = json!([{"use": "registries", "parameters": {"allow": ["nothing.invalid/**"]}}]);
    check(&[
        Case {
            name: "signed under another name, kept elsewhere",
            file: resource(
                "uk.icr.io/mirror/db2:6.1",
                "{simple: {storeURL: \"https://sigs.example/s\", requirements: [{type: signedBy, keySecret: acme, \
                 signedIdentity: {type: matchExactRepository, dockerRepository: icr.io/ibm/db2}}]}}",
            ),
            authorities: json!([{
                "name": "acme",
                "keys": [{"openpgp": "keys/acme.asc"}],
                "sources": ["lookaside"],
                "identities": {"uk.icr.io/mirror/db2": "icr.io/ibm/db2"},
            }]),
            policies: json!([policy(
                "prod-uk-icr-io-mirror-db2-6-1",
                prod(&["uk.icr.io/mirror/db2", "uk.icr.io/mirror/db2/**"]),
                json!([{"use": "attested", "parameters": {"authorities": ["acme"]}}]),
            )]),
            unmatched: "deny",
            remarks: &[
                "uk.icr.io/mirror/db2:6.1: patterns name repositories",
                "the key is in a Secret: kubectl get secret -n prod acme",
            ],
        },
        Case {
            name: "no requirement",
            file: resource("icr.io/*", "{}"),
            authorities: json!([]),
            policies: json!([policy(
                "prod-icr-io",
                prod(&["icr.io/**"]),
                json!([{"use": "registries", "parameters": {"allow": ["icr.io/**"]}}]),
            )]),
            unmatched: "deny",
            remarks: &[],
        },
        Case {
            name: "Notary",
            file: resource("icr.io/*", "{trust: {enabled: true}}"),
            authorities: json!([]),
            policies: json!([policy("prod-icr-io", prod(&["icr.io/**"]), nothing.clone())]),
            unmatched: "deny",
            remarks: &["icr.io: Docker Content Trust (Notary v1) is not verified here"],
        },
        Case {
            name: "an advisor",
            file: resource("icr.io/*", "{vulnerability: {ICCRVA: {enabled: true}}}"),
            authorities: json!([]),
            policies: json!([policy("prod-icr-io", prod(&["icr.io/**"]), nothing)]),
            unmatched: "deny",
            remarks: &["icr.io: IBM's Vulnerability Advisor is not asked here"],
        },
    ]);
    let left_out = from(&resource("*.icr.io/a*b/*", "{}")).unwrap();
    assert!(left_out.remarks.is_empty(), "{:?}", left_out.remarks);
    let left_out = from(&resource("icr.io/a*", "{}")).unwrap();
    assert!(left_out.draft.policies.is_empty());
    assert!(left_out.remarks[0].contains("makes no pattern here"), "{:?}", left_out.remarks);
}

#[test]
fn resources_of_kritis() {
    let key = STANDARD.encode(OPENPGP);
    let authority = |name: &str, key: &str| {
        format!(
            "apiVersion: kritis.grafeas.io/v1beta1\nkind: AttestationAuthority\n\
             metadata: {{name: {name}, namespace: prod}}\n\
             spec: {{noteReference: projects/acme/notes/{name}, publicKeys: [{{keyType: PGP, asciiArmoredPgpPublicKey: {key}}}]}}\n---\n"
        )
    };
    let attested = |name: &str, authorities: &str| {
        format!(
            "apiVersion: kritis.grafeas.io/v1beta1\nkind: GenericAttestationPolicy\n\
             metadata: {{name: {name}, namespace: prod}}\n\
             spec: {{attestationAuthorityNames: [{authorities}], admissionAllowlistPatterns: [{{namePattern: gcr.io/a/*}}]}}\n---\n"
        )
    };
    let vulnerable = "apiVersion: kritis.grafeas.io/v1beta1\nkind: ImageSecurityPolicy\n\
        metadata: {name: scan, namespace: prod}\n\
        spec: {packageVulnerabilityRequirements: {maximumSeverity: MEDIUM, maximumFixUnavailableSeverity: BLOCK_ALL, \
        allowlistCVEs: [projects/goog-vulnz/notes/CVE-2017-1000082]}}\n";
    let prod = json!({"namespaces": ["prod"]});
    let known = |name: &str| {
        json!({
            "name": name,
            "keys": [{"openpgp": format!("keys/{name}.asc")}],
            "note": format!("projects/acme/notes/{name}"),
        })
    };
    check(&[
        Case {
            name: "attested and scanned",
            file: authority("built", &key) + &attested("all", "built") + vulnerable,
            authorities: json!([known("built")]),
            policies: json!([
                policy(
                    "prod-all",
                    prod.clone(),
                    json!([{"use": "attested", "parameters": {"authorities": ["built"]}}]),
                ),
                policy(
                    "prod-scan",
                    prod.clone(),
                    json!([{"use": "vulnerabilities", "parameters": {
                        "fixable": "MEDIUM",
                        "unfixable": "NONE",
                        "allow": ["projects/goog-vulnz/notes/CVE-2017-1000082"],
                        "scanned": false,
                    }}]),
                ),
            ]),
            unmatched: "allow",
            remarks: &[
                "all: its allow-list of images is not carried over",
                "scan: Kritis lets images in that nobody has scanned",
                "the servers stand in Kritis' own configuration",
                "any registry may be asked",
            ],
        },
        Case {
            name: "either of two",
            file: authority("built", &key)
                + &authority("qa", &STANDARD.encode(OTHER))
                + &attested("one", "built")
                + &attested("two", "qa"),
            authorities: json!([known("built"), known("qa")]),
            policies: json!([policy(
                "prod",
                prod.clone(),
                json!([{"use": "attested", "parameters": {"authorities": ["built", "qa"], "atLeast": 1}}]),
            )]),
            unmatched: "allow",
            remarks: &["one: its allow-list", "two: its allow-list", "the servers", "any registry"],
        },
        Case {
            name: "an authority that is not there",
            file: authority("built", &key) + &attested("all", "built, qa"),
            authorities: json!([known("built")]),
            policies: json!([policy(
                "prod-all",
                prod,
                json!([{"use": "registries", "parameters": {"allow": ["nothing.invalid/**"]}}]),
            )]),
            unmatched: "allow",
            remarks: &[
                "all: its allow-list",
                "all: its authority qa is not in the file",
                "the servers",
                "any registry",
            ],
        },
    ]);
}

#[test]
fn other_files_are_refused() {
    for (name, text, want) in [
        ("empty", "", "it is none of the files that can be carried over"),
        ("no YAML", "{", "it is neither JSON nor YAML"),
        ("a Pod", "apiVersion: v1\nkind: Pod", "it is none of the files that can be carried over"),
        (
            "a requirement that podman does not know",
            r#"{"default": [{"type": "signedby"}]}"#,
            "policy.json is not as its tool would have it: unknown variant `signedby`",
        ),
        (
            "a key that is no base64",
            r#"{"default": [{"type": "signedBy", "keyData": "?"}]}"#,
            "keyData of everything is not as its tool would have it",
        ),
        (
            "an authority without a note",
            "apiVersion: kritis.grafeas.io/v1beta1\nkind: AttestationAuthority\nmetadata: {name: a}\nspec: {}",
            "an AttestationAuthority is not as its tool would have it: missing field `noteReference`",
        ),
    ] {
        let error = from(text).unwrap_err().to_string();
        assert!(error.starts_with(want), "{name}: {error}");
    }
}
