//! What an authority may speak about, and whether the signed bytes speak about this image.

use super::{
    Attests, Authority, Identity, Image, Level, SubjectImage, payload::Payload,
    subject::Subject as SignedBy,
};
use crate::{
    attest::{Meaning, SimpleSigning, Subject, Target, oci::media_type as types},
    name::{Code, Digest, ImageRef, NoteName, Repository, escape},
};

/// Whether the authority takes evidence from this source.
pub fn check_source(authority: &Authority, source: &str) -> Result<(), (Code, String)> {
    if authority.takes_from(source) {
        return Ok(());
    }
    Err((Code::ScopeSource, format!("found in {source}, which is not one of its sources")))
}

/// Whether an occurrence stands under the authority's note. What comes from elsewhere has none.
pub fn check_note(authority: &Authority, found: Option<&NoteName>) -> Result<(), (Code, String)> {
    match (found, &authority.note) {
        (None, _) => Ok(()),
        (Some(found), Some(note)) if found == note => Ok(()),
        (Some(found), Some(note)) => {
            Err((Code::ScopeNote, format!("under note {found}, and its note is {note}")))
        }
        (Some(found), None) => Err((
            Code::ScopeNote,
            format!(
                "under note {found}, and it has no note, so nothing from Grafeas counts for it"
            ),
        )),
    }
}

/// Whether a certificate under the authority's roots is one of those that it trusts.
pub fn check_subject(
    authority: &Authority,
    found: Option<&SignedBy>,
) -> Result<(), (Code, String)> {
    match (found, &authority.trusted_identities) {
        (Some(found), Some(trusted)) if !trusted.iter().any(|one| one.is(found)) => Err((
            Code::SignatureCertificate,
            format!("with a certificate for {found}, which is none of its `trustedIdentities`"),
        )),
        _ => Ok(()),
    }
}

/// Whether the authority may say such a thing at all.
pub fn check_type(authority: &Authority, payload: &Payload) -> Result<(), (Code, String)> {
    let may = |attests: &Attests| match (&payload.meaning, attests) {
        (Meaning::SimpleSigning(_), Attests::SimpleSigning)
        | (Meaning::ImageId(_), Attests::ImageId)
        | (Meaning::Target(_), Attests::Notation)
        | (Meaning::Metadata { .. }, Attests::AnyMetadata) => true,
        (Meaning::Metadata { said, .. }, Attests::Metadata(mine)) => {
            mine == said.metadata.kind.as_str()
        }
        (Meaning::Statement(statement), Attests::Predicate(mine)) => {
            *mine == statement.predicate_type
        }
        _ => false,
    };
    if authority.attests.iter().any(may) {
        return Ok(());
    }
    let what = match &payload.meaning {
        Meaning::Metadata { said, .. } => format!("metadata/{}", said.metadata.kind),
        _ => escape(&payload.predicate_type, SHOWN),
    };
    Err((Code::ScopeType, format!("it is of type {what}, which that authority does not attest")))
}

/// The part of the image that the signed bytes name.
///
/// # Errors
/// They name another image, or another repository, or none where the authority demands it.
pub fn subject(
    authority: &Authority,
    meaning: &Meaning,
    image: &Image<'_>,
) -> Result<SubjectImage, (Code, String)> {
    match meaning {
        Meaning::SimpleSigning(simple) => of_simple_signing(authority, simple, image),
        Meaning::ImageId(config) => of_image_id(authority, *config, image),
        Meaning::Statement(statement) => of_statement(authority, &statement.subjects, image),
        Meaning::Metadata { subjects, .. } => of_statement(authority, subjects, image),
        Meaning::Target(target) => of_target(authority, target, image),
    }
}

fn of_simple_signing(
    authority: &Authority,
    simple: &SimpleSigning,
    image: &Image<'_>,
) -> Result<SubjectImage, (Code, String)> {
    let SimpleSigning { digest, reference, .. } = simple;
    let level = level(*digest, image)
        .ok_or_else(|| (Code::PayloadOtherImage, format!("it is about {digest}")))?;
    let repository = named(reference);
    if let Some(pinned) = reference.parse::<ImageRef>().ok().and_then(|name| name.digest())
        && pinned != *digest
    {
        return Err((Code::PayloadOtherImage, format!("its name says {pinned}, not {digest}")));
    }
    check_repository(authority, repository.as_ref(), reference, image)?;
    Ok(SubjectImage { repository, digest: *digest, level })
}

fn of_image_id(
    authority: &Authority,
    config: Digest,
    image: &Image<'_>,
) -> Result<SubjectImage, (Code, String)> {
    if image.config != Some(config) {
        return Err((Code::PayloadOtherImage, format!("it is about the image ID {config}")));
    }
    check_repository(authority, None, "", image)?;
    Ok(SubjectImage { repository: None, digest: config, level: Level::Config })
}

