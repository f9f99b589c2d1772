//! What images say that need no registry: on disk, or in the Docker Engine.

use std::{collections::BTreeMap, path::Path, process::ExitCode, sync::Arc};

use jiff::Timestamp;
use serde::Serialize;

use super::{Failure, output};
use crate::{
    attest::sources::INDEX,
    config::{Config, Purpose},
    name::Repository,
    policy::{Platform, StatementEntry},
    source::{Engine, LayoutPlace, LocalImage, LocalPlatform},
    verify::{Image, Judged, Layers, Rejection, Trust, Verified},
};

/// Whether `image` is meant to be looked for on this machine.
pub fn is_meant(image: &str) -> bool {
    image.starts_with(ENGINE) || LayoutPlace::is_meant(image)
}

/// Who believes what is signed about an image, once it lies in a repository.
pub struct Judge<'a> {
    trust: Arc<Trust>,
    destined: &'a Repository,
}

impl<'a> Judge<'a> {
    /// The authorities of a configuration.
    pub fn new(config: &Path, destined: &'a Repository) -> Result<Self, Failure> {
        let loaded = Config::load(config, Purpose::Inspect)
            .map_err(|errors| super::config::refused(&errors))?;
        Ok(Self { trust: Arc::clone(loaded.trust()), destined })
    }

    fn judge(&self, image: &LocalImage, one: &LocalPlatform) -> Judged {
        let about = Image {
            repository: self.destined,
            digest: image.digest,
            platform: one.in_index.then_some(one.manifest),
            config: None,
            equals: &[],
            layers: Layers::NotCompared,
        };
        let mut all = Judged::default();
        for candidate in &one.candidates {
            let opened = self.trust.open(candidate, &[]);
            let judged = self.trust.judge(&opened, &about, Timestamp::now());
            all.verified.extend(judged.verified);
            all.rejected.extend(judged.rejected);
        }
        all
    }

    /// Whose signatures over the index cover a statement of this type.
    fn covering(&self, verified: &[Verified], predicate_type: &str) -> Vec<&str> {
        let names = self.trust.cover_embedded(verified, predicate_type);
        let known = names.iter().filter_map(|name| self.trust.authority(name));
        known.map(|authority| &*authority.name).collect()
    }
}

/// Prints what `image` says of itself, and what counts of what is signed about it.
pub async fn evidence(image: &str, judge: Option<&Judge<'_>>) -> Result<ExitCode, Failure> {
    let found = if let Some(name) = image.strip_prefix(ENGINE) {
        let host = std::env::var("DOCKER_HOST").ok();
        let engine = Engine::new(host.as_deref()).map_err(Failure::of)?;
        engine.inspect(name).await.map_err(Failure::of)?
    } else {
        let place: LayoutPlace =
            image.parse().map_err(|bad| Failure::usage(format!("{image}: {bad}")))?;
        let (layout, chosen) = place.open().map_err(Failure::of)?;
        layout.inspect(&chosen).await.map_err(Failure::of)?
    };
    let images: Vec<Row<'_>> =
        found.platforms.iter().map(|one| row(image, &found, one, judge)).collect();
    output::json(&BTreeMap::from([("images", images)]))?;
    Ok(ExitCode::SUCCESS)
}

/// The members of `input.images[]` that an image has without a registry.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    given: &'a str,
    digest: String,
    media_type: &'a str,
    platform: Option<Platform>,
    /// Where somebody judged what is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    attestations: Option<Vec<Verified>>,
    statements: Vec<StatementEntry<'a>>,
    rejected: Vec<Rejection>,
    lookups: BTreeMap<&'static str, &'static str>,
}

fn row<'a>(
    given: &'a str,
    image: &'a LocalImage,
    one: &'a LocalPlatform,
    judge: Option<&'a Judge<'_>>,
) -> Row<'a> {
    let judged = judge.map(|judge| judge.judge(image, one)).unwrap_or_default();
    let mut rejected = one.rejected.clone();
    if judge.is_some() {
        rejected.extend(one.unreadable.iter().cloned());
        rejected.extend(judged.rejected);
    }
    let mut statements = Vec::new();
    for statement in &one.statements {
        let by = judge.map(|judge| judge.covering(&judged.verified, &statement.predicate_type));
        let by = by.unwrap_or_default();
        if by.is_empty() {
            statements.push(StatementEntry::new(statement, None));
        }
        statements.extend(by.into_iter().map(|name| StatementEntry::new(statement, Some(name))));
    }
    let inside = one.candidates.iter().any(|candidate| &*candidate.source == INDEX);
    let rejects = one.rejected.iter().any(|rejection| &*rejection.source == INDEX);
    let empty = statements.is_empty() && !inside && !rejects;
    let platform = one.platform.as_ref().map(|platform| Platform {
        os: platform.os.clone(),
        architecture: platform.architecture.clone(),
        variant: platform.variant.clone().unwrap_or_default(),
        os_version: platform.os_version.clone().unwrap_or_default(),
        digest: one.manifest,
        config: None,
    });
    Row {
        given,
        digest: image.digest.to_string(),
        media_type: &image.media_type,
        platform,
        attestations: judge.map(|_| judged.verified),
        statements,
        rejected,
        lookups: BTreeMap::from([(INDEX, if empty { "none" } else { "found" })]),
    }
}

/// What begins the name of an image in the Docker Engine.
const ENGINE: &str = "docker://";
