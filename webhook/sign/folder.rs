//! A folder between the machine that has the key and the one that has the network.
//!
//! One file for each attestation and record, and one for the public half of each key, so that
//! whoever uploads can check what was signed without a secret. Files appear whole or not at all, and
//! their names say what they are, so that writing and uploading can both be done again.

use std::{
    collections::BTreeMap,
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use super::{
    Attestation, Entry, Publication, Record, Signer, SigningKeyError,
    packed::{BadPacked, Packed},
};
use crate::{
    name::{Digest, Fingerprint, PinnedImage},
    source::read_file,
    verify::Key,
};

/// Such a folder.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

/// What a folder holds.
#[derive(Debug, Default)]
pub struct Unpacked {
    /// What to publish, by image.
    pub entries: Vec<Entry>,
    /// The public halves of the keys that signed it.
    pub keys: Vec<(Fingerprint, Vec<Key>)>,
}

/// Why a folder cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("cannot write {}", .path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot read {}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is not what `countersign sign --output-dir` writes", .path.display())]
    Form { path: PathBuf, source: BadPacked },
    #[error("{} cannot be written", .path.display())]
    Unpackable { path: PathBuf, source: BadPacked },
    #[error("{} holds no public key that verifiers take", .path.display())]
    Key { path: PathBuf, source: crate::verify::KeyError },
    #[error("{} holds another key than its name says", .path.display())]
    OtherKey { path: PathBuf },
    #[error("{} has nothing to publish; write it with `countersign sign --output-dir`", .0.display())]
    Empty(PathBuf),
    #[error("{} has more than {most} files; publish them in parts", .path.display())]
    TooMany { path: PathBuf, most: usize },
    #[error(transparent)]
    Signer(#[from] SigningKeyError),
}

impl Folder {
    /// The folder at a path; made if it is not there.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(path: &Path) -> Result<Self, FolderError> {
        let unwritable = |source| FolderError::Write { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(unwritable)?;
        Ok(Self(path.to_owned()))
    }

    /// Writes the public half of a key.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add_key(&self, signer: &Signer) -> Result<(), FolderError> {
        let ending = match signer.fingerprint() {
            Fingerprint::Pkix(_) => PEM,
            _ => ARMOR,
        };
        let name = format!("{}.{ending}", signer.fingerprint());
        self.write(&name, signer.public()?.as_bytes())
    }

    /// The file of a claim about an image by a key, and whether it is there.
    pub(super) fn place_of(
        &self,
        image: &PinnedImage,
        claim: &super::Claim,
        signer: Fingerprint,
    ) -> (PathBuf, bool) {
        let kind = claim.predicate_type();
        let said = [image.to_string(), kind.to_owned(), claim.predicate_text()].join("\0");
        self.place(image, kind, &said, &signer.to_string())
    }

    /// Writes an attestation; its path.
    pub(super) fn add(&self, attestation: &Attestation) -> Result<Publication, FolderError> {
        let (path, _) = self.place_of(&attestation.image, &attestation.claim, attestation.signer);
        match Packed::of(attestation) {
            Ok(packed) => self.keep(path, &packed),
            Err(source) => Err(FolderError::Unpackable { path, source }),
        }
    }

    /// Writes a record, unless it is there; its path.
    pub(super) fn add_record(
        &self,
        image: &PinnedImage,
        record: &Record,
    ) -> Result<Publication, FolderError> {
        let note = format!("{:?}", record.note);
        let said = [image.to_string(), note, record.details.to_string()].join("\0");
        let (path, there) = self.place(image, record.kind.name(), &said, "record");
        if there {
            return Ok(Publication::File { path: path.display().to_string(), unchanged: true });
        }
        self.keep(path, &Packed::of_record(image, record))
    }

    /// Reads what is to be published.
    ///
    /// # Errors
    /// A file cannot be read or is no such file: then nothing of the folder is published.
    pub fn read(path: &Path) -> Result<Unpacked, FolderError> {
        let unreadable = |source| FolderError::Read { path: path.to_owned(), source };
        let mut files = Vec::new();
        for file in fs::read_dir(path).map_err(unreadable)? {
            files.push(file.map_err(unreadable)?.path());
            if files.len() > MOST_FILES {
                return Err(FolderError::TooMany { path: path.to_owned(), most: MOST_FILES });
            }
        }
        files.sort();
        let mut unpacked = Unpacked::default();
        let mut entries: BTreeMap<PinnedImage, Entry> = BTreeMap::new();
        for file in files {
            match file.extension().and_then(|ending| ending.to_str()) {
                Some(ARMOR | PEM) => unpacked.keys.push(read_key(&file)?),
                Some("json") => {
                    let form = |source| FolderError::Form { path: file.clone(), source };
                    let packed = Packed::parse(&read(&file)?).map_err(form)?;
                    let image = packed.image().clone();
                    let entry = entries.entry(image.clone()).or_insert_with(|| Entry::of(image));
                    packed.unpack(entry).map_err(form)?;
                }
                _ => {}
            }
        }
        if entries.is_empty() {
            return Err(FolderError::Empty(path.to_owned()));
        }
        unpacked.entries = entries.into_values().collect();
        Ok(unpacked)
    }

    fn place(&self, image: &PinnedImage, kind: &str, said: &str, by: &str) -> (PathBuf, bool) {
        let name = image.repository.path().rsplit('/').next().unwrap_or_default();
        let slug: String = kind
            .trim_start_matches("https://")
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .take(SLUG)
            .collect();
        let hash: String = Digest::sha256(said.as_bytes()).hex().chars().take(HASH).collect();
        let digest = image.digest.fallback_tag();
        let name: String = name.chars().take(SLUG).collect();
        let by: String = by.chars().take(64).collect();
        let path = self.0.join(format!("{name}.{digest}.{slug}-{hash}.{by}.json"));
        let there = path.is_file();
        (path, there)
    }

    fn keep(&self, path: PathBuf, packed: &Packed) -> Result<Publication, FolderError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.write(&name, packed.to_json().as_bytes())?;
        Ok(Publication::File { path: path.display().to_string(), unchanged: false })
    }

    /// Writes a file beside its place and moves it there.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        let path = self.0.join(name);
        // The name tells nobody who shares the folder where to lay a link, and is short enough
        // whatever the file is called.
        let partial = self.0.join(format!(".{}.part", uuid::Uuid::new_v4().simple()));
        let write = || {
            let mut file = fs::File::options().write(true).create_new(true).open(&partial)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&partial, &path)
        };
        write().map_err(|source| {
            let _gone = fs::remove_file(&partial);
            FolderError::Write { path: path.clone(), source }
        })
    }
}

