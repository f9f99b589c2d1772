//! The same evidence with a byte changed.

use std::io::Read as _;

use countersign_kit::Evidence;
use sequoia_openpgp::{
    Packet, PacketPile, armor, parse::Parse as _, serialize::SerializeInto as _,
};

/// Which byte is changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// The last one of the signature.
    Signature,
    /// The last one of what is signed.
    Payload,
    /// A digit of the digest that it names, to another digit.
    Subject,
}

/// With one byte of that part changed.
pub fn tampered(evidence: &Evidence, part: Part, digest: &str) -> Evidence {
    let change = |payload: &[u8], signature: &[u8]| match part {
        Part::Signature => (payload.to_vec(), last_changed(signature)),
        Part::Payload => (last_changed(payload), signature.to_vec()),
        Part::Subject => (renamed(payload, digest), signature.to_vec()),
    };
    match evidence {
        Evidence::Message(bytes) => Evidence::Message(tampered_message(bytes, part, digest)),
        Evidence::ImageId(bytes) => Evidence::ImageId(last_changed(&packets(bytes))),
        Evidence::Raw { payload, signature } => {
            let (payload, signature) = change(payload, signature);
            Evidence::Raw { payload, signature }
        }
        Evidence::Jws { protected, payload, signature, chain } => {
            let (payload, signature) = change(payload, signature);
            let (protected, chain) = (protected.clone(), chain.clone());
            Evidence::Jws { protected, payload, signature, chain }
        }
        Evidence::Envelope { payload, signature } => {
            let (payload, signature) = change(payload, signature);
            Evidence::Envelope { payload, signature }
        }
    }
}

/// A message without armor and compression, so that what is in it can be changed.
fn tampered_message(bytes: &[u8], part: Part, digest: &str) -> Vec<u8> {
    let packets = uncompressed(&packets(bytes));
    match part {
        Part::Signature => last_changed(&packets),
        Part::Subject => renamed(&packets, digest),
        Part::Payload => {
            // The payload's last member; JSON ends behind it.
            let mut packets = packets;
            let at = find(&packets, b"signature\"").expect("the type of simple signing");
            packets[at] ^= 0x01;
            packets
        }
    }
}

fn packets(bytes: &[u8]) -> Vec<u8> {
    if !bytes.starts_with(b"-----BEGIN") {
        return bytes.to_vec();
    }
    let mut plain = Vec::new();
    armor::Reader::from_bytes(bytes, None).read_to_end(&mut plain).unwrap();
    plain
}

fn uncompressed(packets: &[u8]) -> Vec<u8> {
    // As Go's OpenPGP writes messages, sequoia does not read them; they are not compressed.
    let Ok(pile) = PacketPile::from_bytes(packets) else { return packets.to_vec() };
    if !matches!(pile.children().next(), Some(Packet::CompressedData(_))) {
        return packets.to_vec();
    }
    let is_inner = |packet: &&Packet| !matches!(packet, Packet::CompressedData(_));
    let inner: Vec<Packet> = pile.descendants().filter(is_inner).cloned().collect();
    PacketPile::from(inner).to_vec().unwrap()
}

fn last_changed(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    *bytes.last_mut().unwrap() ^= 0x01;
    bytes
}

fn renamed(bytes: &[u8], digest: &str) -> Vec<u8> {
    let hex = digest.rsplit(':').next().unwrap();
    // A literal packet in parts may have a length in the middle of the digest.
    let (begin, end) = hex.as_bytes().split_at(hex.len() / 2);
    let at = find(bytes, begin).or_else(|| find(bytes, end)).expect("the digest that is signed");
    let mut bytes = bytes.to_vec();
    bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
    bytes
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
