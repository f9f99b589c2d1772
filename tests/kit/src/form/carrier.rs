//! What carries evidence, and how it is hung on an image.

use serde_json::{Value, json};

use super::{Evidence, Form};
use crate::{Content, Grafeas, Registry, artifact, base64, index, statement};

/// Where evidence lies.
#[derive(Clone, Debug)]
pub enum Carrier {
    /// podman's server of signatures.
    Lookaside,
    /// The registry's signatures extension; the registry must have it.
    Extension,
    /// The tags of cosign.
    Tags,
    /// A referrer with a bundle like this one around the envelope.
    Bundle(Value),
    /// A referrer of Notation's.
    Notation,
    /// A referrer of our own.
    Referrer,
    /// A referrer with metadata of this value.
    Metadata(&'static [u8]),
    /// A manifest of the index that carries an envelope.
    Index,
    /// A statement of the index, which a signature over the index covers.
    Embedded,
    /// An occurrence in that version of the API, as this writes it.
    Store(&'static str, fn(&Evidence) -> Value),
}

/// A place for evidence.
#[derive(Clone, Copy)]
pub struct Spot<'a> {
    /// Where images go.
    pub registry: &'a Registry,
    /// Where occurrences go, in `projects/build`.
    pub store: &'a Grafeas,
    /// The path of the repository.
    pub repository: &'a str,
    /// The image that it is hung on.
    pub image: &'a Content,
    /// The platform that stands before it in an index.
    pub beside: Option<&'a Content>,
    /// The note of occurrences.
    pub note: &'a str,
}

impl Carrier {
    /// What policies call the place where it lies.
    pub fn source(&self) -> &'static str {
        match self {
            Self::Lookaside | Self::Extension => "lookaside",
            Self::Tags => "tags",
            Self::Bundle(_)
            | Self::Notation
            | Self::Referrer
            | Self::Metadata(_)
            | Self::Embedded => "referrers",
            Self::Index => "index",
            Self::Store(..) => "grafeas",
        }
    }

    /// The version of the API that occurrences are of.
    pub fn api(&self) -> &'static str {
        match self {
            Self::Store(api, _) => api,
            _ => "v1",
        }
    }
}

impl Form {
    /// Puts the image and this evidence about it there. The digest to ask about.
    ///
    /// # Panics
    /// Nothing writes such evidence there.
    pub fn hang(&self, evidence: &Evidence, spot: &Spot<'_>) -> String {
        let Spot { registry, repository, image, beside, .. } = *spot;
        let mut whole = index(beside.into_iter().chain([image]));
        match &self.carrier {
            Carrier::Index => whole = whole.and(&carrying(image, &evidence.to_envelope())),
            Carrier::Embedded => whole = whole.attested(image, &[provenance(&self.image)]),
            _ => {}
        }
        let embedded = matches!(self.carrier, Carrier::Embedded);
        let in_index = beside.is_some() || embedded || matches!(self.carrier, Carrier::Index);
        let asked = if in_index { whole.build() } else { image.clone() };
        registry.put(repository, &asked);
        self.write(evidence, spot, if embedded { &asked } else { image });
        asked.digest()
    }

