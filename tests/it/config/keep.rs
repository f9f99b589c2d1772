//! What has been fetched outlives a reload, as far as it is what would be fetched now.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use countersign::{
    admission::{Gate, Phase},
    config::Watch,
    serve::Metrics,
    source::Deadline,
};
use countersign_kit::{
    Content, Grafeas, Key, Registry, Revocation, attestation_pgp, image, keyring_armored, review,
    simple_signing,
};
use serde_json::Value;
use tokio::task::JoinHandle;

use super::folder::{Folder, key};

const NOTE: &str = "projects/build/notes/built";

/// A gate whose configuration is looked after, a registry and a store.
struct Kept {
    folder: Folder,
    registry: Registry,
    grafeas: Grafeas,
    gates: Arc<arc_swap::ArcSwap<Gate>>,
    following: JoinHandle<()>,
    shop: Content,
}

impl Kept {
    /// With an image that `signer` attests, and `keys` for the authority.
    fn start(signer: &Key, keys: &[&Key]) -> Self {
        let (folder, registry, grafeas) = (Folder::new(), Registry::start(), Grafeas::start());
        grafeas.put_project("projects/build");
        grafeas.put_note(NOTE);
        let shop = image("shop").build();
        registry.put_image("acme/shop", "1.4", &shop);
        let repository = format!("{}/acme/shop", registry.host());
        let message = signer.sign_message_armored(&simple_signing(&repository, &shop.digest()));
        let uri = format!("https://{repository}@{}", shop.digest());
        grafeas.put("projects/build", attestation_pgp(&uri, NOTE, &message, &signer.fingerprint()));
        folder.write("kept.asc", keyring_armored(keys));
        folder.write("kept.yaml", yaml(&registry, &grafeas, ""));
        let (_, watch) = Watch::start(&folder.at("kept.yaml")).unwrap();
        let gates = watch.gate();
        let following = tokio::spawn(watch.follow(Arc::new(Metrics::new())));
        Self { folder, registry, grafeas, gates, following, shop }
    }

