//! The registry answers as distribution-spec 1.1 says.

use countersign_kit::{
    Auth, Kind, Listen, Referrers, Registry, TokenService, Users, artifact, base64, image, sha256,
};

use super::{get, send};

#[test]
fn a_registry_serves_what_was_put() {
    let registry = Registry::start();
    let shop = image("shop").build();
    registry.put_image("acme/shop", "1.4", &shop);
    let by_tag = get(&registry, "/v2/acme/shop/manifests/1.4", &[]);
    let by_digest = get(&registry, &format!("/v2/acme/shop/manifests/{}", shop.digest()), &[]);
    for reply in [by_tag, by_digest] {
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-type"), Some(shop.media_type.as_str()));
        assert_eq!(reply.header("docker-content-digest"), Some(shop.digest().as_str()));
        assert_eq!(reply.body, shop.manifest);
    }
    let blob = get(&registry, &format!("/v2/acme/shop/blobs/{}", shop.image_id()), &[]);
    assert_eq!(blob.body, shop.blobs[0]);
    assert_eq!(get(&registry, "/v2/acme/shop/manifests/2.0", &[]).status, 404);
    assert_eq!(registry.count(Kind::Manifest), 3);
    assert_eq!(registry.count(Kind::Blob), 1);
    assert!(registry.requests().iter().all(|request| request.finished.is_some()));
}

#[test]
fn a_tag_moves_between_two_requests() {
    let registry = Registry::start();
    let [old, new] = ["old", "new"].map(|name| image(name).build());
    registry.put("acme/shop", &old);
    registry.put("acme/shop", &new);
    registry.tag("acme/shop", "1.4", &[&old.digest(), &new.digest()]);
    let asked = [(); 3].map(|()| sha256(&get(&registry, "/v2/acme/shop/manifests/1.4", &[]).body));
    assert_eq!(asked, [old.digest(), new.digest(), new.digest()]);
}

#[test]
fn referrers_come_filtered_in_pages_or_not_at_all() {
    let registry = Registry::start();
    let shop = image("shop").build();
    registry.put("acme/shop", &shop);
    for kind in ["application/a", "application/b", "application/b"] {
        let layer = registry.total().to_string();
        let refers = artifact(kind).subject(&shop).layer("text/plain", layer).annotation("k", kind);
        get(&registry, "/v2/", &[]);
        registry.attach("acme/shop", &refers.build());
    }
    let path = format!("/v2/acme/shop/referrers/{}", shop.digest());
    let filtered = get(&registry, &format!("{path}?artifactType=application%2Fb"), &[]);
    assert_eq!(filtered.header("oci-filters-applied"), Some("artifactType"));
    assert_eq!(filtered.json()["manifests"].as_array().map(Vec::len), Some(2));
    assert_eq!(filtered.json()["manifests"][0]["annotations"]["k"], "application/b");

    registry.set_referrers(Referrers::Pages(2));
    let first = get(&registry, &path, &[]);
    let link = first.header("link").expect("a second page");
    let next = link.trim_start_matches('<').split('>').next().unwrap();
    let second = get(&registry, next, &[]);
    assert_eq!(first.json()["manifests"].as_array().map(Vec::len), Some(2));
    assert_eq!(second.json()["manifests"].as_array().map(Vec::len), Some(1));
    assert_eq!(second.header("link"), None);

    registry.set_referrers(Referrers::Off);
    assert_eq!(get(&registry, &path, &[]).status, 404);
    let refers = artifact("application/c").subject(&shop).build();
    registry.attach("acme/shop", &refers);
    let tag = shop.digest().replace(':', "-");
    let index = get(&registry, &format!("/v2/acme/shop/manifests/{tag}"), &[]).json();
    assert_eq!(index["manifests"][0]["digest"], refers.digest());
}