    fn write(&self, evidence: &Evidence, spot: &Spot<'_>, about: &Content) {
        let Spot { registry, repository, .. } = *spot;
        let layers = || artifact("application/vnd.oci.image.config.v1+json").typed_by_config();
        let tag = |end: &str| format!("sha256-{}.{end}", about.hex());
        let referrer = |kind: &str| artifact(kind).subject(about);
        match (&self.carrier, evidence) {
            (Carrier::Lookaside | Carrier::Extension, Evidence::Message(bytes)) => {
                registry.put_signature(repository, &about.digest(), bytes.clone());
            }
            (Carrier::Tags, Evidence::Raw { payload, signature }) => {
                let layer = layers()
                    .layer("application/vnd.dev.cosign.simplesigning.v1+json", payload.clone())
                    .layer_annotation("dev.cosignproject.cosign/signature", &base64(signature));
                registry.put_image(repository, &tag("sig"), &layer.build());
            }
            (Carrier::Tags, Evidence::Envelope { .. }) => {
                let layer = layers().layer(ENVELOPE, evidence.to_envelope().to_string());
                registry.put_image(repository, &tag("att"), &layer.build());
            }
            (Carrier::Bundle(around), Evidence::Envelope { .. }) => {
                let mut bundle = around.clone();
                bundle["dsseEnvelope"] = evidence.to_envelope();
                let bundle = referrer(BUNDLE).layer(BUNDLE, bundle.to_string());
                registry.attach(repository, &bundle.build());
            }
            (Carrier::Referrer | Carrier::Embedded, Evidence::Message(bytes)) => {
                let layer = "application/vnd.countersign.simple-signing.v1+pgp";
                registry.attach(repository, &referrer(OURS).inline(layer, bytes.clone()).build());
            }
            (Carrier::Referrer, Evidence::Envelope { .. }) => {
                let envelope = evidence.to_envelope().to_string();
                registry.attach(repository, &referrer(OURS).inline(ENVELOPE, envelope).build());
            }
            (Carrier::Metadata(value), Evidence::Envelope { .. }) => {
                let metadata = referrer("application/vnd.countersign.metadata.v1")
                    .inline(ENVELOPE, evidence.to_envelope().to_string())
                    .inline("application/json", value.to_vec());
                registry.attach(repository, &metadata.build());
            }
            (Carrier::Store(_, write), Evidence::ImageId(_)) => {
                store(write(evidence), spot, &about.image_id());
            }
            (Carrier::Store(_, write), _) => store(write(evidence), spot, &about.digest()),
            (Carrier::Index, _) => {}
            (Carrier::Notation, Evidence::Jws { .. }) => {
                let jws = evidence.to_jws().to_string();
                let signature = artifact(NOTATION).typed_by_config().subject(about);
                let signature = signature.layer("application/jose+json", jws);
                registry.attach(repository, &signature.build());
            }
            _ => panic!("{}: nothing writes that there", self.name),
        }
    }

    /// Puts a copy of the evidence, whatever carries it, into the store as an occurrence of v1. The
    /// digest to ask about.
    pub fn hang_in_store(&self, spot: &Spot<'_>) -> String {
        let image = spot.image;
        let asked = match self.carrier {
            Carrier::Embedded => index([image]).attested(image, &[provenance(image)]).build(),
            _ => image.clone(),
        };
        spot.registry.put(spot.repository, &asked);
        let mut occurrence = json!({"attestation": self.evidence.details("")});
        if let Evidence::Envelope { .. } = self.evidence {
            occurrence["envelope"] = self.evidence.to_envelope();
        }
        store(occurrence, spot, &asked.digest());
        asked.digest()
    }
}

fn store(mut occurrence: Value, spot: &Spot<'_>, digest: &str) {
    let host = spot.registry.host();
    let uri = format!("https://{host}/{}@{digest}", spot.repository);
    if occurrence["attestation"].get("attestation").is_some() {
        occurrence["resource"] = json!({"uri": uri});
    } else {
        occurrence["resourceUri"] = uri.into();
    }
    occurrence["noteName"] = spot.note.into();
    spot.store.put("projects/build", occurrence);
}

/// A manifest as `BuildKit`'s, with an envelope in place of the statement.
fn carrying(image: &Content, envelope: &Value) -> Content {
    let mut carrier = artifact("application/vnd.docker.attestation.manifest.v1+json")
        .subject(image)
        .layer(ENVELOPE, envelope.to_string())
        .build();
    carrier.platform = Some(json!({"architecture": "unknown", "os": "unknown"}));
    for (key, value) in [
        ("vnd.docker.reference.digest", image.digest()),
        ("vnd.docker.reference.type", "attestation-manifest".to_owned()),
    ] {
        carrier.listed.insert(key.to_owned(), value.into());
    }
    carrier
}

/// A statement as `BuildKit` writes it.
pub(super) fn provenance(of: &Content) -> Value {
    statement("https://slsa.dev/provenance/v1", "_", &of.digest(), json!({}))
}

const OURS: &str = "application/vnd.countersign.attestation.v1";
const NOTATION: &str = "application/vnd.cncf.notary.signature";
const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
