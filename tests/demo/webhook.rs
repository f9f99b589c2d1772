//! The webhook as the API server sees it: HTTPS, a review in, a review out.

use std::time::{Duration, Instant};

use countersign_kit::{base64_decode, review};
use serde_json::Value;

/// Where `serve` listens, and how to trust it.
pub struct Webhook {
    client: reqwest::Client,
    admission: u16,
    probes: u16,
}

/// What the webhook said about one Pod.
pub struct Verdict {
    /// What was asked, for people.
    pub asked: String,
    pub allowed: bool,
    /// Why not.
    pub message: String,
    patch: Option<Value>,
}

impl Webhook {
    pub fn new(ca: &str, admission: u16, probes: u16) -> Result<Self, String> {
        let ca = reqwest::Certificate::from_pem(ca.as_bytes()).map_err(|e| e.to_string())?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([ca])
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { client, admission, probes })
    }

    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.admission)
    }

    pub fn probes(&self) -> String {
        format!("http://127.0.0.1:{}", self.probes)
    }

    /// Waits until `serve` is ready.
    pub async fn ready(&self) -> Result<(), String> {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            let probe = self.client.get(format!("{}/readyz", self.probes())).send().await;
            if probe.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err("`countersign serve` did not become ready".into())
    }

    /// Asks `/mutate` or `/validate` about a Pod of one image.
    pub async fn ask(&self, phase: &str, image: &str) -> Result<Verdict, String> {
        let answer = self
            .client
            .post(format!("{}/{phase}?timeout=10s", self.url()))
            .header("content-type", "application/json")
            .body(review(&[image]).build().to_string())
            .send()
            .await
            .map_err(|error| format!("{phase}: {error}"))?;
        let body = answer.bytes().await.map_err(|error| format!("{phase}: {error}"))?;
        let answer: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        let response = &answer["response"];
        let patch = response["patch"].as_str().and_then(base64_decode);
        Ok(Verdict {
            asked: format!("/{phase} {image}"),
            allowed: response["allowed"].as_bool().ok_or("no answer")?,
            message: response["status"]["message"].as_str().unwrap_or_default().to_owned(),
            patch: patch.and_then(|patch| serde_json::from_slice(&patch).ok()),
        })
    }
}

impl Verdict {
    /// What the patch puts in place of the image.
    pub fn pinned(&self) -> Option<String> {
        let operations = self.patch.as_ref()?.as_array()?;
        let replaced = operations.iter().find(|operation| operation["op"] == "replace")?;
        replaced["value"].as_str().map(str::to_owned)
    }
}
