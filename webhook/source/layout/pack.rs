//! Writing an OCI layout as a tar: gathered in a folder beside it, and packed once it is whole.

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Path, PathBuf},
};

use tar::{Builder, Header};

use super::{
    LayoutError, LayoutWriter, blob_name,
    write::{draft, unwritten},
};
use crate::name::Digest;

/// A layout that is to become an archive. All of this blocks.
#[derive(Debug)]
pub struct Packing {
    path: PathBuf,
    folder: PathBuf,
}

impl Packing {
    /// Begins an archive at `path`, and the layout that is to be filled for it, in `path.part`.
    /// Blobs that an attempt before this one has left there need not be had again; whatever lies
    /// there is packed, so nobody else may have laid it there.
    ///
    /// # Errors
    /// Something is there already, the folder is not ours alone to write, or it cannot be written there.
    pub fn begin(path: &Path) -> Result<(Self, LayoutWriter), LayoutError> {
        if fs::symlink_metadata(path).is_ok() {
            return Err(LayoutError::There { path: path.display().to_string() });
        }
        let mut folder = path.as_os_str().to_owned();
        folder.push(".part");
        let folder = PathBuf::from(folder);
        own(&folder)?;
        let writer = LayoutWriter::open(&folder)?;
        writer.clear()?;
        Ok((Self { path: path.to_owned(), folder }, writer))
    }

    /// Packs the list of images and these blobs, puts the archive into its place, and removes what
    /// was gathered. The same layout makes the same bytes.
    ///
    /// # Errors
    /// The disk cannot be read or written.
    pub fn end(&self, blobs: &[Digest]) -> Result<(), LayoutError> {
        let draft = draft(&self.folder.join("archive"));
        let packed = self.pack(&draft, blobs).and_then(|()| fs::rename(&draft, &self.path));
        packed.map_err(|source| unwritten(&self.path, source))?;
        fs::remove_dir_all(&self.folder).map_err(|source| unwritten(&self.folder, source))
    }

    fn pack(&self, draft: &Path, blobs: &[Digest]) -> io::Result<()> {
        let mut names: Vec<String> = blobs.iter().map(blob_name).collect();
        names.sort_unstable();
        names.dedup();
        let mut tar = Builder::new(File::options().write(true).create_new(true).open(draft)?);
        for name in ["oci-layout", "index.json"].into_iter().chain(names.iter().map(String::as_str))
        {
            let file = File::open(self.folder.join(name))?;
            let mut header = Header::new_gnu();
            header.set_size(file.metadata()?.len());
            header.set_mode(0o644);
            tar.append_data(&mut header, name, file)?;
        }
        tar.into_inner()?.sync_all()
    }
}

/// Makes the folder, or sees that the one that is there is no link and ours alone to write.
fn own(folder: &Path) -> Result<(), LayoutError> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made.map_err(|source| unwritten(folder, source)),
    }
    let found = fs::symlink_metadata(folder).map_err(|source| unwritten(folder, source))?;
    let is_ours = found.uid() == rustix::process::geteuid().as_raw();
    if found.is_dir() && is_ours && found.mode() & OTHERS_WRITE == 0 {
        return Ok(());
    }
    Err(LayoutError::Shared { path: folder.display().to_string() })
}

/// Group and others may write.
const OTHERS_WRITE: u32 = 0o022;
