//! Indexes: one entry for each platform that can run.

use countersign::admission::Phase;
use countersign_kit::{Content, image, index};

use crate::scene::{ATTESTED, Scene};

#[tokio::test(flavor = "multi_thread")]
async fn an_index_counts_by_itself_or_by_every_platform() {
    let every = ATTESTED.replace("match: {}", "match: {}, platforms: every");
    let only_index = ATTESTED.replace("match: {}", "match: {}, platforms: index");
    for (name, policies, sign_index, sign, want) in [
        ("the index is signed", ATTESTED, true, [false, false], ""),
        ("both platforms are", ATTESTED, false, [true, true], ""),
        ("one platform is", ATTESTED, false, [true, false], "attested.missing"),
        ("the index, where platforms count", &every, true, [false, false], "attested.missing"),
        ("both, where platforms count", &every, false, [true, true], ""),
        ("both, where the index counts", &only_index, false, [true, true], "attested.missing"),
        ("the index, where it counts", &only_index, true, [false, false], ""),
    ] {
        let scene = Scene::with("", policies);
        let platforms = [image("a").build(), image("b").platform("linux/arm64").build()];
        let both = index(&platforms).build();
        scene.registry.put_image("acme/shop", "1.4", &both);
        if sign_index {
            scene.attest(&both);
        }
        for (platform, signed) in platforms.iter().zip(sign) {
            if signed {
                scene.attest(platform);
            }
        }
        let pinned = scene.image(&format!("acme/shop@{}", both.digest()));
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert_eq!(said.audit("codes"), want, "{name}: {}", said.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_run_here_is_not_judged() {
    let scene = Scene::with("clusterPlatforms: [linux/amd64]", ATTESTED);
    let (amd, arm) = (image("a").build(), image("b").platform("linux/arm64").build());
    let both = index([&amd, &arm]).build();
    scene.registry.put_image("acme/shop", "1.4", &both);
    scene.attest(&amd);
    let pinned = scene.image(&format!("acme/shop@{}", both.digest()));
    assert!(scene.ask(Phase::Validate, &[&pinned]).await.allowed);

    let only_arm = index([&arm]).build();
    scene.registry.put_image("acme/shop", "2", &only_arm);
    let pinned = scene.image(&format!("acme/shop@{}", only_arm.digest()));
    let said = scene.ask(Phase::Validate, &[&pinned]).await;
    assert_eq!(said.audit("codes"), "image.unsupported", "{}", said.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn p4_an_entry_that_a_runtime_takes_for_this_platform_is_judged() {
    for platform in [
        "linux/x86_64",
        "linux/x86-64",
        "Linux/AMD64",
        "/amd64",
        "linux/i386",
        "linux/amd64/v1",
        "linux/something",
    ] {
        let scene = Scene::with("clusterPlatforms: [linux/amd64]", ATTESTED);
        let (signed, evil) = (image("a").build(), image("evil").platform(platform).build());
        let both = index([&evil, &signed]).build();
        scene.registry.put_image("acme/shop", "1.4", &both);
        scene.attest(&signed);
        let pinned = scene.image(&format!("acme/shop@{}", both.digest()));
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert_eq!(said.audit("codes"), "attested.missing", "{platform}: {}", said.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p4_a_manifest_that_its_index_calls_an_index_is_not_passed_over() {
    const OCI: &str = "application/vnd.oci.image.index.v1+json";
    const DOCKER: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    let (signed, evil) = (image("a").build(), image("evil").build());
    let called =
        |kind: &str, content: &Content| Content { media_type: kind.to_owned(), ..content.clone() };
    let inner = index([&signed]).build();
    for (name, listed, want) in [
        ("an image", called(OCI, &evil), "image.unsupported"),
        ("an image, by Docker's name", called(DOCKER, &evil), "image.unsupported"),
        ("the signed image", called(OCI, &signed), "image.unsupported"),
        ("an index", inner.clone(), ""),
        ("an index, called an image", called(&signed.media_type, &inner), "image.unsupported"),
    ] {
        let scene = Scene::new();
        let mut listed = listed;
        listed.platform = Some(serde_json::json!({"os": "linux", "architecture": "amd64"}));
        let both = index([&listed, &signed]).build();
        scene.registry.put_image("acme/shop", "1.4", &both);
        // The registry serves what is listed as what it is.
        for honest in [&signed, &evil, &inner] {
            scene.registry.put("acme/shop", honest);
        }
        scene.attest(&signed);
        let pinned = scene.image(&format!("acme/shop@{}", both.digest()));
        let said = scene.ask(Phase::Validate, &[&pinned]).await;
        assert_eq!(said.audit("codes"), want, "{name}: {}", said.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p8_nothing_hides_in_an_index_within_an_index() {
    let (signed, evil) = (image("a").build(), image("evil").build());
    let mut hiding = index([]);
    for at in 0..512 {
        hiding = hiding.attested(&signed, &[serde_json::json!({"at": at})]);
    }
    let scene = Scene::new();
    let outer = index([&signed]).and(&hiding.and(&evil).build()).build();
    scene.registry.put_image("acme/shop", "1.4", &outer);
    scene.attest(&signed);
    let pinned = scene.image(&format!("acme/shop@{}", outer.digest()));
    let said = scene.ask(Phase::Validate, &[&pinned]).await;
    assert_eq!(said.audit("codes"), "evidence.too-much", "{}", said.message);
    assert!(said.message.contains("more than 512 entries"), "{}", said.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn p8_what_an_index_lists_again_is_judged_once() {
    let (amd, arm) = (image("a").build(), image("b").platform("linux/arm64").build());
    let inner = index([&amd, &arm]).build();
    let twice = index([&amd, &arm, &amd]).and(&inner).build();
    let scene = Scene::new();
    scene.registry.put_image("acme/shop", "1.4", &twice);
    scene.attest(&twice);
    let pinned = scene.image(&format!("acme/shop@{}", twice.digest()));
    let input = scene.input(&pinned).await;
    assert_eq!(input["images"].as_array().unwrap().len(), 2, "{}", input["images"]);
}
