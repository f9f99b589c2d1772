//! Evidence and what carries it.

use std::{collections::BTreeMap, sync::LazyLock};

use bytes::Bytes;
use countersign::{
    attest::{
        Candidate, Envelope, RawSignature, Signed, SimpleSigning, Statement, artifact,
        buildkit::{self, EmbeddedStatement},
        certificate::describe,
        grafeas::{Class, Occurrence, Page, Version, camel_case, convert},
        manifesto::{self, ManifestoIndex},
        metadata::{Layers, MediaType, Metadata, MetadataType, PREDICATE_TYPE},
        notation,
        oci::{Document, ImageConfig, media_type},
        sigstore,
        x509::X509,
    },
    name::{Digest, Repository},
    verify::{Authority, Identity, Image, Judged, Key, Opened, Trust, describe::inspect},
};
use jiff::Timestamp;

/// An envelope that is read is written and read as the same.
pub fn dsse(data: &[u8]) {
    let Ok(envelope) = Envelope::parse(data) else { return };
    let written = serde_json::to_vec(&envelope).unwrap();
    assert_eq!(Envelope::parse(&written).unwrap(), envelope);
    assert!(envelope.pae().ends_with(envelope.payload()));
}

/// A simple signing that is read says the same to other parsers.
pub fn simple_signing(data: &[u8]) {
    let Ok(read) = SimpleSigning::parse(data) else { return };
    let other: serde_json::Value = serde_json::from_slice(data).unwrap();
    let critical = &other["critical"];
    assert_eq!(critical["image"]["docker-manifest-digest"], read.digest.to_string());
    assert_eq!(critical["identity"]["docker-reference"], read.reference);
}

/// A statement that is read says the same to other parsers.
pub fn statement(data: &[u8]) {
    let Ok(read) = Statement::parse(data) else { return };
    let other: serde_json::Value = serde_json::from_slice(data).unwrap();
    assert_eq!(other["predicateType"], read.predicate_type);
    assert_eq!(other["subject"].as_array().unwrap().len(), read.subjects.len());
}

/// Manifests and indexes: one kind only, and written as what was read.
pub fn document(data: &[u8]) {
    let types = [
        media_type::OCI_MANIFEST,
        media_type::OCI_INDEX,
        media_type::DOCKER_MANIFEST,
        media_type::DOCKER_INDEX,
    ];
    let (mut manifest, mut index) = (false, false);
    for media_type in types {
        let Ok(document) = Document::parse(data, media_type) else { continue };
        let written = match &document {
            Document::Manifest(one) => {
                manifest = true;
                let _ = Layers::of(one);
                let _ = one.layers.iter().map(buildkit::layer).count();
                serde_json::to_vec(one).unwrap()
            }
            Document::Index(one) => {
                index = true;
                assert!(buildkit::carriers(one).count() <= one.manifests.len());
                serde_json::to_vec(one).unwrap()
            }
        };
        assert_eq!(Document::parse(&written, media_type).unwrap(), document);
    }
    assert!(!(manifest && index), "a manifest and an index at once");
    let _ = ImageConfig::parse(data);
}

/// What lies in layers: statements of indexes, cosign's and Notation's envelopes, bundles.
pub fn carried(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    let _ = sigstore::read_bundle(data);
    if let Ok(signed) = notation::read(notation::JWS, data) {
        let (source, name) = ("fuzz".into(), String::new());
        let candidate = Candidate { source, name, note: None, recorded_at: None, signed };
        let opened = NOTARY.open(&candidate, &[]);
        let image = Digest::sha256(b"an image that nobody signed");
        assert!(judged(&NOTARY, &opened, image).verified.is_empty());
    }
    let _ = artifact::read_layer(artifact::ENVELOPE_LAYER, bytes.clone());
    let annotations = [
        ("dev.cosignproject.cosign/signature", "AAAA"),
        ("dev.sigstore.cosign/certificate", str::from_utf8(data).unwrap_or_default()),
    ];
    let annotations: BTreeMap<String, String> =
        annotations.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    for media_type in sigstore::LAYERS {
        let _ = sigstore::read_layer(media_type, &annotations, bytes.clone());
    }
    let platform = Digest::sha256(b"a platform that nothing is about");
    assert!(EmbeddedStatement::read(platform, data, platform).is_err());
}

/// Whom a certificate is for, in DER that means no good.
pub fn certificate(data: &[u8]) {
    let _ = X509::from_der(data);
    let text = describe(data);
    assert!(!text.is_empty() && text.len() <= 8 * data.len() + 256, "{}", text.len());
}

