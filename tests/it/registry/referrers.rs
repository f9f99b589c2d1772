//! Referrers: the API where there is one, the fallback tag where not, and failures as failures.

use countersign::source::Reference;
use countersign_kit::{Artifact, Content, Fault, Kind, On, Referrers, Registry, artifact, image};
use serde_json::json;

use super::{client, code, digest, host, repository, soon};

fn attestation(subject: &Content, text: &str) -> Artifact {
    artifact("application/vnd.example").subject(subject).inline("text/plain", text.to_owned())
}

/// An image with that many artifacts.
fn attested(registry: &Registry, count: usize) -> Content {
    let shop = image("shop").build();
    registry.put_image("acme/shop", "1.4", &shop);
    for at in 0..count {
        registry.attach("acme/shop", &attestation(&shop, &at.to_string()).build());
    }
    shop
}

#[tokio::test]
async fn all_pages_are_read() {
    for (name, mode, requests) in
        [("one page", Referrers::All { filter: true }, 1), ("pages", Referrers::Pages(3), 4)]
    {
        let registry = Registry::options().referrers(mode).start();
        let shop = attested(&registry, 10);
        let here = repository(&registry, "acme/shop");
        let found = client([host(&registry)]).referrers(&here, digest(&shop), soon()).await;
        let found = found.unwrap();
        assert_eq!(found.len(), 10, "{name}");
        assert_eq!(found[0].artifact_type.as_deref(), Some("application/vnd.example"), "{name}");
        assert_eq!(registry.total(), requests, "{name}");
    }
}

#[tokio::test]
async fn without_the_api_the_tag_is_read_and_that_is_remembered() {
    let registry = Registry::options().referrers(Referrers::Off).start();
    let shop = attested(&registry, 2);
    let other = image("other").build();
    registry.put("acme/shop", &other);
    let client = client([host(&registry)]);
    let here = repository(&registry, "acme/shop");
    let found = client.referrers(&here, digest(&shop), soon()).await.unwrap();
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|one| one.artifact_type.is_none()), "types in a tag are not believed");
    assert_eq!((registry.count(Kind::Referrers), registry.count(Kind::Manifest)), (1, 1));
    assert_eq!(client.referrers(&here, digest(&other), soon()).await.unwrap(), []);
    assert_eq!((registry.count(Kind::Referrers), registry.count(Kind::Manifest)), (1, 2));
}

#[tokio::test]
async fn p5_no_api_no_list_and_no_answer_are_three_things() {
    let elsewhere = Registry::start();
    for (name, fault, want) in [
        ("404", Fault::status(404), "1"),
        ("400", Fault::status(400), "1"),
        ("405", Fault::status(405), "1"),
        ("406", Fault::status(406), "1"),
        ("501", Fault::status(501), "1"),
        ("a page", Fault::html(200), "1"),
        ("a web site", Fault::redirect(303, &elsewhere.url()), "1"),
        ("401", Fault::status(401), "1"),
        ("403", Fault::status(403), "1"),
        ("429", Fault::status(429), "registry.limited"),
        ("500", Fault::status(500), "registry.unreachable"),
        ("503", Fault::status(503), "registry.unreachable"),
        ("closed", Fault::Close, "registry.unreachable"),
        ("418", Fault::status(418), "registry.invalid"),
        ("no index", Fault::bytes("{}"), "registry.invalid"),
        ("not JSON", Fault::bytes("<html>"), "registry.invalid"),
        ("endless", Fault::Endless, "evidence.too-much"),
    ] {
        let registry = Registry::options().referrers(Referrers::Off).start();
        let shop = attested(&registry, 1);
        registry.set_referrers(Referrers::All { filter: false });
        registry.fault(On::kind(Kind::Referrers), fault);
        let here = repository(&registry, "acme/shop");
        let found = client([host(&registry), host(&elsewhere)])
            .referrers(&here, digest(&shop), soon())
            .await;
        let got = match found {
            Ok(found) => found.len().to_string(),
            Err(error) => error.code().to_string(),
        };
        assert_eq!(got, want, "{name}");
    }
    assert_eq!(elsewhere.total(), 0);
}

#[tokio::test]
async fn p5_a_refusal_is_no_absence_where_the_image_may_not_be_read_either() {
    let registry = Registry::start();
    let shop = attested(&registry, 1);
    let here = repository(&registry, "acme/shop");
    registry.fault(On::kind(Kind::Referrers), Fault::status(403));
    let client = client([host(&registry)]);
    assert_eq!(client.referrers(&here, digest(&shop), soon()).await.unwrap(), []);
    registry.fault(On::path("/manifests/sha256:"), Fault::status(403));
    let refused = client.referrers(&here, digest(&shop), soon()).await;
    assert_eq!(code(refused), "registry.unauthorized");
}

