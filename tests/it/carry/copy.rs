//! From registry to registry: whole, in order, and no more than is missing.

use std::collections::HashSet;

use countersign::source::{Copied, Tally};
use countersign_kit::{Auth, Content, Fault, Kind, On, Referrers, Registry, Request, Users};

use super::{SBOM, SIGNATURE, Shop, carry, carry_only, client, digest, from, to};

fn writes(registry: &Registry) -> Vec<Request> {
    let requests = registry.requests().into_iter();
    requests.filter(|request| !["GET", "HEAD"].contains(&request.method.as_str())).collect()
}

fn uploads(registry: &Registry) -> u64 {
    let is_upload = |request: &&Request| request.kind == Kind::Upload && request.method == "PUT";
    registry.requests().iter().filter(is_upload).map(|_| 1).sum()
}

pub async fn assert_all_there(name: &str, shop: &Shop, registry: &Registry, path: &str) {
    for (what, content) in shop.all() {
        let (media_type, bytes) = registry
            .manifest(path, &content.digest())
            .unwrap_or_else(|| panic!("{name}: no {what}"));
        assert_eq!(
            (&media_type, &bytes),
            (&content.media_type, &content.manifest),
            "{name}: {what}"
        );
        for blob in &content.blobs {
            let blob = countersign_kit::sha256(blob);
            assert!(registry.blob(path, &blob).is_some(), "{name}: {what} without its blobs");
        }
    }
    for (tag, content) in [("1.4", &shop.whole), (&shop.cosign_tag(), &shop.cosign)] {
        let named = registry.manifest(path, tag).unwrap_or_else(|| panic!("{name}: no tag {tag}"));
        assert_eq!(named.1, content.manifest, "{name}: {tag}");
    }
    let (client, repository) =
        (client([registry]), format!("{}/{path}", registry.host()).parse().unwrap());
    for (subject, referrers) in [
        (&shop.whole, vec![&shop.signature]),
        (&shop.amd64, vec![&shop.whole.children[2], &shop.sbom]),
        (&shop.sbom, vec![&shop.signed_sbom]),
    ] {
        let found = client.referrers(&repository, digest(subject), super::soon()).await.unwrap();
        let found: HashSet<_> = found.iter().map(|found| found.digest).collect();
        let want = referrers.into_iter().map(digest).collect();
        assert_eq!(found, want, "{name}: what refers to {}", subject.digest());
    }
}

#[tokio::test]
async fn everything_arrives_byte_for_byte_and_once() {
    let api = || Referrers::All { filter: true };
    for (name, here, there) in [
        ("both list referrers", api(), api()),
        ("only the origin does", api(), Referrers::Off),
        ("only the destination does", Referrers::Off, api()),
        ("none does", Referrers::Off, Referrers::Off),
        ("in pages", Referrers::Pages(1), api()),
    ] {
        let (a, b) = (
            Registry::options().referrers(here).start(),
            Registry::options().referrers(there).start(),
        );
        let shop = Shop::new();
        shop.put(&a, "acme/shop");
        let client = client([&a, &b]);
        let (origin, destination) =
            (from(&client, &a, "acme/shop:1.4"), to(&client, &b, "mirror/shop", "1.4"));
        let copied = carry(&origin, &destination).await.unwrap();
        assert!(copied.named && copied.manifests.iter().all(|one| !one.unchanged), "{name}");
        assert_all_there(name, &shop, &b, "mirror/shop").await;
        let last = writes(&b).pop().unwrap();
        assert_eq!(last.path, "/v2/mirror/shop/manifests/1.4", "{name}: the tag comes last");

        b.forget();
        let Copied { named, manifests, blobs, .. } = carry(&origin, &destination).await.unwrap();
        assert!(!named && manifests.iter().all(|one| one.unchanged), "{name}: {manifests:?}");
        assert_eq!(blobs, Tally::default(), "{name}");
        assert_eq!(writes(&b).len(), 0, "{name}: nothing is sent twice");
    }
}

