//! Layers under the tag `_manifesto` that Manifesto did not write.

use std::io::Write as _;

use countersign::{attest::manifesto::ManifestoIndex, name::Digest};
use flate2::{Compression, write::GzEncoder};
use tar::{Builder, EntryType, Header};

const LIST: &str =
    r#"{"images":[{"image_digest":"IMAGE","manifesto":[{"type":"seccomp","digest":"VALUE"}]}]}"#;

fn list() -> String {
    LIST.replace("IMAGE", &Digest::sha256(b"image").to_string())
        .replace("VALUE", &Digest::sha256(b"value").to_string())
}

fn header(name: &str, kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(size);
    if kind.is_symlink() || kind.is_hard_link() {
        header.set_link_name("elsewhere").unwrap();
    }
    header.set_cksum();
    header
}

pub fn tar(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for (name, kind, body) in entries {
        tar.append(&header(name, *kind, body.len() as u64), *body).unwrap();
    }
    tar.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn what_manifesto_wrote_is_read() {
    let bare = list().replace("sha256:", "");
    for (name, layer) in [
        ("as it was", tar(&[("data", EntryType::Regular, list().as_bytes())])),
        ("gzipped", gzip(&tar(&[("data", EntryType::Regular, list().as_bytes())]))),
        (
            "below `.`",
            tar(&[
                ("./", EntryType::Directory, b""),
                ("./data", EntryType::Regular, list().as_bytes()),
            ]),
        ),
        ("digests without algorithm", tar(&[("data", EntryType::Regular, bare.as_bytes())])),
    ] {
        let index = ManifestoIndex::of_layer(&layer).unwrap_or_else(|bad| panic!("{name}: {bad}"));
        let found: Vec<_> = index.of(Digest::sha256(b"image")).collect();
        assert_eq!(found, [("seccomp", Digest::sha256(b"value"))], "{name}");
        assert_eq!(index.of(Digest::sha256(b"other")).count(), 0, "{name}");
    }
}

#[test]
fn p8_what_manifesto_did_not_write_is_refused_with_a_reason() {
    let json = list();
    let data = |text: &str| tar(&[("data", EntryType::Regular, text.as_bytes())]);
    let entry = |name: &str, kind| tar(&[(name, kind, b"")]);
    let whole = data(&json);
    let mut huge = header("data", EntryType::Regular, 1 << 40).as_bytes().to_vec();
    huge.extend_from_slice(&[0; 1024]);
    let value = Digest::sha256(b"value").to_string();
    let another = json.replace(
        "}]}]}",
        &format!("}},{{\"type\":\"seccomp\",\"digest\":\"{}\"}}]}}]}}", Digest::sha256(b"another")),
    );
    let many = format!(
        "{{\"images\":[{{\"image_digest\":\"{value}\",\"manifesto\":[{}]}}]}}",
        vec![format!("{{\"type\":\"a\",\"digest\":\"{value}\"}}"); 10_001].join(",")
    );
    for (name, layer, want) in [
        ("nothing", Vec::new(), "holds no file `data`"),
        ("no tar", vec![b'a'; 1024], "is no tar"),
        ("no gzip", [&[0x1f, 0x8b][..], b"not really"].concat(), "is no tar"),
        ("a bomb", gzip(&vec![0; 9 << 20]), "more than 8388608 bytes unpacked"),
        ("a bomb in a bomb", gzip(&gzip(&vec![0; 9 << 20])), "is no tar"),
        ("a bomb behind the list", gzip(&[&whole[..], &vec![0; 9 << 20]].concat()), "unpacked"),
        ("cut", whole[..600].to_vec(), "which is cut"),
        ("a huge size", huge, "longer than the layer"),
        ("a symbolic link", entry("data", EntryType::Symlink), "no regular file"),
        ("a hard link", entry("data", EntryType::Link), "no regular file"),
        ("a device", entry("data", EntryType::Char), "no regular file"),
        ("a pipe", entry("data", EntryType::Fifo), "no regular file"),
        ("a folder", entry("data", EntryType::Directory), "no regular file"),
        (
            "a way out",
            entry("../data", EntryType::Regular),
            "\"../data\", which Manifesto does not write",
        ),
        ("an absolute path", entry("/data", EntryType::Regular), "\"/data\", which Manifesto"),
        (
            "another file",
            entry("etc/passwd", EntryType::Regular),
            "\"etc/passwd\", which Manifesto",
        ),
        ("control characters", entry("a\x1b[2J", EntryType::Regular), "\"a\\\\u{1b}[2J\", which"),
        (
            "a second list",
            tar(&[
                ("data", EntryType::Regular, json.as_bytes()),
                ("data", EntryType::Regular, json.as_bytes()),
            ]),
            "a second time",
        ),
        ("no JSON", data("images"), "no JSON"),
        ("a member twice", data("{\"images\":[],\"images\":[]}"), "appears twice"),
        ("another form", data("{\"images\":{}}"), "has another form"),
        (
            "no digest",
            data(&json.replace(&value, "sha256:zz")),
            "\"sha256:zz\", which is no digest",
        ),
        ("two values", data(&another), "two values of type \"seccomp\""),
        ("too many", data(&many), "more than 10000 entries"),
    ] {
        match ManifestoIndex::of_layer(&layer) {
            Err(bad) => assert!(bad.to_string().contains(want), "{name}: {bad}"),
            Ok(index) => panic!("{name}: {index:?}"),
        }
    }
}
