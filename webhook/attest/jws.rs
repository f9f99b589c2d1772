//! Signatures as the Notary Project specifies them: a JSON web signature over the descriptor of a
//! manifest, with the certificates that lead from its key to a root.
//!
//! Specified by notaryproject/specifications, `signature-specification.md` and
//! `signature-envelope-jws.md`.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::json::{BadJson, parse_json};

/// A signature with all that it says of itself. Nothing in it is proven.
#[derive(Clone, Debug)]
pub struct Jws {
    /// What its header says that it was made with.
    pub algorithm: JwsAlgorithm,
    /// What kind of payload it says that it signs.
    pub content_type: String,
    /// When it was made, by its own word.
    pub signing_time: Timestamp,
    /// From when on it should not count any more.
    pub expiry: Option<Timestamp>,
    /// The bytes that are signed: header and payload, as they are written.
    pub signed: Bytes,
    pub payload: Bytes,
    pub signature: Bytes,
    /// Certificates in DER: that of the key first, then each one's issuer.
    pub chain: Vec<Bytes>,
}

/// How a signature was made; the key alone decides it, so that what the header says must be that.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum JwsAlgorithm {
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    Es512,
}

/// Why bytes are no such signature.
#[derive(Debug, thiserror::Error)]
pub enum BadJws {
    #[error(transparent)]
    Json(#[from] BadJson),
    #[error("no JSON web signature: {0}")]
    Shape(serde_json::Error),
    #[error("{member} of the signature is no base64 as it is written there")]
    Base64 { member: &'static str },
    #[error("its header of {name} is {value:?}, which is not known here")]
    Unknown { name: &'static str, value: String },
    #[error("it marks {0:?} as critical, which is not understood here")]
    Critical(String),
    #[error("its header {0:?} must be there, and marked as critical")]
    NotCritical(&'static str),
    #[error("it states {0:?} where a time should be")]
    Time(String),
    #[error("it has {count} certificates, 1 to {MAX_CHAIN} are read")]
    Chain { count: usize },
    #[error("one of its certificates has {size} bytes, at most {MAX_CERTIFICATE} are read")]
    Certificate { size: usize },
}

impl Jws {
    /// Reads a signature in the flattened JSON form, the only one that Notation writes.
    ///
    /// # Errors
    /// [`BadJws`] says what is wrong, or not understood.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadJws> {
        let wire: Wire =
            serde_json::from_value(parse_json(bytes, MAX_SIZE)?).map_err(BadJws::Shape)?;
        let part = |member, text: &str| {
            URL_SAFE_NO_PAD.decode(text).map_err(|_| BadJws::Base64 { member })
        };
        let protected = parse_json(&part("protected", &wire.protected)?, MAX_SIZE)?;
        let header: Header = serde_json::from_value(protected.clone()).map_err(BadJws::Shape)?;
        header.check_critical(&protected)?;
        let count = wire.header.x5c.len();
        if count == 0 || count > MAX_CHAIN {
            return Err(BadJws::Chain { count });
        }
        Ok(Self {
            algorithm: JwsAlgorithm::named(&header.alg)?,
            signing_time: time(&header.signing_time)?,
            expiry: header.expiry.as_deref().map(time).transpose()?,
            content_type: header.cty,
            signed: format!("{}.{}", wire.protected, wire.payload).into(),
            payload: part("payload", &wire.payload)?.into(),
            signature: part("signature", &wire.signature)?.into(),
            chain: wire
                .header
                .x5c
                .iter()
                .map(|text| certificate(text))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl JwsAlgorithm {
    fn named(name: &str) -> Result<Self, BadJws> {
        Ok(match name {
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "ES512" => Self::Es512,
            other => return Err(BadJws::Unknown { name: "alg", value: other.to_owned() }),
        })
    }
}

impl Header {
    /// Whatever is marked as critical must be understood, and what must be critical be marked so.
    fn check_critical(&self, whole: &Value) -> Result<(), BadJws> {
        if self.scheme != SCHEME {
            return Err(BadJws::Unknown { name: SCHEME_HEADER, value: self.scheme.clone() });
        }
        let mut left = vec![SCHEME_HEADER];
        left.extend(self.expiry.is_some().then_some(EXPIRY_HEADER));
        for name in &self.crit {
            match left.iter().position(|known| known == name) {
                Some(at) if whole.get(name).is_some() => drop(left.remove(at)),
                _ => return Err(BadJws::Critical(name.clone())),
            }
        }
        match left.first() {
            Some(name) => Err(BadJws::NotCritical(name)),
            None => Ok(()),
        }
    }
}

fn certificate(text: &str) -> Result<Bytes, BadJws> {
    let der = STANDARD.decode(text).map_err(|_| BadJws::Base64 { member: "x5c" })?;
    if der.len() > MAX_CERTIFICATE {
        return Err(BadJws::Certificate { size: der.len() });
    }
    Ok(der.into())
}

fn time(text: &str) -> Result<Timestamp, BadJws> {
    text.parse().map_err(|_| BadJws::Time(text.to_owned()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    payload: String,
    protected: String,
    header: Unprotected,
    signature: String,
}

/// What nobody signs. A timestamp in it is not read: no authority of timestamps is configured.
#[derive(Deserialize)]
struct Unprotected {
    x5c: Vec<String>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    cty: String,
    crit: Vec<String>,
    #[serde(rename = "io.cncf.notary.signingScheme")]
    scheme: String,
    #[serde(rename = "io.cncf.notary.signingTime")]
    signing_time: String,
    #[serde(rename = "io.cncf.notary.expiry")]
    expiry: Option<String>,
}

const SCHEME_HEADER: &str = "io.cncf.notary.signingScheme";
const EXPIRY_HEADER: &str = "io.cncf.notary.expiry";

/// The scheme in which the holder of the key signs. In the other one an authority vouches for the
/// time, for whom there is no root.
const SCHEME: &str = "notary.x509";

/// The largest envelope: certificates, and a timestamp with some of its own.
const MAX_SIZE: usize = 256 * 1024;

/// The most certificates: those of a key, of a root and of four in between.
const MAX_CHAIN: usize = 6;

/// The largest certificate.
const MAX_CERTIFICATE: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn protected() -> Value {
        json!({"alg": "PS256", "cty": "t", "crit": [SCHEME_HEADER], (SCHEME_HEADER): SCHEME,
            "io.cncf.notary.signingTime": "2026-11-21T10:03:49Z"})
    }

    fn with(change: impl FnOnce(&mut Value, &mut Value)) -> Vec<u8> {
        let mut protected = protected();
        let mut envelope =
            json!({"payload": "e30", "header": {"x5c": ["AAAA"]}, "signature": "AA"});
        change(&mut protected, &mut envelope);
        if envelope.get("protected").is_none() {
            envelope["protected"] = URL_SAFE_NO_PAD.encode(protected.to_string()).into();
        }
        envelope.to_string().into_bytes()
    }

    fn header(name: &str, value: Value) -> Vec<u8> {
        with(|protected, _| protected[name] = value)
    }

    #[test]
    fn p15_what_is_critical_is_understood_or_refused() {
        let expiry = |crit: Value| {
            with(|protected, _| {
                protected[EXPIRY_HEADER] = "2027-01-01T00:00:00Z".into();
                protected["crit"] = crit;
            })
        };
        let twice = r#"{"alg":"PS256","alg":"ES256"}"#;
        for (name, bytes, want) in [
            ("as Notation writes it", with(|_, _| ()), None),
            ("with an end", expiry(json!([SCHEME_HEADER, EXPIRY_HEADER])), None),
            ("something that is not critical", header("a.example/b", json!(1)), None),
            ("an end that is not critical", expiry(json!([SCHEME_HEADER])), Some(EXPIRY_HEADER)),
            ("nothing critical", header("crit", json!([])), Some("marked as critical")),
            (
                "a plugin",
                header("crit", json!([SCHEME_HEADER, "io.cncf.notary.verificationPlugin"])),
                Some("not understood"),
            ),
            ("alg critical", header("crit", json!([SCHEME_HEADER, "alg"])), Some("not understood")),
            (
                "critical twice",
                header("crit", json!([SCHEME_HEADER, SCHEME_HEADER])),
                Some("not understood"),
            ),
            (
                "critical and not there",
                header("crit", json!([SCHEME_HEADER, EXPIRY_HEADER])),
                Some("not understood"),
            ),
            (
                "another scheme",
                header(SCHEME_HEADER, json!("notary.x509.signingAuthority")),
                Some("signingAuthority"),
            ),
            ("no algorithm", header("alg", json!("none")), Some("header of alg is \"none\"")),
            ("a secret shared", header("alg", json!("HS256")), Some("header of alg")),
            ("RSA as of old", header("alg", json!("RS256")), Some("header of alg")),
            ("no time", header("io.cncf.notary.signingTime", json!("soon")), Some("\"soon\"")),
            (
                "a header twice",
                with(|_, envelope| envelope["protected"] = URL_SAFE_NO_PAD.encode(twice).into()),
                Some("appears twice"),
            ),
            (
                "in the general form",
                with(|_, envelope| envelope["signatures"] = json!([])),
                Some("unknown field"),
            ),
            (
                "padded",
                with(|_, envelope| envelope["payload"] = "e30=".into()),
                Some("payload of the signature"),
            ),
            (
                "no certificate",
                with(|_, envelope| envelope["header"]["x5c"] = json!([])),
                Some("0 certificates"),
            ),
            (
                "many",
                with(|_, envelope| envelope["header"]["x5c"] = json!(vec!["AAAA"; 7])),
                Some("7 certificates"),
            ),
            (
                "a large one",
                with(|_, envelope| envelope["header"]["x5c"] = json!(["A".repeat(24_000)])),
                Some("18000 bytes"),
            ),
        ] {
            match (Jws::parse(&bytes), want) {
                (Ok(read), None) => {
                    assert_eq!(read.payload, "{}", "{name}");
                    assert!(read.signed.ends_with(b".e30"), "{name}");
                }
                (Err(bad), Some(want)) => assert!(bad.to_string().contains(want), "{name}: {bad}"),
                (got, want) => panic!("{name}: got {got:?}, want {want:?}"),
            }
        }
    }
}