/// Manifesto's layer, a tar with one file in it, and that file alone.
pub fn manifesto(data: &[u8]) {
    if let Ok(file) = manifesto::data(data) {
        assert!(file.len() <= 8 << 20);
    }
    let _ = ManifestoIndex::of_layer(data);
    let _ = ManifestoIndex::parse(data);
}

/// Lists of occurrences, of both versions, and each occurrence turned into the other version.
pub fn grafeas(data: &[u8]) {
    let Ok(page) = Page::parse(data) else { return };
    for raw in page.occurrences {
        if let Ok(occurrence) = Occurrence::read(raw) {
            let evidence = occurrence.evidence(&"fuzz".into());
            assert!(evidence.candidates.len() <= raw.get().len());
        }
        let Ok(value) = serde_json::from_str(raw.get()) else { continue };
        let Ok(value) = camel_case(value) else { continue };
        for class in [Class::Note, Class::Occurrence] {
            let v1 = convert(value.clone(), class, Version::V1Beta1, Version::V1);
            let _ = convert(v1, class, Version::V1, Version::V1Beta1);
        }
    }
}

/// The metadata in a signed statement, and its names.
pub fn metadata(data: &[u8]) {
    let detected = MediaType::detect(data);
    assert_eq!(detected.as_str().parse::<MediaType>().unwrap(), detected);
    if let Ok(text) = str::from_utf8(data) {
        let _ = (text.parse::<MediaType>(), text.parse::<MetadataType>());
    }
    let Ok(predicate) = serde_json::from_slice(data) else { return };
    if let Ok(metadata) = Metadata::read(PREDICATE_TYPE, predicate) {
        assert!(metadata.check(b"a value that nobody signed").is_err());
    }
}

/// Keyrings, OpenPGP and PKIX, and what a report says of them.
pub fn keyring(data: &[u8]) {
    if let Ok(keys) = Key::openpgp(data) {
        assert!(!keys.is_empty());
    }
    let _ = Key::pkix(data);
    let _ = Key::x509(data);
    let _ = inspect(data, Timestamp::UNIX_EPOCH);
}

/// Messages and signatures: whatever is made of genuine ones says the genuine thing, or nothing.
pub fn openpgp(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    let signatures = vec![RawSignature { bytes: bytes.clone(), key_id: None }];
    let payload = include_bytes!("../../fixtures/cosign/simple-signing.json").as_slice().into();
    let digest = Digest::sha256(b"an image that nobody signed");
    for signed in [
        Signed::OpenPgpMessage(bytes.clone()),
        Signed::OpenPgpDetached(bytes.clone()),
        Signed::Raw { payload, signatures },
    ] {
        let (source, name) = ("fuzz".into(), String::new());
        let candidate = Candidate { source, name, note: None, recorded_at: None, signed };
        let opened = TRUST.open(&candidate, &[digest]);
        assert!(judged(&TRUST, &opened, digest).verified.is_empty());
    }
}

fn judged(trust: &Trust, opened: &Opened, digest: Digest) -> Judged {
    let repository: Repository = "a.example/b".parse().unwrap();
    let image = Image {
        repository: &repository,
        digest,
        platform: None,
        config: None,
        equals: &[],
        layers: countersign::verify::Layers::NotCompared,
    };
    trust.judge(opened, &image, Timestamp::now())
}

/// Under whose roots Notation signed some of them.
static NOTARY: LazyLock<Trust> = LazyLock::new(|| {
    let keys = Key::x509(include_bytes!("../../fixtures/notation/chain/root.pem")).unwrap();
    let mut authority = Authority::new("notary", keys);
    authority.attests = vec!["notation".parse().unwrap()];
    authority.identity = Identity::Digest;
    Trust::new(vec![authority]).unwrap()
});

/// Who signed some of the fixtures, and nothing about the image above.
static TRUST: LazyLock<Trust> = LazyLock::new(|| {
    let openpgp = Key::openpgp(include_bytes!("../../fixtures/keys/gpg-test.pub.asc")).unwrap();
    let pkix = Key::pkix(include_bytes!("../../fixtures/cosign/cosign.pub")).unwrap();
    let keys = openpgp.into_iter().chain([pkix]).collect();
    let mut authority = Authority::new("genuine", keys);
    authority.attests = vec!["simple-signing".parse().unwrap()];
    authority.identity = Identity::Digest;
    Trust::new(vec![authority]).unwrap()
});
