//! P4, P5, P8: layers that are not the signed ones, or cannot be shown to be.

use bytes::Bytes;
use countersign::admission::Phase;
use countersign_kit::{Content, Fault, On, image, sha256, tar};
use serde_json::{Value, json};

use super::layers::{GATE, GZIP, PLAIN, ZSTD, gzip, layered, settled, signed, zstd};
use crate::scene::{ATTESTED, Scene};

/// The image with its manifest changed, and so signed only by its configuration.
fn changed(shop: &Content, change: impl FnOnce(&mut Value)) -> Content {
    let mut manifest = shop.json();
    change(&mut manifest);
    Content { manifest: Bytes::from(manifest.to_string()), ..shop.clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn p4_other_layers_under_a_signed_configuration_are_rejected() {
    let (base, app, evil) = (tar("base", &[7; 9000]), tar("app", b"app"), tar("app", b"evil"));
    let two = |first: &[u8], second: &[u8]| {
        layered(&[(GZIP, first.to_vec()), (GZIP, second.to_vec())], &[&base, &app])
    };
    let (packed, mut flipped) = (gzip(&app), gzip(&app));
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let kind = |kind: &'static str| {
        changed(&two(&gzip(&base), &packed), |manifest| {
            manifest["layers"][1]["mediaType"] = kind.into()
        })
    };
    let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    for (name, shop, want) in [
        ("another archive", two(&gzip(&base), &gzip(&evil)), "layer 2 of it"),
        ("another plain archive", layered(&[(PLAIN, evil.clone())], &[&app]), "unpacks to"),
        ("another in zstd", layered(&[(ZSTD, zstd(&evil))], &[&app]), "unpacks to"),
        ("the other way round", two(&packed, &gzip(&base)), "layer 1 of it"),
        ("a bit", two(&gzip(&base), &flipped), "cannot be unpacked"),
        ("cut", two(&gzip(&base), &packed[..packed.len() - 1]), "cannot be unpacked"),
        ("garbage after", two(&gzip(&base), &[&packed[..], b"PK"].concat()), "cannot be unpacked"),
        (
            "one archive more",
            two(&gzip(&base), &[packed.clone(), gzip(&evil)].concat()),
            "unpacks to",
        ),
        (
            "one layer more",
            layered(
                &[(GZIP, gzip(&base)), (GZIP, packed.clone()), (GZIP, gzip(&evil))],
                &[&base, &app],
            ),
            "it has 3 layers, and its configuration names 2",
        ),
        ("one layer less", layered(&[(GZIP, gzip(&base))], &[&base, &app]), "it has 1 layers"),
        ("none", layered(&[], &[&base]), "it has 0 layers"),
        ("said to be zstd", kind(ZSTD), "cannot be unpacked"),
        ("said to be plain", kind(PLAIN), "unpacks to"),
        ("foreign", kind(foreign), "which is not unpacked here"),
        (
            "of another kind",
            kind("application/octet-stream"),
            "is of type application/octet-stream",
        ),
    ] {
        let scene = Scene::with_builder(GATE, ATTESTED);
        let pinned = signed(&scene, &shop);
        let said = settled(&scene, &pinned).await;
        assert_eq!(said.audit("codes"), "attested.missing", "{name}: {}", said.message);
        assert!(said.message.contains("payload.layers-unbound"), "{name}: {}", said.message);
        let input = scene.input(&pinned).await;
        let rejected = &input["images"][0]["rejected"][0];
        assert_eq!(rejected["code"], "payload.layers-unbound", "{name}: {input}");
        assert!(rejected["detail"].as_str().unwrap().contains(want), "{name}: {input}");
        scene.registry.forget();
        assert!(!scene.ask(Phase::Validate, &[&pinned]).await.allowed, "{name}");
        assert_eq!(scene.registry.total(), 0, "{name}: what it is will not change");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p5_layers_that_cannot_be_read_are_a_failure_and_never_kept() {
    let app = tar("app", &vec![7; 90_000]);
    let good = || layered(&[(GZIP, gzip(&app))], &[&app]);
    let flipped = |_: &_, mut answer: countersign_kit::Answer| {
        let mut body = answer.body.to_vec();
        let middle = body.len() / 2;
        body[middle] ^= 1;
        answer.body = body.into();
        answer
    };
    let size = |size: u64| changed(&good(), |manifest| manifest["layers"][0]["size"] = json!(size));
    let length = gzip(&app).len() as u64;
    for (name, shop, fault, code, status, want) in [
        (
            "a bit on the way",
            good(),
            Some(Fault::rewrite(flipped)),
            "registry.invalid",
            403,
            "do not hash to it",
        ),
        ("cut on the way", good(), Some(Fault::Truncate(20)), "registry.unreachable", 503, ""),
        ("without end", good(), Some(Fault::Endless), "evidence.too-much", 403, "bytes of a blob"),
        ("gone", good(), Some(Fault::status(404)), "registry.invalid", 403, "has no blob"),
        ("not for us", good(), Some(Fault::status(401)), "registry.unauthorized", 403, ""),
        ("registry down", good(), Some(Fault::status(500)), "registry.unreachable", 503, ""),
        ("said to be shorter", size(length - 1), None, "evidence.too-much", 403, "bytes of a blob"),
        (
            "said to be longer",
            size(length + 1),
            None,
            "registry.invalid",
            403,
            "where its descriptor says",
        ),
        (
            "said to be huge",
            size((4 << 30) + 1),
            None,
            "evidence.too-much",
            403,
            "4294967296 bytes of a layer",
        ),
    ] {
        let scene = Scene::with_builder(GATE, ATTESTED);
        let pinned = signed(&scene, &shop);
        let heals = fault.is_some();
        if let Some(fault) = fault {
            scene.registry.fault(On::path(&sha256(&shop.blobs[1])), fault);
        }
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert_eq!(said.audit("codes"), code, "{name}: {}", said.message);
        assert_eq!(said.code(), status, "{name}: {}", said.message);
        assert!(said.message.contains(want), "{name}: {}", said.message);
        let input = scene.input(&pinned).await;
        let lookup = &input["images"][0]["lookups"]["grafeas"];
        assert!(lookup.as_str().unwrap().starts_with("failed:"), "{name}: {input}");
        scene.registry.heal();
        // A host that just failed is left alone for a second.
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        let said = settled(&scene, &pinned).await;
        assert_eq!(said.allowed, heals, "{name}: {}", said.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p8_a_bomb_is_put_out_and_remembered() {
    // A frame of zstd whose blocks are each one byte, 131,072 times: more than a gibibyte.
    let block = |last: u32| (131_072 << 3 | 1 << 1 | last).to_le_bytes()[..3].to_vec();
    let mut bomb = [&0xFD2F_B528_u32.to_le_bytes()[..], &[0, (20 - 10) << 3]].concat();
    for number in 0..=8192 {
        bomb.extend([block(u32::from(number == 8192)), vec![0]].concat());
    }
    // A frame that wants a window of 64 MiB.
    let mut wide = zstd(b"");
    wide.splice(4..6, [0, (26 - 10) << 3]);
    for (name, layer, want) in [
        ("bomb", bomb, "1073741824 bytes of a layer, unpacked"),
        ("window", wide, "33554432 bytes of a window of zstd in a layer"),
    ] {
        let scene = Scene::with_builder(GATE, ATTESTED);
        let layers = vec![(ZSTD.to_owned(), Bytes::from(layer))];
        let shop = image("shop").layers(layers).diff_ids(vec![sha256(b"")]).build();
        let pinned = signed(&scene, &shop);
        let said = settled(&scene, &pinned).await;
        assert_eq!(said.audit("codes"), "evidence.too-much", "{name}: {}", said.message);
        assert!(said.message.contains(want), "{name}: {}", said.message);
        scene.registry.forget();
        let said = settled(&scene, &pinned).await;
        assert_eq!(said.audit("codes"), "evidence.too-much", "{name}: {}", said.message);
        let layer = sha256(&shop.blobs[1]);
        let again = scene.registry.requests().into_iter().any(|one| one.path.contains(&layer));
        assert!(!again, "{name}: it is what it is");
    }
}
