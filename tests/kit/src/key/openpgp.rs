//! OpenPGP keys in every state a keyring may hold.

use std::time::{Duration, SystemTime};

use openpgp::{
    Cert, Packet, Profile,
    cert::prelude::{CertBuilder, CipherSuite},
    crypto::KeyPair,
    packet::Signature,
    serialize::{SerializeInto, stream},
    types::{HashAlgorithm, KeyFlags, ReasonForRevocation},
};
use sequoia_openpgp as openpgp;

use super::sign::Signing;

/// A secret key with its certificate.
///
/// Unless told otherwise: version 4, Ed25519, one key that certifies and signs, made thirty days
/// ago, never expires.
#[derive(Clone, Debug)]
pub struct Key {
    cert: Cert,
    subkeys: usize,
}

/// Why a key was revoked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Revocation {
    /// Somebody else may have it: it never counted.
    Compromised,
    /// No longer used: it counted before.
    Retired,
    /// Another took its place: it counted before.
    Superseded,
    /// No reason given: as bad as compromised.
    Unspecified,
}

/// How a key is to be made.
#[derive(Clone, Debug)]
pub struct KeyOptions {
    user: String,
    suite: CipherSuite,
    v6: bool,
    signing_subkeys: usize,
    encryption_only: bool,
    created: SystemTime,
    expires: Option<Duration>,
    password: Option<String>,
}

impl KeyOptions {
    /// RSA of 3072 bits. Takes seconds.
    #[must_use]
    pub fn rsa(mut self) -> Self {
        self.suite = CipherSuite::RSA3k;
        self
    }

    /// ECDSA on NIST P-256.
    #[must_use]
    pub fn nistp256(mut self) -> Self {
        self.suite = CipherSuite::P256;
        self
    }

    /// Version 6, as RFC 9580 has it: a fingerprint of 64 digits.
    #[must_use]
    pub fn v6(mut self) -> Self {
        self.v6 = true;
        self
    }

    /// The primary key certifies only; this many subkeys sign, the first unless told.
    #[must_use]
    pub fn signing_subkeys(mut self, count: usize) -> Self {
        self.signing_subkeys = count;
        self
    }

    /// Certifies and encrypts; nothing in it may sign. Signatures are made all the same, by the
    /// primary key.
    #[must_use]
    pub fn encryption_only(mut self) -> Self {
        self.encryption_only = true;
        self
    }

    /// Made then.
    #[must_use]
    pub fn created(mut self, at: SystemTime) -> Self {
        self.created = at;
        self
    }

    /// Made that long ago.
    #[must_use]
    pub fn age(self, age: Duration) -> Self {
        self.created(SystemTime::now() - age)
    }

    /// Expires that long after it was made.
    #[must_use]
    pub fn expires_after(mut self, life: Duration) -> Self {
        self.expires = Some(life);
        self
    }

    /// Expired an hour ago.
    #[must_use]
    pub fn expired(self) -> Self {
        let age = SystemTime::now().duration_since(self.created).unwrap_or_default();
        self.expires_after(age.saturating_sub(Duration::from_hours(1)))
    }

    /// [`Key::secret_armored`] is encrypted with this.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// Makes it.
    pub fn generate(self) -> Key {
        let primary = KeyFlags::empty().set_certification();
        let signs = self.signing_subkeys == 0 && !self.encryption_only;
        let mut builder = CertBuilder::new()
            .add_userid(self.user)
            .set_cipher_suite(self.suite)
            .set_creation_time(self.created)
            .set_validity_period(self.expires)
            .set_primary_key_flags(if signs { primary.set_signing() } else { primary })
            .set_profile(if self.v6 { Profile::RFC9580 } else { Profile::RFC4880 })
            .expect("a profile")
            .set_password(self.password.map(Into::into));
        for _ in 0..self.signing_subkeys {
            builder = builder.add_signing_subkey();
        }
        if self.encryption_only {
            builder = builder.add_transport_encryption_subkey();
        }
        let (cert, _revocation) = builder.generate().expect("a key");
        Key { cert, subkeys: self.signing_subkeys }
    }
}

impl Key {
    /// A new key of that user: `Acme builder <builder@acme.example>`.
    ///
    /// ```
    /// use countersign_kit::{Key, simple_signing};
    /// let key = Key::generate("Acme builder <builder@acme.example>");
    /// let signed = key.sign_message(&simple_signing("registry.example/acme/shop", "sha256:0f"));
    /// assert_eq!(key.fingerprint().len(), 40);
    /// assert!(signed.len() > 200);
    /// ```
    pub fn generate(user: &str) -> Self {
        Self::options(user).generate()
    }

    /// The same, to be changed before it is made.
    pub fn options(user: &str) -> KeyOptions {
        KeyOptions {
            user: user.to_owned(),
            suite: CipherSuite::Cv25519,
            v6: false,
            signing_subkeys: 0,
            encryption_only: false,
            created: SystemTime::now() - Duration::from_hours(30 * 24),
            expires: None,
            password: None,
        }
    }