/// The digest covers every byte; what they are read as must be what the signer read them as.
fn of_target(
    authority: &Authority,
    target: &Target,
    image: &Image<'_>,
) -> Result<SubjectImage, (Code, String)> {
    let Target { digest, media_type, .. } = target;
    let other = |detail| (Code::PayloadOtherImage, detail);
    let level = level(*digest, image).ok_or_else(|| other(format!("it is about {digest}")))?;
    let kinds = if level == Level::Index { INDEXES } else { MANIFESTS };
    if !kinds.contains(&media_type.as_str()) {
        return Err(other(format!("it takes it for a {:?}", escape(media_type, SHOWN))));
    }
    check_repository(authority, None, "", image)?;
    Ok(SubjectImage { repository: None, digest: *digest, level })
}

/// Name and digest must stand in the same entry: a statement about two things must not lend the
/// name of one to the digest of the other.
fn of_statement(
    authority: &Authority,
    subjects: &[Subject],
    image: &Image<'_>,
) -> Result<SubjectImage, (Code, String)> {
    let mut other_repository = None;
    for subject in subjects {
        let Some((digest, level)) = matched(subject, image) else { continue };
        let name = subject.name.as_deref().unwrap_or_default();
        let repository = named(name);
        match check_repository(authority, repository.as_ref(), name, image) {
            Ok(()) => return Ok(SubjectImage { repository, digest, level }),
            Err(bad) => other_repository = Some(bad),
        }
    }
    Err(other_repository.unwrap_or_else(|| {
        let subjects = subjects.iter().take(3).flat_map(|subject| subject.digests.iter());
        let listed: Vec<_> = subjects.map(|(kind, hex)| format!("{kind}:{hex}")).collect();
        let listed = escape(&listed.join(", "), SHOWN);
        (Code::PayloadOtherImage, format!("it is about {listed}"))
    }))
}

/// The digest and level of the image that every digest of this entry names.
fn matched(subject: &Subject, image: &Image<'_>) -> Option<(Digest, Level)> {
    let digests: Option<Vec<Digest>> =
        subject.digests.iter().map(|(kind, hex)| format!("{kind}:{hex}").parse().ok()).collect();
    let digests = digests.filter(|digests| !digests.is_empty())?;
    levels(image).find(|(wanted, _)| {
        let equal = |digest| *wanted == digest || image.equals.contains(&(*wanted, digest));
        digests.iter().all(|digest| equal(*digest))
    })
}

fn level(digest: Digest, image: &Image<'_>) -> Option<Level> {
    let equal = |wanted| wanted == digest || image.equals.contains(&(wanted, digest));
    levels(image).find_map(|(wanted, level)| equal(wanted).then_some(level))
}

/// What of the image a payload may name by a manifest's digest.
fn levels(image: &Image<'_>) -> impl Iterator<Item = (Digest, Level)> {
    let platform = image.platform.filter(|platform| *platform != image.digest);
    let top = if platform.is_some() { Level::Index } else { Level::Manifest };
    [(image.digest, top)].into_iter().chain(platform.map(|digest| (digest, Level::Manifest)))
}

/// The repository that a name in a payload means.
fn named(name: &str) -> Option<Repository> {
    let reference: ImageRef = name.strip_prefix("https://").unwrap_or(name).parse().ok()?;
    Some(reference.repository().clone())
}

fn check_repository(
    authority: &Authority,
    found: Option<&Repository>,
    written: &str,
    image: &Image<'_>,
) -> Result<(), (Code, String)> {
    if authority.identity == Identity::Digest {
        return Ok(());
    }
    let refuse = |why: String| Err((Code::PayloadOtherRepository, why));
    let wanted = match authority.identities.signed_name(image.repository) {
        Ok(wanted) => wanted,
        Err(bad) => return refuse(format!("`identities` makes no name of this one: {bad}")),
    };
    match found {
        Some(found) if *found == wanted => Ok(()),
        Some(found) => refuse(format!("it is about {found}, not {wanted}")),
        None if written.is_empty() => {
            refuse("it names no repository; that counts only with `identity: digest`".to_owned())
        }
        None => refuse(format!("{:?} is no repository", escape(written, SHOWN))),
    }
}

/// What manifests and indexes are called.
const MANIFESTS: [&str; 2] = [types::OCI_MANIFEST, types::DOCKER_MANIFEST];
const INDEXES: [&str; 2] = [types::OCI_INDEX, types::DOCKER_INDEX];

/// How much of outside text a detail quotes.
const SHOWN: usize = 200;
