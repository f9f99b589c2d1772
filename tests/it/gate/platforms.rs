//! Indexes: one entry for each platform that can run.

use countersign::admission::Phase;
use countersign_kit::{image, index};

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
