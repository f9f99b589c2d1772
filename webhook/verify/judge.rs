//! Judging what was opened: the keys as they stand now, the authority's scope, the image.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    AfterExpiry, Authority, Image, Judged, Layers, LayersCheckedBy, Level, Opened, Rejection,
    Trust, Verified, maker::Maker, open::Claim, payload::Payload, scope, standing::Worthless,
    verified::LayersUnchecked,
};
use crate::{attest::Meaning, name::Code};

impl Trust {
    /// Which authorities' attestations of `image` an opened candidate holds.
    ///
    /// Cheap; runs on every review, cached evidence or not. Checks, in this order: that an
    /// authority still has the key; that the key is neither revoked, nor weak, nor expired, and
    /// may sign; that the payload is one that we know; that source, note, the holder of the
    /// certificate and type are within the authority's scope; that the payload names this image.
    pub fn judge(&self, opened: &Opened, image: &Image<'_>, now: Timestamp) -> Judged {
        let mut judged = Judged::default();
        for (code, detail) in &opened.failures {
            judged.rejected.push(rejection(opened, *code, detail));
        }
        for claim in &opened.claims {
            self.judge_claim(opened, claim, image, now, &mut judged);
        }
        if !judged.verified.is_empty() {
            // Others may sign along; that we do not know them is no news then.
            let stranger = [Code::SignatureUnknownKey, Code::SignatureCertificate];
            judged.rejected.retain(|rejected| !stranger.contains(&rejected.code));
        }
        judged
    }

    fn judge_claim(
        &self,
        opened: &Opened,
        claim: &Claim,
        image: &Image<'_>,
        now: Timestamp,
        judged: &mut Judged,
    ) {
        let (maker, payload) = match (self.maker(claim, now), claim.payload.as_ref()) {
            (Err(Worthless { code, detail }), _) => {
                judged.rejected.push(rejection(opened, code, &detail));
                return;
            }
            (Ok(maker), Err(why)) => {
                let detail = format!("signed by {}, but {why}", maker.signer.fingerprint);
                judged.rejected.push(rejection(opened, Code::PayloadMalformed, &detail));
                return;
            }
            (Ok(maker), Ok(payload)) => (maker, payload),
        };
        let mut rejected = Vec::new();
        let mut counted = false;
        for authority in maker.holders.iter().filter_map(|at| self.authorities().get(*at)) {
            match judge_for(authority, opened, &maker, payload, image) {
                Ok((verified, bound)) => {
                    counted = true;
                    let twice = judged.verified.iter().any(|known| {
                        known.authority == verified.authority
                            && known.signer.identity == verified.signer.identity
                    });
                    match bound {
                        _ if twice => {}
                        true => judged.verified.push(verified),
                        false => judged.layers_unchecked.push(LayersUnchecked(verified)),
                    }
                }
                Err((code, detail)) => {
                    let name = &authority.name;
                    let detail = format!("signed by a key of authority {name:?}, but {detail}");
                    rejected.push(rejection(opened, code, &detail));
                }
            }
        }
        if !counted {
            judged.rejected.append(&mut rejected);
        }
    }
}

/// Whether a signature counts for one authority; and if so, whether its layers are bound to it.
fn judge_for(
    authority: &Authority,
    opened: &Opened,
    maker: &Maker,
    payload: &Payload,
    image: &Image<'_>,
) -> Result<(Verified, bool), (Code, String)> {
    if let (Some(ended), AfterExpiry::Reject) = (&maker.ended, authority.after_expiry) {
        return Err((Code::KeyExpired, ended.clone()));
    }
    scope::check_source(authority, &opened.source)?;
    scope::check_note(authority, opened.note.as_ref())?;
    scope::check_subject(authority, maker.subject.as_ref())?;
    scope::check_type(authority, payload)?;
    let subject = scope::subject(authority, &payload.meaning, image)?;
    let bound = match (subject.level, authority.layers_checked_by) {
        (Level::Index | Level::Manifest, _) | (_, Some(LayersCheckedBy::Runtime)) => true,
        (Level::Config, Some(LayersCheckedBy::Gate)) => match image.layers {
            Layers::Bound => true,
            Layers::NotCompared => false,
            Layers::Unbound(why) => {
                let detail = format!("it covers the image ID alone, and not these layers: {why}");
                return Err((Code::PayloadLayersUnbound, detail));
            }
        },
        (Level::Config, None) => {
            let detail = "it covers the image ID alone, and nobody compares the layers with that; \
                          say `layersCheckedBy` where your runtime does";
            return Err((Code::PayloadLayersUnbound, detail.to_owned()));
        }
    };
    let verified = Verified {
        authority: Arc::clone(&authority.name),
        format: opened.format,
        source: Arc::clone(&opened.source),
        name: Arc::clone(&opened.name),
        subject,
        predicate_type: Arc::clone(&payload.predicate_type),
        predicate: Arc::clone(&payload.predicate),
        metadata: match &payload.meaning {
            Meaning::Metadata { said, .. } => Some(Arc::clone(said)),
            _ => None,
        },
        signer: Arc::clone(&maker.signer),
        signed_at: maker.signed_at,
        recorded_at: opened.recorded_at,
    };
    Ok((verified, bound))
}

fn rejection(opened: &Opened, code: Code, detail: &str) -> Rejection {
    Rejection::new(Arc::clone(&opened.source), &*opened.name, opened.format, code, detail)
}
