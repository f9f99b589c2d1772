//! Registries that lie, and evidence that leads in circles.

use countersign::{
    attest::oci::Descriptor,
    source::{Graph, Note},
};
use countersign_kit::{
    Answer, Auth, Content, Fault, Kind, On, Referrers, Registry, Users, artifact, image, sha256,
};
use serde_json::json;

use super::{SBOM, Shop, carry, client, digest, from, to};

#[tokio::test]
async fn p8_a_blob_that_is_another_never_arrives() {
    let shop = image("shop").build();
    let layer = shop.blobs[1].clone();
    let mut other = layer.to_vec();
    other[0] ^= 1;
    for (name, fault, want) in [
        ("other bytes", Fault::bytes(other), "do not hash to it"),
        ("fewer", Fault::bytes(layer.slice(..layer.len() - 1)), "where its descriptor says"),
        ("more", Fault::bytes([&layer[..], b"x"].concat()), "which is the limit"),
        ("not there", Fault::status(404), "has no blob"),
        ("a page", Fault::html(418), "HTTP 418"),
    ] {
        let (a, b) = (Registry::start(), Registry::start());
        a.put_image("shop", "1.4", &shop);
        a.fault(On::kind(Kind::Blob).containing(&sha256(&layer)), fault);
        let client = client([&a, &b]);
        let outcome = carry(&from(&client, &a, "shop:1.4"), &to(&client, &b, "shop", "1.4")).await;
        let mut error: &dyn std::error::Error = &outcome.unwrap_err();
        let mut text = error.to_string();
        while let Some(cause) = error.source() {
            text = format!("{text}; {cause}");
            error = cause;
        }
        assert!(text.contains(want) && text.contains(&a.host()), "{name}: {text}");
        assert!(b.blob("shop", &sha256(&layer)).is_none(), "{name}");
        assert_eq!(b.tags("shop"), Vec::<String>::new(), "{name}");
        assert!(b.manifest("shop", &shop.digest()).is_none(), "{name}");
    }
}

#[tokio::test]
async fn p8_a_blob_that_stands_still_ends_the_copy() {
    let (a, b) = (Registry::start(), Registry::start());
    a.put_image("shop", "1.4", &image("shop").build());
    a.fault(On::kind(Kind::Blob), Fault::Drip(1, std::time::Duration::from_secs(5)));
    let client = client([&a, &b]);
    let outcome = carry(&from(&client, &a, "shop:1.4"), &to(&client, &b, "shop", "1.4")).await;
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains(&a.host()) && error.contains("in time"), "{error}");
}

#[tokio::test]
async fn p9_a_stream_to_another_host_carries_no_credential() {
    let (storage, a) = (Registry::start(), Registry::start());
    let b = Registry::options().auth(Auth::Bearer(Users::one("ci", "hunter2"))).start();
    let shop = image("shop").build();
    a.put_image("shop", "1.4", &shop);
    // As they have it that keep blobs in a cloud's storage.
    shop.blobs.iter().for_each(|blob| drop(b.put_blob("shop", blob.clone())));
    b.fault(On::kind(Kind::Blob).method("HEAD"), Fault::status(404));
    let location = format!("{}/v2/shop/blobs/uploads/1", storage.url());
    b.fault(
        On::kind(Kind::Upload).method("POST"),
        Fault::rewrite(move |_, answer| match answer.status {
            202 => Answer::new(202).with("location", location.clone()),
            _ => answer,
        }),
    );
    let open = client([&a, &storage]);
    let private = super::client_with(&b, "ci", "hunter2", &[&storage]);
    carry(&from(&open, &a, "shop:1.4"), &to(&private, &b, "shop", "1.4")).await.unwrap();
    let sent = storage.requests();
    assert_eq!(sent.len(), shop.blobs.len());
    for (request, name) in sent.iter().map(|request| (request, &request.path)) {
        assert!(request.authorization().is_none() && !request.mentions("hunter2"), "{name}");
        let length = request.header("content-length").unwrap().parse::<usize>().unwrap();
        assert_eq!(length, request.body.len(), "{name}");
    }
}

#[tokio::test]
async fn p9_a_stream_is_sent_nowhere_else() {
    for status in [301, 302, 303, 307, 308] {
        let (a, b, trap) = (Registry::start(), Registry::start(), Registry::start());
        a.put_image("shop", "1.4", &image("shop").build());
        let elsewhere = Fault::redirect(status, &format!("{}/v2/x/blobs/uploads/1", trap.url()));
        b.fault(On::kind(Kind::Upload).method("PUT"), elsewhere);
        let client = client([&a, &b, &trap]);
        let outcome = carry(&from(&client, &a, "shop:1.4"), &to(&client, &b, "shop", "1.4")).await;
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains("in the middle of an upload"), "{status}: {error}");
        assert_eq!(trap.total(), 0, "{status}");
    }
}

