//! What the configuration says of the way to a registry and a store is what is done.

use std::{fs, time::Duration, time::SystemTime};

use bytes::Bytes;
use countersign::{
    admission::Phase,
    config::{Config, Purpose},
    source::Deadline,
};
use countersign_kit::{
    Auth, Ca, Grafeas, Key, Listen, Registry, TokenService, Users, attestation_pgp, base64, image,
    review, simple_signing,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::scene::{ATTESTED, NOTE};

/// Everything over TLS, with an authority of its own each, and nothing open to anybody.
#[tokio::test(flavor = "multi_thread")]
async fn each_key_on_the_way_to_evidence_does_what_it_says() {
    let _already = rustls::crypto::ring::default_provider().install_default();
    let [registry_ca, token_ca, mirror_ca, store_ca, client_ca] = [(); 5].map(|()| Ca::new());
    let users = Users::one("ci", "hunter2");
    let tokens = TokenService::start(Listen::tls(&token_ca), &users);
    let auth = Auth::BearerAt(users, tokens.realm());
    let registry = Registry::options().listen(Listen::tls(&registry_ca)).auth(auth).start();
    let mirror = Registry::options().listen(Listen::tls(&mirror_ca)).start();
    let grafeas = Grafeas::start_on(Listen::mutual_tls(&store_ca, &client_ca.pem()));
    grafeas.require_token("t0ken");
    grafeas.put_project("projects/build");
    grafeas.put_note(NOTE);

    // Signed while the key was good, which it is no longer.
    let day = Duration::from_secs(24 * 3600);
    let key =
        Key::options("Builder <b@acme.example>").age(day * 10).expires_after(day * 5).generate();
    let shop = image("shop").build();
    registry.put("acme/shop", &shop);
    mirror.put("cache/acme/shop", &shop);
    let (host, digest) = (registry.host(), shop.digest());
    let payload = simple_signing(&format!("{host}/acme/shop"), &digest);
    let message = key.signing().at(SystemTime::now() - day * 8).armored().message(&payload);
    let message = String::from_utf8(message).unwrap();
    let uri = format!("https://{host}/acme/shop@{digest}");
    grafeas.put("projects/build", attestation_pgp(&uri, NOTE, &message, &key.fingerprint()));

    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let ours = client_ca.client("countersign");
    for (name, text) in [
        ("registry.crt", registry_ca.pem()),
        ("token.crt", token_ca.pem()),
        ("mirror.crt", mirror_ca.pem()),
        ("store.crt", store_ca.pem()),
        ("client.crt", ours.certificate),
        ("client.key", ours.key),
        ("token", "t0ken\n".to_owned()),
        ("builder.asc", key.certificate_armored()),
        (
            "config.json",
            format!(r#"{{"auths": {{"{host}": {{"auth": "{}"}}}}}}"#, base64(b"ci:hunter2")),
        ),
    ] {
        write(name, &text);
    }
    let text = format!(
        r#"registries:
  allow: ["{host}/**"]
  hosts:
    - host: "{host}"
      ca: registry.crt
      credentials: [{{dockerConfig: config.json}}]
      tokenRealm: {realm}
      mirrors: ["{mirror}/cache"]
    - {{host: "{tokens}", ca: token.crt}}
    - {{host: "{mirror}", ca: mirror.crt}}
stores:
  - name: grafeas
    url: {store}
    api: v1beta1
    project: projects/build
    ca: store.crt
    clientCertificate: {{certificate: client.crt, key: client.key}}
    token: {{file: token}}
authorities:
  - name: builder
    keys: [{{openpgp: builder.asc}}]
    note: {NOTE}
    afterExpiry: signed-before
unmatched: deny
policies:
{ATTESTED}
"#,
        realm = tokens.realm(),
        tokens = tokens.host(),
        mirror = mirror.host(),
        store = grafeas.url(),
    );
    let mirrored = format!("      mirrors: [\"{}/cache\"]\n", mirror.host());
    let realm = format!("      tokenRealm: {}\n", tokens.realm());
    for (name, mirrors, without, instead, codes) in [
        ("all of it", true, "", "", ""),
        ("no mirror", false, "", "", ""),
        ("another `ca`", false, "ca: registry.crt", "ca: mirror.crt", "registry.unreachable"),
        (
            "no credentials",
            false,
            "      credentials: [{dockerConfig: config.json}]\n",
            "",
            "registry.unauthorized",
        ),
        ("no `tokenRealm`", false, &realm, "", "registry.realm-refused"),
        ("another store's `ca`", true, "ca: store.crt", "ca: token.crt", "store.unreachable"),
        (
            "no `clientCertificate`",
            true,
            "    clientCertificate: {certificate: client.crt, key: client.key}\n",
            "",
            "store.unreachable",
        ),
        ("no `token`", true, "    token: {file: token}\n", "", "store.unauthorized"),
        ("no `afterExpiry`", true, "    afterExpiry: signed-before\n", "", "attested.missing"),
    ] {
        assert!(text.contains(without) && text.contains(&mirrored), "{name}");
        let text = text.replace(without, if without.is_empty() { "" } else { instead });
        write("countersign.yaml", &if mirrors { text } else { text.replace(&mirrored, "") });
        let loaded = Config::load(&folder.path().join("countersign.yaml"), Purpose::Inspect);
        let gate = loaded.unwrap_or_else(|errors| panic!("{name}: {errors}")).gate;
        mirror.forget();
        let body = review(&[&format!("{host}/acme/shop@{digest}")]).build().to_string();
        let deadline = Deadline::after(Duration::from_secs(10));
        let reply = gate.review(Phase::Validate, Bytes::from(body), deadline).await;
        let said: Value = serde_json::from_slice(&reply.body).unwrap();
        let response = &said["response"];
        let told = &response["status"]["message"];
        assert_eq!(response["auditAnnotations"]["codes"], codes, "{name}: {told}");
        assert_eq!(response["allowed"], codes.is_empty(), "{name}: {told}");
        assert_eq!(mirror.total() > 0, mirrors, "{name}: the mirror is asked for the manifest");
    }
}
