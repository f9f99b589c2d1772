//! What an OpenPGP signature says of itself, as far as every review asks it.
//!
//! A signature as it is parsed holds two kilobytes, and for each image one is kept. This is the
//! part of it on which its standing depends at any later time.

use std::time::SystemTime;

use sequoia_openpgp::{
    packet::Signature,
    policy::{HashAlgoSecurity, Policy as _, StandardPolicy},
    types::HashAlgorithm,
};

use super::standing::lenient;

/// The part of a signature that is judged on each review.
#[derive(Clone, Debug)]
pub struct Stated {
    /// When it was made, by its own word; `None` where it does not say.
    pub created: Option<SystemTime>,
    pub hash: HashAlgorithm,
    /// Nothing that it marks as critical is unknown here.
    pub understood: bool,
    /// From when on it should not count any more.
    expires: Option<SystemTime>,
}

impl Stated {
    /// The part of `signature`.
    pub fn of(signature: &Signature) -> Self {
        let created = signature.signature_creation_time();
        let period = signature.signature_validity_period().filter(|period| !period.is_zero());
        let expires = created.zip(period).and_then(|(created, period)| created.checked_add(period));
        let understood = lenient().signature(signature, HashAlgoSecurity::CollisionResistance);
        Self { created, hash: signature.hash_algo(), understood: understood.is_ok(), expires }
    }

    /// Whether its hash is no longer accepted at that time.
    pub fn is_weak(&self, now: SystemTime) -> bool {
        let policy = StandardPolicy::at(now);
        let ends = |security| policy.hash_cutoff(self.hash, security);
        [HashAlgoSecurity::CollisionResistance, HashAlgoSecurity::SecondPreImageResistance]
            .into_iter()
            .any(|security| ends(security).is_some_and(|end| end <= now))
    }

    /// Whether it is past the end that it gives itself.
    pub fn is_over(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use sequoia_openpgp::{
        packet::{
            key::{Key4, PrimaryRole, SecretParts},
            signature::{
                SignatureBuilder,
                subpacket::{NotationDataFlags, Subpacket, SubpacketValue},
            },
        },
        types::SignatureType,
    };

    use super::*;

    fn signed(change: impl FnOnce(SignatureBuilder) -> SignatureBuilder) -> Signature {
        let key: Key4<SecretParts, PrimaryRole> = Key4::generate_ed25519().unwrap();
        let mut pair = key.into_keypair().unwrap();
        let made = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let builder = SignatureBuilder::new(SignatureType::Binary);
        let builder = change(builder.set_signature_creation_time(made).unwrap());
        builder.sign_message(&mut pair, b"payload").unwrap()
    }

    fn critical(builder: SignatureBuilder, value: SubpacketValue) -> SignatureBuilder {
        builder
            .modify_hashed_area(|mut area| {
                area.add(Subpacket::new(value, true)?)?;
                Ok(area)
            })
            .unwrap()
    }

    /// A cached signature stands as the one it was taken from.
    #[test]
    fn p6_what_is_kept_of_a_signature_stands_as_all_of_it_does() {
        let flags = || NotationDataFlags::empty().set_human_readable();
        let hour = Duration::from_hours(1);
        let signatures = [
            ("plain", signed(|one| one)),
            ("SHA-1", signed(|one| one.set_hash_algo(HashAlgorithm::SHA1))),
            ("SHA-224", signed(|one| one.set_hash_algo(HashAlgorithm::SHA224))),
            ("SHA3-512", signed(|one| one.set_hash_algo(HashAlgorithm::SHA3_512))),
            ("that ends", signed(|one| one.set_signature_validity_period(hour).unwrap())),
            ("a notation", signed(|one| one.add_notation("a@b", "c", flags(), false).unwrap())),
            ("a critical one", signed(|one| one.add_notation("a@b", "c", flags(), true).unwrap())),
            (
                "critical, unknown",
                signed(|one| {
                    let (tag, body) = (100.into(), vec![1]);
                    critical(one, SubpacketValue::Unknown { tag, body })
                }),
            ),
            (
                "critical, known",
                signed(|one| critical(one, SubpacketValue::SignersUserID(b"ci".to_vec()))),
            ),
        ];
        for (name, signature) in signatures {
            let stated = Stated::of(&signature);
            let made = signature.signature_creation_time();
            assert_eq!(stated.created, made, "{name}");
            for days in [0, 5_000, 12_000, 15_000, 17_000, 19_000, 19_676, 20_000, 30_000] {
                let now = UNIX_EPOCH + Duration::from_secs(days * 86_400);
                let accepted = StandardPolicy::at(now)
                    .signature(&signature, HashAlgoSecurity::CollisionResistance);
                let mine = stated.understood && !stated.is_weak(now);
                assert_eq!(mine, accepted.is_ok(), "{name} on day {days}: {accepted:?}");
                let alive = signature.signature_alive(now, None).is_ok();
                let early = made.is_some_and(|made| made > now);
                assert_eq!(!stated.is_over(now) && !early, alive, "{name} on day {days}");
            }
        }
    }
}
