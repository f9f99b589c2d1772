//! The results of a Tekton task, by the names that Tekton Chains goes by.
//!
//! Chains passes over what it does not understand; here half a pair or a result that cannot be read
//! is an error, since an image that stays unsigned is found out only when it is deployed.
//! <https://tekton.dev/docs/chains/slsa-provenance/#type-hinting>

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;
use serde_json::Value;

use super::{BadInput, Found, Named, Place, Wrong, list, text::Text};

/// What results say of a build.
#[derive(Debug, Default)]
pub struct Results {
    /// The images, and what was passed over.
    pub found: Found,
    /// `CHAINS-GIT_URL`: the repository that was built.
    pub source: Option<String>,
    /// `CHAINS-GIT_COMMIT`: its revision.
    pub revision: Option<String>,
}

/// Whether a result of this name says something of images or their source; others are not read.
pub fn is_hint(name: &str) -> bool {
    name == IMAGES
        || name == GIT_URL
        || name == GIT_COMMIT
        || name.ends_with(OUTPUTS)
        || PAIRS.iter().any(|(url, digest)| name.ends_with(url) || name.ends_with(digest))
}

/// Reads the results of one task, by name; each comes with the name of its file for messages. An
/// empty one is one that the task did not write.
///
/// # Errors
/// [`BadInput`]: what is no image or has no digest, one half of a pair.
pub fn results(files: &BTreeMap<String, (Arc<str>, Vec<u8>)>) -> Result<Results, BadInput> {
    let mut texts = BTreeMap::new();
    for (name, (file, bytes)) in files {
        let text = Text::new(file, bytes)?;
        if !text.as_str().trim().is_empty() {
            texts.insert(name.as_str(), (file, text));
        }
    }
    let mut results = Results::default();
    for (name, (file, text)) in &texts {
        if *name == IMAGES {
            results.found.images.extend(list::entries(text, &[',', '\n'])?);
        } else if name.ends_with(OUTPUTS) {
            output(file, text, &mut results.found)?;
        }
    }
    for (url, digest) in PAIRS {
        pairs(&texts, url, digest, &mut results.found)?;
    }
    let said = |name| texts.get(name).map(|(_, text)| text.as_str().trim().to_owned());
    results.source = said(GIT_URL);
    results.revision = said(GIT_COMMIT);
    Ok(results)
}

/// Results of one prefix that name an image and its digest.
fn pairs(
    texts: &BTreeMap<&str, (&Arc<str>, Text<'_>)>,
    url: &str,
    digest: &str,
    found: &mut Found,
) -> Result<(), BadInput> {
    for (name, (file, text)) in texts {
        let (prefix, other) = match (name.strip_suffix(url), name.strip_suffix(digest)) {
            (Some(prefix), _) => (prefix, digest),
            (None, Some(prefix)) => (prefix, url),
            (None, None) => continue,
        };
        let other = format!("{prefix}{other}");
        let Some((_, beside)) = texts.get(other.as_str()) else {
            return Err(BadInput { place: Place::of(file), wrong: Wrong::Half(other) });
        };
        if name.ends_with(url) {
            artifact(text.as_str(), beside.as_str(), Place::of(file), found)?;
        }
    }
    Ok(())
}

/// One object of `uri` and `digest`.
fn output(file: &Arc<str>, text: &Text<'_>, found: &mut Found) -> Result<(), BadInput> {
    for object in text.objects()? {
        let output: Output = text.read(object)?;
        if matches!(&output.built, Some(Value::Bool(false)))
            || output.built.as_ref().and_then(Value::as_str) == Some("false")
        {
            found.skipped.push(BadInput { place: Place::of(file), wrong: Wrong::NotBuilt });
        } else {
            artifact(&output.uri, &output.digest, text.place_of(object.get()), found)?;
        }
    }
    Ok(())
}

/// What a task made: an image, or something that another scheme than an image's names.
fn artifact(uri: &str, digest: &str, place: Place, found: &mut Found) -> Result<(), BadInput> {
    let uri = uri.trim();
    let name = ["docker://", "oci://"].iter().find_map(|scheme| uri.strip_prefix(scheme));
    let name = name.unwrap_or(uri);
    if name.contains("://") || name.starts_with("pkg:") {
        let wrong = Wrong::NotAnImage(crate::name::escape(name, SHOWN));
        found.skipped.push(BadInput { place, wrong });
        return Ok(());
    }
    found.images.push(Named::new(name, Some(digest.trim()), place)?);
    Ok(())
}

#[derive(Deserialize)]
struct Output {
    uri: String,
    digest: String,
    #[serde(rename = "isBuildArtifact", default)]
    built: Option<Value>,
}

const IMAGES: &str = "IMAGES";
const OUTPUTS: &str = "ARTIFACT_OUTPUTS";
const PAIRS: [(&str, &str); 2] =
    [("IMAGE_URL", "IMAGE_DIGEST"), ("ARTIFACT_URI", "ARTIFACT_DIGEST")];
const GIT_URL: &str = "CHAINS-GIT_URL";
const GIT_COMMIT: &str = "CHAINS-GIT_COMMIT";

/// How much of a wrong name a message shows.
const SHOWN: usize = 256;
