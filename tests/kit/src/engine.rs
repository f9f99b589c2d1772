//! A Docker Engine that has some images: the two endpoints that tell about indexes, over a socket.
//!
//! As moby's `api/swagger.yaml` documents them at 1.55, for the containerd image store.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread::JoinHandle,
};

use serde_json::{Value, json};
use tokio::{net::UnixListener, sync::oneshot};

use crate::{
    Content,
    peer::{Answer, Inner, Request, Scripted, connection},
};

/// A running Engine, at a socket.
pub struct Engine {
    socket: PathBuf,
    inner: Arc<Inner>,
    stop: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

/// Which Engine it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EngineKind {
    /// With containerd's image store, which keeps indexes.
    Containerd,
    /// With the older store.
    GraphDriver,
    /// Of before API 1.55.
    Old,
}

impl Engine {
    /// An Engine at `socket` with these images, by the names that it knows them by.
    pub fn start(socket: &Path, kind: EngineKind, images: &[(&str, &Content)]) -> Self {
        let images: HashMap<String, Content> =
            images.iter().map(|(name, image)| ((*name).to_owned(), (*image).clone())).collect();
        let handler = Arc::new(Scripted(move |request: &Request| answer(kind, &images, request)));
        let inner = Arc::new(Inner::default());
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let (path, shared) = (socket.to_owned(), Arc::clone(&inner));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async move {
                let listener = UnixListener::bind(path).expect("a socket");
                let _heard = tell.send(());
                let accept = async {
                    loop {
                        let Ok((stream, _)) = listener.accept().await else { continue };
                        tokio::spawn(connection(stream, Arc::clone(&shared), Arc::clone(&handler)));
                    }
                };
                tokio::select! {
                    () = accept => {}
                    _ = stopped => {}
                }
            });
        });
        told.recv().expect("the Engine's thread to start");
        Self { socket: socket.to_owned(), inner, stop: Some((stop, thread)) }
    }

    /// What `DOCKER_HOST` says to mean it.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// Every request since the start.
    pub fn requests(&self) -> Vec<Request> {
        self.inner.records.all()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.stop.take() {
            let _already = stop.send(());
            let _panicked = thread.join();
        }
    }
}

fn answer(kind: EngineKind, images: &HashMap<String, Content>, request: &Request) -> Answer {
    let said = |status, message: &str| Answer::json(status, &json!({"message": message}));
    if kind == EngineKind::Old {
        return said(400, "client version 1.55 is too new. Maximum supported API version is 1.47");
    }
    let path = request.path.strip_prefix("/v1.55/images/").unwrap_or_default();
    let Some((name, what)) = path.rsplit_once('/') else { return said(404, "page not found") };
    let Some(image) = images.get(name) else {
        return said(404, &format!("No such image: {name}"));
    };
    match what {
        "json" => {
            let mut inspected = json!({"Id": image.digest(), "RepoTags": [name]});
            if kind == EngineKind::Containerd {
                inspected["Descriptor"] = image.descriptor();
                if request.parameter("manifests").as_deref() == Some("true") {
                    inspected["Manifests"] = manifests(image);
                }
            }
            Answer::json(200, &inspected)
        }
        "attestations" if kind == EngineKind::GraphDriver => {
            said(501, "the image store of this daemon keeps no attestations")
        }
        "attestations" => attestations(image, request),
        _ => said(404, "page not found"),
    }
}

fn manifests(image: &Content) -> Value {
    let own = || vec![image.clone()];
    let children = if image.children.is_empty() { own() } else { image.children.clone() };
    let part = |child: &Content| {
        let mut part = json!({
            "ID": child.digest(),
            "Descriptor": child.descriptor(),
            "Available": true,
            "Size": {"Total": child.manifest.len(), "Content": child.manifest.len()},
        });
        if let Some(about) = child.listed.get("vnd.docker.reference.digest") {
            part["Kind"] = "attestation".into();
            part["AttestationData"] = json!({"For": about});
        } else {
            part["Kind"] = "image".into();
            part["ImageData"] = json!({
                "Platform": child.platform,
                "Size": {"Unpacked": 0},
                "Containers": [],
            });
        }
        part
    };
    children.iter().map(part).collect()
}

/// What is said of one platform: the statements, in JSON of the Engine's own making.
fn attestations(image: &Content, request: &Request) -> Answer {
    let asked: Option<Value> =
        request.parameter("platform").and_then(|platform| serde_json::from_str(&platform).ok());
    let is_asked = |child: &&Content| match (&child.platform, &asked) {
        (Some(own), Some(asked)) => {
            own["os"] == asked["os"] && own["architecture"] == asked["architecture"]
        }
        _ => true,
    };
    let Some(platform) = image.children.iter().find(is_asked) else {
        return Answer::json(404, &json!({"message": "no such platform"}));
    };
    let about = |child: &&Content| {
        child.listed.get("vnd.docker.reference.digest") == Some(&platform.digest().into())
    };
    let mut found = Vec::new();
    for carrier in image.children.iter().filter(about) {
        for layer in carrier.json()["layers"].as_array().into_iter().flatten() {
            let bytes = carrier.blobs.iter().find(|blob| layer["digest"] == crate::sha256(blob));
            let mut one = json!({
                "Descriptor": layer,
                "PredicateType": layer["annotations"]["in-toto.io/predicate-type"],
            });
            if request.parameter("statement").as_deref() == Some("true") {
                let bytes = bytes.expect("the layers of a carrier");
                one["Statement"] = serde_json::from_slice(bytes).expect("a statement in JSON");
            }
            found.push(one);
        }
    }
    Answer::json(200, &found.into())
}