    /// Writes a file, and waits until it is in force.
    async fn change(&self, file: &str, text: &str) {
        let last = self.gates.load_full();
        self.folder.write(file, text);
        let start = Instant::now();
        while Arc::ptr_eq(&self.gates.load_full(), &last) {
            assert!(start.elapsed() < Duration::from_secs(60), "{file} is not taken in");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn keys(&self, keys: &[&Key]) {
        self.change("kept.asc", &keyring_armored(keys)).await;
    }

    async fn host(&self, members: &str) {
        self.change("kept.yaml", &yaml(&self.registry, &self.grafeas, members)).await;
    }

    /// The codes of the decision about the image, and how many requests it took.
    async fn ask(&self) -> (String, usize) {
        self.registry.forget();
        self.grafeas.forget();
        let image = format!("{}/acme/shop@{}", self.registry.host(), self.shop.digest());
        let body = Bytes::from(review(&[&image]).build().to_string());
        let deadline = Deadline::after(Duration::from_secs(30));
        let reply = self.gates.load_full().review(Phase::Validate, body, deadline).await;
        let whole: Value = serde_json::from_slice(&reply.body).unwrap();
        let codes = &whole["response"]["auditAnnotations"]["codes"];
        let message = &whole["response"]["status"]["message"];
        let codes = codes.as_str().map_or_else(|| whole.to_string(), str::to_owned);
        let detail = ["key.revoked", "signature.unknown-key"]
            .into_iter()
            .find(|code| message.as_str().is_some_and(|message| message.contains(code)));
        let codes = detail.map_or(codes.clone(), |detail| format!("{codes} {detail}"));
        (codes, self.registry.total() + self.grafeas.total())
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.following.abort();
    }
}

fn yaml(registry: &Registry, grafeas: &Grafeas, host: &str) -> String {
    format!(
        r#"tls: {{certificate: tls.crt, key: tls.key}}
cache: {{found: 1h, none: 1h}}
registries:
  allow: ["{name}/**"]
  hosts: [{{host: "{name}", plainHttp: true{host}}}]
stores: [{{name: grafeas, url: "{store}", api: v1beta1, project: projects/build}}]
authorities: [{{name: builder, keys: [{{openpgp: kept.asc}}], note: {NOTE}}}]
policies:
  - {{name: attested, match: {{}}, mode: enforce, rules: [{{use: attested, parameters: {{authorities: [builder]}}}}]}}
unmatched: deny
"#,
        name = registry.host(),
        store = grafeas.url(),
    )
}

fn said(codes: &str) -> (String, usize) {
    (codes.to_owned(), 0)
}

#[tokio::test(flavor = "multi_thread")]
async fn p6_a_change_of_trust_or_policy_fetches_nothing_anew() {
    let (builder, next) = (key("builder"), key("next"));
    let kept = Kept::start(&builder, &[&builder]);
    let (codes, requests) = kept.ask().await;
    assert_eq!(codes, "");
    assert!(requests > 1, "{requests}");
    assert_eq!(kept.ask().await, said(""), "cached");

    kept.keys(&[&builder, &next]).await;
    assert_eq!(kept.ask().await, said(""), "a key has come");

    let policy = yaml(&kept.registry, &kept.grafeas, "").replace("name: attested", "name: other");
    kept.change("kept.yaml", &policy).await;
    assert_eq!(kept.ask().await, said(""), "a policy has changed");

    let revoked = builder.revoked(Revocation::Compromised);
    kept.keys(&[&revoked, &next]).await;
    assert_eq!(kept.ask().await, said("attested.missing key.revoked"), "p16: at once");

    kept.keys(&[&builder, &next]).await;
    assert_eq!(kept.ask().await, said(""), "the keyring of before");
}

#[tokio::test(flavor = "multi_thread")]
async fn p6_what_another_key_may_have_made_is_looked_up_again() {
    let (builder, stranger) = (key("builder"), key("stranger"));
    let kept = Kept::start(&stranger, &[&builder]);
    let unknown = "attested.missing signature.unknown-key";
    assert_eq!(kept.ask().await.0, unknown);
    assert_eq!(kept.ask().await, said(unknown), "cached");

    kept.keys(&[&builder, &stranger]).await;
    let (codes, requests) = kept.ask().await;
    assert_eq!(codes, "", "the stranger's key has come");
    assert!(requests > 0, "its signature was not checked before");
    assert_eq!(kept.ask().await, said(""));

    kept.keys(&[&builder]).await;
    assert_eq!(kept.ask().await.0, unknown, "p16: the key has gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn p6_other_credentials_or_servers_see_nothing_of_what_was_fetched() {
    let builder = key("builder");
    let kept = Kept::start(&builder, &[&builder]);
    assert_eq!(kept.ask().await.0, "");
    kept.folder.write("password", "hunter2");
    for (name, members) in [
        ("a credential", ", credentials: [{username: ci, passwordFile: password}]"),
        ("another user", ", credentials: [{username: cd, passwordFile: password}]"),
        (
            "another repository",
            r#", credentials: [{repositories: ["acme/*"], username: cd, passwordFile: password}]"#,
        ),
        ("a token service", r#", tokenRealm: "http://127.0.0.1:9/token""#),
        ("none of it", ""),
    ] {
        assert_eq!(kept.ask().await, said(""), "before {name}");
        kept.host(members).await;
        let (codes, requests) = kept.ask().await;
        assert_eq!(codes, "", "{name}");
        assert!(requests > 1, "{name}: {requests} requests");
    }
    let allowed = yaml(&kept.registry, &kept.grafeas, "").replace("/**\"]", "/other/**\"]");
    kept.change("kept.yaml", &allowed).await;
    assert_eq!(kept.ask().await.0, "image.refused", "a repository that may not be asked");
}
