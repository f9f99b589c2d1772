//! The files that a configuration is made of, and what they held when they were read.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use crate::{
    name::Digest,
    source::{open_file, read_file},
};

/// Files that were read, by path, so that somebody can see whether they have changed.
///
/// Contents are compared, through whatever links lead to them: a mounted `ConfigMap` changes by a
/// link two folders up, and tools that write files keep their times as they please.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    files: BTreeMap<PathBuf, Held>,
    /// Folders, of which files that come anew count too.
    folders: Vec<PathBuf>,
    /// Files that others read, of which it matters only whether they are there.
    expected: Vec<(PathBuf, bool)>,
}

/// What a file held.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Held {
    /// Of the contents; `None` if it could not be read.
    hash: Option<[u8; 32]>,
    /// Where it is and when it was written, if the contents were hashed once more after that was
    /// first seen: only then does the same stamp mean the same contents.
    settled: Option<Stamp>,
    stamp: Option<Stamp>,
}

/// Device, inode, size and time of the last change of a file, in seconds and nanoseconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Stamp(u64, u64, u64, i64, i64);

impl Files {
    /// The contents of a file, which are remembered.
    ///
    /// # Errors
    /// As the system tells them; that it could not be read is remembered too.
    pub(super) fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        let stamp = Stamp::of(path);
        let contents = read(path);
        let hash = contents.as_deref().ok().map(hash);
        self.files.insert(path.to_owned(), Held { hash, settled: None, stamp });
        contents
    }

    /// Remembers what a file holds, or every file in a folder and its folders.
    pub(super) fn note(&mut self, path: &Path) {
        if path.is_dir() {
            self.folders.push(path.to_owned());
            for file in files_in(path) {
                let _ = self.read(&file);
            }
        } else {
            let _ = self.read(path);
        }
    }

    /// Whether a file that somebody else reads can be opened, which is remembered.
    ///
    /// # Errors
    /// As the system tells them.
    pub(super) fn expect(&mut self, path: &Path) -> io::Result<()> {
        let opened = open_file(path);
        self.expected.push((path.to_owned(), opened.is_ok()));
        opened
    }

    /// Looks at everything once more: whether anything differs from what was read.
    pub(super) fn changed(&mut self) -> bool {
        let known = |file: &PathBuf| self.files.contains_key(file);
        if self.folders.iter().any(|folder| !files_in(folder).iter().all(known)) {
            return true;
        }
        let there = |path: &Path| open_file(path).is_ok();
        self.expected.iter().any(|(path, was)| there(path) != *was)
            || self.files.iter_mut().any(|(path, held)| held.changed(path))
    }

    /// A short word for all contents, with their paths as seen from `base`, and for the library
    /// of rules that comes with this program.
    pub(super) fn revision(&self, base: &Path) -> String {
        let mut all = Sha256::new();
        all.update(hash(env!("CARGO_PKG_VERSION").as_bytes()));
        for (path, held) in &self.files {
            let path = path.strip_prefix(base).unwrap_or(path);
            all.update(hash(path.as_os_str().as_encoded_bytes()));
            all.update(held.hash.unwrap_or_default());
        }
        Digest::Sha256(all.finalize().into()).hex().chars().take(12).collect()
    }
}

impl Held {
    fn changed(&mut self, path: &Path) -> bool {
        let stamp = Stamp::of(path);
        if stamp.is_some() && stamp == self.settled {
            return false;
        }
        let now = read(path).as_deref().ok().map(hash);
        self.settled = stamp.filter(|_| stamp == self.stamp);
        self.stamp = stamp;
        now != self.hash
    }
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        let (seconds, nanoseconds) = (metadata.ctime(), metadata.ctime_nsec());
        Some(Self(metadata.dev(), metadata.ino(), metadata.size(), seconds, nanoseconds))
    }
}

/// Reads a file that is not unreasonably large.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_file(path, LARGEST_FILE)
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The files in a folder and its folders, those whose names begin with a dot left out: of a mounted
/// `ConfigMap` they are the links and copies behind the names that people see.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if !path.is_dir() {
                found.push(path);
            } else if depth < DEEPEST {
                folders.push((path, depth + 1));
            }
        }
    }
    found
}

/// The largest file that is read, in bytes.
pub const LARGEST_FILE: u64 = 64 << 20;

/// How many folders deep files are looked for.
const DEEPEST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_seen_whatever_the_times_say() {
        let folder = tempfile::tempdir().unwrap();
        let (file, missing) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&file, "one").unwrap();
        let mut files = Files::default();
        assert_eq!(files.read(&file).unwrap(), b"one");
        assert!(files.read(&missing).is_err());
        for _ in 0..3 {
            assert!(!files.changed());
        }
        let before = files.clone();
        let modified = fs::metadata(&file).unwrap().modified().unwrap();
        fs::write(&file, "two").unwrap();
        fs::File::options().write(true).open(&file).unwrap().set_modified(modified).unwrap();
        assert!(files.changed(), "same size, same time");
        let mut files = before.clone();
        fs::write(&file, "one").unwrap();
        assert!(!files.changed(), "written again, the same");
        fs::write(&missing, "here").unwrap();
        assert!(files.changed(), "a missing file came");
        assert_eq!(files.revision(folder.path()).len(), 12);
    }

    #[test]
    fn folders_are_looked_through_and_swapped_links_are_seen() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (version, text) in [("..v1", "one"), ("..v2", "two")] {
            fs::create_dir(at(version)).unwrap();
            fs::write(at(version).join("rule.rego"), text).unwrap();
        }
        std::os::unix::fs::symlink("..v1", at("..data")).unwrap();
        std::os::unix::fs::symlink("..data/rule.rego", at("rule.rego")).unwrap();
        let mut files = Files::default();
        files.note(folder.path());
        assert_eq!(files.files.keys().collect::<Vec<_>>(), [&at("rule.rego")]);
        assert!(!files.changed() && !files.changed());
        std::os::unix::fs::symlink("..v2", at("..new")).unwrap();
        fs::rename(at("..new"), at("..data")).unwrap();
        assert!(files.changed(), "the link leads elsewhere");
        let mut files = Files::default();
        files.note(folder.path());
        fs::write(at("other.rego"), "").unwrap();
        assert!(files.changed(), "a file came anew");
    }
}
