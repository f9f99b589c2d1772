//! What `buildctl` wrote, as a registry would have it.

use std::{
    collections::HashMap,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use countersign_kit::Content;
use serde_json::Value;

/// Where a vector lies.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/buildkit").join(name)
}

/// The one image in a vector.
pub fn content(name: &str) -> Content {
    content_of(&path(name))
}

/// The one image in an archive that `BuildKit` wrote.
pub fn content_of(archive: &Path) -> Content {
    let mut files = HashMap::new();
    for entry in tar::Archive::new(File::open(archive).unwrap()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.insert(entry.path().unwrap().to_string_lossy().into_owned(), bytes);
    }
    let index: Value = serde_json::from_slice(&files["index.json"]).unwrap();
    pushed(&files, &index["manifests"][0])
}

fn pushed(files: &HashMap<String, Vec<u8>>, descriptor: &Value) -> Content {
    let digest = descriptor["digest"].as_str().unwrap();
    let bytes = &files[&format!("blobs/{}", digest.replace(':', "/"))];
    let document: Value = serde_json::from_slice(bytes).unwrap();
    let media_type = descriptor["mediaType"].as_str().unwrap();
    let mut content = Content::raw(media_type, bytes.clone());
    let list = |member: &str| document[member].as_array().cloned().unwrap_or_default();
    content.platform = descriptor.get("platform").cloned();
    content.listed = descriptor["annotations"].as_object().cloned().unwrap_or_default();
    content.children = list("manifests").iter().map(|child| pushed(files, child)).collect();
    let blobs = list("layers").into_iter().chain(document.get("config").cloned());
    content.blobs = blobs
        .map(|blob| {
            let digest = blob["digest"].as_str().unwrap().replace(':', "/");
            files[&format!("blobs/{digest}")].clone().into()
        })
        .collect();
    content
}
