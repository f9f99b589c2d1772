//! Forms of evidence: what is signed, by whom, and what carries it.

mod carrier;
mod evidence;

use serde_json::{Value, json};

use crate::{
    Content, IN_TOTO, Key, Notary, PkixKey, image, index, pae, sha256, simple_signing,
    simple_signing_of, statement,
};

pub use carrier::{Carrier, Spot};
pub use evidence::Evidence;

/// One form of evidence about one image.
#[derive(Clone, Debug)]
pub struct Form {
    /// What it is called in tables.
    pub name: String,
    /// What is signed.
    pub evidence: Evidence,
    /// Where it lies.
    pub carrier: Carrier,
    /// Who signed it.
    pub keys: Keys,
    /// The image that it is about.
    pub image: Content,
    /// The digest in the signed bytes, if it is not that image's.
    pub digest: Option<String>,
    /// The repository that it names, if it names one.
    pub named: Option<&'static str>,
    /// What it attests, as the members of a list in YAML.
    pub attests: &'static str,
}

/// A file with public keys.
#[derive(Clone, Debug)]
pub enum Keys {
    /// A certificate.
    OpenPgp(Vec<u8>),
    /// PEM.
    Pkix(Vec<u8>),
    /// PEM of certificates.
    X509(Vec<u8>),
}

impl Keys {
    /// What configurations call it, and the file's bytes.
    pub fn file(&self) -> (&'static str, &[u8]) {
        match self {
            Self::OpenPgp(bytes) => ("openpgp", bytes),
            Self::Pkix(bytes) => ("pkix", bytes),
            Self::X509(bytes) => ("x509", bytes),
        }
    }
}

impl Form {
    /// The digest in the signed bytes.
    pub fn digest(&self) -> String {
        self.digest.clone().unwrap_or_else(|| self.image.digest())
    }

    /// How often it counts in an entry of `input.images`.
    ///
    /// # Panics
    /// It is no entry.
    pub fn counted(&self, entry: &Value) -> usize {
        let list = |name: &str| entry[name].as_array().expect("an entry");
        match self.carrier {
            Carrier::Embedded => {
                list("statements").iter().filter(|one| !one["authority"].is_null()).count()
            }
            Carrier::Metadata(_) => entry["metadata"].as_object().map_or(0, serde_json::Map::len),
            _ => list("attestations").len(),
        }
    }
}