#[tokio::test]
async fn parts_come_before_what_names_them_and_evidence_after_its_subject() {
    let (a, b) = (Registry::start(), Registry::start());
    let shop = Shop::new();
    shop.put(&a, "acme/shop");
    let client = client([&a, &b]);
    carry(&from(&client, &a, "acme/shop:1.4"), &to(&client, &b, "shop", "1.4")).await.unwrap();
    let written: Vec<String> = writes(&b).into_iter().map(|request| request.path).collect();
    let at = |content: &Content| {
        let path = format!("/v2/shop/manifests/{}", content.digest());
        written.iter().position(|written| *written == path).unwrap()
    };
    let last_blob = written.iter().rposition(|path| path.contains("/blobs/")).unwrap();
    assert!(written.iter().position(|path| path.contains("/manifests/")).unwrap() > last_blob);
    assert!(at(&shop.amd64) < at(&shop.whole), "{written:#?}");
    assert!(at(&shop.amd64) < at(&shop.sbom), "{written:#?}");
    assert!(at(&shop.sbom) < at(&shop.signed_sbom), "{written:#?}");
    assert!(at(&shop.whole) < at(&shop.signature), "{written:#?}");
}

#[tokio::test]
async fn within_a_registry_blobs_are_mounted() {
    let users = Users::one("ci", "hunter2");
    for (name, auth) in [("open", Auth::Anonymous), ("tokens", Auth::Bearer(users))] {
        let registry = Registry::options().auth(auth).start();
        let shop = Shop::new();
        shop.put(&registry, "acme/shop");
        let client = super::client_with(&registry, "ci", "hunter2", &[]);
        let origin = from(&client, &registry, "acme/shop:1.4");
        let copied = carry(&origin, &to(&client, &registry, "mirror/shop", "1.4")).await.unwrap();
        assert_eq!((copied.blobs.sent, uploads(&registry)), (0, 0), "{name}: {copied:?}");
        assert!(copied.blobs.mounted >= 5, "{name}: {copied:?}");
        assert!(registry.manifest("mirror/shop", "1.4").is_some(), "{name}");
        // A blob is readable by a token for both repositories only.
        let requests = registry.requests();
        let scopes: Vec<Vec<String>> = requests
            .iter()
            .filter(|request| request.kind == Kind::Token)
            .map(|request| request.parameters("scope"))
            .collect();
        let both = ["repository:mirror/shop:pull,push", "repository:acme/shop:pull"];
        assert_eq!(scopes.iter().any(|scope| *scope == both), name == "tokens", "{scopes:?}");
    }
}

#[tokio::test]
async fn where_nothing_is_mounted_blobs_are_sent() {
    for (name, answer) in [
        ("the upload goes on", None),
        ("unsupported", Some(405)),
        ("not for us to read", Some(403)),
    ] {
        let registry = Registry::start();
        let shop = Shop::new();
        shop.put(&registry, "acme/shop");
        let mounts = On::kind(Kind::Upload).containing("mount=");
        registry.fault(
            mounts,
            match answer {
                Some(status) => Fault::status(status),
                None => Fault::Instead(
                    countersign_kit::Answer::new(202)
                        .with("location", "/v2/mirror/shop/blobs/uploads/begun?_state=x"),
                ),
            },
        );
        let client = client([&registry]);
        let origin = from(&client, &registry, "acme/shop:1.4");
        let copied = carry(&origin, &to(&client, &registry, "mirror/shop", "1.4")).await.unwrap();
        assert_eq!(copied.blobs.mounted, 0, "{name}");
        assert_eq!(copied.blobs.sent, uploads(&registry), "{name}");
    }
}

