//! P4: a signature over an image ID counts once the gate has compared the layers with it.

use std::{io::Write as _, sync::Arc, time::Duration};

use bytes::Bytes;
use countersign::admission::Phase;
use countersign_kit::{Content, Fault, Key, Kind, On, image, index, review, sha256, tar};
use flate2::{Compression, write::GzEncoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use tokio::task::JoinSet;

use crate::scene::{ATTESTED, Said, Scene};

pub const GATE: &str = ", attests: [image-id], identity: digest, layersCheckedBy: gate";

pub const PLAIN: &str = "application/vnd.oci.image.layer.v1.tar";
pub const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub const ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";

pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub fn zstd(content: &[u8]) -> Vec<u8> {
    compress_to_vec(content, CompressionLevel::Fastest)
}

/// An image of these layers whose configuration names the archives that they should unpack to.
pub fn layered(layers: &[(&str, Vec<u8>)], archives: &[&[u8]]) -> Content {
    let layers =
        layers.iter().map(|(kind, bytes)| ((*kind).to_owned(), Bytes::from(bytes.clone())));
    let diff_ids = archives.iter().map(|archive| sha256(archive)).collect();
    image("shop").layers(layers.collect()).diff_ids(diff_ids).build()
}

/// A scene whose builder signed the image ID of `shop`, and how to name it.
pub fn signed(scene: &Scene, shop: &Content) -> String {
    scene.registry.put_image("acme/shop", "1.4", shop);
    scene.attest_id_by(&scene.builder, &shop.image_id());
    scene.image(&format!("acme/shop@{}", shop.digest()))
}

/// What the gate says once asking again would not help.
pub async fn settled(scene: &Scene, pinned: &str) -> Said {
    for _ in 0..60 {
        let said = scene.ask(Phase::Validate, &[pinned]).await;
        if said.code() != 503 {
            return said;
        }
    }
    panic!("the layers of {pinned} are never read");
}

#[tokio::test(flavor = "multi_thread")]
async fn p4_layers_that_the_signed_configuration_names_count() {
    let (base, app) = (tar("base", &vec![7; 300_000]), tar("app", b"app"));
    let (head, tail) = base.split_at(100_000);
    let skipped = [&0x184D_2A50_u32.to_le_bytes()[..], &3_u32.to_le_bytes(), b"toc"].concat();
    let docker = "application/vnd.docker.image.rootfs.diff.tar";
    for (name, layers, read) in [
        ("plain", vec![(PLAIN, base.clone()), (PLAIN, app.clone())], 0),
        ("gzip", vec![(GZIP, gzip(&base)), (GZIP, gzip(&app))], 2),
        ("zstd", vec![(ZSTD, zstd(&base)), (ZSTD, zstd(&app))], 2),
        ("mixed", vec![(ZSTD, zstd(&base)), (PLAIN, app.clone())], 1),
        ("members", vec![(GZIP, [gzip(head), gzip(tail)].concat()), (GZIP, gzip(&app))], 2),
        (
            "frames",
            vec![
                (ZSTD, [zstd(head), skipped.clone(), zstd(tail), skipped].concat()),
                (PLAIN, app.clone()),
            ],
            1,
        ),
        (
            "Docker's",
            vec![
                (&*format!("{docker}.gzip"), gzip(&base)),
                (&*format!("{docker}.zstd"), zstd(&app)),
            ],
            2,
        ),
    ] {
        let scene = Scene::with_builder(GATE, ATTESTED);
        let shop = layered(&layers, &[&base, &app]);
        let pinned = signed(&scene, &shop);
        let said = settled(&scene, &pinned).await;
        assert!(said.allowed, "{name}: {}", said.message);
        assert_eq!(scene.registry.count(Kind::Blob), 1 + read, "{name}: the config and its layers");
        scene.registry.forget();
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert!(said.allowed, "{name}: {}", said.message);
        assert_eq!(scene.registry.total(), 0, "{name}: all is known");
        let input = scene.input(&pinned).await;
        let attestation = &input["images"][0]["attestations"][0];
        assert_eq!(attestation["subject"]["level"], "config", "{name}: {input}");
        assert_eq!(attestation["subject"]["digest"], *shop.image_id(), "{name}: {input}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p4_an_index_has_the_layers_of_each_platform_compared() {
    let scene = Scene::with_builder(GATE, ATTESTED);
    let packed = |name: &str, platform: &str| {
        let archive = tar(name, b"content");
        let layers = vec![(GZIP.to_owned(), Bytes::from(gzip(&archive)))];
        image(name).platform(platform).layers(layers).diff_ids(vec![sha256(&archive)]).build()
    };
    let platforms = [packed("a", "linux/amd64"), packed("b", "linux/arm64")];
    for platform in &platforms {
        scene.attest_id_by(&scene.builder, &platform.image_id());
    }
    let both = index(&platforms).build();
    scene.registry.put_image("acme/shop", "1.4", &both);
    let said = settled(&scene, &scene.image(&format!("acme/shop@{}", both.digest()))).await;
    assert!(said.allowed, "{}", said.message);
    assert_eq!(scene.registry.count(Kind::Blob), 4, "two configs and two layers");
}

#[tokio::test(flavor = "multi_thread")]
async fn p8_nobody_makes_the_gate_read_layers_for_nothing() {
    let archive = tar("app", b"app");
    let shop = layered(&[(GZIP, gzip(&archive))], &[&archive]);
    let stranger = Key::generate("Stranger <s@evil.example>");
    let both = GATE.replace("[image-id]", "[image-id, simple-signing]");
    let of_index = ATTESTED.replace("match: {}", "match: {}, platforms: index");
    let unused = "  - {name: any, match: {}, mode: enforce, rules: [{use: registries, parameters: {allow: [\"**\"]}}]}";
    let runtime = GATE.replace("gate", "runtime");
    let missing = "attested.missing";
    for (name, members, policy, by, other, more, codes) in [
        ("a stranger's signature", GATE, ATTESTED, Some(&stranger), false, false, missing),
        ("no signature", GATE, ATTESTED, None, false, false, missing),
        ("one over another image", GATE, ATTESTED, None, true, false, missing),
        ("the manifest is signed too", &*both, ATTESTED, None, false, true, ""),
        ("no policy uses the authority", GATE, unused, None, false, true, ""),
        ("the runtime compares", &*runtime, ATTESTED, None, false, true, ""),
        ("only an index counts", GATE, &*of_index, None, false, true, missing),
    ] {
        let scene = Scene::with_builder(members, policy);
        let pinned = if name.contains("index") {
            let index = index(std::slice::from_ref(&shop)).build();
            scene.registry.put_image("acme/shop", "1.4", &index);
            scene.image(&format!("acme/shop@{}", index.digest()))
        } else {
            scene.registry.put_image("acme/shop", "1.4", &shop);
            scene.image(&format!("acme/shop@{}", shop.digest()))
        };
        if let Some(key) = by {
            scene.attest_id_by(key, &shop.image_id());
        }
        if other {
            scene.attest_id_by(&scene.builder, &sha256(b"another image"));
        }
        if more {
            scene.attest_id_by(&scene.builder, &shop.image_id());
            scene.attest(&shop);
        }
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert_eq!(said.audit("codes"), codes, "{name}: {}", said.message);
        assert_eq!(scene.registry.count(Kind::Blob), 0, "{name}: {:#?}", scene.registry.requests());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_pods_read_each_layer_once() {
    let archive = tar("app", b"app");
    let shop = layered(&[(GZIP, gzip(&archive)), (ZSTD, zstd(&archive))], &[&archive, &archive]);
    let scene = Arc::new(Scene::with_builder(GATE, ATTESTED));
    let pinned = signed(&scene, &shop);
    scene.registry.latency(Duration::from_millis(50));
    for _ in 0..10 {
        let mut asking = JoinSet::new();
        for _ in 0..100 {
            let (scene, pinned) = (Arc::clone(&scene), pinned.clone());
            asking.spawn(async move { settled(&scene, &pinned).await });
        }
        for said in asking.join_all().await {
            assert!(said.allowed, "{}", said.message);
        }
    }
    assert_eq!(scene.registry.count(Kind::Blob), 3, "the config and two layers");

    // The same layer in another repository is read already; its manifest and config are not.
    let other = layered(&[(GZIP, gzip(&archive))], &[&archive]);
    scene.registry.heal();
    scene.registry.put_image("acme/other", "1", &other);
    scene.attest_id_in("acme/other", &scene.builder, &other.image_id());
    scene.registry.forget();
    let elsewhere = scene.image(&format!("acme/other@{}", other.digest()));
    let said = settled(&scene, &elsewhere).await;
    assert!(said.allowed, "{}", said.message);
    let blobs: Vec<_> =
        scene.registry.requests().into_iter().filter(|one| one.kind == Kind::Blob).collect();
    assert_eq!(blobs.len(), 1, "{blobs:#?}");
    assert!(blobs[0].path.contains(&other.image_id()), "{blobs:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_does_not_wait_longer_than_it_may_and_the_next_finds_the_work_done() {
    let archive = tar("app", b"app");
    let shop = layered(&[(GZIP, gzip(&archive))], &[&archive]);
    let scene = Scene::with_builder(GATE, ATTESTED);
    let pinned = signed(&scene, &shop);
    let layer = sha256(&shop.blobs[1]);
    // Everything else is known before.
    scene.registry.fault(On::path(&layer), Fault::status(403));
    let said = scene.ask(Phase::Validate, &[&pinned]).await;
    assert_eq!(said.audit("codes"), "registry.unauthorized", "{}", said.message);
    scene.registry.heal();
    scene.registry.forget();
    scene.registry.fault(On::path(&layer), Fault::Delay(Duration::from_secs(3)));
    let review = review(&[&pinned]).build();
    let time = Duration::from_secs(1);
    let said = scene.review_within(time, Phase::Validate, &review).await;
    assert_eq!((said.audit("codes"), said.code()), ("review.deadline", 503), "{}", said.message);
    assert!(said.message.contains("are still being compared"), "{}", said.message);
    let said = settled(&scene, &pinned).await;
    assert!(said.allowed, "{}", said.message);
    let layers = scene.registry.requests().into_iter().filter(|one| one.path.contains(&layer));
    assert_eq!(layers.count(), 1, "who gave up left the work going on");
}
