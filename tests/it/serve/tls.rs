//! Certificates: which are taken, when, and from whom.

use std::{os::unix::fs::symlink, time::Duration};

use countersign::serve::TlsFiles;
use countersign_kit::{Ca, Certificate};

use super::{Client, Serving, allow};

const POD: &[u8] = include_bytes!("../../../fixtures/reviews/pod-create.mutate.raw");

#[tokio::test]
async fn only_http_1_1_is_offered() {
    let serving = Serving::start(allow).await;
    let (at, ca) = (serving.admission, serving.ca.pem());
    let client = Client::tls(at, &ca, None, &["h2", "http/1.1"]).await.unwrap();
    assert_eq!(client.protocol.as_deref(), Some(&b"http/1.1"[..]));
    let client = Client::tls(at, &ca, None, &[]).await.unwrap();
    assert_eq!(client.protocol, None);
    assert!(Client::tls(at, &ca, None, &["h2"]).await.is_err());
    let mut client = Client::tls(at, &ca, None, &["http/1.1"]).await.unwrap();
    client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    assert!(client.receive().await.map_or(true, |response| response.status >= 400));
}

#[tokio::test]
async fn only_callers_with_a_certificate_of_the_client_ca_are_answered() {
    let callers = Ca::new();
    let pem = callers.pem();
    let serving = Serving::start_with(allow, |options| {
        let path = options.tls.certificate.with_file_name("client-ca.crt");
        std::fs::write(&path, &pem).unwrap();
        options.tls.client_ca = Some(path);
    })
    .await;
    let ask = async |client: Option<Certificate>| {
        // With TLS 1.3 the client learns of its refusal by the first answer.
        serving.connect_as(client.as_ref()).await?.post("/validate", POD).await
    };
    assert_eq!(ask(Some(callers.client("kube-apiserver"))).await.unwrap().status, 200);
    assert!(ask(None).await.is_err(), "without one");
    assert!(ask(Some(Ca::new().client("kube-apiserver"))).await.is_err(), "of another CA");
    assert!(ask(Some(callers.server(&["kube-apiserver"]))).await.is_err(), "of a server");
}

/// Whether the server shows a certificate of this CA.
async fn shows(serving: &Serving, ca: &Ca) -> bool {
    Client::tls(serving.admission, &ca.pem(), None, &["http/1.1"]).await.is_ok()
}

async fn soon_shows(serving: &Serving, ca: &Ca) -> bool {
    for _ in 0..50 {
        if shows(serving, ca).await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

#[tokio::test]
async fn p16_a_certificate_is_exchanged_under_way_and_a_broken_one_is_not() {
    let serving = Serving::start(allow).await;
    let mut kept = serving.connect().await;
    kept.post("/validate", POD).await.unwrap();
    let renewed = Ca::new();
    let issued = renewed.server(&["localhost"]);

    std::fs::write(serving.file("tls.crt"), &issued.certificate).unwrap();
    serving.metric("countersign_certificate_reloads_total{result=\"failure\"} 1").await;
    assert!(shows(&serving, &serving.ca).await, "half a pair changes nothing");

    std::fs::write(serving.file("tls.key"), &issued.key).unwrap();
    assert!(soon_shows(&serving, &renewed).await, "the whole pair counts at once");
    serving.metric("countersign_certificate_reloads_total{result=\"success\"} 1").await;
    assert_eq!(kept.post("/validate", POD).await.unwrap().status, 200, "connections are kept");

    for broken in ["", "no PEM", &issued.key] {
        std::fs::write(serving.file("tls.crt"), broken).unwrap();
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert!(shows(&serving, &renewed).await, "{broken:?}");
    }
    std::fs::remove_file(serving.file("tls.crt")).unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(shows(&serving, &renewed).await, "a missing file");
}

#[tokio::test]
async fn p16_a_mounted_secret_is_followed_through_its_links() {
    let (first, second) = (Ca::new(), Ca::new());
    let serving = Serving::start_with(allow, |options| {
        let mount = options.tls.certificate.with_file_name("mount");
        for (name, ca) in [("..1", &first), ("..2", &second)] {
            std::fs::create_dir_all(mount.join(name)).unwrap();
            let issued = ca.server(&["localhost"]);
            std::fs::write(mount.join(name).join("tls.crt"), issued.certificate).unwrap();
            std::fs::write(mount.join(name).join("tls.key"), issued.key).unwrap();
        }
        symlink("..1", mount.join("..data")).unwrap();
        symlink("..data/tls.crt", mount.join("tls.crt")).unwrap();
        symlink("..data/tls.key", mount.join("tls.key")).unwrap();
        options.tls = TlsFiles {
            certificate: mount.join("tls.crt"),
            key: mount.join("tls.key"),
            client_ca: None,
        };
    })
    .await;
    assert!(shows(&serving, &first).await);
    // As the kubelet does it: a new link beside the old one, then a rename over it.
    symlink("..2", serving.file("mount/..new")).unwrap();
    std::fs::rename(serving.file("mount/..new"), serving.file("mount/..data")).unwrap();
    assert!(soon_shows(&serving, &second).await);
    assert!(!shows(&serving, &first).await);
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (ca, issued) = (Ca::new(), Ca::new().server(&["localhost"]));
    let other = ca.server(&["localhost"]);
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    for (name, text) in [
        ("good.crt", issued.certificate.as_str()),
        ("good.key", &issued.key),
        ("other.key", &other.key),
        ("encrypted.key", encrypted),
        ("ca.crt", &ca.pem()),
        ("empty", ""),
        ("cut.crt", &issued.certificate[..200]),
        ("junk.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    ] {
        std::fs::write(at(name), text).unwrap();
    }
    for (name, certificate, key, client_ca, want) in [
        ("all well", "good.crt", "good.key", Some("ca.crt"), ""),
        ("no certificate", "missing", "good.key", None, "missing is not readable"),
        ("no key", "good.crt", "missing", None, "missing is not readable"),
        ("empty certificate", "empty", "good.key", None, "empty holds no certificate"),
        ("key for a certificate", "good.key", "good.key", None, "good.key holds no certificate"),
        ("cut off", "cut.crt", "good.key", None, "cut.crt is no list of certificates in PEM"),
        ("junk", "junk.crt", "good.key", None, "junk.crt and"),
        (
            "certificate for a key",
            "good.crt",
            "good.crt",
            None,
            "good.crt is no private key in PEM",
        ),
        ("under a passphrase", "good.crt", "encrypted.key", None, "a key under a passphrase"),
        ("another key", "good.crt", "other.key", None, "other.key do not fit together"),
        ("empty client CA", "good.crt", "good.key", Some("empty"), "empty holds no certificate"),
        ("junk client CA", "good.crt", "good.key", Some("junk.crt"), "cannot be a CA"),
    ] {
        let files =
            TlsFiles { certificate: at(certificate), key: at(key), client_ca: client_ca.map(at) };
        match (files.load(), want) {
            (Ok(tls), "") => assert!(tls.expires.is_some(), "{name}"),
            (Err(error), want) if !want.is_empty() => {
                assert!(error.to_string().contains(want), "{name}: {error}");
            }
            (got, _) => panic!("{name}: {:?}", got.map(|tls| tls.expires)),
        }
    }
}