#[tokio::test]
async fn a_copy_that_broke_off_goes_on_and_shows_nothing_before() {
    let (a, b) = (Registry::start(), Registry::start());
    let shop = Shop::new();
    shop.put(&a, "acme/shop");
    let client = client([&a, &b]);
    let (origin, destination) =
        (from(&client, &a, "acme/shop:1.4"), to(&client, &b, "shop", "1.4"));

    b.fault(On::kind(Kind::Upload).method("PUT").after(2), Fault::status(400));
    let error = carry(&origin, &destination).await.unwrap_err().to_string();
    assert!(error.contains("HTTP 400"), "{error}");
    assert_eq!(b.tags("shop"), Vec::<String>::new());
    b.heal();
    let kept = uploads(&b);

    b.fault(On::kind(Kind::Manifest).method("PUT").after(2), Fault::status(400));
    carry(&origin, &destination).await.unwrap_err();
    assert_eq!(b.tags("shop"), Vec::<String>::new(), "no tag before the end");
    b.heal();
    b.forget();

    let copied = carry(&origin, &destination).await.unwrap();
    assert_eq!((copied.blobs.sent, uploads(&b)), (0, 0), "blobs are sent once; first {kept}");
    assert!(copied.manifests.iter().any(|one| one.unchanged), "{copied:?}");
    assert_all_there("resumed", &shop, &b, "shop").await;
}

#[tokio::test]
async fn an_upload_that_broke_is_begun_anew() {
    let (a, b) = (Registry::start(), Registry::start());
    let shop = Shop::new();
    shop.put(&a, "acme/shop");
    b.fault(On::kind(Kind::Upload).method("PUT").first(1), Fault::Close);
    let client = client([&a, &b]);
    carry(&from(&client, &a, "acme/shop:1.4"), &to(&client, &b, "shop", "1.4")).await.unwrap();
    assert_all_there("again", &shop, &b, "shop").await;
}

#[tokio::test]
async fn a_referrer_that_was_stored_and_not_listed_is_listed() {
    let (a, b) = (Registry::start(), Registry::options().referrers(Referrers::Off).start());
    let shop = Shop::new();
    shop.put(&a, "acme/shop");
    let client = client([&a, &b]);
    let (origin, destination) =
        (from(&client, &a, "acme/shop:1.4"), to(&client, &b, "shop", "1.4"));
    carry(&origin, &destination).await.unwrap();
    assert!(b.delete("shop", &digest(&shop.whole).fallback_tag()));
    carry(&origin, &destination).await.unwrap();
    assert_all_there("listed", &shop, &b, "shop").await;
}

#[tokio::test]
async fn evidence_of_one_type_follows_its_image() {
    let (a, b) = (Registry::start(), Registry::start());
    let shop = Shop::new();
    shop.put(&a, "acme/shop");
    let client = client([&a, &b]);
    let (origin, destination) =
        (from(&client, &a, "acme/shop:1.4"), to(&client, &b, "shop", "1.4"));
    let error = carry_only(&origin, &destination, Some(SBOM)).await.unwrap_err().to_string();
    assert!(error.contains("does not have the image"), "{error}");
    assert_eq!(writes(&b).len(), 0);

    b.put("shop", &shop.whole);
    for (only, want) in
        [(SBOM, vec![&shop.sbom]), (SIGNATURE, vec![&shop.signed_sbom, &shop.signature])]
    {
        let copied = carry_only(&origin, &destination, Some(only)).await.unwrap();
        let found: HashSet<_> = copied.manifests.iter().map(|one| one.digest).collect();
        assert_eq!(found, want.into_iter().map(digest).collect(), "{only}");
        assert!(!copied.named && copied.name.is_none(), "{only}: the image is left as it is");
    }
    assert_eq!(b.tags("shop"), Vec::<String>::new());
    let copied = carry_only(&origin, &destination, Some(super::SIMPLE)).await.unwrap();
    assert_eq!(copied.manifests.len(), 1);
    assert_eq!(b.tags("shop"), [shop.cosign_tag()]);
}
