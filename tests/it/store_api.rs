//! What the embedded store does beyond the conversation that it shares with the reference server.

use countersign::store::{Data, StoreServer, StoreServerOptions};
use reqwest::Client;
use serde_json::{Value, json};

use crate::grafeas_client::{Embedded, QA, attestation, uri};

const OCCURRENCES: &str = "/v1beta1/projects/image-build/occurrences";

async fn send(store: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let request = Client::builder().no_proxy().build().unwrap();
    let request = request.request(method.parse().unwrap(), format!("{store}{path}"));
    let answer = request
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

async fn get(store: &str, path: &str) -> (u16, Value) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    send(store, "GET", path, &Value::Null).await
}

async fn post(store: &str, path: &str, body: &Value) -> (u16, Value) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    send(store, "POST", path, body).await
}

fn count(list: &Value) -> usize {
    list["occurrences"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn filters_select() {
    let store = Embedded::start();
    for (uri, note) in [("a", "qa"), ("https://b", "qa"), ("https://b", "built")] {
        let note = format!("projects/image-build/notes/{note}");
        post(&store.url, OCCURRENCES, &attestation(uri, &note)).await;
    }
    let cases = [
        ("", 3),
        (r#"resourceUrl="https://b""#, 2),
        (r#"resource.uri="a" OR resourceUrl="https://b""#, 3),
        (r#"resourceUrl="https://b" AND noteId="built""#, 1),
        (r#"kind="BUILD""#, 0),
        (r#"noteProjectId="image-build" AND NOT noteId="built""#, 2),
        (r#"resource_uri:"https://""#, 2),
    ];
    for (filter, want) in cases {
        let query = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect::<String>();
        let (status, list) = get(&store.url, &format!("{OCCURRENCES}?filter={query}")).await;
        assert_eq!((status, count(&list)), (200, want), "{filter}: {list}");
    }
    let (status, answer) = get(&store.url, &format!("{OCCURRENCES}?filter=(((")).await;
    assert_eq!((status, &answer["code"]), (400, &json!(3)), "{answer}");
    assert!(answer["message"].as_str().unwrap().contains("cannot be read"), "{answer}");
}

#[tokio::test]
async fn pages_cannot_be_made_up() {
    let store = Embedded::start();
    for _ in 0..5 {
        post(&store.url, OCCURRENCES, &attestation(&uri(), QA)).await;
    }
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let path = format!("{OCCURRENCES}?pageSize=2&pageToken={token}");
        let (_, list) = get(&store.url, &path).await;
        let page = list["occurrences"].as_array().unwrap();
        names.extend(page.iter().map(|one| one["name"].as_str().unwrap().to_owned()));
        match list["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => break,
        }
    }
    names.dedup();
    assert_eq!(names.len(), 5);
    for token in ["99", "YWZ0ZXI", "%00", "after%205", "YWZ0ZXIgOTk5OTk5OTk5OTk5OTk5OTk5OTk5OQ"] {
        let (status, answer) = get(&store.url, &format!("{OCCURRENCES}?pageToken={token}")).await;
        assert_eq!(status, 400, "{token}: {answer}");
    }
    // A token past the end, which kills the reference server, is an empty page.
    let past = "YWZ0ZXIgOTk5OTk5";
    assert_eq!(get(&store.url, &format!("{OCCURRENCES}?pageToken={past}")).await, (200, json!({})));
}

#[tokio::test]
async fn a_batch_is_kept_whole_or_not_at_all() {
    let store = Embedded::start();
    let batch = format!("{OCCURRENCES}:batchCreate");
    let two = json!({"parent": "projects/image-build",
        "occurrences": [attestation(&uri(), QA), attestation(&uri(), QA)]});
    let (status, answer) = post(&store.url, &batch, &two).await;
    assert_eq!((status, count(&answer)), (200, 2));
    let spoiled = json!({"occurrences": [attestation(&uri(), QA), {"noteName": QA}]});
    assert_eq!(post(&store.url, &batch, &spoiled).await.0, 400);
    assert_eq!(post(&store.url, &batch, &json!({"occurrences": []})).await.0, 400);
    assert_eq!(count(&get(&store.url, OCCURRENCES).await.1), 2);

    let note = json!({"attestationAuthority": {"hint": {"humanReadableName": "qa"}}});
    let notes = json!({"notes": {"qa": note, "built": note}});
    let path = "/v1beta1/projects/image-build/notes:batchCreate";
    let (_, answer) = post(&store.url, path, &notes).await;
    assert_eq!(answer["notes"].as_array().unwrap().len(), 2);
    assert_eq!(post(&store.url, path, &notes).await, (200, json!({})), "as the reference server");
}

#[tokio::test]
async fn ocibuilders_batch_is_kept() {
    let store = Embedded::start();
    let image =
        "docker.io/o/r@sha256:17224a51821524e7756bff0a4b8a4527fceec461595efaab2a517c493c99635b";
    let zero = "0001-01-01T00:00:00Z";
    let common = |note: &str| {
        json!({"resource": {"uri": image}, "note_name": format!("projects/image-build/notes/{note}"),
            "create_time": zero, "update_time": zero})
    };
    let mut attestation = common("attestation");
    attestation["attestation"] = json!({"attestation": {"pgp_signed_attestation":
        {"signature": "-----BEGIN PGP SIGNATURE-----", "pgp_key_id": "0123456789ABCDEF"}}});
    let mut derived = common("image");
    derived["derived_image"] = json!({"derived_image": {"fingerprint":
        {"v1_name": "x", "v2_blob": ["<missing>", "x"]},
        "layer_info": [{"directive": "RUN", "arguments": "true"}]}});
    let mut build = common("build");
    build["build"] = json!({"provenance": {"id": "1", "project_id": "image-build",
        "built_artifacts": [{"checksum": "x", "names": ["o/r:1"]}],
        "source_provenance": {"artifact_storage_source_uri": "git"}}});
    let body =
        json!({"parent": "projects/image-build", "occurrences": [attestation, derived, build]});
    let (status, answer) = post(&store.url, &format!("{OCCURRENCES}:batchCreate"), &body).await;
    assert_eq!(status, 200, "{answer}");
    let kept = answer["occurrences"].as_array().unwrap();
    let kinds: Vec<_> = kept.iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["ATTESTATION", "IMAGE", "BUILD"]);
    let key = "/attestation/attestation/pgpSignedAttestation/pgpKeyId";
    assert_eq!(kept[0].pointer(key), Some(&json!("0123456789ABCDEF")));
    assert!(kept.iter().all(|one| one["createTime"] != zero), "times are the server's");
}

#[tokio::test]
async fn vulnerabilities_are_summed_up() {
    let store = Embedded::start();
    for (severity, fixable) in [("HIGH", true), ("HIGH", false), ("LOW", true)] {
        let note = "projects/image-build/notes/scan";
        let found = countersign_kit::vulnerability_occurrence("u", note, severity, fixable);
        assert_eq!(post(&store.url, OCCURRENCES, &found).await.0, 200);
    }
    post(&store.url, OCCURRENCES, &attestation("u", QA)).await;
    let entry = |severity: &str, fixable: &str, total: &str| json!({"resource": {"uri": "u"}, "severity": severity, "fixableCount": fixable, "totalCount": total});
    let want = json!({"counts": [entry("HIGH", "1", "2"), entry("LOW", "1", "1")]});
    assert_eq!(get(&store.url, &format!("{OCCURRENCES}:vulnerabilitySummary")).await, (200, want));
}

#[tokio::test]
async fn what_is_no_request_of_grafeas_is_refused_as_grafeas_does() {
    let store = Embedded::start();
    let cases = [
        ("GET", "/", Value::Null, 404, 5),
        ("GET", "/v2/projects", Value::Null, 404, 5),
        ("PATCH", OCCURRENCES, Value::Null, 501, 12),
        ("GET", "/v1beta1/projects/a%20b/occurrences", Value::Null, 400, 3),
        ("GET", "/v1beta1/projects/%ff/occurrences", Value::Null, 400, 3),
        ("GET", "/v1beta1/projects/a%2Fb/notes/n", Value::Null, 400, 3),
        ("POST", OCCURRENCES, json!([]), 400, 3),
        (
            "POST",
            OCCURRENCES,
            json!({"noteName": "x", "resource": {"uri": "u"}, "build": {"provenance": {"id": "1"}}}),
            400,
            3,
        ),
        ("POST", OCCURRENCES, json!({"note_name": QA, "noteName": QA}), 400, 3),
        (
            "POST",
            "/v1beta1/projects/p/notes?noteId=a%20b",
            json!({"build": {"builderVersion": "1"}}),
            400,
            3,
        ),
        ("GET", "/v1beta1/projects/p/notes?pageSize=x", Value::Null, 400, 3),
    ];
    let _ = rustls::crypto::ring::default_provider().install_default();
    for (method, path, body, status, code) in cases {
        let (got, answer) = send(&store.url, method, path, &body).await;
        assert_eq!((got, &answer["code"]), (status, &json!(code)), "{method} {path}: {answer}");
        assert!(answer["message"].is_string(), "{answer}");
    }
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let client = Client::builder().no_proxy().build().unwrap();
    let url = format!("{}{OCCURRENCES}", store.url);
    let post = || client.post(&url).header("content-type", "application/json");
    assert_eq!(post().body(deep).send().await.unwrap().status(), 400);
    let large = vec![b' '; 17 << 20];
    let answer = post().body(large).send().await;
    assert!(answer.is_err() || answer.unwrap().status() == 413);
    assert_eq!(get(&store.url, OCCURRENCES).await, (200, json!({})), "and it goes on");
}

#[tokio::test]
async fn p18_a_web_page_on_the_machine_is_a_stranger() {
    let store = Embedded::start();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().build().unwrap();
    let (own, port) = (store.url.trim_start_matches("http://"), store.url.rsplit(':').next());
    let [named, local] =
        ["evil.example", "LocalHost"].map(|name| format!("{name}:{}", port.unwrap()));
    let [json, text] = ["application/json; charset=utf-8", "text/plain"].map(Some);
    let form = Some("application/x-www-form-urlencoded");
    for (name, method, host, kind, want) in [
        ("a client", "POST", own, json, (200, Value::Null)),
        ("a client that says localhost", "POST", &local, json, (200, Value::Null)),
        ("text", "POST", own, text, (400, json!(3))),
        ("a form", "POST", own, form, (400, json!(3))),
        ("a file", "POST", own, None, (400, json!(3))),
        ("a name that means this machine", "POST", &named, json, (403, json!(7))),
        ("reading by that name", "GET", &named, None, (403, json!(7))),
        ("deleting by that name", "DELETE", &named, None, (403, json!(7))),
        ("no host", "GET", "", None, (403, json!(7))),
        ("reading", "GET", own, None, (200, Value::Null)),
    ] {
        let url = format!("{}{OCCURRENCES}", store.url);
        let mut request = client.request(method.parse().unwrap(), url).header("host", host);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let message = attestation(&uri(), QA).to_string();
        let answer = request.body(message).send().await.unwrap();
        let status = answer.status().as_u16();
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!((status, &body["code"]), (want.0, &want.1), "{name}: {body}");
    }
    assert_eq!(count(&get(&store.url, OCCURRENCES).await.1), 2);
}

#[tokio::test]
async fn data_outlives_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = Data::File(folder.path().join("store.db"));
    for turn in 0..2 {
        let listen = "127.0.0.1:0".parse().unwrap();
        let options = StoreServerOptions { listen, data: data.clone(), tls: None, tokens: None };
        let server = StoreServer::bind(options).unwrap();
        let url = server.url();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let running = tokio::spawn(server.serve(async move {
            let _ = stopped.await;
        }));
        assert_eq!(count(&get(&url, OCCURRENCES).await.1), turn);
        post(&url, OCCURRENCES, &attestation(&uri(), QA)).await;
        stop.send(()).unwrap();
        running.await.unwrap().unwrap();
    }
}
