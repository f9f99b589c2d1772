//! What a review costs: requests, and how many of them one after the other.

use std::{sync::Arc, time::Duration};

use countersign::admission::Phase;
use countersign_kit::{
    Auth, Content, Kind, Request, Users, artifact, image, index, review, round_trips,
    simple_signing,
};
use tokio::task::JoinSet;

use crate::scene::{ATTESTED, Scene};

/// Long enough for what is asked side by side to be seen as such on a machine that is busy.
const LATENCY: Duration = Duration::from_millis(400);

fn slow(scene: &Scene) {
    scene.registry.latency(LATENCY);
    scene.grafeas.latency(LATENCY);
}

fn requests(scene: &Scene) -> Vec<Request> {
    [scene.registry.requests(), scene.grafeas.requests()].concat()
}

fn attached(scene: &Scene, name: &str) -> Content {
    let content = image(name).build();
    scene.registry.put_image("acme/shop", name, &content);
    scene.attach_by(&scene.builder, &content);
    content
}

#[tokio::test(flavor = "multi_thread")]
async fn cold_images_take_few_trips() {
    for (name, phase, images, want, fetched) in [
        // The image's manifest, its referrers, the store's note and its records; the referrer's
        // manifest.
        ("by digest", Phase::Validate, 1, 2, 5),
        ("eight by digest", Phase::Validate, 8, 2, 8 * 5),
        ("by tag", Phase::Mutate, 1, 3, 5),
        ("eight by tag", Phase::Mutate, 8, 3, 8 * 5),
    ] {
        let scene = Scene::new();
        let given: Vec<String> = (0..images)
            .map(|number| {
                let content = attached(&scene, &format!("v{number}"));
                match phase {
                    Phase::Validate => scene.image(&format!("acme/shop@{}", content.digest())),
                    Phase::Mutate => scene.image(&format!("acme/shop:v{number}")),
                }
            })
            .collect();
        slow(&scene);
        let said = scene.ask(phase, &given.iter().map(String::as_str).collect::<Vec<_>>()).await;
        assert!(said.allowed, "{name}: {}", said.message);
        let requests = requests(&scene);
        assert_eq!(round_trips(&requests), want, "{name}: {requests:#?}");
        assert_eq!(requests.len(), fetched, "{name}: {requests:#?}");
        assert_eq!(scene.registry.count(Kind::Blob), 0, "{name}: descriptors carry the layers");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_that_no_descriptor_carries_takes_one_trip_more() {
    let scene = Scene::new();
    let shop = image("shop").build();
    scene.registry.put_image("acme/shop", "1.4", &shop);
    let payload = simple_signing(&scene.image("acme/shop"), &shop.digest());
    let layer = "application/vnd.countersign.simple-signing.v1+pgp";
    let attestation = artifact("application/vnd.countersign.attestation.v1")
        .subject(&shop)
        .layer(layer, scene.builder.sign_message(&payload));
    scene.registry.attach("acme/shop", &attestation.build());
    slow(&scene);
    let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
    let said = scene.ask(Phase::Validate, &[&pinned]).await;
    assert!(said.allowed, "{}", said.message);
    assert_eq!(round_trips(&requests(&scene)), 3, "{:#?}", requests(&scene));
    assert_eq!(scene.registry.count(Kind::Blob), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_takes_one_trip_more() {
    let scene = Scene::with("", &ATTESTED.replace("match: {}", "match: {}, platforms: every"));
    let platforms = [image("a").build(), image("b").platform("linux/arm64").build()];
    let both = index(&platforms).build();
    scene.registry.put_image("acme/shop", "1.4", &both);
    for platform in &platforms {
        scene.attach_by(&scene.builder, platform);
    }
    slow(&scene);
    let pinned = scene.image(&format!("acme/shop@{}", both.digest()));
    let said = scene.ask(Phase::Validate, &[&pinned]).await;
    assert!(said.allowed, "{}", said.message);
    assert_eq!(round_trips(&requests(&scene)), 3, "{:#?}", requests(&scene));
    // Index and platforms, and what the platforms' referrers are.
    assert_eq!(scene.registry.count(Kind::Manifest), 3 + 2);
    assert_eq!(scene.registry.count(Kind::Referrers), 3);
    assert_eq!(scene.registry.count(Kind::Blob), 0, "no rule reads a config");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_takes_one_trip_more_and_is_fetched_once() {
    let users = Users::default();
    users.allow_anonymous_pull(true);
    let scene = Scene::new();
    scene.registry.set_auth(Auth::Bearer(users));
    let (other, shop) = (image("other").build(), attached(&scene, "1.4"));
    scene.registry.put_image("acme/other", "1", &other);
    // How a registry wants to be asked is learned once.
    let elsewhere = scene.image(&format!("acme/other@{}", other.digest()));
    scene.ask(Phase::Validate, &[&elsewhere]).await;
    scene.registry.forget();
    scene.grafeas.forget();
    slow(&scene);
    let pinned = scene.image(&format!("acme/shop@{}", shop.digest()));
    let said = scene.ask(Phase::Validate, &[&pinned]).await;
    assert!(said.allowed, "{}", said.message);
    assert_eq!(round_trips(&requests(&scene)), 3, "{:#?}", requests(&scene));
    assert_eq!(scene.registry.count(Kind::Token), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_pods_of_one_new_image_fetch_each_thing_once() {
    // By tag, those share who come while it is being resolved.
    for (name, phase, pods, latency) in
        [("by digest", Phase::Validate, 1000, 50), ("by tag", Phase::Mutate, 50, 500)]
    {
        // Time enough for a machine that is busy: it is requests that are counted.
        let patient = Duration::from_secs(60);
        let scene = Arc::new(Scene::with("deadline: 30s", ATTESTED));
        let shop = attached(&scene, "1.4");
        scene.registry.latency(Duration::from_millis(latency));
        let given = match phase {
            Phase::Validate => scene.image(&format!("acme/shop@{}", shop.digest())),
            Phase::Mutate => scene.image("acme/shop:1.4"),
        };
        let mut asking = JoinSet::new();
        for _ in 0..pods {
            let scene = Arc::clone(&scene);
            let review = review(&[&given]).build();
            asking.spawn(async move { scene.review_within(patient, phase, &review).await.allowed });
        }
        assert!(asking.join_all().await.into_iter().all(|allowed| allowed), "{name}");
        let counts = [Kind::Manifest, Kind::Referrers].map(|kind| scene.registry.count(kind));
        assert_eq!(counts, [2, 1], "{name}: the image's manifest and the referrer's");
        assert_eq!(scene.grafeas.total(), 2, "{name}: the note and the records");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p1_a_moved_tag_is_seen_by_the_next_review() {
    let scene = Scene::new();
    let (before, after) = (attached(&scene, "before"), attached(&scene, "after"));
    let by_tag = scene.image("acme/shop:1.4");
    for content in [&before, &after, &before] {
        scene.registry.tag("acme/shop", "1.4", &[&content.digest()]);
        let images = [by_tag.as_str()];
        let (first, second) =
            tokio::join!(scene.ask(Phase::Mutate, &images), scene.ask(Phase::Mutate, &images));
        let pinned = [format!("{by_tag}@{}", content.digest())];
        assert_eq!((first.pins(), second.pins()), (pinned.to_vec(), pinned.to_vec()));
    }
}
