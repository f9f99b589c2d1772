//! cosign with keys: what it signs is found, counts for who has the key, and for nothing else.

use std::{fs, process::Command, time::Duration};

use countersign::{
    name::Repository,
    source::{Deadline, HostOptions, Reference, Registries, RegistriesOptions},
};
use serde_json::{Value, json};

use super::verdict;
use crate::{
    cli::{Desk, stderr},
    peer::{Carrier, Cosign, DockerRegistry, OciServe, push_image, run},
};

const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";
const SLSA: &str = "https://slsa.dev/provenance/v1";
const PREDICATE: &str = r#"{"buildDefinition": {"buildType": "https://acme.example/make"}}"#;

/// An authority with a key that attests all that cosign signs here.
fn authority(key: &str, members: &str) -> String {
    format!(
        r#"{{name: {key}, keys: [{{pkix: {key}.pub}}], attests: [simple-signing, "{SIGN}", "{SLSA}"]{members}}}"#
    )
}

fn attested_by(key: &str) -> String {
    format!("{{use: attested, parameters: {{authorities: [{key}]}}}}")
}

/// A desk that has the public halves of cosign's keys.
fn desk(cosign: &Cosign, keys: &[&str]) -> Desk {
    let desk = Desk::new();
    for key in keys {
        let file = format!("{key}.pub");
        fs::copy(cosign.path(&file), desk.path(&file)).unwrap();
    }
    desk
}