/// One form for each carrier, signed by new keys for [`NAMED`], about images of that name.
pub fn forms(name: &str) -> Vec<Form> {
    let (key, pkix) = (Key::generate("Builder <builder@acme.example>"), PkixKey::generate());
    let shop = image(name).build();
    let digest = shop.digest();
    let openpgp = || Keys::OpenPgp(key.certificate());
    let pem = || Keys::Pkix(pkix.public_pem().into_bytes());
    let message = |of: &str| Evidence::Message(key.sign_message(&simple_signing(NAMED, of)));
    let said = |kind: &str, predicate: Value| {
        statement(kind, NAMED, &digest, predicate).to_string().into_bytes()
    };
    let provenance = || said("https://slsa.dev/provenance/v1", json!({}));
    let by_key = |payload: Vec<u8>| Evidence::Envelope {
        signature: key.sign_detached(&pae(IN_TOTO, &payload)),
        payload,
    };
    let by_pkix = |payload: Vec<u8>| Evidence::Envelope {
        signature: pkix.sign(&pae(IN_TOTO, &payload)),
        payload,
    };
    let raw = |kind: &str| {
        let payload = simple_signing_of(kind, NAMED, &digest);
        Evidence::Raw { signature: pkix.sign(&payload), payload }
    };
    let built = index([&shop]).attested(&shop, &[carrier::provenance(&shop)]).build();
    let metadata = by_key(said("https://countersign.dev/metadata/v1", approval()));
    let image_id = key.signing().text().armored().detached(shop.image_id().as_bytes());
    let around = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": "x"}},
    });
    let (cosign, gcloud) =
        ("cosign container image signature", "Google cloud binauthz container signature");
    let slsa = "\"https://slsa.dev/provenance/v1\"";
    let simple = "simple-signing";
    let form = |name: &str, evidence, carrier, keys, attests| Form {
        name: name.to_owned(),
        evidence,
        carrier,
        keys,
        image: shop.clone(),
        digest: None,
        named: Some(NAMED),
        attests,
    };
    let (referrer, old) = (|| Carrier::Referrer, "v1beta1");
    vec![
        form("Countersign, simple signing", message(&digest), referrer(), openpgp(), simple),
        form("Countersign, statement", by_key(provenance()), referrer(), openpgp(), slsa),
        form("Countersign, statement, PKIX", by_pkix(provenance()), referrer(), pem(), slsa),
        form(
            "Countersign, metadata",
            metadata,
            Carrier::Metadata(APPROVAL),
            openpgp(),
            "metadata/approval",
        ),
        form(
            "Kritis, Voucher",
            message(&digest),
            Carrier::Store(old, occurrence_pgp),
            openpgp(),
            simple,
        ),
        form(
            "Binary Authorization",
            raw(gcloud),
            Carrier::Store("v1", occurrence_v1),
            pem(),
            simple,
        ),
        Form {
            named: None,
            ..form(
                "ocibuilder",
                Evidence::ImageId(image_id),
                Carrier::Store(old, occurrence_pgp),
                openpgp(),
                "image-id",
            )
        },
        form("podman, lookaside", message(&digest), Carrier::Lookaside, openpgp(), simple),
        form("podman, extension", message(&digest), Carrier::Extension, openpgp(), simple),
        form("cosign, .sig", raw(cosign), Carrier::Tags, pem(), simple),
        form("cosign, .att", by_pkix(provenance()), Carrier::Tags, pem(), slsa),
        form("cosign, bundle", by_pkix(provenance()), Carrier::Bundle(around), pem(), slsa),
        by_notation(&shop),
        form("DSSE envelope in an index", by_key(provenance()), Carrier::Index, openpgp(), slsa),
        Form {
            digest: Some(built.digest()),
            ..form(
                "BuildKit, in a signed index",
                message(&built.digest()),
                Carrier::Embedded,
                openpgp(),
                "simple-signing, \"embedded:https://slsa.dev/provenance/v1\"",
            )
        },
    ]
}

/// A signature of Notation's under a root of its own.
fn by_notation(image: &Content) -> Form {
    let notary = Notary::new();
    Form {
        name: "Notation".to_owned(),
        evidence: notary.sign(image),
        carrier: Carrier::Notation,
        keys: Keys::X509(notary.root_pem().into_bytes()),
        image: image.clone(),
        digest: None,
        named: None,
        attests: "notation",
    }
}

/// What the metadata among [`forms`] says of its value.
fn approval() -> Value {
    json!({
        "type": "approval",
        "mediaType": "application/json",
        "digest": sha256(APPROVAL),
        "size": APPROVAL.len(),
        "created": "2026-01-02T03:04:05Z",
    })
}

/// `pgpSignedAttestation` of v1beta1.
pub fn occurrence_pgp(evidence: &Evidence) -> Value {
    let signed = json!({"signature": evidence.armored(), "contentType": "SIMPLE_SIGNING_JSON", "pgpKeyId": ""});
    json!({"attestation": {"attestation": {"pgpSignedAttestation": signed}}})
}

/// An attestation of v1.
pub fn occurrence_v1(evidence: &Evidence) -> Value {
    json!({"attestation": evidence.details("")})
}

/// Where the signers of [`forms`] knew the image.
pub const NAMED: &str = "build.example/acme/shop";

/// The value of the metadata among [`forms`].
const APPROVAL: &[u8] = br#"{"approved":true}"#;