#[tokio::test]
async fn p5_a_fallback_tag_that_cannot_be_read_is_a_failure() {
    for (name, fault, want) in [
        ("down", Fault::status(503), "registry.unreachable"),
        ("forbidden", Fault::status(403), "registry.unauthorized"),
        ("no JSON", Fault::bytes("<html>"), "image.unsupported"),
    ] {
        let registry = Registry::options().referrers(Referrers::Off).start();
        let shop = attested(&registry, 1);
        registry.fault(On::path("/manifests/sha256-"), fault);
        let here = repository(&registry, "acme/shop");
        let found = client([host(&registry)]).referrers(&here, digest(&shop), soon()).await;
        assert_eq!(code(found), want, "{name}");
    }
}

#[tokio::test]
async fn p8_pages_and_entries_are_counted() {
    let elsewhere = Registry::start();
    let link = |target: String| Fault::header("link", format!("<{target}>; rel=\"next\""));
    for (name, faults, want) in [
        ("to itself", vec![link("?".into())], "registry.invalid"),
        ("elsewhere", vec![link(elsewhere.url())], "registry.redirect-refused"),
        ("no URL", vec![link("https://[".into())], "registry.invalid"),
        (
            "without end",
            vec![Fault::rewrite(|request, answer| {
                answer.with("link", format!("<{}?a{}>; rel=\"next\"", request.path, request.query))
            })],
            "evidence.too-much",
        ),
        (
            "a flood",
            vec![Fault::rewrite(|_, mut answer| {
                let entry = |at: usize| json!({"mediaType": "a/b", "digest": countersign_kit::sha256(&at.to_be_bytes()), "size": 1});
                answer.body = json!({"schemaVersion": 2, "manifests": (0..1025).map(entry).collect::<Vec<_>>()}).to_string().into();
                answer
            })],
            "evidence.too-much",
        ),
    ] {
        let registry = Registry::start();
        let shop = attested(&registry, 1);
        for fault in faults {
            registry.fault(On::kind(Kind::Referrers), fault);
        }
        let here = repository(&registry, "acme/shop");
        let found = client([host(&registry), host(&elsewhere)])
            .referrers(&here, digest(&shop), soon())
            .await;
        assert_eq!(code(found), want, "{name}");
        assert!(registry.total() <= 17, "{name}: {} requests", registry.total());
    }
    assert_eq!(elsewhere.total(), 0);
}

#[tokio::test]
async fn an_unknown_repository_is_not_remembered_as_one_without_the_api() {
    let registry = Registry::start();
    let shop = attested(&registry, 1);
    registry.fault(
        On::kind(Kind::Referrers).first(1),
        Fault::Instead(countersign_kit::Answer::registry_error(404, "NAME_UNKNOWN")),
    );
    let client = client([host(&registry)]);
    let here = repository(&registry, "acme/shop");
    assert_eq!(client.referrers(&here, digest(&shop), soon()).await.unwrap(), []);
    assert_eq!(client.referrers(&here, digest(&shop), soon()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn types_that_say_nothing_are_not_passed_on() {
    let registry = Registry::start();
    let shop = image("shop").build();
    registry.put("acme/shop", &shop);
    registry.fault(
        On::kind(Kind::Referrers),
        Fault::bytes(
            include_str!("../../../fixtures/oci/referrers-ggcr.http")
                .split("\n\n")
                .last()
                .unwrap()
                .split("\r\n\r\n")
                .last()
                .unwrap(),
        ),
    );
    let here = repository(&registry, "acme/shop");
    let found = client([host(&registry)]).referrers(&here, digest(&shop), soon()).await.unwrap();
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|one| one.artifact_type.is_none()));
}

#[tokio::test]
async fn cosigns_tags_are_plain_lookups() {
    let registry = Registry::start();
    let shop = attested(&registry, 0);
    let client = client([host(&registry)]);
    let here = repository(&registry, "acme/shop");
    let tag = format!("{}.sig", digest(&shop).fallback_tag());
    let absent = client.manifest(&here, Reference::Tag(&tag), soon()).await.unwrap_err();
    assert!(absent.is_absence(), "{absent}");
}
