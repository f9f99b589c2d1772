//! What the Grafeas client shows to whom.

use std::path::Path;

use bytes::Bytes;
use countersign::{
    attest::grafeas::Version,
    name::Code,
    source::{FetchError, GrafeasStore, Secret, StoreEvidence, StoreOptions, StoreToken},
};
use countersign_kit::{Ca, Fault, Grafeas, Listen, On};

use crate::grafeas_client::{QA, attestation, digest, parsed, repository, soon, uri};

fn double(listen: Listen) -> Grafeas {
    let double = Grafeas::start_on(listen);
    double.put_note(QA);
    double.put("projects/image-build", attestation(&uri(), QA));
    double
}

fn options(double: &Grafeas, ca: &Ca) -> StoreOptions {
    let url = double.url().parse().unwrap();
    let project = parsed("projects/image-build");
    let mut options = StoreOptions::new("grafeas", url, Version::V1Beta1, project);
    options.ca = Some(Bytes::from(ca.pem()));
    options
}

async fn ask(options: StoreOptions) -> Result<StoreEvidence, FetchError> {
    ask_again(&GrafeasStore::new(options).unwrap()).await
}

async fn ask_again(store: &GrafeasStore) -> Result<StoreEvidence, FetchError> {
    store.occurrences(&repository(), &[digest()], &[parsed(QA)], soon()).await
}

fn with_token(double: &Grafeas, ca: &Ca, file: &Path) -> StoreOptions {
    StoreOptions { token: Some(StoreToken::File(file.to_owned())), ..options(double, ca) }
}

#[tokio::test]
async fn a_token_file_is_read_again_when_it_changes() {
    let ca = Ca::new();
    let double = double(Listen::tls(&ca));
    double.require_token("hunter2");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "hunter1").unwrap();
    let store = GrafeasStore::new(with_token(&double, &ca, &file)).unwrap();
    let error = ask_again(&store).await.unwrap_err();
    assert_eq!(error.code(), Code::StoreUnauthorized);
    assert!(error.to_string().contains("refuses the credential"), "{error}");
    assert!(!error.to_string().contains("hunter"), "{error}");
    std::fs::write(&file, "hunter2\n").unwrap();
    assert_eq!(ask_again(&store).await.unwrap().candidates.len(), 1);
}

#[tokio::test]
async fn a_token_file_that_is_none_is_an_error_of_ours() {
    let ca = Ca::new();
    let double = double(Listen::tls(&ca));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    for (name, content) in [("missing", None), ("empty", Some("\n")), ("binary", Some("a\nb"))] {
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        let error = ask(with_token(&double, &ca, &file)).await.unwrap_err();
        assert_eq!(error.code(), Code::StoreUnauthorized, "{name}");
        assert!(error.to_string().contains("cannot be read; check the file"), "{name}: {error}");
        assert!(!error.to_string().contains("token"), "no paths for users: {error}");
    }
    assert_eq!(double.total(), 0, "nobody was asked without it");
}

#[tokio::test]
async fn p9_a_token_does_not_follow_a_redirect() {
    let (ca, elsewhere) = (Ca::new(), Grafeas::start());
    let double = double(Listen::tls(&ca));
    let location = format!("https://{}/x", elsewhere.localhost());
    double.fault(On::all(), Fault::redirect(307, &location));
    let token = Some(StoreToken::Given(Secret::new("hunter2".to_owned())));
    let error = ask(StoreOptions { token, ..options(&double, &ca) }).await.unwrap_err();
    assert_eq!(error.code(), Code::StoreInvalid, "{error}");
    assert!(double.requests().iter().all(|request| request.mentions("hunter2")));
    assert_eq!(elsewhere.total(), 0);
}

#[tokio::test]
async fn a_store_is_trusted_by_its_own_authority() {
    let ca = Ca::new();
    let double = double(Listen::tls(&ca));
    assert_eq!(ask(options(&double, &ca)).await.unwrap().candidates.len(), 1);
    for other in [None, Some(Bytes::from(Ca::new().pem()))] {
        let error = ask(StoreOptions { ca: other, ..options(&double, &ca) }).await.unwrap_err();
        assert_eq!(error.code(), Code::StoreUnreachable, "{error}");
    }
}

#[tokio::test]
async fn a_certificate_is_shown_where_it_is_asked_for() {
    let ca = Ca::new();
    let double = double(Listen::mutual_tls(&ca, &ca.pem()));
    let error = ask(options(&double, &ca)).await.unwrap_err();
    assert_eq!(error.code(), Code::StoreUnreachable, "{error}");
    let ours = ca.client("countersign");
    let identity = Some(Bytes::from(format!("{}{}", ours.certificate, ours.key)));
    let found = ask(StoreOptions { identity, ..options(&double, &ca) }).await.unwrap();
    assert_eq!(found.candidates.len(), 1);
}

#[test]
fn certificates_that_are_none_are_refused() {
    let (ca, double) = (Ca::new(), Grafeas::start());
    let broken = Some(Bytes::from_static(b"no PEM"));
    let cases = [
        ("a CA", StoreOptions { ca: broken.clone(), ..options(&double, &ca) }),
        ("a certificate", StoreOptions { identity: broken, ..options(&double, &ca) }),
    ];
    for (name, options) in cases {
        let error = GrafeasStore::new(options).err().expect(name).to_string();
        assert!(error.contains("for 127.0.0.1"), "{name}: {error}");
    }
}
