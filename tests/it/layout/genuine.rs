//! What `buildctl` wrote, read from the tar and unpacked.

use std::{
    fs::{self, File},
    io::Read as _,
};

use super::vector;
use countersign::{
    attest::oci::{Descriptor, Document},
    name::Digest,
    source::{Layout, LayoutPlace, LayoutRoot},
};

const INDEX: &str = "sha256:acb2bba747dcf866f6c9be79b27d64dc3a7e7d7d0201fa72c5b0085be31ecae1";
const MANIFEST: &str = "sha256:ff95e95eb8fc5dece29c8014816a7f442c891a32daba1938161eb20778e7095b";

fn unpacked(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    tar::Archive::new(File::open(vector::path(name)).unwrap()).unpack(folder.path()).unwrap();
    folder
}

#[test]
fn a_tar_and_its_folder_hold_the_same() {
    for (file, root, entries) in [
        ("artifact-slsa1.tar", INDEX, Some(2)),
        (
            "image-manifest-slsa02.tar",
            "sha256:58ef73b988b0acad151318f3f58f37a916371c122dbd977440a79f2de079a59e",
            Some(2),
        ),
        (
            "multi-artifact-slsa1.tar",
            "sha256:789b51a6a5f981d4e07c271390954abcb5b511e396eeee083a1c7e64024328b0",
            Some(4),
        ),
        ("no-provenance.tar", MANIFEST, None),
        ("docker-save.tar", MANIFEST, None),
    ] {
        let folder = unpacked(file);
        for path in [vector::path(file), folder.path().to_owned()] {
            let layout = Layout::open(&path).unwrap();
            let descriptor = layout.root(layout.image(None).unwrap()).unwrap();
            assert_eq!(descriptor.digest, root.parse().unwrap(), "{file}");
            let (bytes, document) = layout.document(descriptor).unwrap();
            assert_eq!(Digest::sha256(&bytes), descriptor.digest, "{file}");
            let found = match document {
                Document::Index(index) => Some(index.manifests.len()),
                Document::Manifest(_) => None,
            };
            assert_eq!(found, entries, "{file}");
        }
    }
}

#[test]
fn images_are_chosen_by_name() {
    let tar = vector::path("artifact-slsa1.tar");
    let tar = tar.display();
    for (text, want) in [
        (format!("oci-archive:{tar}"), ""),
        (format!("docker-archive:{tar}"), ""),
        (format!("oci-archive:{tar}:v1"), ""),
        (format!("oci-archive:{tar}:registry.test/demo/bk:v1"), ""),
        (format!("oci-archive:{tar}:{INDEX}"), ""),
        (format!("oci-archive:{tar}:v2"), "has no image \"v2\"; it has registry.test/demo/bk:v1"),
        (format!("oci-archive:{tar}.gone"), "cannot be read"),
        (format!("oci:{tar}"), "cannot be read"),
        ("oci-archive:".to_owned(), "no image on disk"),
        ("oci:a:".to_owned(), "no image on disk"),
        ("registry.example/app:v1".to_owned(), "no image on disk"),
    ] {
        let got = match text.parse::<LayoutPlace>() {
            Ok(place) => place.open().map_err(|error| error.to_string()),
            Err(bad) => Err(bad.to_string()),
        };
        match got {
            Ok((layout, image)) => {
                assert_eq!(want, "", "{text}");
                assert_eq!(layout.root(&image).unwrap().digest, INDEX.parse().unwrap(), "{text}");
                assert_eq!(image.names, ["registry.test/demo/bk:v1", "v1"], "{text}");
            }
            Err(error) => assert!(!want.is_empty() && error.contains(want), "{text}: {error}"),
        }
    }
}

#[test]
fn an_image_without_a_manifest_is_known_by_its_id_alone() {
    let folder = unpacked("docker-save.tar");
    for gone in ["index.json", "oci-layout"] {
        fs::remove_file(folder.path().join(gone)).unwrap();
    }
    let layout = Layout::folder(folder.path()).unwrap();
    let image = layout.image(Some("registry.test/demo/bk:v1")).unwrap();
    let id = "sha256:9a0a8d3b3252f7f316f8a3b00485f4796f4341e86538a087186239ea0beade36";
    assert!(matches!(image.root, LayoutRoot::ImageId(found) if found == id.parse().unwrap()));
    let error = layout.root(image).unwrap_err().to_string();
    assert!(error.contains("without its manifest") && error.contains(id), "{error}");
}

#[test]
fn blobs_are_measured_and_hashed_however_they_are_read() {
    let folder = unpacked("artifact-slsa1.tar");
    let layout = Layout::folder(folder.path()).unwrap();
    let descriptor = layout.root(layout.image(None).unwrap()).unwrap().clone();
    let streamed = |layout: &Layout, descriptor: &Descriptor| {
        let mut bytes = Vec::new();
        let mut reader = layout.reader(descriptor).map_err(|error| error.to_string())?;
        reader.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        Ok::<_, String>(bytes)
    };
    let whole = layout.blob(&descriptor, 1 << 20).unwrap();
    assert_eq!(streamed(&layout, &descriptor).unwrap(), whole);

    let over = layout.blob(&descriptor, 100).unwrap_err();
    assert_eq!(over.code().as_str(), "evidence.too-much");
    let lying = Descriptor { size: 854, ..descriptor.clone() };
    let error = layout.blob(&lying, 1 << 20).unwrap_err();
    assert_eq!(error.code().as_str(), "image.digest-mismatch", "{error}");
    let error = streamed(&layout, &lying).unwrap_err();
    assert!(error.contains("tampered"), "{error}");

    let file = folder.path().join("blobs/sha256").join(descriptor.digest.hex());
    let mut bytes = whole.to_vec();
    bytes[40] ^= 1;
    fs::write(&file, &bytes).unwrap();
    let error = layout.blob(&descriptor, 1 << 20).unwrap_err();
    assert_eq!(error.code().as_str(), "image.digest-mismatch", "{error}");
    let error = streamed(&layout, &descriptor).unwrap_err();
    assert!(error.contains("do not hash to it"), "{error}");

    fs::remove_file(&file).unwrap();
    let error = layout.blob(&descriptor, 1 << 20).unwrap_err();
    assert_eq!(error.code().as_str(), "image.not-found", "{error}");
}
