//! Writing an OCI layout into a folder: blobs first, each under its digest once it is proven, and
//! the list of images last, so that whoever reads meanwhile sees whole images only.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{Layout, LayoutError, blob_name, files::Files};
use crate::{
    attest::oci::{Descriptor, DescriptorError, media_type::OCI_INDEX},
    name::Hashing,
};

/// A layout that is being written to. All of this blocks.
#[derive(Debug)]
pub struct LayoutWriter {
    root: PathBuf,
}

impl LayoutWriter {
    /// Opens the layout in a folder, or begins one where there is nothing yet.
    ///
    /// # Errors
    /// The folder holds something else, or cannot be written.
    pub fn open(root: &Path) -> Result<Self, LayoutError> {
        let writer = Self { root: root.to_owned() };
        if Files::folder(root).open(VERSION_FILE)?.is_some() {
            // Whether it is a layout of a version that is known here is not for a writer to ignore.
            Layout::folder(root)?;
            writer.sweep();
            return Ok(writer);
        }
        let empty = match fs::read_dir(root) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Err(source) => return Err(unwritten(root, source)),
        };
        if !empty {
            return Err(LayoutError::Occupied { path: root.display().to_string() });
        }
        fs::create_dir_all(root).map_err(|source| unwritten(root, source))?;
        writer.clear()?;
        writer.exchange(VERSION_FILE, &json!({"imageLayoutVersion": "1.0.0"}))?;
        Ok(writer)
    }

    /// Removes what copies that were killed have left of blobs; what is locked is being written,
    /// and what is empty may be about to be. What cannot be removed stays.
    fn sweep(&self) {
        let listed = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten();
        let is = |entry: &fs::DirEntry, kind: fn(&fs::FileType) -> bool| {
            entry.file_type().is_ok_and(|found| kind(&found))
        };
        let folders =
            listed(&self.root.join("blobs")).filter(|entry| is(entry, fs::FileType::is_dir));
        for entry in folders.flat_map(|folder| listed(&folder.path())) {
            if !is(&entry, fs::FileType::is_file) || !is_draft(&entry.file_name()) {
                continue;
            }
            let path = entry.path();
            let Ok(file) = File::open(&path) else { continue };
            let begun = file.metadata().is_ok_and(|found| found.len() > 0);
            if begun && file.try_lock().is_ok() {
                let _stays = fs::remove_file(&path);
            }
        }
    }

    /// Whether the bytes that a descriptor means are there: all of them are read and hashed, since
    /// sticks that went around are not to be trusted.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn has(&self, descriptor: &Descriptor) -> Result<bool, LayoutError> {
        let files = Files::folder(&self.root);
        let Some(section) = files.open(&blob_name(&descriptor.digest))? else { return Ok(false) };
        let Ok(mut blob) = super::LayoutBlob::new(section, descriptor) else { return Ok(false) };
        let mut buffer = vec![0; PIECE];
        loop {
            match blob.read(&mut buffer) {
                Ok(0) => return Ok(true),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(false),
                Err(source) => {
                    let path = self.root.display().to_string();
                    return Err(LayoutError::Read { path, source });
                }
            }
        }
    }

    /// A file for the bytes that a descriptor means.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn begin(&self, descriptor: &Descriptor) -> Result<BlobFile, LayoutError> {
        let path = self.root.join(blob_name(&descriptor.digest));
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(|source| unwritten(folder, source))?;
        let draft = draft(&path);
        let file = create(&draft).map_err(|source| unwritten(&draft, source))?;
        // Where files cannot be locked, nobody can tell that this one is given up, and it stays.
        let _unlocked = file.try_lock();
        let hashing = Hashing::like(&descriptor.digest);
        Ok(BlobFile { file, draft, path, descriptor: descriptor.clone(), hashing, written: 0 })
    }

    /// Puts entries into the list of images; whether that changed it. A name is taken away from
    /// whatever had it; an entry without a name is put there once.
    ///
    /// # Errors
    /// The list cannot be read or written.
    pub fn enter(&self, entries: &[Descriptor]) -> Result<bool, LayoutError> {
        let files = Files::folder(&self.root);
        let bytes = files.read("index.json", super::LARGEST_DOCUMENT)?.unwrap_or_default();
        let mut index: Value = serde_json::from_slice(&bytes).map_err(|source| {
            let (path, file) = (files.path().to_owned(), "index.json");
            LayoutError::Json { path, file, source }
        })?;
        let mut kept = match index.get_mut("manifests").map(Value::take) {
            Some(Value::Array(kept)) => kept,
            _ => Vec::new(),
        };
        let mut changed = false;
        for entry in entries {
            let entry = serde_json::to_value(entry).unwrap_or_default();
            if !kept.contains(&entry) {
                kept.retain(|other| !gives_way(other, &entry));
                kept.push(entry);
                changed = true;
            }
        }
        if !changed {
            return Ok(false);
        }
        match index.as_object_mut() {
            Some(members) => {
                members.insert("manifests".into(), kept.into());
            }
            None => index = list(kept),
        }
        self.exchange("index.json", &index)?;
        Ok(true)
    }

    /// Takes everything off the list of images; the blobs stay.
    ///
    /// # Errors
    /// The list cannot be written.
    pub(super) fn clear(&self) -> Result<(), LayoutError> {
        self.exchange("index.json", &list(Vec::new()))
    }

    /// Writes a file whole, in place of what was there.
    fn exchange(&self, name: &str, content: &Value) -> Result<(), LayoutError> {
        let path = self.root.join(name);
        let draft = draft(&path);
        let written = create(&draft).and_then(|mut file| {
            file.write_all(content.to_string().as_bytes())?;
            file.sync_all()?;
            fs::rename(&draft, &path)
        });
        written.map_err(|source| unwritten(&path, source))
    }
}

