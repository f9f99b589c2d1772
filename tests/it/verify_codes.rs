//! Each way in which an OpenPGP signature counts or does not, with the code that says so.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign::{
    attest::Signed,
    verify::{AfterExpiry, Key, Layers, LayersCheckedBy, Trust},
};
use countersign_kit as kit;
use kit::Revocation;

use crate::verify_support::{
    ago, authority, candidate, days, dsse, fixture, judge, judge_with, keys, message, outcome,
    payload, trust, trusting,
};

/// Asks what a signed thing is worth, and expects it to count for `builder`, or this code.
fn expect(name: &str, trust: &Trust, signed: Signed, want: Result<(), &str>) {
    let judged = judge(trust, &candidate(signed));
    let want = want.map(|()| vec!["builder".to_owned()]).map_err(|code| vec![code.to_owned()]);
    assert_eq!(outcome(&judged), want, "{name}: {:?}", judged.rejected);
}

#[test]
fn p15_every_wrapping_of_one_message_counts_and_no_other_shape() {
    let key = kit::Key::generate("builder");
    let trust = trusting(&key);
    let signing = || key.signing();
    let payload = payload();
    let plain = signing().message(&payload);
    let armored = signing().armored().message(&payload);
    let text = |bytes: &[u8]| bytes.to_vec();
    let with = |before: &[u8], after: &[u8]| [before, &plain, after].concat();
    let around =
        |before: &str, after: &str| [before.as_bytes(), &armored, after.as_bytes()].concat();
    let malformed = Err("signature.malformed");
    let one_of_two = {
        use sequoia_openpgp::{parse::Parse as _, serialize::SerializeInto as _};
        let both = signing().and(&kit::Key::generate("x")).message(&payload);
        let both = sequoia_openpgp::PacketPile::from_bytes(&both).expect("packets");
        let mut packets: Vec<_> = both.into_children().collect();
        packets.pop();
        sequoia_openpgp::PacketPile::from(packets).to_vec().expect("bytes")
    };
    for (name, bytes, want) in [
        ("plain", plain.clone(), Ok(())),
        ("compressed", signing().compressed().message(&payload), Ok(())),
        ("armored", armored.clone(), Ok(())),
        ("armored as a signature", signing().armored_as_signature().message(&payload), Ok(())),
        ("base64 around armor", STANDARD.encode(&armored).into_bytes(), Ok(())),
        ("literal in mode t", signing().text_literal().message(&payload), Ok(())),
        ("signature type text", signing().text().message(&payload), Ok(())),
        ("with a stranger", signing().and(&kit::Key::generate("x")).message(&payload), Ok(())),
        ("one signature of two taken off", one_of_two, malformed),
        ("clear-signed", signing().cleartext(&payload), malformed),
        ("detached", signing().detached(&payload), malformed),
        ("standalone type", signing().of_type(0x02).message(&payload), malformed),
        ("certification type", signing().of_type(0x10).message(&payload), malformed),
        ("two messages", with(&[], &plain), malformed),
        (
            "two messages, one a stranger's",
            with(&kit::Key::generate("x").sign_message(&payload), &[]),
            malformed,
        ),
        ("a second literal", with(&[0xcb, 0x07, b'b', 0, 0, 0, 0, 0, b'x'], &[]), malformed),
        ("bytes behind it", with(&[], b"junk"), malformed),
        ("bytes before it", with(b"\x00", &[]), malformed),
        ("cut off", text(&plain[..plain.len() - 1]), malformed),
        ("text before the armor", around("hello\n", ""), malformed),
        ("text behind the armor", around("", "hello\n"), malformed),
        ("two armored blocks", [armored.clone(), armored.clone()].concat(), malformed),
        ("base64 of a binary message", STANDARD.encode(&plain).into_bytes(), malformed),
        ("empty", Vec::new(), malformed),
        ("JSON", payload.clone(), malformed),
    ] {
        expect(name, &trust, message(bytes), want);
    }
}

