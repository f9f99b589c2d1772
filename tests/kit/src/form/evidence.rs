//! What is signed and its signature, without what carries them.

use ::base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sequoia_openpgp::armor;
use serde_json::{Value, json};

use crate::{IN_TOTO, base64, base64_decode, envelope};

/// Signed bytes of one of the kinds that are met.
#[derive(Clone, Debug)]
pub enum Evidence {
    /// An OpenPGP message, armored or not.
    Message(Vec<u8>),
    /// A detached OpenPGP signature over an image ID, which stands nowhere.
    ImageId(Vec<u8>),
    /// A payload and a signature over it.
    Raw {
        /// What is signed.
        payload: Vec<u8>,
        /// By a PKIX key.
        signature: Vec<u8>,
    },
    /// A DSSE envelope around an in-toto statement.
    Envelope {
        /// The statement.
        payload: Vec<u8>,
        /// The only signature, over the pre-authentication encoding.
        signature: Vec<u8>,
    },
    /// A JSON web signature with the certificates of its key.
    Jws {
        /// Its header.
        protected: Vec<u8>,
        /// The descriptor that is signed.
        payload: Vec<u8>,
        /// Over both, in base64.
        signature: Vec<u8>,
        /// In DER, that of the key first.
        chain: Vec<Vec<u8>>,
    },
}

impl Evidence {
    /// What this JSON of an envelope holds.
    ///
    /// # Panics
    /// It is none with one signature.
    pub fn of_envelope(text: &[u8]) -> Self {
        let envelope: Value = serde_json::from_slice(text).expect("JSON");
        let decoded = |text: &Value| text.as_str().and_then(base64_decode).expect("base64");
        let signature = decoded(&envelope["signatures"][0]["sig"]);
        Self::Envelope { payload: decoded(&envelope["payload"]), signature }
    }

    /// The JSON of an envelope.
    ///
    /// # Panics
    /// It is something else.
    pub fn to_envelope(&self) -> Value {
        let Self::Envelope { payload, signature } = self else { panic!("no envelope") };
        envelope(IN_TOTO, payload, &[("", signature)])
    }

    /// What the JSON of a web signature holds.
    ///
    /// # Panics
    /// It is none.
    pub fn of_jws(text: &[u8]) -> Self {
        let envelope: Value = serde_json::from_slice(text).expect("JSON");
        let part = |name: &str| {
            URL_SAFE_NO_PAD.decode(envelope[name].as_str().expect("text")).expect("base64")
        };
        let chain = envelope["header"]["x5c"].as_array().expect("certificates");
        let der = |one: &Value| one.as_str().and_then(base64_decode).expect("base64");
        Self::Jws {
            protected: part("protected"),
            payload: part("payload"),
            signature: part("signature"),
            chain: chain.iter().map(der).collect(),
        }
    }

    /// The JSON of a web signature.
    ///
    /// # Panics
    /// It is something else.
    pub fn to_jws(&self) -> Value {
        let Self::Jws { protected, payload, signature, chain } = self else { panic!("no JWS") };
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({
            "protected": part(protected),
            "payload": part(payload),
            "signature": part(signature),
            "header": {"x5c": chain.iter().map(|der| base64(der)).collect::<Vec<_>>()},
        })
    }

    /// As `attestation` of an occurrence of v1.
    pub fn details(&self, key_id: &str) -> Value {
        let signed =
            |signature: &[u8]| json!([{"signature": base64(signature), "publicKeyId": key_id}]);
        match self {
            Self::Message(bytes) | Self::ImageId(bytes) => json!({"signatures": signed(bytes)}),
            Self::Raw { payload, signature } => {
                json!({"serializedPayload": base64(payload), "signatures": signed(signature)})
            }
            Self::Envelope { .. } => json!({"signatures": []}),
            // No store holds such; it is posted as what a store takes.
            Self::Jws { .. } => {
                json!({"serializedPayload": base64(self.to_jws().to_string().as_bytes())})
            }
        }
    }

    /// The armor of a message or detached signature, labeled as Kritis and Voucher label both.
    ///
    /// # Panics
    /// It is no OpenPGP.
    pub fn armored(&self) -> String {
        let (Self::Message(bytes) | Self::ImageId(bytes)) = self else { panic!("no OpenPGP") };
        if bytes.starts_with(b"-----BEGIN") {
            return String::from_utf8(bytes.clone()).expect("armor");
        }
        let mut writer = armor::Writer::new(Vec::new(), armor::Kind::Signature).expect("memory");
        std::io::Write::write_all(&mut writer, bytes).expect("memory");
        String::from_utf8(writer.finalize().expect("memory")).expect("armor")
    }
}
