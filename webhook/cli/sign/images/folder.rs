//! Reading what build steps wrote: files and folders that somebody else filled.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::sign::images::{BadInput, MOST_IMAGES, Place, Wrong};

use super::super::super::Failure;

/// A file's name for messages, and its bytes.
pub type Contents = (Arc<str>, Vec<u8>);

/// Reads one file that the command line names, wherever it leads.
pub fn file(path: &Path) -> Result<Contents, Failure> {
    read(path, &label(path), LARGEST)
}

/// Reads what stands on stdin.
pub fn stdin() -> Result<Contents, Failure> {
    let label: Arc<str> = "stdin".into();
    let bytes = capped(io::stdin(), &label, LARGEST)?;
    Ok((label, bytes))
}

/// The files of a folder that `wanted` asks for by name, with these names, in order.
///
/// Links are followed as far as the folder reaches: volumes of Kubernetes are made of such. A link
/// out of it is refused, since whoever wrote the folder may not be allowed to read what this process
/// is.
pub fn folder(
    folder: &Path,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<(String, Contents)>, Failure> {
    let cannot =
        |path: &Path, error| Failure::usage(format!("cannot read {}: {error}", label(path)));
    let root = fs::canonicalize(folder).map_err(|error| cannot(folder, error))?;
    let mut paths = Vec::new();
    for entry in fs::read_dir(&root).map_err(|error| cannot(folder, error))? {
        let entry = entry.map_err(|error| cannot(folder, error))?;
        if paths.len() >= MOST_IMAGES {
            return Err(Failure::usage(format!(
                "{} has more than {MOST_IMAGES} files; sign them in several runs",
                label(folder)
            )));
        }
        paths.push(entry.file_name());
    }
    paths.sort();
    let mut left = LARGEST_FOLDER;
    let mut files = Vec::new();
    for name in paths {
        let shown = folder.join(&name);
        let Some(text) = name.to_str() else {
            return Err(Failure::usage(format!("{}: its name is not UTF-8", label(&shown))));
        };
        // What Kubernetes keeps the versions of a volume in.
        if text.starts_with("..") || !wanted(text) {
            continue;
        }
        let path = inside(&root, &root.join(&name), &shown)?;
        let (label, bytes) = read(&path, &label(&shown), LARGEST.min(left))?;
        left = left.saturating_sub(bytes.len() as u64);
        files.push((text.to_owned(), (label, bytes)));
    }
    Ok(files)
}

/// Where a file of a folder really is, which must be in the folder.
fn inside(root: &Path, path: &Path, shown: &Path) -> Result<PathBuf, Failure> {
    let real = fs::canonicalize(path)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", label(shown))))?;
    if real.starts_with(root) {
        Ok(real)
    } else {
        Err(Failure::usage(format!(
            "{} is a link out of its folder; put the file itself there",
            label(shown)
        )))
    }
}

fn read(path: &Path, label: &Arc<str>, limit: u64) -> Result<Contents, Failure> {
    let cannot = |error: io::Error| Failure::usage(format!("cannot read {label}: {error}"));
    // Opening a pipe would wait for its writer.
    let kind = fs::metadata(path).map_err(cannot)?;
    if kind.is_dir() {
        return Err(Failure::usage(format!(
            "{label} is a folder; put the files that name images directly into the one that you give"
        )));
    }
    if !kind.is_file() {
        return Err(Failure::usage(format!(
            "{label} is no regular file; write its contents to one"
        )));
    }
    let bytes = capped(File::open(path).map_err(cannot)?, label, limit)?;
    Ok((Arc::clone(label), bytes))
}

fn capped(from: impl io::Read, label: &Arc<str>, limit: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    from.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::usage(format!("cannot read {label}: {error}")))?;
    if bytes.len() as u64 > limit {
        let bad = BadInput { place: Place::of(label), wrong: Wrong::TooLarge { limit } };
        return Err(Failure::usage(bad.to_string()));
    }
    Ok(bytes)
}

/// A path for messages.
fn label(path: &Path) -> Arc<str> {
    crate::name::escape(&path.to_string_lossy(), SHOWN).into()
}

/// Most bytes of one file: buildx writes provenance into its metadata.
const LARGEST: u64 = 8 * 1024 * 1024;

/// Most bytes of a folder.
const LARGEST_FOLDER: u64 = 64 * 1024 * 1024;

/// How much of a path a message shows.
const SHOWN: usize = 300;