#[test]
fn signatures_that_do_not_count() {
    let key = kit::Key::generate("builder");
    let trust = trusting(&key);
    let payload = payload();
    let mut tampered = key.sign_message(&payload);
    let at = tampered.windows(9).position(|window| window == b"a.example").expect("its name");
    tampered[at] = b'e';
    let stranger = kit::Key::generate("stranger");
    for (name, bytes, code) in [
        ("another key", stranger.sign_message(&payload), "signature.unknown-key"),
        ("tampered", tampered, "signature.invalid"),
        (
            "expired",
            key.signing().at(ago(2)).valid_for(days(1)).message(&payload),
            "signature.expired",
        ),
        ("not expired", key.signing().at(ago(2)).valid_for(days(3)).message(&payload), ""),
        (
            "from the future",
            key.signing().at(std::time::SystemTime::now() + days(1)).message(&payload),
            "signature.invalid",
        ),
        ("SHA-1", key.signing().sha1().message(&payload), "signature.weak"),
        ("no JSON", key.sign_message(b"hello"), "payload.malformed"),
        (
            "a statement",
            key.sign_message(br#"{"_type":"https://in-toto.io/Statement/v1"}"#),
            "payload.malformed",
        ),
        (
            "unknown type",
            key.sign_message(&kit::simple_signing_of("x", "a.example/b", "")),
            "payload.malformed",
        ),
    ] {
        let want = if code.is_empty() { Ok(()) } else { Err(code) };
        expect(name, &trust, message(bytes), want);
    }
}

#[test]
fn keys_that_do_not_count() {
    let payload = payload();
    let options = || kit::Key::options("builder").age(days(30));
    let signed = |key: &kit::Key, days_ago| key.signing().at(ago(days_ago)).message(&payload);
    let (reject, before) = (AfterExpiry::Reject, AfterExpiry::SignedBefore);
    let short = options().expires_after(days(10)).generate();
    let good = options().generate();
    let two = options().signing_subkeys(2).generate();
    let revoked = |why| good.revoked_at(why, ago(10));
    for (name, key, bytes, after_expiry, want) in [
        ("good", &good, signed(&good, 20), reject, Ok(())),
        ("by a subkey", &two, two.signing().by(2).message(&payload), reject, Ok(())),
        ("version 6", &options().v6().generate(), Vec::new(), reject, Ok(())),
        ("P-256", &options().nistp256().generate(), Vec::new(), reject, Ok(())),
        ("expired", &short, signed(&short, 25), reject, Err("key.expired")),
        ("expired, signed before", &short, signed(&short, 25), before, Ok(())),
        ("expired, signed after", &short, signed(&short, 5), before, Err("key.expired")),
        (
            "compromised",
            &revoked(Revocation::Compromised),
            signed(&good, 20),
            before,
            Err("key.revoked"),
        ),
        (
            "revoked without a reason",
            &revoked(Revocation::Unspecified),
            signed(&good, 20),
            before,
            Err("key.revoked"),
        ),
        ("retired", &revoked(Revocation::Retired), signed(&good, 20), reject, Err("key.expired")),
        (
            "retired, signed before",
            &revoked(Revocation::Retired),
            signed(&good, 20),
            before,
            Ok(()),
        ),
        (
            "retired, signed after",
            &revoked(Revocation::Retired),
            signed(&good, 5),
            before,
            Err("key.expired"),
        ),
        (
            "superseded, signed before",
            &revoked(Revocation::Superseded),
            signed(&good, 20),
            before,
            Ok(()),
        ),
        (
            "subkey compromised",
            &two.subkey_revoked(0, Revocation::Compromised),
            two.signing().by(1).message(&payload),
            reject,
            Err("key.revoked"),
        ),
        (
            "other subkey compromised",
            &two.subkey_revoked(0, Revocation::Compromised),
            two.signing().by(2).message(&payload),
            reject,
            Ok(()),
        ),
        (
            "primary that only certifies",
            &two,
            two.signing().by(0).message(&payload),
            reject,
            Err("key.not-for-signing"),
        ),
    ] {
        let bytes = if bytes.is_empty() { key.sign_message(&payload) } else { bytes };
        let mut authority = authority("builder", keys(key));
        authority.after_expiry = after_expiry;
        expect(name, &trust(vec![authority]), message(bytes), want);
    }
}

/// What gpg itself made, with dates of its own choosing.
#[test]
fn keys_that_gpg_made() {
    for (name, keyring, signed, want) in [
        ("expiry extended since", "extended-after", "extended.msg", Ok(())),
        ("expiry not extended", "extended-before", "extended.msg", Err("key.expired")),
        ("RSA of 1024 bits", "rsa1024", "rsa1024.msg", Err("signature.weak")),
        ("DSA", "dsa2048", "dsa2048.msg", Err("signature.weak")),
        ("SHA-1 in the certificate", "sha1-self", "sha1-self.msg", Err("signature.weak")),
    ] {
        let keys = Key::openpgp(&fixture(&format!("gpg/{keyring}.asc"))).expect(name);
        let trust = trust(vec![authority("builder", keys)]);
        expect(name, &trust, message(fixture(&format!("gpg/{signed}"))), want);
    }
}

#[test]
fn p4_an_image_id_counts_only_where_the_layers_are_compared() {
    let keys = || Key::openpgp(&fixture("gpg/extended-after.asc")).expect("a keyring");
    let by = |identity, layers| {
        let mut authority = authority("builder", keys());
        authority.identity = identity;
        authority.layers_checked_by = layers;
        trust(vec![authority])
    };
    let (digest, repository) =
        (countersign::verify::Identity::Digest, countersign::verify::Identity::Repository);
    let runtime = Some(LayersCheckedBy::Runtime);
    let detached = || Signed::OpenPgpDetached(fixture("gpg/image-id.asc").into());
    expect("as ocibuilder", &by(digest, runtime), detached(), Ok(()));
    expect("unbound", &by(digest, None), detached(), Err("payload.layers-unbound"));
    expect("no name", &by(repository, runtime), detached(), Err("payload.other-repository"));
    let judged = judge(&by(digest, Some(LayersCheckedBy::Gate)), &candidate(detached()));
    assert!(judged.verified.is_empty() && judged.rejected.is_empty());
    let rejected: Vec<_> = judged
        .layers_unchecked
        .into_iter()
        .map(countersign::verify::LayersUnchecked::reject)
        .collect();
    assert_eq!(rejected[0].code.as_str(), "payload.layers-unbound");
}

#[test]
fn p4_what_the_gate_found_of_the_layers_decides_about_an_image_id() {
    let keys = Key::openpgp(&fixture("gpg/extended-after.asc")).expect("a keyring");
    let mut authority = authority("builder", keys);
    authority.identity = countersign::verify::Identity::Digest;
    authority.layers_checked_by = Some(LayersCheckedBy::Gate);
    let trust = trust(vec![authority]);
    let detached = candidate(Signed::OpenPgpDetached(fixture("gpg/image-id.asc").into()));
    for (layers, counts, rejects, waits) in [
        (Layers::NotCompared, 0, None, 1),
        (Layers::Bound, 1, None, 0),
        (
            Layers::Unbound("layer 2 is another"),
            0,
            Some("and not these layers: layer 2 is another"),
            0,
        ),
    ] {
        let judged = judge_with(&trust, &detached, layers);
        assert_eq!(judged.verified.len(), counts, "{layers:?}");
        assert_eq!(judged.layers_unchecked.len(), waits, "{layers:?}");
        assert_eq!(judged.rejected.len(), usize::from(rejects.is_some()), "{layers:?}");
        for rejected in &judged.rejected {
            assert_eq!(rejected.code.as_str(), "payload.layers-unbound", "{layers:?}");
            assert!(rejected.detail().contains(rejects.unwrap()), "{}", rejected.detail());
        }
    }
}

#[test]
fn p15_a_detached_signature_is_over_an_image_id_or_an_envelope() {
    let key = kit::Key::generate("builder");
    let trust = trusting(&key);
    let statement = kit::statement(
        "https://a.example/p",
        "a.example/b",
        &crate::verify_support::digest().to_string(),
        serde_json::json!({}),
    );
    let bytes = statement.to_string().into_bytes();
    let pae = kit::pae(kit::IN_TOTO, &bytes);
    let over = |signature: Vec<u8>| dsse(&kit::envelope(kit::IN_TOTO, &bytes, &[("", &signature)]));
    for (name, signed, want) in [
        ("over the PAE", over(key.sign_detached(&pae)), Ok(())),
        ("over the payload", over(key.sign_detached(&bytes)), Err("signature.invalid")),
        ("in text mode", over(key.signing().text().detached(&pae)), Err("signature.malformed")),
        ("attached", over(key.sign_message(&pae)), Err("signature.malformed")),
        ("armored", over(key.signing().armored().detached(&pae)), Ok(())),
        (
            "of another type",
            dsse(&kit::envelope(
                "text/plain",
                &bytes,
                &[("", &key.sign_detached(&kit::pae("text/plain", &bytes)))],
            )),
            Err("payload.malformed"),
        ),
        (
            "over simple signing",
            Signed::OpenPgpDetached(key.sign_detached(&payload()).into()),
            Err("signature.invalid"),
        ),
    ] {
        expect(name, &trust, signed, want);
    }
}
