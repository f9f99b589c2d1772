//! What `--ocibuilder FILE` says: key, store, notes, and three kinds of occurrence.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use jiff::Timestamp;

use crate::{
    attest::oci::{Descriptor, Document, Platform},
    name::PinnedImage,
    sign::{
        Claim, Entry, Passphrase, Signer, SigningKeyError, StoreDestination,
        ocibuilder::{
            AnnotatedBase, BuildTimes, BuiltImage, ImageParts, KeyPlace, Kind, OciBuilder,
        },
    },
    source::{Deadline, Reference, Registries, RegistriesOptions},
};

use super::super::{
    Failure,
    arguments::{PATIENCE, RegistryArguments, StoreArguments},
    output,
    secret::Source,
};

/// Reads the file.
pub fn read(file: &Path) -> Result<OciBuilder, Failure> {
    let bytes = Source::File(file.to_owned()).bytes("metadata of ocibuilder")?;
    let named = file.display();
    let text = str::from_utf8(&bytes)
        .map_err(|_| Failure::usage(format!("{named} is not UTF-8; it should be YAML")))?;
    OciBuilder::parse(text).map_err(|error| Failure::usage(format!("{named}: {error}")))
}

/// The key that the file names; one locked with the empty passphrase opens too.
pub fn signer(file: &OciBuilder) -> Result<Signer, Failure> {
    let (bytes, place) = match &file.key {
        KeyPlace::Variable(name) => {
            let source = Source::Variable(name.clone());
            (source.bytes("key")?, source.to_string())
        }
        KeyPlace::Armor(armor) => (
            armor.reveal().as_bytes().to_vec().into(),
            "metadata.signKey.plainPrivateKey".to_owned(),
        ),
        KeyPlace::Nowhere => {
            return Err(Failure::usage(
                "neither metadata.signKey.envPrivateKey nor plainPrivateKey names a key; \
                 write one there, or give --key",
            ));
        }
    };
    let now = Timestamp::now();
    let signer = match Signer::load(&bytes, None, now) {
        Err(SigningKeyError::Locked { .. }) => {
            let passphrase = Passphrase::from(file.passphrase.reveal().as_bytes());
            Signer::load(&bytes, Some(&passphrase), now)
        }
        outcome => outcome,
    };
    signer.map_err(|error| Failure::failed(format!("the key from {place} cannot sign"), error))
}

/// The store that the file names. The note is the attestations'; without any, it is not asked for.
pub fn store(file: &OciBuilder, arguments: &StoreArguments) -> Result<StoreDestination, Failure> {
    let notes = &file.notes;
    let note = notes.attestation.as_ref().or(notes.build.as_ref()).or(notes.image.as_ref());
    let note = note.ok_or_else(|| Failure::usage("the file names no note"))?;
    arguments.connect_to(&file.hostname, note.clone(), file.project.clone())
}

