//! One conversation with a Grafeas server of v1beta1, held with the reference server and with ours:
//! clients that were written for one work with the other.

use countersign::store::{Data, StoreServer, StoreServerOptions};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::peer::Grafeas;

#[tokio::test]
async fn our_server_speaks_as_the_reference_server_does() {
    let listen = "127.0.0.1:0".parse().unwrap();
    let options = StoreServerOptions { listen, data: Data::Memory, tls: None, tokens: None };
    let server = StoreServer::bind(options).unwrap();
    let url = server.url();
    let serving = tokio::spawn(server.serve(std::future::pending()));
    converse(&url).await;
    serving.abort();
}

#[tokio::test]
#[ignore = "needs grafeas-server"]
async fn the_reference_server_speaks_so() {
    converse(&Grafeas::start().url()).await;
}

async fn converse(server: &str) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().build().unwrap();
    let mut occurrence = String::new();
    for turn in turns() {
        let path = turn.path.replace("{occurrence}", &occurrence);
        let mut request = client.request(turn.method.clone(), format!("{server}{path}"));
        if let Some(body) = &turn.body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        let mut body: Value = serde_json::from_str(&text).unwrap_or_else(|_| json!(text));
        if let Some(name) = body["name"].as_str().filter(|name| name.contains("/occurrences/")) {
            name.clone_into(&mut occurrence);
        }
        mask(&mut body);
        assert_eq!(status, turn.status, "{} {path}: {body}", turn.method);
        if let Some(expected) = turn.answer {
            assert_eq!(body, expected, "{} {path}", turn.method);
        }
    }
}

/// One request, and what is answered; without `answer` only the status counts.
struct Turn {
    method: Method,
    path: &'static str,
    body: Option<Value>,
    status: u16,
    answer: Option<Value>,
}

impl Turn {
    fn get(path: &'static str, status: u16, answer: impl Into<Option<Value>>) -> Self {
        Self { method: Method::GET, path, body: None, status, answer: answer.into() }
    }

    fn post(
        path: &'static str,
        body: Value,
        status: u16,
        answer: impl Into<Option<Value>>,
    ) -> Self {
        Self { method: Method::POST, path, body: Some(body), status, answer: answer.into() }
    }

    fn delete(path: &'static str, status: u16) -> Self {
        Self { method: Method::DELETE, path, body: None, status, answer: None }
    }
}

fn turns() -> Vec<Turn> {
    const PROJECT: &str = "/v1beta1/projects/image-build";
    const OCCURRENCES: &str = "/v1beta1/projects/image-build/occurrences";
    const NOTES: &str = "/v1beta1/projects/image-build/notes?noteId=qa";
    const NOTE: &str = "/v1beta1/projects/image-build/notes/qa";
    const BY_NOTE: &str = "/v1beta1/projects/image-build/notes/qa/occurrences";
    let project = json!({"name": "projects/image-build"});
    let page = |count: usize| json!({"occurrences": vec![stored_occurrence(); count]});
    let page_with_more = |count: usize| {
        let mut page = page(count);
        page["nextPageToken"] = json!("TOKEN");
        page
    };
    vec![
        Turn::post("/v1beta1/projects", project.clone(), 200, project.clone()),
        Turn::post("/v1beta1/projects", project.clone(), 409, None),
        Turn::get(PROJECT, 200, project),
        Turn::get("/v1beta1/projects/none", 404, None),
        // Notes.
        Turn::get(NOTE, 404, None),
        Turn::post(NOTES, note(), 200, stored_note()),
        Turn::post(NOTES, note(), 409, None),
        Turn::get(NOTE, 200, stored_note()),
        // Occurrences; what the client claims about names and times is replaced.
        Turn::get(OCCURRENCES, 200, json!({})),
        Turn::get(BY_NOTE, 200, json!({})),
        Turn::post(OCCURRENCES, occurrence(), 200, stored_occurrence()),
        Turn::get("/v1beta1/{occurrence}", 200, stored_occurrence()),
        Turn::get("/v1beta1/{occurrence}/notes", 200, stored_note()),
        Turn::post(OCCURRENCES, snake_case(&occurrence()), 200, stored_occurrence()),
        Turn::post(OCCURRENCES, occurrence(), 200, stored_occurrence()),
        // Lists and their pages.
        Turn::get(OCCURRENCES, 200, page(3)),
        Turn::get(BY_NOTE, 200, page(3)),
        Turn::get("/v1beta1/projects/image-build/occurrences?pageSize=2", 200, page_with_more(2)),
        Turn::get("/v1beta1/projects/image-build/occurrences?page_size=3", 200, page(3)),
        Turn::get("/v1beta1/projects/image-build/occurrences?pageSize=1001", 400, None),
        Turn::get("/v1beta1/projects/image-build/occurrences?pageSize=-1", 400, None),
        Turn::get("/v1beta1/projects/image-build/notes/none/occurrences", 404, None),
        // What is not accepted.
        Turn::post(OCCURRENCES, json!({}), 400, None),
        Turn::post(OCCURRENCES, without("noteName"), 400, None),
        Turn::post(OCCURRENCES, without("resource"), 400, None),
        Turn::post(OCCURRENCES, without("attestation"), 400, None),
        Turn::post(OCCURRENCES, json!({"resourceUri": "of v1"}), 400, None),
        Turn::get("/v1beta1/projects/image-build/occurrences/none", 404, None),
        // Removal.
        Turn::delete("/v1beta1/{occurrence}", 200),
        Turn::get("/v1beta1/{occurrence}", 404, None),
        Turn::delete("/v1beta1/{occurrence}", 404),
        Turn::get(OCCURRENCES, 200, page(2)),
    ]
}