/// A blob on its way to its place in a layout. Dropped before [`BlobFile::end`], it leaves nothing.
#[derive(Debug)]
pub struct BlobFile {
    file: File,
    draft: PathBuf,
    path: PathBuf,
    descriptor: Descriptor,
    hashing: Hashing,
    written: u64,
}

impl BlobFile {
    /// The next bytes.
    ///
    /// # Errors
    /// They cannot be written, or are more than the descriptor says.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), LayoutError> {
        self.written += bytes.len() as u64;
        if self.written > self.descriptor.size {
            return Err(self.other_size());
        }
        self.hashing.update(bytes);
        self.file.write_all(bytes).map_err(|source| unwritten(&self.path, source))
    }

    /// Puts the blob into its place, on the disk for good, if it is the one meant.
    ///
    /// # Errors
    /// It is another, or cannot be put there.
    pub fn end(mut self) -> Result<(), LayoutError> {
        if self.written != self.descriptor.size {
            return Err(self.other_size());
        }
        if self.hashing.finish() != self.descriptor.digest {
            return Err(self.other(DescriptorError::Digest(self.descriptor.digest)));
        }
        let placed = self.file.sync_all().and_then(|()| fs::rename(&self.draft, &self.path));
        placed.map_err(|source| unwritten(&self.path, source))
    }

    fn other_size(&self) -> LayoutError {
        let (digest, said) = (self.descriptor.digest, self.descriptor.size);
        self.other(DescriptorError::Size { digest, said, found: self.written })
    }

    fn other(&self, source: DescriptorError) -> LayoutError {
        LayoutError::Descriptor { path: self.path.display().to_string(), source }
    }
}

impl Drop for BlobFile {
    fn drop(&mut self) {
        // Gone already once it is in its place.
        let _gone = fs::remove_file(&self.draft);
    }
}

fn list(manifests: Vec<Value>) -> Value {
    json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests})
}

/// Whether an entry has to go since a new one has its name, or is the same without one.
fn gives_way(entry: &Value, new: &Value) -> bool {
    let name = |entry: &Value| entry.pointer(NAME_POINTER).cloned();
    match name(new) {
        Some(named) => name(entry) == Some(named),
        None => name(entry).is_none() && entry.get("digest") == new.get("digest"),
    }
}

pub(super) fn unwritten(path: &Path, source: io::Error) -> LayoutError {
    LayoutError::Write { path: path.display().to_string(), source }
}

/// Beside a file until it is whole; each process has its own.
pub(super) fn draft(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}{DRAFT}", uuid::Uuid::new_v4().simple()));
    path.with_file_name(name)
}

/// Whether a file is called as the draft of a blob is.
fn is_draft(name: &OsStr) -> bool {
    let parts = name.to_str().and_then(|name| name.strip_suffix(DRAFT)?.split_once('.'));
    parts.is_some_and(|(blob, writer)| {
        let hex = |text: &str| text.bytes().all(|sign| sign.is_ascii_hexdigit());
        [64, 128].contains(&blob.len()) && writer.len() == 32 && hex(blob) && hex(writer)
    })
}

fn create(path: &Path) -> io::Result<File> {
    File::options().write(true).create_new(true).open(path)
}

const DRAFT: &str = ".part";
const VERSION_FILE: &str = "oci-layout";
const NAME_POINTER: &str = "/annotations/org.opencontainers.image.ref.name";

/// How much is read at a time.
const PIECE: usize = 256 * 1024;
