//! Evidence taken off: of a type, by a signer, all of it, and never what others add meanwhile.

use std::{collections::HashSet, sync::Arc};

use countersign::{
    name::{Digest, Fingerprint},
    source::{Fit, Graph, Item, Registries, Removed, detach},
};
use countersign_kit::{Fault, Key, On, Referrers, Registry, artifact, image};

use super::{PROVENANCE, SBOM, SIGNATURE, Shop, client, digest, envelope_by, from};

async fn remove(
    client: &Arc<Registries>,
    registry: &Registry,
    choose: impl Fn(&Item) -> bool,
) -> Removed {
    let graph = Graph::of(&from(client, registry, "shop:1.4"), true).await.unwrap();
    let chosen: Vec<Digest> =
        graph.evidence().filter(|item| choose(item)).map(|item| item.digest).collect();
    let chosen = graph.with_what_hangs_on(&chosen);
    let repository = format!("{}/shop", registry.host()).parse().unwrap();
    detach(client, &repository, &graph, &chosen).await
}

#[tokio::test]
async fn what_is_removed_takes_along_what_hangs_on_it() {
    for (name, referrers) in [("api", Referrers::All { filter: true }), ("tags", Referrers::Off)] {
        for (what, wanted, gone) in [
            ("a bill", Some(SBOM), vec!["sbom", "signed_sbom"]),
            ("signatures", Some(SIGNATURE), vec!["signature", "signed_sbom"]),
            ("cosign's", Some(super::SIMPLE), vec!["cosign"]),
            ("nothing", Some("a/b"), vec![]),
            ("all", None, vec!["sbom", "signed_sbom", "signature", "cosign"]),
        ] {
            let registry = Registry::options().referrers(referrers.clone()).start();
            let shop = Shop::new();
            shop.put(&registry, "shop");
            let client = client([&registry]);
            let removed = remove(&client, &registry, |item| {
                wanted.is_none_or(|wanted| item.fit(wanted) == Fit::Wholly)
            })
            .await;
            assert!(removed.error.is_none(), "{name}, {what}: {:?}", removed.error);
            for (key, content) in [
                ("sbom", &shop.sbom),
                ("signed_sbom", &shop.signed_sbom),
                ("signature", &shop.signature),
                ("cosign", &shop.cosign),
            ] {
                let there = registry.manifest("shop", &content.digest()).is_some();
                assert_eq!(there, !gone.contains(&key), "{name}, {what}: {key}");
                assert_eq!(removed.gone.contains(&digest(content)), gone.contains(&key));
            }
            for part in &shop.whole.children {
                assert!(registry.manifest("shop", &part.digest()).is_some(), "{name}, {what}");
            }
            assert!(registry.manifest("shop", "1.4").is_some());
            let graph = Graph::of(&from(&client, &registry, "shop:1.4"), true).await.unwrap();
            assert_eq!(graph.notes, [], "{name}, {what}: no list names what is gone");
        }
    }
}

#[tokio::test]
async fn a_signer_is_whom_signatures_name() {
    let registry = Registry::start();
    let (mine, other) = (Key::generate("Mine"), Key::generate("Other"));
    let shop = image("shop").build();
    registry.put_image("shop", "1.4", &shop);
    let simple = "application/vnd.countersign.simple-signing.v1+pgp";
    let message = |key: &Key| {
        artifact("application/vnd.countersign.attestation.v1")
            .subject(&shop)
            .layer(simple, key.sign_message(b"payload"))
            .build()
    };
    let both = artifact(SIGNATURE)
        .subject(&shop)
        .layer(simple, mine.sign_message(b"payload"))
        .layer(simple, other.sign_message(b"payload"))
        .build();
    let nobody = artifact(SBOM).subject(&shop).layer("text/spdx", "everything").build();
    let cases = [
        ("a message", message(&mine), Fit::Wholly),
        ("an envelope", envelope_by(&mine, &shop, PROVENANCE), Fit::Wholly),
        ("a message of another", message(&other), Fit::None),
        ("an envelope of another", envelope_by(&other, &shop, PROVENANCE), Fit::None),
        ("of both", both, Fit::Partly),
        ("of nobody", nobody, Fit::None),
    ];
    for (_, content, _) in &cases {
        registry.attach("shop", content);
    }
    let client = client([&registry]);
    let graph = Graph::of(&from(&client, &registry, "shop:1.4"), true).await.unwrap();
    let repository = format!("{}/shop", registry.host()).parse().unwrap();
    let signer: Fingerprint = mine.fingerprint().parse().unwrap();
    for (name, content, want) in &cases {
        let item = graph.get(digest(content)).unwrap();
        let fit = item.fit_signer(&client, &repository, &signer).await.unwrap();
        assert_eq!(fit, *want, "{name}");
    }
}

#[tokio::test]
async fn what_others_list_meanwhile_stays() {
    let registry = Registry::options().referrers(Referrers::Off).start();
    let shop = image("shop").build();
    registry.put_image("shop", "1.4", &shop);
    let signed =
        |text: &str| artifact(SIGNATURE).subject(&shop).layer("a/b", text.to_owned()).build();
    for text in ["one", "two", "three"] {
        registry.attach("shop", &signed(text));
    }
    let bill = artifact(SBOM).subject(&shop).layer("a/b", "bill").build();
    registry.attach("shop", &bill);
    let late = signed("late");
    for blob in &late.blobs {
        registry.put_blob("shop", blob.clone());
    }
    let (remover, writer) = (client([&registry]), client([&registry]));
    let repository = format!("{}/shop", registry.host()).parse().unwrap();
    let (removed, pushed) = tokio::join!(
        remove(&remover, &registry, |item| item.fit(SBOM) == Fit::Wholly),
        writer.push_manifest(&repository, &late.media_type, late.manifest.clone(), super::soon()),
    );
    assert!(removed.error.is_none() && pushed.is_ok(), "{removed:?} {pushed:?}");
    let listed = writer.referrers(&repository, digest(&shop), super::soon()).await.unwrap();
    let listed: HashSet<Digest> = listed.iter().map(|one| one.digest).collect();
    let want: HashSet<Digest> =
        ["one", "two", "three", "late"].map(|text| digest(&signed(text))).into();
    assert_eq!(listed, want);
}

#[tokio::test]
async fn a_registry_that_deletes_nothing_says_so() {
    for status in [400, 405, 501] {
        let registry = Registry::options().referrers(Referrers::Off).start();
        let shop = Shop::new();
        shop.put(&registry, "shop");
        registry.fault(On::all().method("DELETE"), Fault::status(status));
        let client = client([&registry]);
        let tag = digest(&shop.whole).fallback_tag();
        let before = registry.manifest("shop", &tag);
        let removed = remove(&client, &registry, |_| true).await;
        let error = removed.error.unwrap().to_string();
        assert!(error.contains("deletes no manifests; ask whoever runs it"), "{status}: {error}");
        assert_eq!(removed.gone, [], "{status}");
        assert_eq!(registry.manifest("shop", &tag), before, "{status}: lists stay as they are");
    }
}
