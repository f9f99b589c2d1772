//! Who may do what in the embedded store, over real TLS.

use std::{net::SocketAddr, time::Duration};

use countersign::{
    serve::TlsFiles,
    store::{Data, StoreServer, StoreServerOptions},
};
use countersign_kit::Ca;
use reqwest::{Client, Identity, Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::grafeas_client::{QA, attestation, uri};

/// A store over TLS with the options of a test, and its files.
struct Guarded {
    url: String,
    ca: Ca,
    folder: TempDir,
    _stop: tokio::sync::oneshot::Sender<()>,
}

const TOKENS: &str = "- {token: reader-token-0001, may: read}
- {token: writer-token-0001, may: write, notes: [projects/image-build/notes/qa]}
- {token: admins-token-0001, may: administer}
";

fn options(ca: &Ca, folder: &TempDir, tokens: bool, asks_callers: bool) -> StoreServerOptions {
    let path = |name: &str| folder.path().join(name);
    let certificate = ca.server(&["127.0.0.1", "localhost"]);
    std::fs::write(path("tls.crt"), &certificate.certificate).unwrap();
    std::fs::write(path("tls.key"), &certificate.key).unwrap();
    std::fs::write(path("ca.crt"), ca.pem()).unwrap();
    std::fs::write(path("tokens.yaml"), TOKENS).unwrap();
    StoreServerOptions {
        listen: "127.0.0.1:0".parse().unwrap(),
        data: Data::Memory,
        tls: Some(TlsFiles {
            certificate: path("tls.crt"),
            key: path("tls.key"),
            client_ca: asks_callers.then(|| path("ca.crt")),
        }),
        tokens: tokens.then(|| path("tokens.yaml")),
    }
}

impl Guarded {
    fn start(tokens: bool, asks_callers: bool) -> Self {
        let (ca, folder) = (Ca::new(), TempDir::new().unwrap());
        let server = StoreServer::bind(options(&ca, &folder, tokens, asks_callers)).unwrap();
        let url = server.url();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        tokio::spawn(server.serve(async move {
            let _ = stopped.await;
        }));
        Self { url, ca, folder, _stop: stop }
    }

    fn client(&self, identity: Option<Identity>) -> Client {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let root = reqwest::Certificate::from_pem(self.ca.pem().as_bytes()).unwrap();
        let builder = Client::builder().no_proxy().tls_certs_only([root]);
        let builder = match identity {
            Some(identity) => builder.identity(identity),
            None => builder,
        };
        builder.build().unwrap()
    }

    async fn ask(&self, token: &str, method: Method, path: &str, body: Value) -> StatusCode {
        let mut request = self.client(None).request(method, format!("{}{path}", self.url));
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        request.body(body.to_string()).send().await.unwrap().status()
    }
}

#[tokio::test]
async fn p18_a_token_may_do_what_it_is_for() {
    let store = Guarded::start(true, false);
    let note = json!({"name": QA, "attestationAuthority": {"hint": {"humanReadableName": "qa"}}});
    let other = "projects/image-build/notes/other";
    let batch =
        |note: &str| json!({"occurrences": [attestation(&uri(), QA), attestation(&uri(), note)]});
    let cases = [
        ("", "GET", "/projects", Value::Null, 401),
        ("stranger-token-001", "GET", "/projects", Value::Null, 401),
        ("reader-token-0001", "GET", "/projects", Value::Null, 200),
        (
            "reader-token-0001",
            "POST",
            "/projects/image-build/occurrences",
            attestation(&uri(), QA),
            403,
        ),
        ("reader-token-0001", "POST", "/projects/image-build/notes?noteId=qa", note.clone(), 403),
        ("writer-token-0001", "POST", "/projects/image-build/notes?noteId=qa", note.clone(), 403),
        ("writer-token-0001", "POST", "/projects", json!({"name": "projects/x"}), 403),
        ("admins-token-0001", "POST", "/projects/image-build/notes?noteId=qa", note, 200),
        (
            "writer-token-0001",
            "POST",
            "/projects/image-build/occurrences",
            attestation(&uri(), QA),
            200,
        ),
        (
            "writer-token-0001",
            "POST",
            "/projects/image-build/occurrences",
            attestation(&uri(), other),
            403,
        ),
        (
            "writer-token-0001",
            "POST",
            "/projects/elsewhere/occurrences",
            attestation(&uri(), QA),
            403,
        ),
        (
            "writer-token-0001",
            "POST",
            "/projects/image-build/occurrences:batchCreate",
            batch(QA),
            200,
        ),
        (
            "writer-token-0001",
            "POST",
            "/projects/image-build/occurrences:batchCreate",
            batch(other),
            403,
        ),
        (
            "writer-token-0001",
            "GET",
            "/projects/image-build/notes/qa/occurrences",
            Value::Null,
            200,
        ),
        ("writer-token-0001", "DELETE", "/projects/image-build/notes/qa", Value::Null, 403),
        ("admins-token-0001", "DELETE", "/projects/image-build/notes/qa", Value::Null, 200),
    ];
    for (token, method, path, body, want) in cases {
        let path = format!("/v1beta1{path}");
        let status = store.ask(token, method.parse().unwrap(), &path, body).await;
        assert_eq!(status, want, "{token} {method} {path}");
    }
}

#[tokio::test]
async fn p18_a_token_that_is_taken_away_opens_nothing() {
    let store = Guarded::start(true, false);
    let get = || store.ask("reader-token-0001", Method::GET, "/v1/projects", Value::Null);
    assert_eq!(get().await, 200);
    let tokens = store.folder.path().join("tokens.yaml");
    std::fs::write(&tokens, "not a list of tokens: at all").unwrap();
    assert_eq!(get().await, 200, "the last good file stays in force");
    std::fs::write(&tokens, "- {token: another-token-001, may: read}").unwrap();
    assert_eq!(get().await, 401);
}

#[tokio::test]
async fn p18_callers_without_a_certificate_are_not_answered() {
    let store = Guarded::start(false, true);
    let url = format!("{}/v1beta1/projects", store.url);
    assert!(store.client(None).get(&url).send().await.is_err());
    let ours = store.ca.client("ci");
    let pem = format!("{}{}", ours.certificate, ours.key);
    let identity = Identity::from_pem(pem.as_bytes()).unwrap();
    let answer = store.client(Some(identity)).get(&url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let theirs = Ca::new().client("ci");
    let pem = format!("{}{}", theirs.certificate, theirs.key);
    let identity = Identity::from_pem(pem.as_bytes()).unwrap();
    assert!(store.client(Some(identity)).get(&url).send().await.is_err());
}

#[tokio::test]
async fn p8_a_caller_who_says_nothing_is_not_waited_for() {
    let ca = Ca::new();
    let folder = TempDir::new().unwrap();
    let plain = StoreServerOptions { tls: None, ..options(&ca, &folder, false, false) };
    let server = StoreServer::bind(plain).unwrap();
    let address = server.address();
    let serving = tokio::spawn(server.serve(std::future::pending()));
    let http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let callers = [
        ("says nothing", &b""[..]),
        ("stops within a line", b"GET /v1/pro"),
        ("stops within the headers", b"GET /v1/projects HTTP/1.1\r\nHost: a"),
        ("speaks another version", http2),
    ];
    futures_util::future::join_all(callers.map(|(name, text)| async move {
        let mut caller = TcpStream::connect(address).await.unwrap();
        caller.write_all(text).await.unwrap();
        let closed = timeout(Duration::from_secs(60), caller.read_to_end(&mut Vec::new())).await;
        assert!(closed.is_ok(), "{name}: the connection is kept");
    }))
    .await;
    serving.abort();
}

#[test]
fn p18_a_store_that_strangers_reach_does_not_start() {
    let (ca, folder) = (Ca::new(), TempDir::new().unwrap());
    let everywhere: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let guarded = |tokens, asks| StoreServerOptions {
        listen: everywhere,
        ..options(&ca, &folder, tokens, asks)
    };
    let plain = |tokens| StoreServerOptions { tls: None, ..guarded(tokens, false) };
    let cases = [
        ("plain", plain(false), false),
        ("plain with tokens", plain(true), false),
        ("TLS alone", guarded(false, false), false),
        ("TLS and tokens", guarded(true, false), true),
        ("TLS and certificates", guarded(false, true), true),
    ];
    for (name, options, starts) in cases {
        match StoreServer::bind(options) {
            Ok(_) => assert!(starts, "{name}"),
            Err(error) => {
                assert!(!starts, "{name}: {error}");
                let text = error.to_string();
                assert!(text.contains("0.0.0.0:0 can be reached from other machines"), "{text}");
            }
        }
    }
}

#[test]
fn files_that_are_none_are_named() {
    let (ca, folder) = (Ca::new(), TempDir::new().unwrap());
    let path = folder.path().join("broken");
    std::fs::write(&path, "this is neither a certificate nor a database, nor tokens").unwrap();
    let good = || options(&ca, &folder, true, true);
    let mut tls = good();
    tls.tls.as_mut().unwrap().certificate.clone_from(&path);
    let mut client_ca = good();
    client_ca.tls.as_mut().unwrap().client_ca = Some(path.clone());
    let cases = [
        ("a certificate", tls),
        ("a CA", client_ca),
        ("a database", StoreServerOptions { data: Data::File(path.clone()), ..good() }),
        ("tokens", StoreServerOptions { tokens: Some(path.clone()), ..good() }),
    ];
    for (name, options) in cases {
        let mut text = String::new();
        let error = StoreServer::bind(options).expect_err(name);
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = cause {
            text = format!("{text}{error}; ");
            cause = error.source();
        }
        assert!(text.contains("broken"), "{name}: {text}");
    }
}