#[tokio::test]
async fn lists_that_lie_lead_nowhere() {
    let registry = Registry::options().referrers(Referrers::Off).start();
    let shop = Shop::new();
    shop.put(&registry, "shop");
    let gone = artifact(SBOM).subject(&shop.whole).annotation("x", "gone").build();
    let whole = shop.whole.digest();
    for listed in [&shop.whole, &shop.amd64, &shop.sbom, &gone] {
        registry.list_under_fallback_tag("shop", &whole, listed.descriptor());
    }
    registry.list_under_fallback_tag("shop", &shop.sbom.digest(), shop.whole.descriptor());
    let client = client([&registry]);
    let graph = Graph::of(&from(&client, &registry, "shop:1.4"), true).await.unwrap();
    let (about, bill) = (digest(&shop.whole), digest(&shop.sbom));
    for (listed, about) in
        [(about, about), (digest(&shop.amd64), about), (bill, about), (about, bill)]
    {
        let note = Note::Stranger { listed, about };
        assert!(graph.notes.contains(&note), "{note:?} in {:?}", graph.notes);
    }
    let dangling = Note::Dangling { listed: digest(&gone), about };
    assert!(graph.notes.contains(&dangling), "{:?}", graph.notes);
    assert_eq!(graph.items().len(), shop.all().len());
    assert_eq!(graph.get(bill).unwrap().about, Some(digest(&shop.amd64)), "by its own word");
}

#[tokio::test]
async fn p8_evidence_on_evidence_ends() {
    let registry = Registry::start();
    let shop = image("shop").build();
    registry.put_image("shop", "1.4", &shop);
    let mut subject = shop;
    for at in 0..16 {
        let next = artifact(SBOM).subject(&subject).annotation("at", &at.to_string()).build();
        registry.attach("shop", &next);
        subject = next;
    }
    let client = client([&registry]);
    let error = Graph::of(&from(&client, &registry, "shop:1.4"), true).await.unwrap_err();
    assert!(error.to_string().contains("12 levels of evidence"), "{error}");
    assert!(Graph::of(&from(&client, &registry, "shop:1.4"), false).await.is_ok());
}

#[tokio::test]
async fn p8_an_index_of_thousands_ends() {
    let registry = Registry::start();
    let part = |at: usize| Descriptor::of(MANIFEST, at.to_string().as_bytes());
    let parts: Vec<Descriptor> = (0..2100).map(part).collect();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": parts}).to_string();
    registry.put_image("shop", "1.4", &Content::raw(INDEX, index));
    let client = client([&registry]);
    let error = Graph::of(&from(&client, &registry, "shop:1.4"), true).await.unwrap_err();
    assert!(error.to_string().contains("2048 manifests"), "{error}");
    assert!(registry.total() < 10, "before they are asked for");
}

#[tokio::test]
async fn an_image_with_a_hole_is_not_copied() {
    let (a, b) = (Registry::start(), Registry::start());
    let shop = Shop::new();
    shop.put(&a, "shop");
    a.delete("shop", &shop.amd64.digest());
    let client = client([&a, &b]);
    let outcome = carry(&from(&client, &a, "shop:1.4"), &to(&client, &b, "shop", "1.4")).await;
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains(&format!("has no manifest {}", shop.amd64.digest())), "{error}");
    assert_eq!(b.count(Kind::Upload), 0);
}

#[tokio::test]
async fn layers_that_may_not_be_passed_on_are_left_out() {
    let (a, b) = (Registry::start(), Registry::start());
    let windows = image("windows").build();
    let mut manifest = windows.json();
    manifest["layers"].as_array_mut().unwrap().push(json!({
        "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "digest": sha256(b"theirs"), "size": 6, "urls": [format!("{}/theirs", a.url())],
    }));
    let windows = Content { manifest: manifest.to_string().into(), ..windows };
    a.put_image("windows", "1.4", &windows);
    // As registries do that know such layers.
    b.put_blob("windows", &b"theirs"[..]);
    let client = client([&a, &b]);
    let origin = from(&client, &a, "windows:1.4");
    let graph = Graph::of(&origin, true).await.unwrap();
    let layer = sha256(b"theirs").parse().unwrap();
    assert_eq!(graph.notes, [Note::Foreign { layer }]);
    carry(&origin, &to(&client, &b, "windows", "1.4")).await.unwrap();
    let asked = |request: &countersign_kit::Request| request.path.contains("theirs");
    assert!(!a.requests().iter().any(asked), "URLs are not followed");
    assert!(b.manifest("windows", "1.4").is_some());
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
