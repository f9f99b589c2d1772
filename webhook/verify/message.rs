//! OpenPGP messages and detached signatures: their packets, and nothing more.
//!
//! An attached message is `Literal` with its signatures around it, possibly compressed. The
//! walk below takes exactly that: one literal, as many signatures as were announced, nothing
//! before, between or after. Data is not verified here.

use std::io::Read as _;

use sequoia_openpgp::{
    packet::{Packet, Signature},
    parse::{Dearmor, PacketParser, PacketParserBuilder, PacketParserResult, Parse as _},
    types::SignatureType,
};

use super::{
    armor::{self, BadArmor},
    golang,
};

/// A signed message, taken apart.
pub struct Message {
    /// What the literal packet holds.
    pub literal: Vec<u8>,
    /// At least one, each of a type that signs documents.
    pub signatures: Vec<Signature>,
}

/// Why bytes are no signed message or no detached signature.
#[derive(Debug, thiserror::Error)]
pub enum BadMessage {
    #[error(transparent)]
    Armor(#[from] BadArmor),
    #[error("its packets do not parse")]
    Packets,
    #[error("it has {0} where a signed message has none")]
    Misplaced(String),
    #[error("its payload has more than {MAX_LITERAL} bytes")]
    TooLarge,
    #[error("it has more than {MAX_PACKETS} packets")]
    TooManyPackets,
    #[error("it announces {announced} signatures and has {found}")]
    Count { announced: usize, found: usize },
    #[error("it has no payload")]
    NoLiteral,
    #[error("it has no signature")]
    Unsigned,
    #[error("it has a signature of type {0}, which does not sign documents")]
    Type(SignatureType),
}

impl Message {
    /// Takes an attached message apart, in whatever wrapping.
    ///
    /// # Errors
    /// [`BadMessage`].
    pub fn parse(data: &[u8]) -> Result<Self, BadMessage> {
        let mut walk = Walk::default();
        for_each_packet(&golang::as_specified(&armor::unwrap(data)?), |packet, depth| {
            walk.step(packet, depth)
        })?;
        walk.finish()
    }
}

/// Takes detached signatures out of their wrapping.
///
/// # Errors
/// [`BadMessage`].
pub fn detached(data: &[u8]) -> Result<Vec<Signature>, BadMessage> {
    let mut signatures = Vec::new();
    for_each_packet(&golang::as_specified(&armor::unwrap(data)?), |parser, _| {
        match &parser.packet {
            Packet::Signature(signature) => {
                signatures.push(of_document(signature)?);
                Ok(())
            }
            other => Err(misplaced(other)),
        }
    })?;
    if signatures.is_empty() { Err(BadMessage::Unsigned) } else { Ok(signatures) }
}

/// The canonical form that signatures of type text are made over.
pub fn with_crlf(text: &[u8]) -> Vec<u8> {
    let mut canonical = Vec::with_capacity(text.len() + 2);
    let mut bytes = text.iter().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' => {
                bytes.next_if(|next| **next == b'\n');
                canonical.extend_from_slice(b"\r\n");
            }
            b'\n' => canonical.extend_from_slice(b"\r\n"),
            other => canonical.push(*other),
        }
    }
    canonical
}

/// What has been seen of an attached message.
#[derive(Default)]
struct Walk {
    /// How many compressed packets stand around what comes next.
    compressed: isize,
    announced: usize,
    literal: Option<Vec<u8>>,
    before: Vec<Signature>,
    after: Vec<Signature>,
}

impl Walk {
    fn step(&mut self, parser: &mut PacketParser<'_>, depth: isize) -> Result<(), BadMessage> {
        // After a compressed packet only its own content may follow.
        if depth != self.compressed {
            return Err(misplaced(&parser.packet));
        }
        let started = self.announced > 0 || !self.before.is_empty() || self.literal.is_some();
        match &parser.packet {
            Packet::CompressedData(_) if !started && self.compressed < MAX_DEPTH => {
                self.compressed += 1;
            }
            Packet::OnePassSig(_) if self.literal.is_none() && self.before.is_empty() => {
                self.announced += 1;
            }
            Packet::Literal(_) if self.literal.is_none() => {
                self.literal = Some(literal(parser)?);
            }
            Packet::Signature(signature) => {
                let signature = of_document(signature)?;
                if self.literal.is_some() {
                    self.after.push(signature);
                } else if self.announced == 0 {
                    self.before.push(signature);
                } else {
                    return Err(misplaced(&parser.packet));
                }
            }
            other => return Err(misplaced(other)),
        }
        Ok(())
    }

    fn finish(self) -> Result<Message, BadMessage> {
        let Self { announced, literal, mut before, after, .. } = self;
        let literal = literal.ok_or(BadMessage::NoLiteral)?;
        if announced != after.len() {
            return Err(BadMessage::Count { announced, found: after.len() });
        }
        before.extend(after);
        if before.is_empty() {
            Err(BadMessage::Unsigned)
        } else {
            Ok(Message { literal, signatures: before })
        }
    }
}

/// Walks over packets in the order they stand, into compressed ones too, with what bounds them.
fn for_each_packet(
    packets: &[u8],
    mut visit: impl FnMut(&mut PacketParser<'_>, isize) -> Result<(), BadMessage>,
) -> Result<(), BadMessage> {
    let broken = |_| BadMessage::Packets;
    let mut result = PacketParserBuilder::from_bytes(packets)
        .map_err(broken)?
        .dearmor(Dearmor::Disabled)
        .automatic_hashing(false)
        .max_packet_size(MAX_PACKET)
        .build()
        .map_err(broken)?;
    let mut seen = 0;
    while let PacketParserResult::Some(mut parser) = result {
        seen += 1;
        if seen > MAX_PACKETS {
            return Err(BadMessage::TooManyPackets);
        }
        let depth = parser.recursion_depth();
        visit(&mut parser, depth)?;
        (_, result) = parser.recurse().map_err(broken)?;
    }
    Ok(())
}

/// Reads the body of a literal packet, and never more of it than is allowed.
fn literal(parser: &mut PacketParser<'_>) -> Result<Vec<u8>, BadMessage> {
    let mut body = Vec::new();
    parser.take(MAX_LITERAL + 1).read_to_end(&mut body).map_err(|_| BadMessage::Packets)?;
    if body.len() as u64 > MAX_LITERAL { Err(BadMessage::TooLarge) } else { Ok(body) }
}

fn of_document(signature: &Signature) -> Result<Signature, BadMessage> {
    match signature.typ() {
        SignatureType::Binary | SignatureType::Text => Ok(signature.clone()),
        other => Err(BadMessage::Type(other)),
    }
}

fn misplaced(packet: &Packet) -> BadMessage {
    BadMessage::Misplaced(format!("a packet {}", packet.tag()))
}

/// The largest payload that is read out of a message; what compression makes of it is cut there.
const MAX_LITERAL: u64 = 64 * 1024;

/// The largest other packet: a signature with all its subpackets.
const MAX_PACKET: u32 = 64 * 1024;

/// Enough for some signers of one payload.
const MAX_PACKETS: usize = 40;

/// Compressed inside compressed is allowed by the standard and written by nobody.
const MAX_DEPTH: isize = 2;
