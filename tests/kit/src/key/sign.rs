//! OpenPGP signatures in every wrapping that is met.

use std::{
    io::Write,
    time::{Duration, SystemTime},
};

use openpgp::{
    Packet, PacketPile, armor,
    packet::{
        OnePassSig, Signature,
        prelude::{Literal, OnePassSig3, SignatureBuilder},
    },
    serialize::{
        SerializeInto,
        stream::{Armorer, Compressor, LiteralWriter, Message, Signer},
    },
    types::{CompressionAlgorithm, DataFormat, HashAlgorithm, SignatureType},
};
use sequoia_openpgp as openpgp;

use super::openpgp::Key;

/// A signature being made: by default binary (type 0x00), SHA-512, now, not armored.
#[derive(Clone, Debug)]
pub struct Signing {
    keys: Vec<(Key, Option<usize>)>,
    kind: SignatureType,
    at: Option<SystemTime>,
    valid_for: Option<Duration>,
    armor: Option<armor::Kind>,
    compressed: bool,
    text_literal: bool,
    sha1: bool,
}

impl Signing {
    pub(super) fn new(key: Key) -> Self {
        Self {
            keys: vec![(key, None)],
            kind: SignatureType::Binary,
            at: None,
            valid_for: None,
            armor: None,
            compressed: false,
            text_literal: false,
            sha1: false,
        }
    }

    /// By that key: 0 the primary, 1 the first subkey, and so on; whether it may sign or not.
    #[must_use]
    pub fn by(mut self, at: usize) -> Self {
        self.keys[0].1 = Some(at);
        self
    }

    /// And by this key too, over the same literal.
    #[must_use]
    pub fn and(mut self, key: &Key) -> Self {
        self.keys.push((key.clone(), None));
        self
    }

    /// In text mode (type 0x01): line ends are normalized before hashing.
    #[must_use]
    pub fn text(mut self) -> Self {
        self.kind = SignatureType::Text;
        self
    }

    /// Of another type than documents have: 0x02 (standalone), 0x10 (certification), …
    #[must_use]
    pub fn of_type(mut self, kind: u8) -> Self {
        self.kind = kind.into();
        self
    }

    /// Says it was made then.
    #[must_use]
    pub fn at(mut self, time: SystemTime) -> Self {
        self.at = Some(time);
        self
    }

    /// Says it expires that long after it was made.
    #[must_use]
    pub fn valid_for(mut self, time: Duration) -> Self {
        self.valid_for = Some(time);
        self
    }

    /// With SHA-1: no longer believed by anybody. Always binary mode.
    #[must_use]
    pub fn sha1(mut self) -> Self {
        self.sha1 = true;
        self
    }

    /// Armored: a message as `PGP MESSAGE`, a detached signature as `PGP SIGNATURE`.
    #[must_use]
    pub fn armored(mut self) -> Self {
        self.armor = Some(armor::Kind::Message);
        self
    }

    /// Armored as `PGP SIGNATURE` whatever it is, as Kritis and Voucher write messages.
    #[must_use]
    pub fn armored_as_signature(mut self) -> Self {
        self.armor = Some(armor::Kind::Signature);
        self
    }

    /// Compressed (ZIP) around everything, as gpg does.
    #[must_use]
    pub fn compressed(mut self) -> Self {
        self.compressed = true;
        self
    }

    /// With the literal in mode `t`, as Kritis writes it.
    #[must_use]
    pub fn text_literal(mut self) -> Self {
        self.text_literal = true;
        self
    }

    /// An attached message over `payload`.
    pub fn message(self, payload: &[u8]) -> Vec<u8> {
        if self.sha1 {
            return self.message_by_hand(payload);
        }
        let mut bytes = Vec::new();
        let mut message = Message::new(&mut bytes);
        if let Some(kind) = self.armor {
            message = Armorer::new(message).kind(kind).build().expect("armor");
        }
        if self.compressed {
            let compressor = Compressor::new(message).algo(CompressionAlgorithm::Zip);
            message = compressor.build().expect("a compressor");
        }
        message = self.signer(message).build().expect("a signer");
        let format = if self.text_literal { DataFormat::from(b't') } else { DataFormat::Binary };
        let mut message = LiteralWriter::new(message).format(format).build().expect("a literal");
        message.write_all(payload).expect("memory");
        message.finalize().expect("a signature");
        bytes
    }

    /// A detached signature over `payload`.
    pub fn detached(self, payload: &[u8]) -> Vec<u8> {
        if self.sha1 {
            let packet = Packet::from(self.signature_by_hand(payload));
            return self.wrapped(&packet.to_vec().expect("a packet"), armor::Kind::Signature);
        }
        let mut bytes = Vec::new();
        let mut message = Message::new(&mut bytes);
        if self.armor.is_some() {
            let armorer = Armorer::new(message).kind(armor::Kind::Signature);
            message = armorer.build().expect("armor");
        }
        let mut message = self.signer(message).detached().build().expect("a signer");
        message.write_all(payload).expect("memory");
        message.finalize().expect("a signature");
        bytes
    }

    /// A clear-signed text, which is neither message nor detached signature.
    pub fn cleartext(self, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let message = Message::new(&mut bytes);
        let mut message = self.signer(message).cleartext().build().expect("a signer");
        message.write_all(payload).expect("memory");
        message.finalize().expect("a signature");
        bytes
    }

    fn signer<'a>(&self, message: Message<'a>) -> Signer<'a> {
        let mut pairs = self.keys.iter().map(|(key, at)| key.pair(*at));
        let first = pairs.next().expect("a key");
        let mut signer = Signer::with_template(message, first, self.template()).expect("a signer");
        for pair in pairs {
            signer = signer.add_signer(pair).expect("a second signer");
        }
        match self.at {
            None => signer,
            Some(at) => signer.creation_time(at),
        }
    }

    fn template(&self) -> SignatureBuilder {
        let mut template = SignatureBuilder::new(self.kind);
        if let Some(at) = self.at {
            template = template.set_signature_creation_time(at).expect("a time");
        }
        if let Some(time) = self.valid_for {
            template = template.set_signature_validity_period(time).expect("a time");
        }
        template
    }

    /// Sequoia's signer makes no SHA-1 signature; its builder does.
    fn signature_by_hand(&self, payload: &[u8]) -> Signature {
        let (key, at) = self.keys.first().expect("a key");
        let builder = self.template().set_hash_algo(HashAlgorithm::SHA1);
        builder.sign_message(&mut key.pair(*at), payload).expect("a signature")
    }

    fn message_by_hand(&self, payload: &[u8]) -> Vec<u8> {
        let signature = self.signature_by_hand(payload);
        let mut before = OnePassSig3::try_from(&signature).expect("a one-pass signature");
        before.set_last(true);
        let mut literal = Literal::new(DataFormat::Binary);
        literal.set_body(payload.to_vec());
        let pile = PacketPile::from(vec![
            Packet::from(OnePassSig::from(before)),
            Packet::from(literal),
            Packet::from(signature),
        ]);
        self.wrapped(&pile.to_vec().expect("packets"), armor::Kind::Message)
    }

    fn wrapped(&self, packets: &[u8], kind: armor::Kind) -> Vec<u8> {
        if self.armor.is_none() {
            return packets.to_vec();
        }
        let mut bytes = Vec::new();
        let message = Message::new(&mut bytes);
        let mut message = Armorer::new(message).kind(kind).build().expect("armor");
        message.write_all(packets).expect("memory");
        message.finalize().expect("memory");
        bytes
    }
}
