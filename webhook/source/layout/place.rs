//! How people name an image on disk, as skopeo spells it.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use super::{Layout, LayoutError, LayoutImage};

/// `oci:FOLDER[:NAME]`, `oci-archive:FILE[:NAME]` or `docker-archive:FILE[:NAME]`.
///
/// ```
/// use countersign::source::LayoutPlace;
///
/// let place: LayoutPlace = "oci-archive:out/app.tar:registry.example/app:v1".parse().unwrap();
/// assert_eq!(place.path().to_str(), Some("out/app.tar"));
/// assert_eq!(place.image(), Some("registry.example/app:v1"));
/// assert!("registry.example/app:v1".parse::<LayoutPlace>().is_err());
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LayoutPlace {
    transport: &'static str,
    path: PathBuf,
    image: Option<String>,
}

/// A text that names no image on disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "no image on disk; write oci:FOLDER, oci-archive:FILE or docker-archive:FILE, and :NAME after \
     it where there are several"
)]
pub struct BadLayoutPlace;

impl LayoutPlace {
    /// Whether `text` means a place on disk rather than an image in a registry.
    pub fn is_meant(text: &str) -> bool {
        transport(text).is_some()
    }

    /// Where the layout or archive lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is a layout in a folder, which can be written to.
    pub fn is_folder(&self) -> bool {
        self.transport == "oci"
    }

    /// Whether it is a layout in a tar, which can be written, and not added to.
    pub fn is_archive(&self) -> bool {
        self.transport == "oci-archive"
    }

    /// Which image in it; the only one where none is named.
    pub fn image(&self) -> Option<&str> {
        self.image.as_deref()
    }

    /// Opens the layout and finds the image. Reads files: run it where that disturbs nobody.
    ///
    /// # Errors
    /// [`LayoutError`] says what is wrong with the layout, or that it does not have the image.
    pub fn open(&self) -> Result<(Layout, LayoutImage), LayoutError> {
        let layout = match self.transport {
            "oci" => Layout::folder(&self.path)?,
            _ => Layout::archive(&self.path)?,
        };
        let image = layout.image(self.image())?.clone();
        Ok((layout, image))
    }
}

impl FromStr for LayoutPlace {
    type Err = BadLayoutPlace;

    fn from_str(text: &str) -> Result<Self, BadLayoutPlace> {
        let (transport, rest) = transport(text).ok_or(BadLayoutPlace)?;
        let (path, image) = match rest.split_once(':') {
            Some((path, image)) => (path, Some(image)),
            None => (rest, None),
        };
        if path.is_empty() || image == Some("") {
            return Err(BadLayoutPlace);
        }
        Ok(Self { transport, path: path.into(), image: image.map(str::to_owned) })
    }
}

impl fmt::Display for LayoutPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.transport, self.path.display())?;
        match &self.image {
            Some(image) => write!(formatter, ":{image}"),
            None => Ok(()),
        }
    }
}

/// The transport that a text begins with, and what follows. It wins over images of hosts and
/// repositories that are called like it; write `docker.io/library/oci:latest` for one of those.
fn transport(text: &str) -> Option<(&'static str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    Some((TRANSPORTS.iter().find(|known| **known == scheme)?, rest))
}

const TRANSPORTS: [&str; 3] = ["oci", "oci-archive", "docker-archive"];
