//! P8: large documents are read where nobody else waits, however they come.

use std::{sync::mpsc, time::Duration};

use countersign::source::Gathered;
use countersign_kit::{Content, PkixKey, Referrers, Registry, artifact, image, index};
use serde_json::json;
use tokio::{runtime::Builder, task::spawn_blocking, time::timeout};

use super::{Desk, pkix};

type Place = fn(&Registry, &Content, &Content, &str);

fn untyped(registry: &Registry, _: &Content, both: &Content, pad: &str) {
    let other = artifact("text/plain").subject(both).annotation("pad", pad).build();
    registry.put("acme/shop", &other);
    registry.list_under_fallback_tag("acme/shop", &both.digest(), other.descriptor());
}

fn fallback_tag(registry: &Registry, _: &Content, both: &Content, pad: &str) {
    let mut listed = artifact("text/plain").subject(both).build().descriptor();
    listed["annotations"] = json!({"pad": pad});
    registry.list_under_fallback_tag("acme/shop", &both.digest(), listed);
}

fn list(registry: &Registry, _: &Content, both: &Content, pad: &str) {
    registry.set_referrers(Referrers::All { filter: false });
    let other = artifact("text/plain").subject(both).annotation("pad", pad).build();
    registry.attach("acme/shop", &other);
}

fn cosigns_tag(registry: &Registry, _: &Content, both: &Content, pad: &str) {
    let mut manifest = artifact("text/plain").annotation("pad", pad).build().json();
    manifest["layers"] = json!([]);
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let digest = registry.put("acme/shop", &Content::raw(kind, manifest.to_string()));
    registry.tag("acme/shop", &format!("sha256-{}.sig", both.hex()), &[&digest]);
}

fn nothing(_: &Registry, _: &Content, _: &Content, _: &str) {}

/// An index of `shop` with a manifest of no statements about it.
fn indexed(shop: &Content, pad: &str) -> Content {
    let carrier = index([shop]).attested(shop, &[]).build().children[1].clone();
    let mut manifest = carrier.json();
    manifest["annotations"] = json!({"pad": pad});
    index([shop]).and(&Content { manifest: manifest.to_string().into(), ..carrier }).build()
}

#[test]
fn p8_large_documents_are_read_where_nobody_waits() {
    let pads = ["x".to_owned(), "x".repeat(200_000)];
    let places: [(&str, Place); 5] = [
        ("a referrer without a type", untyped),
        ("a fallback tag", fallback_tag),
        ("a list of referrers", list),
        ("cosign's tag", cosigns_tag),
        ("a manifest with statements", nothing),
    ];
    for (name, place) in places {
        for pad in &pads {
            let shop = image("shop").build();
            let inner = if name.contains("statements") { pad } else { "" };
            let both = indexed(&shop, inner);
            let registry = Registry::options().referrers(Referrers::Off).start();
            let digest = registry.put_image("acme/shop", "1.4", &both);
            place(&registry, &shop, &both, pad);
            let key = PkixKey::generate().public_pem();
            let desk = Desk::new(registry, vec![pkix(key.as_bytes(), &["simple-signing"])]);
            let small = pad.len() == 1;
            let builder = || Builder::new_multi_thread();
            let runtime = builder().worker_threads(2).max_blocking_threads(1).enable_all().build();
            let (release, released) = mpsc::channel::<()>();
            runtime.unwrap().block_on(async {
                let busy = spawn_blocking(move || released.recv());
                let gathering = desk.gather("acme/shop", &digest);
                tokio::pin!(gathering);
                let time = if small { 10_000 } else { 700 };
                let soon = timeout(Duration::from_millis(time), &mut gathering).await;
                assert_eq!(soon.is_ok(), small, "{name}: {soon:?}");
                drop(release);
                let _ = busy.await.unwrap();
                let found: Gathered = match soon {
                    Ok(found) => found,
                    Err(_) => gathering.await,
                };
                let mut answers = found.answers.iter().flatten();
                assert!(answers.all(|answered| answered.outcome.is_ok()), "{name}: {found:?}");
            });
        }
    }
}