/// All that the file has said of the images: of each by its ID, as ocibuilder, and by its digest.
pub async fn entries(
    file: &OciBuilder,
    images: &BTreeSet<PinnedImage>,
    times: BuildTimes,
    registry: &RegistryArguments,
    registries: &Registries,
) -> Result<Vec<Entry>, Failure> {
    let mut entries = Vec::new();
    for image in images {
        let mut built = BuiltImage::new(parts(image, None, registries).await?);
        if file.data.contains(&Kind::Image) {
            find_base(&mut built, image, registry, registries).await?;
        }
        for (about, claim) in
            [(built.by_id(), Claim::ImageId), (image.clone(), Claim::SimpleSigning)]
        {
            let mut entry = Entry::of(about);
            if file.data.contains(&Kind::Attestation) {
                entry.claims.push(Arc::new(claim));
            }
            let notes = &file.notes;
            if let (true, Some(note)) = (file.data.contains(&Kind::Image), &notes.image) {
                entry.records.push(built.derived(note.clone()));
            }
            if let (true, Some(note)) = (file.data.contains(&Kind::Build), &notes.build) {
                let step = file.step(&image.repository);
                let record = built.build(&entry.image, &file.project, &step, times, note.clone());
                entry.records.push(record);
            }
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// Looks up what an image says it was built on; what cannot be had is told, and stays open.
async fn find_base(
    built: &mut BuiltImage,
    image: &PinnedImage,
    registry: &RegistryArguments,
    registries: &Registries,
) -> Result<(), Failure> {
    let open = |why: &str| {
        output::say(&format!(
            "note: how far {image} is from its base image is not recorded: {why}"
        ));
    };
    let base = match built.annotated_base() {
        AnnotatedBase::None => return Ok(()),
        AnnotatedBase::Incomplete => {
            open("it does not name that by repository and digest");
            return Ok(());
        }
        AnnotatedBase::Image(base) => base.clone(),
    };
    let platform = built.platform();
    let fetched = if base.repository.host() == image.repository.host() {
        parts(&base, Some(&platform), registries).await
    } else {
        elsewhere(&base, &platform, registry).await
    };
    match fetched {
        Ok(parts) => {
            if let Err(error) = built.build_on(parts) {
                open(&error.to_string());
            }
        }
        Err(failure) => open(failure.text()),
    }
    Ok(())
}

/// What another registry has of an image. An image names it and nobody else, so where `docker login`
/// does not know it, it is shown nothing and must have a public address (P9).
async fn elsewhere(
    base: &PinnedImage,
    platform: &Platform,
    registry: &RegistryArguments,
) -> Result<ImageParts, Failure> {
    if let Some(known) = registry.connect_by_login(&base.repository).await? {
        return parts(base, Some(platform), &known).await;
    }
    let public = Registries::new(RegistriesOptions::default()).map_err(Failure::of)?;
    parts(base, Some(platform), &public).await.map_err(|failure| {
        let host = base.repository.host();
        Failure::fault(format!("{}; if {host} is meant, `docker login` to it", failure.text()))
    })
}

/// What the registry has of an image: its manifest and its configuration. Of an index only with a
/// platform, whose image it then is.
async fn parts(
    image: &PinnedImage,
    platform: Option<&Platform>,
    registries: &Registries,
) -> Result<ImageParts, Failure> {
    let (repository, deadline) = (&image.repository, Deadline::after(PATIENCE));
    let document = async |image: &PinnedImage| {
        let by_digest = Reference::Digest(image.digest);
        let fetched = registries.manifest(repository, by_digest, deadline).await;
        let fetched = fetched.map_err(Failure::of)?;
        Document::parse(&fetched.bytes, &fetched.media_type)
            .map_err(|error| Failure::failed(format!("{image} cannot be read"), error))
    };
    let mut found = document(image).await?;
    let mut of = image.clone();
    if let (Document::Index(index), Some(platform)) = (&found, platform)
        && let Some(entry) = index.manifests.iter().find(|entry| is_for(entry, platform))
    {
        of.digest = entry.digest;
        found = document(&of).await?;
    }
    let Document::Manifest(manifest) = found else {
        return Err(Failure::usage(match platform {
            Some(Platform { os, architecture, .. }) => {
                format!("{image} is an index without an image for {os}/{architecture}")
            }
            None => format!(
                "{image} is an index, and an image ID is of one platform; name that one's manifest"
            ),
        }));
    };
    let config = registries.blob(repository, &manifest.config, LARGEST_CONFIG, deadline);
    let config = config.await.map_err(Failure::of)?;
    ImageParts::new(&of, &manifest, &config).map_err(Failure::of)
}

/// Whether an entry of an index is of that platform.
fn is_for(entry: &Descriptor, wanted: &Platform) -> bool {
    entry.platform.as_ref().is_some_and(|platform| {
        let same = (&platform.os, &platform.architecture) == (&wanted.os, &wanted.architecture);
        same && (platform.variant.is_none()
            || wanted.variant.is_none()
            || platform.variant == wanted.variant)
    })
}

/// Most bytes of a configuration.
const LARGEST_CONFIG: u64 = 4 * 1024 * 1024;
