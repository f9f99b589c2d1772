//! The files of a layout, wherever they lie.

use std::{fs::File, io::Read as _, path::Path};

use bytes::Bytes;

use super::{LayoutError, archive::Archive, folder::Folder, section::Section};

/// Named files that are only read.
#[derive(Debug)]
pub struct Files {
    path: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Folder(Folder),
    Archive(Archive),
}

impl Files {
    /// Those of a folder.
    pub fn folder(path: &Path) -> Self {
        Self { path: path.display().to_string(), place: Place::Folder(Folder::new(path)) }
    }

    /// Those of a tar, whose headers are read.
    ///
    /// # Errors
    /// It cannot be read or is refused.
    pub fn archive(path: &Path) -> Result<Self, LayoutError> {
        let shown = path.display().to_string();
        let unread = |source| LayoutError::Read { path: shown.clone(), source };
        let is_file = std::fs::metadata(path).map_err(unread)?.is_file();
        if !is_file {
            return Err(LayoutError::Other { path: shown, why: "an archive is a regular file" });
        }
        let file = File::open(path).map_err(unread)?;
        let place = Place::Archive(Archive::index(file, &shown)?);
        Ok(Self { path: shown, place })
    }

    /// What people call it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The file of this name.
    ///
    /// # Errors
    /// It cannot be read, or is no regular file.
    pub fn open(&self, name: &str) -> Result<Option<Section>, LayoutError> {
        match &self.place {
            Place::Folder(folder) => folder.open(name),
            Place::Archive(archive) => Ok(archive.open(name)),
        }
    }

    /// The bytes of the file of this name, at most `cap` of them.
    ///
    /// # Errors
    /// It cannot be read, is no regular file, or has more.
    pub fn read(&self, name: &str, cap: u64) -> Result<Option<Bytes>, LayoutError> {
        let Some(section) = self.open(name)? else { return Ok(None) };
        if section.left() > cap {
            let path = self.path.clone();
            return Err(LayoutError::TooMuch { path, limit: cap, what: "bytes in one file" });
        }
        let mut bytes = Vec::new();
        section.take(cap).read_to_end(&mut bytes).map_err(|source| {
            let path = self.path.clone();
            LayoutError::Read { path, source }
        })?;
        Ok(Some(bytes.into()))
    }
}