fn note() -> Value {
    json!({
        "name": "projects/image-build/notes/qa",
        "kind": "ATTESTATION",
        "attestationAuthority": {"hint": {"humanReadableName": "qa"}},
    })
}

fn occurrence() -> Value {
    let signature = json!({"signature": "c2lnbmF0dXJl", "pgpKeyId": "0123", "contentType": "SIMPLE_SIGNING_JSON"});
    json!({
        "name": "projects/image-build/occurrences/mine",
        "createTime": "2020-01-02T03:04:05Z",
        "resource": {"uri": "https://registry.example/acme/shop@sha256:3b1c"},
        "noteName": "projects/image-build/notes/qa",
        "kind": "ATTESTATION",
        "attestation": {"attestation": {"pgpSignedAttestation": signature}},
    })
}

fn stored_note() -> Value {
    let mut note = note();
    mask_times(&mut note);
    note
}

fn stored_occurrence() -> Value {
    let mut occurrence = occurrence();
    mask_times(&mut occurrence);
    mask(&mut occurrence);
    occurrence
}

fn without(member: &str) -> Value {
    let mut occurrence = occurrence();
    occurrence.as_object_mut().unwrap().remove(member);
    occurrence
}

/// As ocibuilder posts it.
fn snake_case(message: &Value) -> Value {
    let text = message.to_string();
    let text = text.replace("noteName", "note_name").replace("createTime", "create_time");
    let text = text.replace("pgpSignedAttestation", "pgp_signed_attestation");
    let text = text.replace("pgpKeyId", "pgp_key_id").replace("contentType", "content_type");
    serde_json::from_str(&text).unwrap()
}

fn mask_times(message: &mut Value) {
    message["createTime"] = json!("TIME");
    message["updateTime"] = json!("TIME");
}

/// Replaces what differs each time: the time of storing, names of occurrences, page tokens.
fn mask(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(mask),
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), &*member) {
                    ("createTime" | "updateTime", Value::String(time)) if fresh(time) => {
                        *member = json!("TIME");
                    }
                    ("name", Value::String(text)) if text.contains("/occurrences/") => {
                        *member = json!("NAME");
                    }
                    ("nextPageToken", Value::String(_)) => *member = json!("TOKEN"),
                    _ => mask(member),
                }
            }
        }
        _ => {}
    }
}

/// A time of the server's, not the one that the client sent.
fn fresh(time: &str) -> bool {
    time.parse::<jiff::Timestamp>()
        .is_ok_and(|time| jiff::Timestamp::now().duration_since(time).as_secs() < 600)
}
