//! What `--ocibuilder FILE` says: key, store, notes, and three kinds of occurrence.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use jiff::Timestamp;

use crate::{
    attest::oci::Document,
    name::PinnedImage,
    sign::{
        Claim, Entry, Passphrase, Signer, SigningKeyError, StoreDestination,
        ocibuilder::{BuildTimes, BuiltImage, KeyPlace, Kind, OciBuilder},
    },
    source::{Deadline, Reference, Registries},
};

use super::super::{
    Failure,
    arguments::{PATIENCE, StoreArguments},
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
    registries: &Registries,
) -> Result<Vec<Entry>, Failure> {
    let mut entries = Vec::new();
    for image in images {
        let built = built(image, registries).await?;
        for (about, claim) in
            [(built.by_id(), Claim::ImageId), (image.clone(), Claim::SimpleSigning)]
        {
            let mut entry =
                Entry { image: about, claims: Vec::new(), signed: Vec::new(), records: Vec::new() };
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

/// What the registry has of an image: its manifest and its configuration.
async fn built(image: &PinnedImage, registries: &Registries) -> Result<BuiltImage, Failure> {
    let (repository, deadline) = (&image.repository, Deadline::after(PATIENCE));
    let fetched = registries.manifest(repository, Reference::Digest(image.digest), deadline);
    let fetched = fetched.await.map_err(Failure::of)?;
    let manifest = match Document::parse(&fetched.bytes, &fetched.media_type) {
        Ok(Document::Manifest(manifest)) => manifest,
        Ok(Document::Index(_)) => {
            return Err(Failure::usage(format!(
                "{image} is an index, and an image ID is of one platform; name that one's manifest"
            )));
        }
        Err(error) => return Err(Failure::failed(format!("{image} cannot be read"), error)),
    };
    let config = registries.blob(repository, &manifest.config, LARGEST_CONFIG, deadline);
    let config = config.await.map_err(Failure::of)?;
    BuiltImage::new(image, &manifest, &config).map_err(Failure::of)
}

/// Most bytes of a configuration.
const LARGEST_CONFIG: u64 = 4 * 1024 * 1024;
