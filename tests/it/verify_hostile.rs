//! Bytes that nobody meant well: parsers answer, within bounds, and do not panic.

use countersign::{
    attest::{Envelope, RawSignature, Signed, SimpleSigning, Statement},
    verify::Key,
};
use countersign_kit as kit;
use proptest::prelude::*;

use crate::verify_support::{candidate, fixture, judge, message, outcome, payload, trusting};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn p8_random_bytes_panic_nowhere(data in proptest::collection::vec(any::<u8>(), 0..512)) {
        let trust = trusting(&kit::Key::import(&fixture("keys/gpg-test.sec.asc")));
        let signatures = vec![RawSignature { bytes: data.clone().into(), key_id: None }];
        let payload = bytes::Bytes::from(data.clone());
        for signed in [
            message(data.clone()),
            Signed::OpenPgpDetached(data.clone().into()),
            Signed::Raw { payload, signatures },
        ] {
            prop_assert!(judge(&trust, &candidate(signed)).verified.is_empty());
        }
        let _ = Key::openpgp(&data);
        let _ = Key::pkix(&data);
        let _ = Envelope::parse(&data);
        let _ = Statement::parse(&data);
        let _ = SimpleSigning::parse(&data);
    }

    /// Random bytes seldom get past the first check; a broken genuine message does.
    #[test]
    fn p8_broken_messages_panic_nowhere(
        at in 0_usize..384,
        with in proptest::collection::vec(any::<u8>(), 0..16),
        cut in 0_usize..16,
    ) {
        let trust = trusting(&kit::Key::import(&fixture("keys/gpg-test.sec.asc")));
        let mut data = fixture("simple-signing/signature-standalone");
        let end = (at + cut).min(data.len());
        data.splice(at..end, with);
        let _ = judge(&trust, &candidate(message(data.clone())));
        let _ = judge(&trust, &candidate(Signed::OpenPgpDetached(data.into())));
        let mut keyring = fixture("keys/gpg-test.pub.asc");
        keyring.truncate(at * 3);
        let _ = Key::openpgp(&keyring);
    }
}

#[test]
fn p8_what_compression_and_nesting_make_of_a_message_is_bounded() {
    let key = kit::Key::generate("builder");
    let trust = trusting(&key);
    let padded = |size: usize| {
        let mut bytes = payload();
        bytes.resize(size, b' ');
        bytes
    };
    // A compressed packet that names no algorithm: the packets as they are.
    let compress = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len() + 1).expect("short").to_be_bytes();
        [&[0xc8, 0xff][..], &length, &[0], bytes].concat()
    };
    let one = compress(&key.sign_message(&payload()));
    let two = compress(&one);
    let three = compress(&two);
    let many: Vec<kit::Key> = (0..25).map(|_| kit::Key::generate("x")).collect();
    let crowd = many.iter().fold(key.signing(), kit::Signing::and).message(&payload());
    for (name, bytes, want) in [
        ("64 KiB", key.signing().compressed().message(&padded(64 * 1024)), None),
        (
            "a byte more",
            key.signing().compressed().message(&padded(64 * 1024 + 1)),
            Some("more than 65536 bytes"),
        ),
        (
            "a bomb",
            key.signing().compressed().message(&padded(64 << 20)),
            Some("more than 65536 bytes"),
        ),
        ("compressed once", one, None),
        ("compressed twice", two, None),
        ("compressed three times", three, Some("where a signed message has none")),
        ("a crowd of signers", crowd, Some("more than 40 packets")),
        ("large", vec![0xc4; 5 << 20], Some("at most 4194304 are read")),
    ] {
        let judged = judge(&trust, &candidate(message(bytes)));
        match want {
            None => assert_eq!(
                outcome(&judged),
                Ok(vec!["builder".into()]),
                "{name}: {:?}",
                judged.rejected
            ),
            Some(want) => {
                assert_eq!(outcome(&judged), Err(vec!["signature.malformed".into()]), "{name}");
                let detail = judged.rejected[0].detail();
                assert!(detail.contains(want), "{name}: {detail}");
            }
        }
    }
}

#[test]
fn p13_outside_text_in_a_rejection_is_escaped_and_cut() {
    let key = kit::Key::generate("builder");
    let evil = format!("evil\n\u{202e}{}", "x".repeat(5000));
    let bytes = key.sign_message(&kit::simple_signing_of(&evil, "a.example/b", ""));
    let judged = judge(&trusting(&key), &candidate(message(bytes)));
    let detail = judged.rejected[0].detail();
    assert!(!detail.contains(['\n', '\u{202e}']) && detail.len() < 1500, "{detail}");
}
