//! What people and tools write: configurations, rules, reports, archives.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use countersign::{
    config,
    policy::{Bundle, Rule, run_tests},
    sign::{images, ocibuilder::OciBuilder, vulnerability::Report},
    source::Layout,
};
use flate2::{Compression, write::GzEncoder};

/// Everything that is YAML: our configuration, ocibuilder's, and those of other tools.
pub fn configuration(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Err(error) = config::parse(Path::new("fuzz.yaml"), text) {
        assert!(error.to_string().len() < 4096);
    }
    let _ = OciBuilder::parse(text);
    if let Ok(translation) = config::from::from(text) {
        serde_saphyr::to_string(&translation.draft).unwrap();
    }
}

/// Rules as somebody may write them: loaded, which rewrites them, and run once.
pub fn rego(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let bundle = Bundle::of_text("fuzz.rego", text);
    let package = text.strip_prefix("package ").and_then(|rest| rest.split_whitespace().next());
    let _ = Rule::load(&bundle, package.unwrap_or("acme.fuzz"), &serde_json::json!({"n": 1}));
    let _ = run_tests(&bundle);
}

/// Archives of rules, of which the bytes are what is in them once the compression is off.
pub fn bundle(data: &[u8]) {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::none());
    gzip.write_all(data).unwrap();
    let file = File::with(".tar.gz", &gzip.finish().unwrap());
    let _ = Bundle::open(&file.0);
}

/// What build steps and scanners leave behind: reports, lists of images, results.
pub fn reports(data: &[u8]) {
    let _ = Report::parse(data);
    let file: Arc<str> = "fuzz".into();
    let _ = images::outputs(&file, data);
    let _ = images::metadata(&file, data);
    let _ = images::list(&file, data);
    let _ = images::listed(&file, data);
    for name in ["IMAGES", "x-ARTIFACT_OUTPUTS", "IMAGE_URL", "IMAGE_DIGEST"] {
        let _ = images::results(&[(name.to_owned(), (Arc::clone(&file), data.to_vec()))].into());
    }
}

/// Archives with an OCI layout or of `docker save`: what is given out has the digest asked for.
pub fn layout(data: &[u8]) {
    let file = File::with(".tar", data);
    let Ok(layout) = Layout::open(&file.0) else { return };
    let _ = layout.image(None);
    for image in layout.images() {
        let Ok(root) = layout.root(image) else { continue };
        if let Ok((bytes, _)) = layout.document(root) {
            assert!(root.digest.covers(&bytes));
        }
    }
}

/// A file for what reads files only, gone when it is no longer needed.
struct File(PathBuf);

impl File {
    fn with(ending: &str, bytes: &[u8]) -> Self {
        let name = format!("countersign-fuzz-{}{ending}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
