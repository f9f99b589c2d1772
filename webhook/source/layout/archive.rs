//! Where things lie in a tar: one pass over the headers, nothing unpacked.
//!
//! Only regular files are ever read, and only by their whole name. What an honest archive has no
//! use for ends the pass: names that lead outside, two files of one name, devices, sparse files,
//! links in the place of blobs. Links elsewhere are passed over, since `docker save` made them once.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    sync::Arc,
};

use tar::EntryType;

use super::{LayoutError, section::Section};
use crate::name::escape;

/// The regular files of a tar.
#[derive(Debug)]
pub struct Archive {
    file: Arc<File>,
    /// Position and length by name.
    files: HashMap<String, (u64, u64)>,
}

impl Archive {
    /// Looks through the headers of `file`; `path` is what people call it.
    ///
    /// # Errors
    /// It is no tar, is compressed, cut, too long, or holds what is refused.
    pub fn index(file: File, path: &str) -> Result<Self, LayoutError> {
        let unread = |source| LayoutError::Read { path: path.to_owned(), source };
        let length = file.metadata().map_err(unread)?.len();
        if let Some(with) = compression(&file).map_err(unread)? {
            return Err(LayoutError::Compressed { path: path.to_owned(), with });
        }
        let file = Arc::new(file);
        let mut files = HashMap::new();
        let headers = Headers { file: Arc::clone(&file), at: 0, left: MOST_HEADER_BYTES };
        let mut tar = tar::Archive::new(headers);
        for (count, entry) in tar.entries_with_seek().map_err(unread)?.enumerate() {
            if count >= MOST_ENTRIES {
                let (limit, what) = (MOST_ENTRIES as u64, "entries");
                return Err(LayoutError::TooMuch { path: path.to_owned(), limit, what });
            }
            let mut entry = entry.map_err(|source| bad_tar(path, source))?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let refused = |why| {
                let entry = escape(&name, SHOWN);
                LayoutError::Refused { path: path.to_owned(), entry, why }
            };
            let Some(inside) = inside(&name) else {
                return Err(refused("a name that leads outside"));
            };
            match entry.header().entry_type() {
                EntryType::Regular | EntryType::Continuous => {}
                EntryType::Directory | EntryType::XGlobalHeader => continue,
                EntryType::Link | EntryType::Symlink if !is_ours(&inside) => continue,
                EntryType::Link | EntryType::Symlink => {
                    return Err(refused("a link where a file should be"));
                }
                EntryType::GNUSparse => return Err(refused("a sparse file")),
                _ => return Err(refused("which is neither file nor folder")),
            }
            let mut extensions = entry.pax_extensions().map_err(unread)?.into_iter().flatten();
            let sparse = extensions.any(|extension| {
                extension.is_ok_and(|record| record.key_bytes().starts_with(b"GNU.sparse"))
            });
            if sparse {
                return Err(refused("a sparse file"));
            }
            let (at, size) = (entry.raw_file_position(), entry.size());
            if at.checked_add(size).is_none_or(|end| end > length) {
                return Err(refused("a file that ends behind the end of the archive"));
            }
            if files.insert(inside, (at, size)).is_some() {
                return Err(refused("a second file of that name"));
            }
        }
        Ok(Self { file, files })
    }

    /// The file of this name.
    pub fn open(&self, name: &str) -> Option<Section> {
        let (at, size) = *self.files.get(name)?;
        Some(Section::new(Arc::clone(&self.file), at, size))
    }
}

/// An error of the tar reader: past its budget, or no tar.
fn bad_tar(path: &str, source: io::Error) -> LayoutError {
    let path = path.to_owned();
    if source.kind() == io::ErrorKind::QuotaExceeded {
        let (limit, what) = (MOST_HEADER_BYTES, "bytes of headers");
        return LayoutError::TooMuch { path, limit, what };
    }
    if source.raw_os_error().is_none() {
        return LayoutError::Other { path, why: "its headers are not those of a tar" };
    }
    LayoutError::Read { path, source }
}

/// The name without `./`, if it stays inside.
fn inside(name: &str) -> Option<String> {
    let parts: Vec<&str> =
        name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let leads_out = name.starts_with('/') || name.contains('\0') || parts.contains(&"..");
    (!leads_out).then(|| parts.join("/"))
}

/// Whether a layout keeps something under this name.
fn is_ours(name: &str) -> bool {
    let first = Path::new(name).iter().next().and_then(|first| first.to_str());
    matches!(first, Some("blobs" | "index.json" | "manifest.json" | "oci-layout"))
}

/// What the first bytes say about compression.
fn compression(file: &File) -> io::Result<Option<&'static str>> {
    use std::os::unix::fs::FileExt as _;
    let mut magic = [0; 4];
    let read = file.read_at(&mut magic, 0)?;
    Ok(match magic.get(..read) {
        Some([0x1f, 0x8b, ..]) => Some("gzip"),
        Some([0x28, 0xb5, 0x2f, 0xfd]) => Some("zstd"),
        Some([0xfd, b'7', b'z', b'X']) => Some("xz"),
        Some([b'B', b'Z', b'h', _]) => Some("bzip2"),
        _ => None,
    })
}

/// What the tar reader reads: headers and long names, for as long as the budget lasts. It keeps
/// long names whole, so that without a budget one of a gigabyte would be a gigabyte of memory.
struct Headers {
    file: Arc<File>,
    at: u64,
    left: u64,
}

impl Read for Headers {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use std::os::unix::fs::FileExt as _;
        if self.left == 0 {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(buffer) = buffer.get_mut(..most) else { return Ok(0) };
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}

impl Seek for Headers {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(_) => None,
        };
        self.at = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// Files of an archive; images have tens of layers, whole collections some thousands of blobs.
const MOST_ENTRIES: usize = 16 * 1024;

/// Headers are half a kilobyte for each entry; long names come on top.
const MOST_HEADER_BYTES: u64 = 32 * 1024 * 1024;

/// How much of an entry's name is shown.
const SHOWN: usize = 120;