#[test]
fn what_is_pushed_is_kept_and_its_subject_said() {
    let registry = Registry::start();
    let shop = image("shop").build();
    registry.put("acme/shop", &shop);
    let refers = artifact("application/a").subject(&shop).layer("text/plain", "signed").build();
    let path = format!("/v2/acme/shop/manifests/{}", refers.digest());
    let kind: &[(&str, &str)] = &[("content-type", &refers.media_type)];
    let early = send(&registry, "PUT", &path, kind, &refers.manifest);
    assert_eq!(early.json()["errors"][0]["code"], "MANIFEST_BLOB_UNKNOWN");

    for blob in &refers.blobs {
        let begun = send(&registry, "POST", "/v2/acme/shop/blobs/uploads/", &[], b"");
        assert_eq!(begun.status, 202);
        let to = format!("{}&digest={}", begun.header("location").unwrap(), sha256(blob));
        assert_eq!(send(&registry, "PUT", &to, &[], b"other bytes").status, 400);
        assert_eq!(send(&registry, "PUT", &to, &[], blob).status, 201);
    }
    let mount = format!("/v2/acme/copy/blobs/uploads/?mount={}&from=acme/shop", sha256(b"signed"));
    assert_eq!(send(&registry, "POST", &mount, &[], b"").status, 201);
    let put = send(&registry, "PUT", &path, kind, &refers.manifest);
    assert_eq!((put.status, put.header("oci-subject")), (201, Some(shop.digest().as_str())));
    assert_eq!(registry.referrers("acme/shop", &shop.digest()).len(), 1);
    assert_eq!(send(&registry, "DELETE", &path, &[], b"").status, 202);
    assert_eq!(registry.referrers("acme/shop", &shop.digest()).len(), 0);
}

#[test]
fn credentials_are_asked_for_and_scoped() {
    let users = Users::one("ci", "hunter2");
    users.add("guest", "guest", "public/");
    let registry = Registry::options().auth(Auth::Basic(users.clone())).start();
    registry.put_image("acme/shop", "1.4", &image("shop").build());
    let path = "/v2/acme/shop/manifests/1.4";
    let refused = get(&registry, path, &[]);
    assert_eq!(
        (refused.status, refused.header("www-authenticate")),
        (401, Some("Basic realm=\"kit\""))
    );
    let basic = |pair: &str| format!("Basic {}", base64(pair.as_bytes()));
    assert_eq!(get(&registry, path, &[("authorization", &basic("ci:hunter2"))]).status, 200);
    assert_eq!(get(&registry, path, &[("authorization", &basic("guest:guest"))]).status, 401);
    assert!(registry.requests()[1].mentions("hunter2"));

    let service = TokenService::start(Listen::plain(), &users);
    registry.set_auth(Auth::BearerAt(users.clone(), service.realm()));
    let challenge = get(&registry, path, &[]);
    let want = format!(
        "Bearer realm=\"{}\",service=\"kit\",scope=\"repository:acme/shop:pull\"",
        service.realm()
    );
    assert_eq!(challenge.header("www-authenticate"), Some(want.as_str()));
    let ask = "/token?service=kit&scope=repository:acme/shop:pull";
    let token = |pair: &str| {
        let reply = get(&service, ask, &[("authorization", &basic(pair))]);
        format!("Bearer {}", reply.json()["token"].as_str().unwrap_or_default())
    };
    let good = token("ci:hunter2");
    assert_eq!(get(&registry, path, &[("authorization", &good)]).status, 200);
    assert_eq!(get(&registry, path, &[("authorization", &token("guest:guest"))]).status, 401);
    assert_eq!(get(&service, ask, &[("authorization", &basic("ci:wrong"))]).status, 401);
    users.revoke_tokens();
    assert_eq!(get(&registry, path, &[("authorization", &good)]).status, 401);
    assert_eq!(service.count(Kind::Token), 3);
}

#[test]
fn podmans_signatures_are_in_the_lookaside_and_the_extension() {
    let registry = Registry::options().signatures_extension().start();
    registry.put_signature("acme/shop", "sha256:0f", "first");
    registry.put_signature("acme/shop", "sha256:0f", "second");
    let of = |n: u8| get(&registry, &format!("/sigstore/acme/shop@sha256=0f/signature-{n}"), &[]);
    assert_eq!((of(1).body, of(2).body), (b"first".to_vec(), b"second".to_vec()));
    assert_eq!(of(3).status, 404);
    assert_eq!(get(&registry, "/v2/", &[]).header("x-registry-supports-signatures"), Some("1"));
    let listed = get(&registry, "/extensions/v2/acme/shop/signatures/sha256:0f", &[]).json();
    assert_eq!(listed["signatures"][1]["content"], base64(b"second"));
    assert_eq!(registry.count(Kind::Signature), 4);
}
