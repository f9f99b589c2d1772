use crate::peer::{DockerRegistry, OciServe, push_image};

/// What tells the two registries apart, and all that the tests here rely on.
#[tokio::test]
#[ignore = "needs docker-registry, ociserve and skopeo"]
async fn one_registry_knows_referrers_and_the_other_does_not() {
    let (old, new) = (DockerRegistry::start(), OciServe::start());
    for (host, status) in [(old.host(), 404), (new.host(), 200)] {
        let digest = push_image(&format!("{host}/acme/shop:v1"), "any");
        let answer = get(&format!("http://{host}/v2/acme/shop/referrers/{digest}")).await;
        assert_eq!(answer.status(), status, "{host}");
    }
}

#[tokio::test]
#[ignore = "needs docker-registry and htpasswd"]
async fn a_private_registry_asks_for_a_password_over_tls() {
    let registry = DockerRegistry::start_private("ci", "secret");
    let ca = std::fs::read(registry.folder().join("ca.crt")).unwrap();
    let client = client().tls_certs_only([reqwest::Certificate::from_pem(&ca).unwrap()]);
    let client = client.build().unwrap();
    let url = format!("https://{}/v2/", registry.host());
    let answer = client.get(&url).send().await.unwrap();
    assert_eq!(answer.headers()["www-authenticate"], "Basic realm=\"test\"");
    let answer = client.get(&url).basic_auth("ci", Some("secret")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

async fn get(url: &str) -> reqwest::Response {
    client().build().unwrap().get(url).send().await.unwrap()
}

fn client() -> reqwest::ClientBuilder {
    // A second call finds it installed, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy()
}