impl Entry {
    /// An image about which nothing is said yet.
    pub fn of(image: PinnedImage) -> Self {
        Self { image, claims: Vec::new(), signed: Vec::new(), records: Vec::new() }
    }
}

fn read_key(file: &Path) -> Result<(Fingerprint, Vec<Key>), FolderError> {
    let bytes = read(file)?;
    let keys = match file.extension().and_then(|ending| ending.to_str()) {
        Some(PEM) => Key::pkix(&bytes).map(|key| vec![key]),
        _ => Key::openpgp(&bytes),
    };
    let keys = keys.map_err(|source| FolderError::Key { path: file.to_owned(), source })?;
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    match keys.as_slice() {
        [one] if one.fingerprint().to_string() == stem => Ok((one.fingerprint(), keys)),
        _ => Err(FolderError::OtherKey { path: file.to_owned() }),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, FolderError> {
    read_file(file, MOST_BYTES)
        .map_err(|source| FolderError::Read { path: file.to_owned(), source })
}

/// What files of public halves end in.
const ARMOR: &str = "asc";
const PEM: &str = "pem";

/// Characters of a kind and of a name in a file's name, and digits of the hash of what is said.
const SLUG: usize = 40;
const HASH: usize = 12;

/// Of one folder.
const MOST_FILES: usize = 100_000;

/// Of one file: an attestation in base64. What is longer does not parse.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p14_a_link_that_somebody_laid_in_a_shared_folder_is_not_followed() {
        let (shared, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let victim = other.path().join("victim");
        fs::write(&victim, "mine").unwrap();
        let link = shared.path().join(format!(".a.json.{}", std::process::id()));
        std::os::unix::fs::symlink(&victim, &link).unwrap();
        let folder = Folder::create(shared.path()).unwrap();
        folder.write("a.json", b"signed").unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "mine");
        let written = shared.path().join("a.json");
        assert!(written.symlink_metadata().unwrap().is_file());
        assert_eq!(fs::read_to_string(written).unwrap(), "signed");
        assert_eq!(fs::read_dir(shared.path()).unwrap().count(), 2, "and no draft is left");
    }
}
