//! P8: crafted archives and folders are refused with a reason.

use std::{fs, io::Write as _, os::unix::fs::symlink, path::Path};

use countersign::source::Layout;
use tar::{Builder, EntryType, Header};

/// Writes entries after those of an honest layout.
struct Crafted(Builder<Vec<u8>>);

impl Crafted {
    fn honest() -> Self {
        let mut crafted = Self(Builder::new(Vec::new()));
        crafted.file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
        crafted.file("index.json", br#"{"schemaVersion":2,"manifests":[]}"#);
        crafted
    }

    fn file(&mut self, name: &str, bytes: &[u8]) {
        self.entry(name, EntryType::Regular, bytes.len() as u64, bytes);
    }

    /// An entry whose header says what it is told to.
    fn entry(&mut self, name: &str, kind: EntryType, size: u64, bytes: &[u8]) {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_cksum();
        self.0.append(&header, bytes).unwrap();
    }

    fn opened(self) -> String {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&self.0.into_inner().unwrap()).unwrap();
        outcome(file.path())
    }
}

fn outcome(path: &Path) -> String {
    match Layout::open(path) {
        Ok(layout) => format!("{} images", layout.images().len()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn p8_crafted_archives_are_refused() {
    type Craft = fn(&mut Crafted);
    let cases: [(&str, Craft, &str); 14] = [
        ("honest", |_| {}, "0 images"),
        (
            "folders twice",
            |c| (0..2).for_each(|_| c.entry("a/", EntryType::Directory, 0, b"")),
            "0 images",
        ),
        ("link elsewhere", |c| c.entry("0a/layer.tar", EntryType::Symlink, 0, b""), "0 images"),
        ("leads up", |c| c.file("blobs/../../x", b""), "leads outside"),
        ("absolute", |c| c.file("/etc/passwd", b""), "leads outside"),
        ("twice", |c| c.file("./index.json", b"{}"), "a second file of that name"),
        ("link", |c| c.entry("blobs/sha256/aa", EntryType::Symlink, 0, b""), "a link where a file"),
        ("hard link", |c| c.entry("manifest.json", EntryType::Link, 0, b""), "a link where a file"),
        ("linked folder", |c| c.entry("blobs", EntryType::Symlink, 0, b""), "a link where a file"),
        ("device", |c| c.entry("blobs/x", EntryType::Char, 0, b""), "neither file nor folder"),
        ("pipe", |c| c.entry("x", EntryType::Fifo, 0, b""), "neither file nor folder"),
        (
            "longer than the archive",
            |c| c.entry("x", EntryType::Regular, 1 << 40, b"x"),
            "behind the end",
        ),
        (
            "pax sparse",
            |c| {
                c.0.append_pax_extensions([("GNU.sparse.major", b"1".as_slice())]).unwrap();
                c.file("blobs/sha256/aa", b"x");
            },
            "a sparse file",
        ),
        (
            "many",
            |c| (0..16 * 1024).for_each(|at| c.file(&format!("blobs/{at}"), b"")),
            "more than 16384 entries",
        ),
    ];
    for (name, craft, want) in cases {
        let mut crafted = Crafted::honest();
        craft(&mut crafted);
        let got = crafted.opened();
        assert!(got.contains(want), "{name}: {got}");
    }
}

#[test]
fn p8_a_long_name_costs_no_more_than_the_budget() {
    let mut crafted = Crafted::honest();
    let name = vec![b'a'; 33 << 20];
    crafted.entry("././@LongLink", EntryType::GNULongName, name.len() as u64, &name);
    crafted.file("x", b"");
    let got = crafted.opened();
    assert!(got.contains("more than 33554432 bytes of headers"), "{got}");
}

#[test]
fn what_is_no_layout_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    for (name, path, want) in [
        ("gzip", put("a", b"\x1f\x8b\x08\0"), "compressed with gzip; unpack it first"),
        ("zstd", put("b", b"\x28\xb5\x2f\xfd"), "compressed with zstd"),
        ("text", put("c", &[b'x'; 600]), "not those of a tar"),
        ("empty", put("d", b""), "neither index.json nor manifest.json"),
        ("empty folder", folder.path().to_owned(), "neither index.json nor manifest.json"),
        ("device", "/dev/null".into(), "an archive is a regular file"),
    ] {
        let got = outcome(&path);
        assert!(got.contains(want), "{name}: {got}");
    }
}

#[test]
fn p8_links_in_folders_are_not_followed() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("index.json"), "{}").unwrap();
    let index =
        |folder: &Path| symlink(outside.path().join("index.json"), folder.join("index.json"));
    let version = |folder: &Path| {
        fs::write(folder.join("index.json"), "{}").unwrap();
        fs::create_dir(folder.join("oci-layout"))
    };
    for (name, craft) in
        [("link", &index as &dyn Fn(&Path) -> std::io::Result<()>), ("folder", &version)]
    {
        let folder = tempfile::tempdir().unwrap();
        craft(folder.path()).unwrap();
        let got = outcome(folder.path());
        assert!(got.contains("a link or a special file"), "{name}: {got}");
    }
}
