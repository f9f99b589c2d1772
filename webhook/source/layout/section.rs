//! Reading a stretch of a file where it lies, and hashing what was read.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt as _,
    sync::Arc,
};

use crate::{
    attest::oci::{Descriptor, DescriptorError},
    name::{Digest, Hashing},
};

/// A stretch of a file: one entry of an archive, or a file of its own. Several can be read at once,
/// since none moves the file's own position.
#[derive(Debug)]
pub struct Section {
    file: Arc<File>,
    at: u64,
    left: u64,
}

impl Section {
    /// The `length` bytes from `at`.
    pub fn new(file: Arc<File>, at: u64, length: u64) -> Self {
        Self { file, at, left: length }
    }

    /// How many bytes are still to come.
    pub fn left(&self) -> u64 {
        self.left
    }
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(buffer) = buffer.get_mut(..most) else { return Ok(0) };
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}

/// The bytes of a blob as they are read, hashed along the way.
///
/// What was read is only believed once the end was: the last read fails if the whole is not what
/// the descriptor says, so a reader that stops early has proven nothing.
#[derive(Debug)]
pub struct LayoutBlob {
    section: Section,
    digest: Digest,
    hashing: Hashing,
    ended: bool,
}

impl LayoutBlob {
    /// The bytes of `section`, which should be the ones that `descriptor` means.
    ///
    /// # Errors
    /// They are fewer or more.
    pub(super) fn new(section: Section, descriptor: &Descriptor) -> Result<Self, DescriptorError> {
        let (digest, said, found) = (descriptor.digest, descriptor.size, section.left());
        if said != found {
            return Err(DescriptorError::Size { digest, said, found });
        }
        Ok(Self { section, digest, hashing: Hashing::like(&digest), ended: false })
    }

    fn conclude(&mut self) -> io::Result<()> {
        self.ended = true;
        if self.section.left() == 0 && self.hashing.finish() == self.digest {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, DescriptorError::Digest(self.digest)))
    }
}

impl Read for LayoutBlob {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.ended {
            return Ok(0);
        }
        let read = self.section.read(buffer)?;
        self.hashing.update(buffer.get(..read).unwrap_or_default());
        if read == 0 {
            self.conclude()?;
        }
        Ok(read)
    }
}
