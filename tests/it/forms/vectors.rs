//! The vectors of other tools in one table: what each is, how it is read, and what it counts as.

use std::sync::Arc;

use countersign::{
    attest::{
        Candidate, Envelope, Signed,
        grafeas::Occurrence,
        notation,
        oci::Document,
        sigstore::{self, read_bundle},
    },
    name::{Digest, Repository},
    verify::{Authority, Identity, Image, Judged, Key, Layers, Trust},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::SIGNED;
use crate::verify_support::{authority, fixture};

/// One form of evidence, as it is stored.
pub struct Vector {
    pub name: &'static str,
    /// The bytes as they lie somewhere.
    pub document: Vec<u8>,
    /// What they hold.
    pub read: fn(&[u8]) -> Vec<Candidate>,
    /// The image that they are about, and the name that they give it.
    pub repository: &'static str,
    pub digest: &'static str,
    /// What they attest, in the words of `attests`.
    pub kind: &'static str,
    pub keys: Vec<Key>,
    pub identity: Identity,
    /// The note of occurrences.
    pub note: Option<&'static str>,
}

impl Vector {
    /// An authority for which this counts.
    pub fn authority(&self) -> Authority {
        Authority {
            attests: vec![self.kind.parse().unwrap()],
            identity: self.identity,
            note: self.note.map(|note| note.parse().unwrap()),
            ..authority("tool", self.keys.clone())
        }
    }

    /// What `document` is worth for an image.
    pub fn judge(
        &self,
        document: &[u8],
        trust: &Trust,
        repository: &Repository,
        digest: Digest,
    ) -> Judged {
        let (platform, config) = (None, None);
        let image = Image {
            repository,
            digest,
            platform,
            config,
            equals: &[],
            layers: Layers::NotCompared,
        };
        let mut all = Judged::default();
        for candidate in (self.read)(document) {
            let judged = trust.judge(&trust.open(&candidate, &[]), &image, Timestamp::now());
            all.verified.extend(judged.verified);
            all.rejected.extend(judged.rejected);
        }
        all
    }

    /// What `document` is worth for the image that this one is about.
    pub fn judge_here(&self, document: &[u8], trust: &Trust) -> Judged {
        let repository = self.repository.parse().unwrap();
        self.judge(document, trust, &repository, self.digest.parse().unwrap())
    }
}

/// All of them.
pub fn all() -> Vec<Vector> {
    let mut all = registries();
    all.extend(notation());
    all.extend(stores());
    all
}

/// The JSON web signatures of Notation, with every kind of key.
fn notation() -> Vec<Vector> {
    let kinds = [
        ("Notation, RSA 2048", "rsa2048", "root"),
        ("Notation, RSA 3072", "rsa3072", "root"),
        ("Notation, RSA 4096", "rsa4096", "root"),
        ("Notation, P-256", "p256", "root"),
        ("Notation, P-384, with an expiry", "p384", "root"),
        ("Notation, P-521", "p521", "root521"),
        ("Notation, by a certificate that signed itself", "self", "self"),
    ];
    let vector = |(name, key, root)| Vector {
        name,
        document: fixture(&format!("notation/chain/{key}.json")),
        read: |document| {
            let read = notation::read(notation::JWS, document);
            read.ok().map(|signed| candidate("referrers", signed)).into_iter().collect()
        },
        repository: "a.example/any",
        digest: SIGNED,
        kind: "notation",
        keys: Key::x509(&fixture(&format!("notation/chain/{root}.pem"))).unwrap(),
        identity: Identity::Digest,
        note: None,
    };
    kinds.map(vector).into()
}

const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";
const SLSA_1: &str = "https://slsa.dev/provenance/v1";
const SLSA_02: &str = "https://slsa.dev/provenance/v0.2";
const OLD: &str = "127.0.0.1:5005/cosign/old";
const LAYOUT: &str = "cosign/layout-sig-att-tags/blobs/sha256";
const SIGNATURE: &str = "eb6b3c975589bbee48e5719dfb837c1b0d7c5194367a3c1b1bb8eaa986b28e42";
const PAYLOAD: &str = "b14a9cbb96dc613175b5c97d92a26c37bb0b2b1fd128c9d6c99f4ef67e1b74d4";

/// What lies in registries and lookasides.
fn registries() -> Vec<Vector> {
    let gpg = || Key::openpgp(&fixture("keys/gpg-test.pub.asc")).unwrap();
    let cosign = || vec![Key::pkix(&fixture("cosign/cosign.pub")).unwrap()];
    let vector = |name, document, read, repository, kind, keys| Vector {
        name,
        document,
        read,
        repository,
        digest: SIGNED,
        kind,
        keys,
        identity: Identity::Repository,
        note: None,
    };
    let by_openssl = |name, key| {
        let keys = vec![Key::pkix(&fixture(&format!("cosign/dsse/{key}.pem"))).unwrap()];
        let document = fixture(&format!("cosign/dsse/{key}.json"));
        vector(name, document, att, "registry.test/demo/app", SLSA_1, keys)
    };
    let bundles = "cosign/layout-bundle-referrers/blobs/sha256";
    let attested = "33906cc194c6517286342f7feb35a0088b08250a1a6626f313f54a6d05d471fa";
    let signed = "cc4e3d58c8671a64872187bb48f490bc3a8428a327d922c65cfb19d6981f7824";
    vec![
        vector(
            "skopeo, standalone-sign",
            fixture("simple-signing/signature-standalone"),
            lookaside,
            "registry.test/demo/app",
            "simple-signing",
            gpg(),
        ),
        vector(
            "skopeo, copy --sign-by",
            fixture("simple-signing/signature-lookaside"),
            lookaside,
            "127.0.0.1:5002/demo/signed",
            "simple-signing",
            gpg(),
        ),
        vector(
            "cosign, .sig, its payload",
            fixture(&format!("{LAYOUT}/{PAYLOAD}")),
            |payload| sig(&fixture(&format!("{LAYOUT}/{SIGNATURE}")), payload),
            OLD,
            "simple-signing",
            cosign(),
        ),
        vector(
            "cosign, .sig, its manifest",
            fixture(&format!("{LAYOUT}/{SIGNATURE}")),
            |manifest| sig(manifest, &fixture(&format!("{LAYOUT}/{PAYLOAD}"))),
            OLD,
            "simple-signing",
            cosign(),
        ),
        vector(
            "cosign, .att",
            fixture("cosign/provenance-v1.dsse.json"),
            att,
            OLD,
            SLSA_1,
            cosign(),
        ),
        vector(
            "cosign, .att of SLSA v0.2",
            fixture("cosign/provenance-v02.dsse.json"),
            att,
            OLD,
            SLSA_02,
            cosign(),
        ),
        vector(
            "cosign attest, bundle",
            fixture(&format!("{bundles}/{attested}")),
            bundle,
            "127.0.0.1:5006/cosign/newb",
            SLSA_1,
            cosign(),
        ),
        by_openssl("as cosign's .att, RSA", "rsa3072"),
        by_openssl("as cosign's .att, Ed25519", "ed25519"),
        Vector {
            identity: Identity::Digest,
            ..vector(
                "cosign sign, bundle",
                fixture(&format!("{bundles}/{signed}")),
                bundle,
                "a.example/any",
                SIGN,
                cosign(),
            )
        },
    ]
}

/// What lies in Grafeas servers.
fn stores() -> Vec<Vector> {
    let gpg = || Key::openpgp(&fixture("keys/gpg-test.pub.asc")).unwrap();
    let pkix = |name: &str| vec![Key::pkix(&fixture(name)).unwrap()];
    let base64 = |name: &str| countersign_kit::base64(&fixture(name));
    let text = |name: &str| String::from_utf8(fixture(name)).unwrap();
    let fingerprint = "DAEAAB61E62C14EB2689856A5B684FA25469970F";
    let pgp = |signature: String| {
        occurrence(&json!({"attestation": {"pgpSignedAttestation":
            {"signature": signature, "contentType": "SIMPLE_SIGNING_JSON", "pgpKeyId": fingerprint}}}))
    };
    let generic = |signature: String, payload: Option<String>, key: &str| {
        let mut details = json!({"contentType": "SIMPLE_SIGNING_JSON",
            "signatures": [{"signature": signature, "publicKeyId": key}]});
        if let Some(payload) = payload {
            details["serializedPayload"] = payload.into();
        }
        occurrence(&json!({"attestation": {"genericSignedAttestation": details}}))
    };
    let v1 = |signature: String, key: &str| {
        json!({
            "name": "projects/build/occurrences/1",
            "noteName": "projects/build/notes/qa",
            "resourceUri": format!("https://index.docker.io/acme/shop@{SIGNED}"),
            "attestation": {
                "serializedPayload": base64("kritis/binauthz.json"),
                "signatures": [{"signature": signature, "publicKeyId": key}],
            },
        })
        .to_string()
        .into_bytes()
    };
    let ni = "ni:///sha-256;9nxbqWeHkhG4fKdmxy2YlNyDCiyPYt6g5YDCmQaO1nQ";
    let kms = "//cloudkms.googleapis.com/v1/projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1";
    let simple = [
        ("Kritis", pgp(text("kritis/kritis.asc")), gpg()),
        ("Kritis 0.2.1, armor in base64", pgp(base64("kritis/kritis.asc")), gpg()),
        (
            "Kritis' signer, no payload",
            generic(base64("kritis/kritis.asc"), None, fingerprint),
            gpg(),
        ),
        ("Voucher", pgp(text("kritis/voucher.asc")), gpg()),
        ("Voucher, no payload", generic(base64("kritis/voucher.asc"), None, fingerprint), gpg()),
        ("Binary Authorization, gpg", pgp(text("kritis/binauthz.asc")), gpg()),
        ("Binary Authorization, gpg, v1", v1(base64("kritis/binauthz.asc"), fingerprint), gpg()),
        (
            "Binary Authorization, PKIX, v1",
            v1(base64("kritis/binauthz.sig"), ni),
            pkix("kritis/pkix.pub"),
        ),
        (
            "Binary Authorization, KMS, v1",
            v1(base64("kritis/binauthz.sig"), kms),
            pkix("kritis/pkix.pub"),
        ),
        (
            "Binary Authorization, RSA, v1",
            v1(base64("kritis/binauthz-rsa.sig"), kms),
            pkix("kritis/rsa.pub"),
        ),
        (
            "Kritis' signer, KMS",
            generic(base64("kritis/binauthz.sig"), Some(base64("kritis/binauthz.json")), kms),
            pkix("kritis/pkix.pub"),
        ),
    ];
    let vector = |name, document, note, kind, keys| Vector {
        name,
        document,
        read: grafeas,
        repository: "docker.io/acme/shop",
        digest: SIGNED,
        kind,
        keys,
        identity: Identity::Repository,
        note: Some(note),
    };
    let mut all: Vec<_> = simple
        .into_iter()
        .map(|(name, document, keys)| {
            vector(name, document, "projects/build/notes/qa", "simple-signing", keys)
        })
        .collect();
    let chains = |name| pkix(name);
    let built = "projects/build/notes/chains-taskrun-intoto";
    all.extend([
        vector(
            "Chains, ATTESTATION",
            fixture("chains/attestation.json"),
            "projects/build/notes/chains-simplesigning",
            "simple-signing",
            chains("chains/chains.pub"),
        ),
        vector(
            "Chains, BUILD with SLSA v0.2",
            fixture("chains/build-slsa1.json"),
            built,
            SLSA_02,
            chains("chains/chains.pub"),
        ),
        vector(
            "Chains, BUILD with SLSA v1",
            fixture("chains/build-slsa2alpha4.json"),
            built,
            SLSA_1,
            chains("chains/chains.pub"),
        ),
    ]);
    all
}

fn occurrence(details: &Value) -> Vec<u8> {
    json!({
        "name": "projects/build/occurrences/1",
        "noteName": "projects/build/notes/qa",
        "resource": {"uri": format!("https://index.docker.io/acme/shop@{SIGNED}")},
        "attestation": details,
    })
    .to_string()
    .into_bytes()
}

fn candidate(source: &str, signed: Signed) -> Candidate {
    let (note, recorded_at) = (None, None);
    Candidate { source: source.into(), name: "x".into(), note, recorded_at, signed }
}

fn lookaside(document: &[u8]) -> Vec<Candidate> {
    vec![candidate("lookaside", Signed::OpenPgpMessage(document.to_vec().into()))]
}

fn sig(manifest: &[u8], payload: &[u8]) -> Vec<Candidate> {
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let Ok(Document::Manifest(manifest)) = Document::parse(manifest, kind) else {
        return Vec::new();
    };
    let layer = |layer: &countersign::attest::oci::Descriptor| {
        let payload = payload.to_vec().into();
        sigstore::read_layer(&layer.media_type, &layer.annotations, payload).ok()
    };
    let signed = manifest.layers.iter().filter_map(layer);
    signed.map(|signed| candidate("tags", signed)).collect()
}

fn att(document: &[u8]) -> Vec<Candidate> {
    let envelope = Envelope::parse(document).ok();
    envelope.map(|envelope| candidate("tags", Signed::Dsse(envelope))).into_iter().collect()
}

fn bundle(document: &[u8]) -> Vec<Candidate> {
    read_bundle(document).ok().map(|signed| candidate("referrers", signed)).into_iter().collect()
}

fn grafeas(document: &[u8]) -> Vec<Candidate> {
    let Ok(raw) = serde_json::from_slice::<&serde_json::value::RawValue>(document) else {
        return Vec::new();
    };
    let Ok(occurrence) = Occurrence::read(raw) else { return Vec::new() };
    occurrence.evidence(&Arc::from("grafeas")).candidates
}
