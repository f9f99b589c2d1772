//! The JSON patch by which `/mutate` pins images (P1).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;

use super::{images::ImageUse, workload::Workload};

/// An image and what its reference is to become.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pin<'a> {
    /// Where it stands, and what stands there.
    pub image: &'a ImageUse,
    /// The reference with its digest.
    pub pinned: String,
}

/// A JSON patch (RFC 6902) in base64, as an answer carries it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Patch(String);

impl Patch {
    /// Replaces each reference by its pinned form, after a test that it still is what was judged:
    /// another webhook may have moved the containers since. `None` where nothing is to be changed,
    /// and for templates, which would roll out anew.
    pub fn new(workload: Workload, pins: &[Pin<'_>]) -> Option<Self> {
        let pins: Vec<_> = pins.iter().filter(|pin| pin.pinned != pin.image.given).collect();
        if workload.is_template() || pins.is_empty() {
            return None;
        }
        let paths: Vec<_> = pins.iter().map(|pin| pointer(&pin.image.path)).collect();
        let operations: Vec<_> = pins
            .iter()
            .zip(&paths)
            .flat_map(|(pin, path)| {
                [
                    Operation { op: "test", path, value: &pin.image.given },
                    Operation { op: "replace", path, value: &pin.pinned },
                ]
            })
            .collect();
        // Strings cannot fail to serialize; were they to, the Pod would be left as it is, and
        // `/validate` would ask for its digest.
        serde_json::to_vec(&operations).ok().map(|patch| Self(STANDARD.encode(patch)))
    }

    /// The base64 text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Serialize)]
struct Operation<'a> {
    op: &'static str,
    path: &'a str,
    value: &'a str,
}

/// `spec.containers[0].image` as a JSON pointer (RFC 6901): `/spec/containers/0/image`.
fn pointer(path: &str) -> String {
    let mut pointer = String::with_capacity(path.len() + 1);
    for part in path.split(['.', '[', ']']).filter(|part| !part.is_empty()) {
        pointer.push('/');
        pointer.push_str(&part.replace('~', "~0").replace('/', "~1"));
    }
    pointer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::{Container, ContainerKind};

    fn image(path: &str, given: &str) -> ImageUse {
        let container = Container { name: "web".to_owned(), kind: ContainerKind::Container };
        ImageUse { path: path.to_owned(), container, given: given.to_owned() }
    }

    fn decoded(patch: &Patch) -> serde_json::Value {
        serde_json::from_slice(&STANDARD.decode(patch.as_str()).unwrap()).unwrap()
    }

    #[test]
    fn p1_pins_by_testing_then_replacing() {
        let hostile = r#"nginx","op":"add\"#;
        let images = [
            image("spec.containers[0].image", "nginx"),
            image("spec.volumes[12].image.reference", hostile),
        ];
        let pins = images.each_ref().map(|image| Pin { image, pinned: "pinned".to_owned() });
        let patch = Patch::new(Workload::Pod, &pins).unwrap();
        let want = serde_json::json!([
            {"op": "test", "path": "/spec/containers/0/image", "value": "nginx"},
            {"op": "replace", "path": "/spec/containers/0/image", "value": "pinned"},
            {"op": "test", "path": "/spec/volumes/12/image/reference", "value": hostile},
            {"op": "replace", "path": "/spec/volumes/12/image/reference", "value": "pinned"},
        ]);
        assert_eq!(decoded(&patch), want);
    }

    #[test]
    fn p1_templates_and_pinned_images_are_left_alone() {
        let image = image("spec.containers[0].image", "nginx");
        let changed = Pin { image: &image, pinned: "nginx@sha256:00".to_owned() };
        let same = Pin { image: &image, pinned: "nginx".to_owned() };
        assert_eq!(Patch::new(Workload::Template, std::slice::from_ref(&changed)), None);
        assert_eq!(Patch::new(Workload::Pod, &[same]), None);
        assert_eq!(Patch::new(Workload::Pod, &[]), None);
        assert!(Patch::new(Workload::Pod, &[changed]).is_some());
    }

    #[test]
    fn pointers_are_escaped() {
        assert_eq!(pointer("a/b.c~d[3]"), "/a~1b/c~0d/3");
    }
}
