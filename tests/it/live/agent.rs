//! Keys in gpg-agent: what they sign counts, and what is wrong with them is said.

use std::process::{Command, Output};

use crate::{
    cli::{Desk, stderr, stdout},
    cli_ocibuilder,
    peer::GnuPg,
};

/// `countersign sign` as a user whose keys are in this gpg.
fn sign(desk: &Desk, gpg: &GnuPg, key: &str, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["sign", &desk.by_digest(), "--key", &format!("gpg:{key}"), "--attach"])
        .args(more)
        .current_dir(desk.path("."))
        .env("GNUPGHOME", gpg.home())
        .env("DOCKER_CONFIG", desk.path("."))
        .env("OPEN", "correct horse")
        .env("SHUT", "battery staple")
        .output()
        .unwrap()
}

#[test]
#[ignore = "needs gpg"]
fn p14_what_gpg_agent_signs_is_what_we_sign() {
    let desk = Desk::new();
    let gpg = GnuPg::new();
    let plain = gpg.generate("Plain <plain@acme.example>", "ed25519");
    let rsa = gpg.generate("RSA <rsa@acme.example>", "rsa3072");
    let curve = gpg.generate("NIST <nist@acme.example>", "nistp256");
    let parted = gpg.generate("Parted <parted@acme.example>", "ed25519");
    gpg.add_signing_subkey(&parted, "ed25519");
    let locked = gpg.generate_locked("Locked <locked@acme.example>", "rsa3072", "correct horse");
    desk.write("p.json", "{}");
    let statement = ["--predicate", "p.json", "--type", "https://a.example/p"];
    let open = ["--passphrase", "env:OPEN"];
    for (name, key, passphrase) in [
        ("plain", &plain, &[][..]),
        ("RSA", &rsa, &[]),
        ("ECDSA", &curve, &[]),
        ("with a subkey", &parted, &[]),
        ("locked", &locked, &open),
        ("locked, and the agent remembers", &locked, &[]),
    ] {
        for claim in [&[][..], &statement] {
            // What stands is not signed again, so the last row asks for another claim.
            let again = name.contains("remembers") && claim.is_empty();
            let signed = sign(&desk, &gpg, key, &[passphrase, claim].concat());
            assert!(signed.status.success(), "{name}: {}", stderr(&signed));
            let lines = stdout(&signed).lines().count();
            assert_eq!(lines, usize::from(!name.contains("remembers")), "{name} {again}");
        }
        desk.write("ring.asc", &gpg.certificate(key));
        let config = std::fs::read_to_string(desk.path("countersign.yaml")).unwrap();
        desk.write("gpg.yaml", &config.replace("builder.asc", "ring.asc"));
        let verified = desk.run(&["verify", &desk.by_digest(), "--config", "gpg.yaml"]);
        assert!(verified.status.success(), "{name}: {}", stdout(&verified));
    }
}

#[test]
#[ignore = "needs gpg"]
fn what_is_wrong_with_a_key_in_gpg_agent_is_said() {
    let desk = Desk::new();
    let gpg = GnuPg::new();
    let locked = gpg.generate_locked("Locked <locked@acme.example>", "ed25519", "correct horse");
    let expired = gpg.generate_at("20200101T000000", "Old <old@acme.example>", "ed25519", "1d");
    let revoked = gpg.generate("Gone <gone@acme.example>", "ed25519");
    gpg.revoke(&revoked);
    let elsewhere = GnuPg::new();
    let public = elsewhere.generate("Public <public@acme.example>", "ed25519");
    gpg.import(elsewhere.certificate(&public).as_bytes());
    gpg.end_agent();
    for (name, key, more, want) in [
        ("no passphrase", &locked, &[][..], "gpg cannot ask for the passphrase"),
        ("wrong passphrase", &locked, &["--passphrase", "env:SHUT"], "does not unlock key"),
        ("expired", &expired, &[], "has expired"),
        ("revoked", &revoked, &[], "is revoked"),
        ("only its public half", &public, &[], "has only the public half"),
        ("not there", &"AB".repeat(20), &[], "gpg has no key ABAB"),
    ] {
        let refused = sign(&desk, &gpg, key, more);
        assert_eq!(refused.status.code(), Some(1), "{name}: {}", stderr(&refused));
        assert!(stderr(&refused).contains(want), "{name}: {}", stderr(&refused));
        assert!(!stderr(&refused).contains("battery"), "{name}: {}", stderr(&refused));
    }
    std::fs::write(gpg.home().join("gpg.conf"), "no-autostart\n").unwrap();
    gpg.end_agent();
    let refused = sign(&desk, &gpg, &locked, &[]);
    assert!(stderr(&refused).contains("gpg reaches no agent"), "{}", stderr(&refused));
    assert!(desk.registry.referrers("acme/shop", &desk.shop.digest()).is_empty());
}

/// Over an image ID, as ocibuilder signed: a text of 71 characters, signature type 0x01.
#[test]
#[ignore = "needs gpg"]
fn a_key_in_gpg_agent_signs_an_image_id_in_text_mode() {
    let desk = Desk::new();
    let gpg = GnuPg::new();
    for algorithm in ["rsa3072", "ed25519"] {
        let fingerprint = gpg.generate(&format!("{algorithm} <oci@acme.example>"), algorithm);
        let trusted = countersign_kit::Key::options("oci").generate();
        cli_ocibuilder::prepared(&desk, &desk.grafeas.url(), &trusted);
        desk.write("oci.asc", &gpg.certificate(&fingerprint));
        desk.grafeas.clear();
        let signed = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["sign", "--ocibuilder", "ocibuilder.yaml", &desk.by_digest(), "--create-note"])
            .args(["--key", &format!("gpg:{fingerprint}")])
            .current_dir(desk.path("."))
            .env("GNUPGHOME", gpg.home())
            .env("DOCKER_CONFIG", desk.path("."))
            .output()
            .unwrap();
        assert!(signed.status.success(), "{algorithm}: {}", stderr(&signed));
        let about_id = desk
            .grafeas
            .occurrences()
            .into_iter()
            .find(|one| {
                let uri = one["resource"]["uri"].as_str().unwrap();
                one["kind"] == "ATTESTATION" && uri.ends_with(&desk.shop.image_id())
            })
            .unwrap();
        let pgp = &about_id["attestation"]["attestation"]["pgpSignedAttestation"];
        let armor = pgp["signature"].as_str().unwrap();
        let packets = gpg.list_packets(armor.as_bytes());
        assert!(packets.contains("sigclass 0x01"), "{algorithm}: {packets}");
        gpg.verify_detached(armor.as_bytes(), desk.shop.image_id().as_bytes())
            .unwrap_or_else(|error| panic!("{algorithm}: {error}"));
        gpg.verify_detached(armor.as_bytes(), b"sha256:another").unwrap_err();
        for file in ["id.yaml", "digest.yaml"] {
            let judged = desk.run(&["verify", &desk.by_tag(), "--config", file]);
            assert!(judged.status.success(), "{algorithm}, {file}: {}", stdout(&judged));
        }
    }
}
