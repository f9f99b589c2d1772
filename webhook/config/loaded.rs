//! A whole configuration: read, checked and turned into a gate.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
};

use super::{
    ConfigError, ConfigErrors, Problem, clients::Clients, contents::Reading, document::Document,
    files::Files, parse::parse, parts::Parts,
};
use crate::{
    admission::{Gate, Policy},
    serve::ServeOptions,
    source::KnownLayers,
    verify::Trust,
};

/// What a configuration is read for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Purpose {
    /// To serve: all of it.
    Serve,
    /// To judge from a shell, or to take the place of another gate: neither `listen` nor `tls`.
    Inspect,
}

/// A configuration that holds together.
pub struct Config {
    /// The gate that it describes.
    pub gate: Arc<Gate>,
    /// What the listeners are told; `None` for [`Purpose::Inspect`].
    pub serve: Option<ServeOptions>,
    /// The revision of policy and trust: the same wherever the same files are read.
    pub revision: String,
    pub(super) document: Document,
    pub(super) trust: Arc<Trust>,
    pub(super) policies: Vec<Policy>,
    pub(super) clients: Clients,
}

/// A configuration that another takes the place of.
#[derive(Clone, Copy)]
pub(super) struct Earlier<'e> {
    pub(super) clients: &'e Clients,
    pub(super) gate: &'e Gate,
}

/// What one attempt to read a configuration came to, and the files to watch from then on.
pub(super) struct Attempt {
    pub(super) outcome: Result<Config, ConfigErrors>,
    pub(super) files: Files,
}

impl Config {
    /// Reads the configuration in `path` and all files that it names. Contacts nobody.
    ///
    /// # Errors
    /// The first error of the file's shape, or all errors of its contents.
    pub fn load(path: &Path, purpose: Purpose) -> Result<Self, ConfigErrors> {
        attempt(path, purpose, KnownLayers::default(), None).outcome
    }

    /// The authorities.
    pub fn trust(&self) -> &Arc<Trust> {
        &self.trust
    }
}

/// Reads a configuration, and says which files it looked at even if something is wrong. What layers
/// unpack to holds under any configuration; of an `earlier` one more may be kept.
pub(super) fn attempt(
    path: &Path,
    purpose: Purpose,
    layers: KnownLayers,
    earlier: Option<Earlier<'_>>,
) -> Attempt {
    let mut files = Files::default();
    let document = match guarded(path, || document(path, &mut files)).flatten() {
        Ok(document) => document,
        Err(error) => return Attempt { outcome: Err(ConfigErrors(vec![error])), files },
    };
    let mut reading = Reading::new(path, files);
    let parts = guarded(path, || Parts::read(&mut reading, &document, purpose));
    let (files, mut errors) = reading.finish();
    let outcome = match parts {
        Err(panicked) => Err(ConfigErrors(vec![panicked])),
        Ok(Some(parts)) if errors.is_empty() => {
            let revision = files.revision(path.parent().unwrap_or(path));
            let failed = |problem| ConfigError::new(path, 0, problem);
            let built =
                guarded(path, || parts.build(document, revision, layers, earlier).map_err(failed));
            built.flatten().map_err(|error| ConfigErrors(vec![error]))
        }
        Ok(_) => {
            errors.sort_by_key(|error| error.line);
            Err(ConfigErrors(errors))
        }
    };
    Attempt { outcome, files }
}

/// Runs what reads the files. A panic in a parser is an error like others, so that at a reload the
/// last good configuration stays in force.
fn guarded<T>(path: &Path, read: impl FnOnce() -> T) -> Result<T, ConfigError> {
    catch_unwind(AssertUnwindSafe(read))
        .map_err(|_panic| ConfigError::new(path, 0, Problem::Panicked))
}

fn document(path: &Path, files: &mut Files) -> Result<Document, ConfigError> {
    let failed = |problem| ConfigError::new(path, 0, problem);
    let bytes = files.read(path).map_err(|source| failed(Problem::Unread(source)))?;
    let text = String::from_utf8(bytes).map_err(|_| failed(Problem::Shape(NO_TEXT.to_owned())))?;
    parse(path, &text)
}

const NO_TEXT: &str = "is no UTF-8 text";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p16_a_panic_is_an_error_of_the_file() {
        let path = Path::new("serve.yaml");
        assert_eq!(guarded(path, || 1).unwrap(), 1);
        let error = guarded(path, || -> i32 { panic!("as a parser might") }).unwrap_err();
        let want = "serve.yaml: reading it made countersign panic";
        assert!(error.to_string().starts_with(want), "{error}");
    }
}
