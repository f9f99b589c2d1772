//! Rego files as they come: one file, a folder, or an archive, before anything is compiled.

use std::{
    fmt::Display,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use super::{RuleError, archive};
use crate::source::read_file;

/// The Rego files and data documents of one rule.
#[derive(Clone, Debug, Default)]
pub struct Bundle {
    /// Files that decide.
    pub(super) modules: Vec<RegoFile>,
    /// Files named `*_test.rego`, which `policy test` runs and `serve` never loads.
    pub(super) tests: Vec<RegoFile>,
    /// What `data.json` and `data.yaml` say, at the place that their folder names.
    pub(super) data: Map<String, Value>,
    size: usize,
}

/// One Rego file.
#[derive(Clone, Debug)]
pub(super) struct RegoFile {
    pub path: String,
    pub text: String,
}

impl Bundle {
    /// Bytes of all files together that a bundle may have.
    pub const SIZE_MAX: usize = 16 << 20;
    /// Files that a bundle may have.
    pub const FILES_MAX: usize = 2_000;
    const DEPTH_MAX: usize = 16;

    /// Reads a file, a folder with all folders in it, or a bundle (`.tar.gz`). Symbolic links
    /// are followed, since a mounted `ConfigMap` is made of them; hidden entries are passed over,
    /// for the same reason.
    ///
    /// # Errors
    /// [`RuleError::Read`] and [`RuleError::Bundle`], both with the path.
    pub fn open(path: &Path) -> Result<Self, RuleError> {
        Self::open_all(&[path])
    }

    /// Reads several of these as one.
    ///
    /// # Errors
    /// As for one; also where two of them say what the same data is.
    pub fn open_all(paths: &[impl AsRef<Path>]) -> Result<Self, RuleError> {
        let mut bundle = Self::default();
        for path in paths.iter().map(AsRef::as_ref) {
            let earlier = bundle.modules.len() + bundle.tests.len();
            bundle.add_path(path)?;
            if bundle.modules.len() + bundle.tests.len() == earlier {
                return Err(refused(path.display(), "holds no file that ends in .rego"));
            }
        }
        Ok(bundle)
    }

    /// A bundle of one file that is already in memory.
    pub fn of_text(path: &str, text: &str) -> Self {
        let file = RegoFile { path: path.to_owned(), text: text.to_owned() };
        Self { modules: vec![file], ..Self::default() }
    }

    fn add_path(&mut self, path: &Path) -> Result<(), RuleError> {
        if path.is_dir() {
            return self.add_folder(path, path, 0);
        }
        if path.extension().is_some_and(|extension| extension == "gz" || extension == "tgz") {
            for (name, bytes) in archive::unpack(&path.display().to_string(), &read(path)?)? {
                self.add(&format!("{}/{name}", path.display()), &name, bytes)?;
            }
            return Ok(());
        }
        self.add_rego(path.display().to_string(), read(path)?)
    }

    fn add_folder(&mut self, root: &Path, folder: &Path, depth: usize) -> Result<(), RuleError> {
        if depth > Self::DEPTH_MAX {
            return Err(refused(folder.display(), "lies too deep; a link may lead in a circle"));
        }
        let unread = |source| RuleError::Read { path: folder.to_owned(), source };
        let mut entries: Vec<PathBuf> = fs::read_dir(folder)
            .map_err(unread)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()
            .map_err(unread)?;
        entries.sort();
        for entry in entries {
            let name = entry.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') {
                continue;
            }
            if entry.is_dir() {
                self.add_folder(root, &entry, depth + 1)?;
            } else if is_wanted(&name) {
                let within = entry.strip_prefix(root).unwrap_or(&entry).to_string_lossy();
                self.add(&entry.display().to_string(), &within, read(&entry)?)?;
            }
        }
        Ok(())
    }

    /// Takes in one file, if it is of a kind that counts; `within` is its path inside the bundle.
    fn add(&mut self, path: &str, within: &str, bytes: Vec<u8>) -> Result<(), RuleError> {
        let name = within.rsplit('/').next().unwrap_or(within);
        match name {
            "data.json" | "data.yaml" => self.add_data(path, within, bytes),
            _ if is_wanted(name) => self.add_rego(path.to_owned(), bytes),
            _ => Ok(()),
        }
    }

    fn add_rego(&mut self, path: String, bytes: Vec<u8>) -> Result<(), RuleError> {
        let text = self.text(&path, bytes)?;
        let is_test = path.ends_with("_test.rego");
        let files = if is_test { &mut self.tests } else { &mut self.modules };
        files.push(RegoFile { path, text });
        if self.modules.len() + self.tests.len() > Self::FILES_MAX {
            return Err(RuleError::Bundle {
                path: self.modules.first().map(|file| file.path.clone()).unwrap_or_default(),
                detail: format!("more than {} Rego files", Self::FILES_MAX),
            });
        }
        Ok(())
    }

    fn add_data(&mut self, path: &str, within: &str, bytes: Vec<u8>) -> Result<(), RuleError> {
        let text = self.text(path, bytes)?;
        let value: Map<String, Value> = if within.ends_with("data.json") {
            serde_json::from_str(&text).map_err(|error| refused(path, error))?
        } else {
            serde_saphyr::from_str(&text).map_err(|error| refused(path, error))?
        };
        let mut at = &mut self.data;
        for part in within.split('/').rev().skip(1).collect::<Vec<_>>().into_iter().rev() {
            let next = at.entry(part).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(next) = next else {
                return Err(refused(path, format!("another data file says what `{part}` is")));
            };
            at = next;
        }
        for (key, value) in value {
            if at.insert(key.clone(), value).is_some() {
                return Err(refused(path, format!("another data file says what `{key}` is")));
            }
        }
        if self.data.contains_key("parameters") {
            return Err(refused(path, "data.parameters comes from the configuration alone"));
        }
        Ok(())
    }

    fn text(&mut self, path: &str, bytes: Vec<u8>) -> Result<String, RuleError> {
        self.size += bytes.len();
        if self.size > Self::SIZE_MAX {
            return Err(refused(path, format!("the bundle exceeds {} bytes", Self::SIZE_MAX)));
        }
        String::from_utf8(bytes).map_err(|_| refused(path, "is not UTF-8 text"))
    }
}

fn is_wanted(name: &str) -> bool {
    let extension = Path::new(name).extension();
    extension.is_some_and(|extension| extension == "rego")
        || matches!(name, "data.json" | "data.yaml")
}

fn read(path: &Path) -> Result<Vec<u8>, RuleError> {
    read_file(path, Bundle::SIZE_MAX as u64).map_err(|source| match source.kind() {
        ErrorKind::FileTooLarge => {
            refused(path.display(), format!("exceeds {} bytes", Bundle::SIZE_MAX))
        }
        _ => RuleError::Read { path: path.to_owned(), source },
    })
}

pub(super) fn refused(path: impl Display, detail: impl Display) -> RuleError {
    RuleError::Bundle { path: path.to_string(), detail: detail.to_string() }
}
