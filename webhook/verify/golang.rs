//! OpenPGP packets as Go's library writes them, in the form that the standard asks for.
//!
//! Kritis and Voucher sign with `golang.org/x/crypto/openpgp`, and a strict parser refuses what it
//! writes, for two reasons that have nothing to do with what is signed:
//!
//! - a data packet may come in parts whose lengths are announced one by one, the first of at least
//!   512 bytes (RFC 9580 §4.2.1.4); a payload that is shorter as a whole begins with fewer;
//! - the length of an RSA signature is announced in whole bytes, where the bits of the number
//!   count (§3.2): half of all signatures begin with a zero bit.
//!
//! Neither length is covered by a signature, so they may be written anew before anybody reads
//! them.

use std::borrow::Cow;

/// The same packets with their lengths as they should be. What is not framed as packets are is
/// left as it is, for the parser to refuse; so is what stands inside of others.
pub fn as_specified(packets: &[u8]) -> Cow<'_, [u8]> {
    rewritten(packets).map_or(Cow::Borrowed(packets), Cow::Owned)
}

/// The packets, if any of them had to be changed.
fn rewritten(packets: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::with_capacity(packets.len() + 8);
    let (mut rest, mut changed) = (packets, false);
    while let Some((tag, after)) = rest.split_first() {
        let packet = Packet::read(*tag, after)?;
        match packet.body_as_specified(*tag) {
            None => whole.extend_from_slice(rest.get(..rest.len() - packet.rest.len())?),
            Some(body) => {
                whole.extend_from_slice(&[0xc0 | kind(*tag), FOUR_OCTETS]);
                whole.extend_from_slice(&u32::try_from(body.len()).ok()?.to_be_bytes());
                whole.extend_from_slice(&body);
                changed = true;
            }
        }
        rest = packet.rest;
    }
    changed.then_some(whole)
}

/// One packet at the beginning of some bytes.
struct Packet<'a> {
    /// Without its header; owned where it came in parts.
    body: Cow<'a, [u8]>,
    /// What follows it.
    rest: &'a [u8],
}

impl<'a> Packet<'a> {
    fn read(tag: u8, after: &'a [u8]) -> Option<Self> {
        let (header, length) = match tag & 0xc0 {
            // The old format says how many octets its length has; the last kind has none.
            0x80 => match tag & 3 {
                3 => (0, after.len()),
                power => (1 << power, number(after.get(..1 << power)?)),
            },
            0xc0 => match Length::read(after)? {
                Length::Whole { header, length } => (header, length),
                Length::Part { .. } if DATA.contains(&kind(tag)) => return Self::in_parts(after),
                Length::Part { .. } => return None,
            },
            _ => return None,
        };
        let (body, rest) = after.get(header..)?.split_at_checked(length)?;
        Some(Self { body: Cow::Borrowed(body), rest })
    }

    fn in_parts(mut rest: &'a [u8]) -> Option<Self> {
        let mut body = Vec::new();
        loop {
            let (header, length, last) = match Length::read(rest)? {
                Length::Whole { header, length } => (header, length, true),
                Length::Part { length } => (1, length, false),
            };
            let (part, next) = rest.get(header..)?.split_at_checked(length)?;
            body.extend_from_slice(part);
            rest = next;
            if last {
                return Some(Self { body: Cow::Owned(body), rest });
            }
        }
    }

    /// The body, if the packet cannot stay as it is.
    fn body_as_specified(&self, tag: u8) -> Option<Vec<u8>> {
        match &self.body {
            Cow::Owned(joined) => Some(joined.clone()),
            Cow::Borrowed(body) if kind(tag) == SIGNATURE => {
                with_counted_bits(body).filter(|counted| counted != body)
            }
            Cow::Borrowed(_) => None,
        }
    }
}

/// A signature of version 4 whose numbers announce the bits that they have.
fn with_counted_bits(body: &[u8]) -> Option<Vec<u8>> {
    let [4, _, algorithm, _, ..] = body else { return None };
    let numbers = match algorithm {
        1 | 3 => 1,        // RSA
        17 | 19 | 22 => 2, // DSA, ECDSA, EdDSA
        _ => return None,
    };
    let hashed = 6 + number(body.get(4..6)?);
    let unhashed = 2 + number(body.get(hashed..hashed + 2)?);
    let (head, mut rest) = body.split_at_checked(hashed + unhashed + 2)?;
    let mut counted = head.to_vec();
    for _ in 0..numbers {
        let bytes = number(rest.get(..2)?).div_ceil(8);
        let (value, next) = rest.get(2..)?.split_at_checked(bytes)?;
        let zeros = value.iter().take_while(|byte| **byte == 0).count();
        let value = value.get(zeros..)?;
        let bits = value.len() * 8 - value.first()?.leading_zeros() as usize;
        counted.extend_from_slice(&u16::try_from(bits).ok()?.to_be_bytes());
        counted.extend_from_slice(value);
        rest = next;
    }
    rest.is_empty().then_some(counted)
}

