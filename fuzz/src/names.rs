//! Names, and reviews, in which they come.

use countersign::{
    admission::{Change, NamespacePattern, Review, Unreadable},
    name::{Digest, ImageRef, NoteName, NotePattern, Pattern, PinnedImage, Repository},
};

/// A reference that is read is written as one that means the same.
pub fn image_reference(data: &[u8]) {
    let Some(image) = str::from_utf8(data).ok().and_then(|text| text.parse::<ImageRef>().ok())
    else {
        return;
    };
    let repository = image.repository();
    assert_eq!(&repository.to_string().parse::<Repository>().unwrap(), repository);
    let digest = Digest::sha256(b"");
    let pinned: ImageRef = image.with_digest(digest).parse().unwrap();
    assert_eq!((pinned.repository(), pinned.digest()), (repository, Some(digest)));
    if let Some(pinned) = image.pinned() {
        assert_eq!(pinned.to_string().parse::<PinnedImage>().unwrap(), pinned);
    }
}

/// Patterns, on the first line, and what they are matched with, on the second.
pub fn pattern(data: &[u8]) {
    let Some((pattern, text)) = str::from_utf8(data).ok().and_then(|text| text.split_once('\n'))
    else {
        return;
    };
    if let Ok(pattern) = pattern.parse::<Pattern>() {
        assert_eq!(pattern.to_string().parse::<Pattern>().unwrap(), pattern);
        if let Ok(repository) = text.parse::<Repository>() {
            let _ = pattern.matches(&repository);
        }
    }
    if let (Ok(pattern), Ok(note)) = (pattern.parse::<NotePattern>(), text.parse::<NoteName>()) {
        let _ = pattern.matches(&note);
    }
    if let Ok(pattern) = pattern.parse::<NamespacePattern>() {
        let _ = pattern.matches(text);
    }
}

/// Reviews, whole and skimmed, and the uid that is looked for in those that do not parse.
pub fn review(data: &[u8]) {
    let skimmed = Review::skim(data);
    match Review::parse(data) {
        Ok(review) => {
            let skimmed = skimmed.expect("what can be read can be skimmed");
            assert_eq!(skimmed.change(500), review.change(500));
            assert_eq!(Review::uid_of(data).as_deref(), Some(review.uid.as_ref()));
            if let Ok(Change::Images(images)) = review.change(500) {
                assert!(images.uses.len() <= 500);
            }
        }
        Err(Unreadable::Invalid { uid, .. }) => assert!(!uid.is_empty() && uid.len() <= 256),
        Err(Unreadable::Foreign) => {}
    }
}
