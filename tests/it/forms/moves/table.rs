//! The forms that lie in registries, each with what comes of its twins.

use countersign_kit::{Carrier, Content, Evidence, Form, Keys, forms};
use serde_json::{Value, json};

use super::{Bare, Code, Senseless, Want, Wants};
use crate::verify_support::fixture;

const OPENPGP: Wants = Wants::in_registry("signature.invalid");
const PKIX: Wants = Wants::in_registry("signature.unknown-key");
const X509: Wants = Wants {
    kind: Senseless("roots are for nothing else, so that no configuration has them without it"),
    store: NO_STORE,
    ..Wants::in_registry("signature.invalid").anywhere()
};
const NO_STORE: Want = Senseless("no store holds web signatures");

const SIGN: &str = "\"https://sigstore.dev/cosign/sign/v1\"";
const SLSA_1: &str = "\"https://slsa.dev/provenance/v1\"";
const SLSA_02: &str = "\"https://slsa.dev/provenance/v0.2\"";

pub fn rows() -> Vec<(Form, Wants)> {
    let mut rows = podman();
    rows.extend(cosign());
    rows.extend(notation());
    rows.extend(ours());
    rows
}

/// The image that the vectors of other tools are about.
pub fn signed() -> Content {
    let manifest = fixture("simple-signing/manifest.json");
    let mut content = Content::raw("application/vnd.oci.image.manifest.v1+json", manifest);
    content.platform = Some(json!({"os": "linux", "architecture": "amd64"}));
    content
}

fn form(
    name: &str,
    evidence: Evidence,
    carrier: Carrier,
    keys: Keys,
    named: Option<&'static str>,
) -> Form {
    Form {
        name: name.to_owned(),
        evidence,
        carrier,
        keys,
        image: signed(),
        digest: None,
        named,
        attests: "simple-signing",
    }
}

fn podman() -> Vec<(Form, Wants)> {
    let gpg = || Keys::OpenPgp(fixture("keys/gpg-test.pub.asc"));
    let standalone = || Evidence::Message(fixture("simple-signing/signature-standalone"));
    let copied = || Evidence::Message(fixture("simple-signing/signature-lookaside"));
    let here = Some("registry.test/demo/app");
    let there = Some("127.0.0.1:5002/demo/signed");
    vec![
        (
            form(
                "skopeo standalone-sign, lookaside",
                standalone(),
                Carrier::Lookaside,
                gpg(),
                here,
            ),
            OPENPGP,
        ),
        (
            form("skopeo copy --sign-by, lookaside", copied(), Carrier::Lookaside, gpg(), there),
            OPENPGP,
        ),
        (
            form("skopeo copy --sign-by, extension", copied(), Carrier::Extension, gpg(), there),
            OPENPGP,
        ),
    ]
}

