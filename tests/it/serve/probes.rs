//! What the kubelet and Prometheus see.

use super::{Serving, allow};

#[tokio::test]
async fn probes_answer_beside_the_reviews() {
    let serving = Serving::start(allow).await;
    assert_eq!(serving.probe("/livez").await, (200, "alive\n".to_owned()));
    assert_eq!(serving.probe("/readyz").await, (200, "ready\n".to_owned()));
    let (status, metrics) = serving.probe("/metrics").await;
    assert_eq!(status, 200);
    for line in ["countersign_panics_total 0", "countersign_in_flight 0", "# EOF"] {
        assert!(metrics.lines().any(|known| known == line), "{line} in {metrics}");
    }
    assert_eq!(serving.probe("/validate").await.0, 404, "reviews are not answered there");
    assert_eq!(serving.connect().await.get("/metrics").await.unwrap().status, 404);
}