/// A length of the new format.
enum Length {
    /// In as many octets as `header`.
    Whole { header: usize, length: usize },
    /// Of a part that another follows; in one octet.
    Part { length: usize },
}

impl Length {
    fn read(bytes: &[u8]) -> Option<Self> {
        let first = usize::from(*bytes.first()?);
        Some(match first {
            0..=191 => Self::Whole { header: 1, length: first },
            192..=223 => {
                let length = ((first - 192) << 8) + usize::from(*bytes.get(1)?) + 192;
                Self::Whole { header: 2, length }
            }
            224..=254 => Self::Part { length: 1 << (first & 0x1f) },
            _ => Self::Whole { header: 5, length: number(bytes.get(1..5)?) },
        })
    }
}

/// What kind of packet a tag of either format begins.
fn kind(tag: u8) -> u8 {
    if tag & 0x40 == 0 { (tag >> 2) & 0x0f } else { tag & 0x3f }
}

fn number(octets: &[u8]) -> usize {
    octets.iter().fold(0, |number, octet| (number << 8) | usize::from(*octet))
}

const SIGNATURE: u8 = 2;

/// The kinds that may come in parts and are read here: compressed data, literal data.
const DATA: [u8; 2] = [8, 11];

/// What announces a length of four octets.
const FOUR_OCTETS: u8 = 0xff;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_joined_and_nothing_else_changes() {
        for (name, packets, want) in [
            ("whole", &[0xcb, 2, 7, 8][..], None),
            ("one part, then the last", &[0xcb, 0xe1, 7, 8, 1, 9], Some(&[7, 8, 9][..])),
            ("an empty last one", &[0xcb, 0xe1, 7, 8, 0], Some(&[7, 8])),
            ("parts of one byte", &[0xcb, 0xe0, 7, 0xe0, 8, 1, 9], Some(&[7, 8, 9])),
            ("cut in a part", &[0xcb, 0xe1, 7], None),
            ("cut before the last", &[0xcb, 0xe1, 7, 8], None),
            ("a signature in parts", &[0xc2, 0xe1, 7, 8, 1, 9], None),
            ("no packet behind it", &[0xcb, 0xe0, 7, 0, 1], None),
            ("a part beyond the end", &[0xcb, 0xfe, 7, 0], None),
            ("nothing", &[], None),
        ] {
            let got = as_specified(packets);
            match want {
                None => assert_eq!(&*got, packets, "{name}"),
                Some(body) => {
                    let length = u8::try_from(body.len()).unwrap();
                    let head = [0xcb, 0xff, 0, 0, 0, length];
                    assert_eq!(&*got, [&head[..], body].concat(), "{name}");
                }
            }
        }
        let around = [&[0xc4, 1, 5][..], &[0xcb, 0xe0, 7, 1, 8], &[0x88, 1, 6]].concat();
        let want = [&[0xc4, 1, 5][..], &[0xcb, 0xff, 0, 0, 0, 2, 7, 8], &[0x88, 1, 6]].concat();
        assert_eq!(&*as_specified(&around), want);
    }

    #[test]
    fn bits_are_counted_in_numbers_of_signatures() {
        // Version, type, algorithm, hash, no subpackets of either kind, two bytes of the hash.
        let signature = |algorithm: u8, numbers: &[u8]| {
            let body = [&[4, 0, algorithm, 8, 0, 0, 0, 0, 1, 2], numbers].concat();
            let length = u8::try_from(body.len()).unwrap();
            (body, length)
        };
        for (name, algorithm, numbers, want) in [
            ("RSA, as it should be", 1, &[0, 6, 0x3f][..], None),
            ("RSA, whole bytes", 1, &[0, 8, 0x3f], Some(&[0, 6, 0x3f][..])),
            ("RSA, a zero byte", 1, &[0, 16, 0, 0x3f], Some(&[0, 6, 0x3f])),
            ("RSA, nothing but zeros", 1, &[0, 8, 0], None),
            ("RSA, more behind it", 1, &[0, 8, 0x3f, 9], None),
            ("RSA, cut", 1, &[0, 16, 0x3f], None),
            ("ECDSA", 19, &[0, 8, 0x3f, 0, 8, 1], Some(&[0, 6, 0x3f, 0, 1, 1])),
            ("another algorithm", 27, &[0, 8, 0x3f], None),
        ] {
            let (body, length) = signature(algorithm, numbers);
            let packet = [&[0xc2, length][..], &body].concat();
            let got = as_specified(&packet);
            match want {
                None => assert_eq!(&*got, packet, "{name}"),
                Some(numbers) => {
                    let (body, length) = signature(algorithm, numbers);
                    let want = [&[0xc2, 0xff, 0, 0, 0, length][..], &body].concat();
                    assert_eq!(&*got, want, "{name}");
                }
            }
        }
    }
}