fn cosign() -> Vec<(Form, Wants)> {
    let own = || Keys::Pkix(fixture("cosign/cosign.pub"));
    let raw = |payload: &str, signature: &str| Evidence::Raw {
        payload: fixture(payload),
        signature: fixture(signature),
    };
    let genuine =
        |blob: &str| fixture(&format!("cosign/layout-bundle-referrers/blobs/sha256/{blob}"));
    let bundle = |blob: &str| -> Value { serde_json::from_slice(&genuine(blob)).unwrap() };
    let attested = bundle("33906cc194c6517286342f7feb35a0088b08250a1a6626f313f54a6d05d471fa");
    let by_sign = bundle("cc4e3d58c8671a64872187bb48f490bc3a8428a327d922c65cfb19d6981f7824");
    let envelope =
        |text: &Value| Evidence::of_envelope(text["dsseEnvelope"].to_string().as_bytes());
    let file = |name: &str| Evidence::of_envelope(&fixture(name));
    let old = Some("127.0.0.1:5005/cosign/old");
    let test = Some("registry.test/demo/app");
    let sig = raw("cosign/simple-signing.json", "cosign/simple-signing.sig");
    let of = |attests, form| Form { attests, ..form };
    let mut rows = vec![
        (form("cosign sign, .sig", sig, Carrier::Tags, own(), old), PKIX),
        (
            of(
                SLSA_1,
                form(
                    "cosign attest, .att",
                    file("cosign/provenance-v1.dsse.json"),
                    Carrier::Tags,
                    own(),
                    old,
                ),
            ),
            PKIX,
        ),
        (
            of(
                SLSA_02,
                form(
                    "cosign attest, .att, SLSA v0.2",
                    file("cosign/provenance-v02.dsse.json"),
                    Carrier::Tags,
                    own(),
                    old,
                ),
            ),
            PKIX,
        ),
        (
            of(
                SLSA_1,
                form(
                    "cosign attest, bundle",
                    envelope(&attested),
                    Carrier::Bundle(attested.clone()),
                    own(),
                    Some("127.0.0.1:5006/cosign/newb"),
                ),
            ),
            PKIX,
        ),
        (
            of(
                SIGN,
                form(
                    "cosign sign, bundle",
                    envelope(&by_sign),
                    Carrier::Bundle(by_sign),
                    own(),
                    None,
                ),
            ),
            PKIX.anywhere(),
        ),
    ];
    for key in ["p256", "p384", "p521", "rsa2048", "rsa4096-pss", "ed25519"] {
        let pem = Keys::Pkix(fixture(&format!("cosign/keys/{key}.pem")));
        let sig = raw("cosign/keys/payload.json", &format!("cosign/keys/{key}.sig"));
        let name = format!(".sig by {key}");
        rows.push((form(&name, sig, Carrier::Tags, pem, test), PKIX));
    }
    for key in ["p256", "rsa3072", "ed25519"] {
        let pem = || Keys::Pkix(fixture(&format!("cosign/dsse/{key}.pem")));
        let signed = || file(&format!("cosign/dsse/{key}.json"));
        let att = form(&format!(".att by {key}"), signed(), Carrier::Tags, pem(), test);
        rows.push((of(SLSA_1, att), PKIX));
        let around = Carrier::Bundle(attested.clone());
        let bundle = form(&format!("bundle by {key}"), signed(), around, pem(), test);
        rows.push((of(SLSA_1, bundle), PKIX));
    }
    rows
}

fn notation() -> Vec<(Form, Wants)> {
    let roots = || Keys::X509(fixture("notation/chain/root.pem"));
    let own = Keys::X509(fixture("notation/chain/self.pem"));
    let row = |name: &str, key: &str, roots| {
        let evidence = Evidence::of_jws(&fixture(&format!("notation/chain/{key}.json")));
        let form = form(name, evidence, Carrier::Notation, roots, None);
        (Form { attests: "notation", ..form }, X509)
    };
    vec![
        row("notation sign, RSA", "rsa3072", roots()),
        row("notation sign, ECDSA", "p256", roots()),
        row("notation sign, a certificate that signed itself", "self", own),
    ]
}

/// Those that no vector is of, and the others once more, by the kit's own keys.
fn ours() -> Vec<(Form, Wants)> {
    let unsaid = Senseless("what is signed stands nowhere but in the image");
    forms("shop")
        .into_iter()
        .map(|form| {
            let stored = matches!(form.carrier, Carrier::Store(..));
            let code = match form.keys {
                Keys::OpenPgp(_) | Keys::X509(_) => "signature.invalid",
                Keys::Pkix(_) => "signature.unknown-key",
            };
            let wants = if stored { Wants::in_store(code) } else { Wants::in_registry(code) };
            let wants = match (&form.carrier, &form.evidence) {
                (Carrier::Metadata(_), _) => {
                    Wants { store: Senseless("metadata is read from referrers only"), ..wants }
                }
                (Carrier::Notation, _) => X509,
                (Carrier::Embedded, _) => Wants { kind: Bare, ..wants },
                (_, Evidence::ImageId(_)) => Wants {
                    kind: Senseless("it is looked up only for an authority that attests image IDs"),
                    payload: unsaid,
                    subject: unsaid,
                    image: Code("signature.invalid"),
                    platform: Code("signature.invalid"),
                    ..wants.anywhere()
                },
                _ => wants,
            };
            (form, wants)
        })
        .collect()
}
