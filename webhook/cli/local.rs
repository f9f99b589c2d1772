//! What images say that need no registry: on disk, or in the Docker Engine.

use std::{collections::BTreeMap, process::ExitCode};

use serde::Serialize;

use super::{Failure, output};
use crate::{
    policy::{Platform, StatementEntry},
    source::{Engine, LayoutPlace, LocalImage, LocalPlatform},
    verify::Rejection,
};

/// Whether `image` is meant to be looked for on this machine.
pub fn is_meant(image: &str) -> bool {
    image.starts_with(ENGINE) || LayoutPlace::is_meant(image)
}

/// Prints what `image` says of itself.
pub async fn evidence(image: &str) -> Result<ExitCode, Failure> {
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
    let images: Vec<Row<'_>> = found.platforms.iter().map(|one| row(image, &found, one)).collect();
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
    statements: Vec<StatementEntry<'a>>,
    rejected: &'a [Rejection],
    lookups: BTreeMap<&'static str, &'static str>,
}

fn row<'a>(given: &'a str, image: &'a LocalImage, one: &'a LocalPlatform) -> Row<'a> {
    let statements: Vec<_> =
        one.statements.iter().map(|statement| StatementEntry::new(statement, None)).collect();
    let empty = statements.is_empty() && one.rejected.is_empty();
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
        statements,
        rejected: &one.rejected,
        lookups: BTreeMap::from([("index", if empty { "none" } else { "found" })]),
    }
}

/// What begins the name of an image in the Docker Engine.
const ENGINE: &str = "docker://";
