use crate::peer::Grafeas;

#[tokio::test]
#[ignore = "needs grafeas-server"]
async fn the_reference_server_speaks_v1beta1_only() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = Grafeas::start();
    for (path, status) in [("v1beta1", 200), ("v1", 404)] {
        let url = format!("{}/{path}/projects", server.url());
        assert_eq!(reqwest::get(url).await.unwrap().status(), status, "{path}");
    }
}
