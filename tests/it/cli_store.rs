//! `countersign store` as a process: what it demands of whoever starts it, and of callers.

use countersign_kit::Ca;
use reqwest::{Certificate, Client, Identity, StatusCode};
use serde_json::{Value, json};

use crate::{
    cli::{Desk, stderr},
    cli_serve::Running,
};

const TLS: [&str; 4] = ["--tls-certificate", "tls.crt", "--tls-key", "tls.key"];
const TOKENS: [&str; 2] = ["--tokens", "tokens.yaml"];
const CALLERS: [&str; 2] = ["--client-ca", "ca.pem"];

fn prepared() -> (Desk, Ca) {
    let (desk, ca) = (Desk::new(), Ca::new());
    let issued = ca.server(&["127.0.0.1", "localhost"]);
    for (name, text) in [
        ("tls.crt", issued.certificate.as_str()),
        ("tls.key", &issued.key),
        ("ca.pem", &ca.pem()),
        (
            "tokens.yaml",
            "- {token: reader-token-0001, may: read}\n- {token: admins-token-0001, may: administer}\n",
        ),
        ("broken", "neither tokens nor a certificate"),
    ] {
        desk.write(name, text);
    }
    (desk, ca)
}

/// Starts it on all addresses of this machine; where it is asked.
fn start(desk: &Desk, more: &[&str]) -> (Running, String) {
    let listen = ["store", "--listen", "0.0.0.0:0", "--data", "store.db"];
    let running = Running::start(desk.command(&[&listen[..], &TLS, more].concat()));
    let url = format!("https://127.0.0.1:{}/v1beta1/projects", running.addresses()[0].port());
    (running, url)
}

fn client(ca: &Ca, caller: Option<&countersign_kit::Certificate>) -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let root = Certificate::from_pem(ca.pem().as_bytes()).unwrap();
    let builder = Client::builder().no_proxy().tls_certs_only([root]);
    let builder = match caller {
        Some(caller) => {
            let pem = format!("{}{}", caller.certificate, caller.key);
            builder.identity(Identity::from_pem(pem.as_bytes()).unwrap())
        }
        None => builder,
    };
    builder.build().unwrap()
}

#[test]
fn what_it_is_told_wrongly_ends_it_with_2() {
    let (desk, _) = prepared();
    let anywhere = ["--listen", "0.0.0.0:0", "--data", ":memory:"];
    let here = ["--listen", "127.0.0.1:0", "--data", ":memory:"];
    let broken = ["--tls-certificate", "broken", "--tls-key", "tls.key"];
    let strangers = "can be reached from other machines";
    for (name, arguments, code, want) in [
        ("without TLS", anywhere.to_vec(), 2, strangers),
        ("tokens without TLS", [&anywhere[..], &TOKENS].concat(), 2, strangers),
        ("TLS for anybody", [&anywhere[..], &TLS].concat(), 2, strangers),
        ("no key", [&here[..], &TLS[..2]].concat(), 2, "--tls-key"),
        ("a CA without TLS", [&here[..], &CALLERS].concat(), 2, "--tls-certificate"),
        ("no tokens", [&here[..], &["--tokens", "broken"]].concat(), 2, "cannot use the tokens"),
        ("no certificate", [&here[..], &broken].concat(), 2, "cannot use the certificates"),
        ("no data", vec!["--listen", "127.0.0.1:0", "--data", "broken"], 1, "cannot open the data"),
    ] {
        let ended = desk.run(&[&["store"], &arguments[..]].concat());
        assert_eq!(ended.status.code(), Some(code), "{name}: {}", stderr(&ended));
        assert!(stderr(&ended).contains(want), "{name}: {}", stderr(&ended));
    }
}

#[tokio::test]
async fn callers_are_told_apart_and_what_they_wrote_is_kept() {
    let (desk, ca) = prepared();
    let (administers, reads) = ("admins-token-0001", "reader-token-0001");
    let (running, url) = start(&desk, &TOKENS);
    let anybody = client(&ca, None);
    for (name, token, want) in [
        ("nobody", None, StatusCode::UNAUTHORIZED),
        ("a stranger", Some("strange-token-0001"), StatusCode::UNAUTHORIZED),
        ("who may read", Some(reads), StatusCode::FORBIDDEN),
        ("who administers", Some(administers), StatusCode::OK),
    ] {
        let asked = anybody.post(&url).header("content-type", "application/json");
        let asked = asked.body(json!({"name": "projects/kept"}).to_string());
        let asked = match token {
            Some(token) => asked.bearer_auth(token),
            None => asked,
        };
        assert_eq!(asked.send().await.unwrap().status(), want, "{name}");
    }
    running.signal("-INT");
    let (code, said) = running.end();
    assert_eq!(code, Some(0), "{said}");

    let (running, url) = start(&desk, &CALLERS);
    assert!(anybody.get(&url).send().await.is_err(), "without a certificate");
    let caller = client(&ca, Some(&ca.client("ci")));
    let listed = caller.get(&url).send().await.unwrap().bytes().await.unwrap();
    let listed: Value = serde_json::from_slice(&listed).unwrap();
    assert_eq!(listed["projects"][0]["name"], "projects/kept", "{listed}");
    drop(running);
}
