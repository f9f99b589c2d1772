//! The kit's certificates: whom they are trusted by, and who is asked for one.

use countersign_kit::{Answer, Ca, Certificate, Listen, Peer};
use rustls::crypto::{CryptoProvider, ring};

#[tokio::test]
async fn only_its_own_authority_vouches_for_a_server() {
    let (ca, other) = (Ca::new(), Ca::new());
    let peer = Peer::start(Listen::tls(&ca), |_| Answer::new(204));
    for host in [peer.host(), peer.localhost()] {
        assert_eq!(ask(&host, &ca, None).await, Some(204), "{host}");
        assert_eq!(ask(&host, &other, None).await, None, "{host}, another authority");
    }
    assert_eq!(peer.total(), 2);
    assert!(peer.requests().iter().all(|request| request.secure));
}

#[tokio::test]
async fn mutual_tls_lets_in_whom_the_client_authority_knows() {
    let (ca, clients, other) = (Ca::new(), Ca::new(), Ca::new());
    let peer = Peer::start(Listen::mutual_tls(&ca, &clients.pem()), |_| Answer::new(204));
    let host = peer.host();
    assert_eq!(ask(&host, &ca, Some(clients.client("gate"))).await, Some(204));
    assert_eq!(ask(&host, &ca, Some(other.client("gate"))).await, None);
    assert_eq!(ask(&host, &ca, None).await, None);
    assert_eq!(peer.total(), 1);
}

#[test]
fn a_certificate_and_its_key_are_in_pem() {
    let issued = Ca::new().server(&["countersign.countersign.svc", "127.0.0.1"]);
    assert!(issued.certificate.starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(issued.key.starts_with("-----BEGIN PRIVATE KEY-----"));
}

/// The status, or nothing where the two did not come together.
async fn ask(host: &str, ca: &Ca, identity: Option<Certificate>) -> Option<u16> {
    if CryptoProvider::get_default().is_none() {
        let _raced = ring::default_provider().install_default();
    }
    let ca = reqwest::Certificate::from_pem(ca.pem().as_bytes()).unwrap();
    let mut client = reqwest::Client::builder().no_proxy().tls_certs_only([ca]);
    if let Some(Certificate { certificate, key }) = identity {
        let pem = format!("{certificate}{key}");
        client = client.identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap());
    }
    let sent = client.build().unwrap().get(format!("https://{host}/")).send().await;
    sent.ok().map(|response| response.status().as_u16())
}