/// cosign, with a key of its own making and two that openssl made.
fn signers() -> Cosign {
    let cosign = Cosign::new();
    for name in ["ecdsa", "stranger"] {
        cosign.generate(name);
    }
    for (name, algorithm) in [
        ("rsa", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"][..]),
        ("ed25519", &["-algorithm", "ED25519"]),
    ] {
        let pem = run(Command::new("openssl").arg("genpkey").args(algorithm));
        cosign.import(name, &pem);
    }
    cosign
}

#[test]
#[ignore = "needs cosign, ociserve, docker-registry, skopeo and openssl"]
fn what_cosign_signs_counts_for_who_has_its_key() {
    let cosign = signers();
    let keys = ["ecdsa", "rsa"];
    let desk = desk(&cosign, &[&keys[..], &["stranger"]].concat());
    let (new, old) = (OciServe::start(), DockerRegistry::start());
    for host in [new.host(), old.host()] {
        for (key, carrier) in keys
            .iter()
            .flat_map(|key| [Carrier::Bundle, Carrier::Tags].map(|carrier| (*key, carrier)))
        {
            let case = format!("{key} {carrier:?}");
            let image = format!("{host}/acme/{key}-{carrier:?}").to_lowercase();
            let image = format!("{image}@{}", push_image(&format!("{image}:1"), &case));
            cosign.sign(key, carrier, &image);
            cosign.attest(key, carrier, "slsaprovenance1", PREDICATE, &image);
            cosign.verify(key, carrier, &image).unwrap();
            cosign.verify_attestation(key, carrier, "slsaprovenance1", &image).unwrap();

            let source = if carrier == Carrier::Bundle { "referrers" } else { "tags" };
            let signature = if carrier == Carrier::Bundle { SIGN } else { "simple-signing" };
            let both = [format!("{key} {source} {SLSA}"), format!("{key} {source} {signature}")];
            let sorted = |mut lines: Vec<String>| {
                lines.sort();
                lines
            };
            verdict::configure(
                &desk,
                &[host],
                &authority(key, ", identity: digest"),
                &attested_by(key),
            );
            let said = verdict::ask(&desk, &image);
            assert!(said.allowed, "{host} {case}: {said:#?}");
            assert_eq!(
                (said.counts, said.rejected),
                (sorted(both.to_vec()), vec![]),
                "{host} {case}"
            );

            // The bundle of `cosign sign` names no repository.
            verdict::configure(&desk, &[host], &authority(key, ""), &attested_by(key));
            let said = verdict::ask(&desk, &image);
            assert!(said.allowed, "{host} {case}, by repository: {said:#?}");
            let (counts, rejected) = if carrier == Carrier::Bundle {
                let nameless = format!("{source} dsse payload.other-repository");
                (both[..1].to_vec(), vec![nameless])
            } else {
                (sorted(both.to_vec()), vec![])
            };
            assert_eq!((said.counts, said.rejected), (counts, rejected), "{host} {case}");

            let stranger = "stranger";
            let members = ", identity: digest";
            verdict::configure(
                &desk,
                &[host],
                &authority(stranger, members),
                &attested_by(stranger),
            );
            let said = verdict::ask(&desk, &image);
            assert_eq!(said.codes, ["attested.missing"], "{host} {case}, a stranger's key");
            assert_eq!(said.counts, Vec::<String>::new(), "{host} {case}, a stranger's key");
            let unknown = said.rejected.iter().filter(|it| it.ends_with("signature.unknown-key"));
            assert_eq!(unknown.count(), 2, "{host} {case}: {said:#?}");
        }
    }
}

/// cosign 3.1.3 takes such a key, and does not accept itself what it then signs with it.
#[test]
#[ignore = "needs cosign, ociserve, skopeo and openssl"]
fn what_cosign_signs_with_ed25519_neither_cosign_nor_we_accept() {
    let cosign = signers();
    let desk = desk(&cosign, &["ed25519"]);
    let registry = OciServe::start();
    for carrier in [Carrier::Bundle, Carrier::Tags] {
        let repository = format!("{}/acme/{carrier:?}", registry.host()).to_lowercase();
        let image = format!("{repository}@{}", push_image(&format!("{repository}:1"), "ed25519"));
        cosign.sign("ed25519", carrier, &image);
        cosign.verify("ed25519", carrier, &image).unwrap_err();
        let authority = authority("ed25519", ", identity: digest");
        verdict::configure(&desk, &[registry.host()], &authority, &attested_by("ed25519"));
        let said = verdict::ask(&desk, &image);
        assert_eq!(said.codes, ["attested.missing"], "{carrier:?}: {said:#?}");
        let [rejected] = said.rejected.as_slice() else { panic!("{carrier:?}: {said:#?}") };
        assert!(rejected.ends_with("signature.unknown-key"), "{carrier:?}: {rejected}");
    }
}

#[tokio::test]
#[ignore = "needs cosign, ociserve, docker-registry and skopeo"]
async fn p2_what_cosign_signed_moved_to_another_image_counts_for_nothing() {
    let cosign = Cosign::new();
    cosign.generate("qa");
    let desk = desk(&cosign, &["qa"]);
    let (new, old) = (OciServe::start(), DockerRegistry::start());
    for host in [new.host(), old.host()] {
        let repository: Repository = format!("{host}/acme/shop").parse().unwrap();
        let [signed, other] =
            ["signed", "other"].map(|label| push_image(&format!("{repository}:{label}"), label));
        let at = |digest: &str| format!("{repository}@{digest}");
        for carrier in [Carrier::Bundle, Carrier::Tags] {
            cosign.sign("qa", carrier, &at(&signed));
            cosign.attest("qa", carrier, "slsaprovenance1", PREDICATE, &at(&signed));
        }
        move_all(host, &repository, &signed, &other).await;

        verdict::configure(
            &desk,
            &[host],
            &authority("qa", ", identity: digest"),
            &attested_by("qa"),
        );
        let said = verdict::ask(&desk, &at(&signed));
        assert!(said.allowed && said.counts.len() == 4, "{host}: {said:#?}");
        let said = verdict::ask(&desk, &at(&other));
        assert_eq!(said.codes, ["attested.missing"], "{host}: {said:#?}");
        let moved = said.rejected.iter().filter(|it| it.ends_with("payload.other-image"));
        assert_eq!((said.counts.len(), moved.count()), (0, 4), "{host}: {said:#?}");
    }
}

/// Hangs everything that is said of one image of a repository on another one as well.
async fn move_all(host: &str, repository: &Repository, from: &str, to: &str) {
    let hosts = vec![HostOptions::typed(host, false, None)];
    let registries = Registries::new(RegistriesOptions { allow: None, hosts }).unwrap();
    let soon = || Deadline::after(Duration::from_secs(10));
    let at = |digest: &str| Reference::Digest(digest.parse().unwrap());
    let image = registries.manifest(repository, at(to), soon()).await.unwrap();
    let listed = registries.referrers(repository, from.parse().unwrap(), soon()).await.unwrap();
    assert_eq!(listed.len(), 2, "{host}: {listed:?}");
    for entry in listed {
        let manifest = Reference::Digest(entry.digest);
        let manifest = registries.manifest(repository, manifest, soon()).await.unwrap();
        let mut moved: Value = serde_json::from_slice(&manifest.bytes).unwrap();
        moved["subject"]["digest"] = json!(to);
        moved["subject"]["size"] = json!(image.bytes.len());
        let bytes = moved.to_string().into();
        let kind = &manifest.media_type;
        registries.push_manifest(repository, kind, bytes, soon()).await.unwrap();
    }
    for suffix in ["sig", "att"] {
        let tag = |digest: &str| format!("{}.{suffix}", digest.replace(':', "-"));
        let signed = tag(from);
        let signed =
            registries.manifest(repository, Reference::Tag(&signed), soon()).await.unwrap();
        let (kind, bytes) = (&signed.media_type, signed.bytes.clone());
        registries.tag_manifest(repository, &tag(to), kind, bytes, soon()).await.unwrap();
    }
}

/// We write referrers of a type of our own, which cosign does not look for.
#[test]
#[ignore = "needs cosign, ociserve and skopeo"]
fn what_we_sign_with_a_key_of_cosigns_counts_here_and_is_not_seen_by_cosign() {
    let cosign = Cosign::new();
    cosign.generate("qa");
    let desk = desk(&cosign, &["qa"]);
    fs::copy(cosign.path("qa.key"), desk.path("qa.key")).unwrap();
    desk.write("predicate.json", PREDICATE);
    desk.write("passphrase", "");
    let registry = OciServe::start();
    let repository = format!("{}/acme/shop", registry.host());
    let image = format!("{repository}@{}", push_image(&format!("{repository}:1"), "ours"));
    let signed = desk.run(&[
        "sign",
        &image,
        "--key",
        "qa.key",
        "--passphrase",
        "passphrase",
        "--attach",
        "--predicate",
        "predicate.json",
        "--type",
        SLSA,
    ]);
    assert!(signed.status.success(), "{}", stderr(&signed));
    verdict::configure(&desk, &[registry.host()], &authority("qa", ""), &attested_by("qa"));
    let said = verdict::ask(&desk, &image);
    assert_eq!(said.counts, [format!("qa referrers {SLSA}")], "{said:#?}");
    assert!(said.allowed, "{said:#?}");

    for carrier in [Carrier::Bundle, Carrier::Tags] {
        let error = cosign.verify_attestation("qa", carrier, "slsaprovenance1", &image);
        let error = error.unwrap_err();
        assert!(error.contains("no matching attestations"), "{carrier:?}: {error}");
    }
}