    /// A key of some other program, as it exports it (armored or binary, not encrypted).
    ///
    /// # Panics
    /// Where it is none.
    pub fn import(secret: &[u8]) -> Self {
        use openpgp::parse::Parse;
        Self { cert: Cert::from_bytes(secret).expect("a secret key"), subkeys: 0 }
    }

    /// The fingerprint of the certificate, upper-case hex: 40 digits, of version 6: 64.
    pub fn fingerprint(&self) -> String {
        self.cert.fingerprint().to_hex()
    }

    /// The fingerprint of the `at`th signing subkey, from 0.
    pub fn subkey_fingerprint(&self, at: usize) -> String {
        let subkey = self.cert.keys().subkeys().nth(at).expect("a subkey");
        subkey.key().fingerprint().to_hex()
    }

    /// The certificate, armored.
    pub fn certificate_armored(&self) -> String {
        let bytes = self.public().armored().to_vec().expect("a certificate");
        String::from_utf8(bytes).expect("armor is text")
    }

    /// The certificate, binary.
    pub fn certificate(&self) -> Vec<u8> {
        self.public().to_vec().expect("a certificate")
    }

    /// The secret key, armored.
    pub fn secret_armored(&self) -> String {
        let bytes = self.cert.as_tsk().armored().to_vec().expect("a secret key");
        String::from_utf8(bytes).expect("armor is text")
    }

    /// The same key, revoked now.
    #[must_use]
    pub fn revoked(&self, why: Revocation) -> Self {
        self.revoked_at(why, SystemTime::now())
    }

    /// The same key, revoked then.
    #[must_use]
    pub fn revoked_at(&self, why: Revocation, at: SystemTime) -> Self {
        use openpgp::cert::CertRevocationBuilder;
        let builder = CertRevocationBuilder::new()
            .set_signature_creation_time(at)
            .expect("a time")
            .set_reason_for_revocation(why.reason(), b"revoked by the kit")
            .expect("a reason");
        let revocation = builder.build(&mut self.pair(Some(0)), &self.cert, HashAlgorithm::SHA512);
        self.with(revocation.expect("a revocation"))
    }

    /// The same key, its `at`th signing subkey (from 0) revoked now.
    #[must_use]
    pub fn subkey_revoked(&self, at: usize, why: Revocation) -> Self {
        use openpgp::cert::SubkeyRevocationBuilder;
        let subkey = self.cert.keys().subkeys().nth(at).expect("a subkey").key().clone();
        let builder = SubkeyRevocationBuilder::new()
            .set_reason_for_revocation(why.reason(), b"revoked by the kit")
            .expect("a reason");
        let signer = &mut self.pair(Some(0));
        let revocation = builder.build(signer, &self.cert, &subkey, HashAlgorithm::SHA512);
        self.with(revocation.expect("a revocation"))
    }

    /// An attached message over `payload`: one-pass signature, literal, signature; binary.
    pub fn sign_message(&self, payload: &[u8]) -> Vec<u8> {
        self.signing().message(payload)
    }

    /// The same, armored as `PGP MESSAGE`.
    pub fn sign_message_armored(&self, payload: &[u8]) -> String {
        String::from_utf8(self.signing().armored().message(payload)).expect("armor is text")
    }

    /// A detached signature over `payload`, binary.
    pub fn sign_detached(&self, payload: &[u8]) -> Vec<u8> {
        self.signing().detached(payload)
    }

    /// A signature to be made some other way.
    pub fn signing(&self) -> Signing {
        Signing::new(self.clone())
    }

    /// The key pair that signs: the subkey `at - 1`, the primary key for 0, by default the first
    /// subkey where there is one.
    pub(super) fn pair(&self, at: Option<usize>) -> KeyPair {
        let at = at.unwrap_or(self.subkeys.min(1));
        let key = self.cert.keys().secret().nth(at).expect("such a key").key().clone();
        key.into_keypair().expect("a key without a password")
    }

    fn public(&self) -> Cert {
        self.cert.clone().strip_secret_key_material()
    }

    fn with(&self, signature: Signature) -> Self {
        let (cert, _changed) =
            self.cert.clone().insert_packets(Packet::from(signature)).expect("a certificate");
        Self { cert, subkeys: self.subkeys }
    }
}

impl Revocation {
    fn reason(self) -> ReasonForRevocation {
        match self {
            Self::Compromised => ReasonForRevocation::KeyCompromised,
            Self::Retired => ReasonForRevocation::KeyRetired,
            Self::Superseded => ReasonForRevocation::KeySuperseded,
            Self::Unspecified => ReasonForRevocation::Unspecified,
        }
    }
}

/// Several certificates in one keyring, binary.
pub fn keyring(keys: &[&Key]) -> Vec<u8> {
    keys.iter().flat_map(|key| key.certificate()).collect()
}

/// Several certificates in one armored keyring.
pub fn keyring_armored(keys: &[&Key]) -> String {
    use std::io::Write;
    let mut armored = Vec::new();
    let message = stream::Message::new(&mut armored);
    let mut message =
        stream::Armorer::new(message).kind(openpgp::armor::Kind::PublicKey).build().expect("armor");
    message.write_all(&keyring(keys)).expect("memory");
    message.finalize().expect("memory");
    String::from_utf8(armored).expect("armor is text")
}
