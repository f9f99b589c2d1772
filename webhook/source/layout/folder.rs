//! A layout unpacked in a folder.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{LayoutError, section::Section};

/// The files of a folder, by names that are ours: fixed ones, or made of a digest.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The folder at `root`.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The regular file of this name, if there is one. Links are refused, on the way there too, and
    /// so is what would make a reader wait, such as a pipe.
    ///
    /// # Errors
    /// It cannot be read, or is no regular file.
    pub fn open(&self, name: &str) -> Result<Option<Section>, LayoutError> {
        let unread = |source| {
            let path = self.root.join(name).display().to_string();
            LayoutError::Read { path, source }
        };
        let mut path = self.root.clone();
        let mut parts = name.split('/').peekable();
        while let Some(part) = parts.next() {
            path.push(part);
            let kind = match fs::symlink_metadata(&path) {
                Ok(metadata) => metadata.file_type(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(unread(error)),
            };
            let fits = if parts.peek().is_some() { kind.is_dir() } else { kind.is_file() };
            if !fits {
                return Err(LayoutError::Refused {
                    path: self.root.display().to_string(),
                    entry: name.to_owned(),
                    why: "a link or a special file where a file should be",
                });
            }
        }
        let file = File::open(&path).map_err(unread)?;
        let length = file.metadata().map_err(unread)?.len();
        Ok(Some(Section::new(Arc::new(file), 0, length)))
    }
}
