//! Who asks, and what that caller may do.
//!
//! A handler gets at the store through one of these alone, so that none can forget to ask.

use axum::{extract::FromRequestParts, http::request::Parts};

use super::{access::Right, answer::Refusal, api::Api};

/// A caller who may read.
#[derive(Debug)]
pub struct Reader(pub Api);

/// A caller who may read, and perhaps write: the right says what.
#[derive(Debug)]
pub struct Writer(pub Api, pub Right);

/// A caller who may do everything.
#[derive(Debug)]
pub struct Administrator(pub Api);

impl FromRequestParts<Api> for Writer {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Refusal> {
        let right = api.access.right(&parts.headers).await?;
        Ok(Self(api.clone(), right))
    }
}

impl FromRequestParts<Api> for Reader {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Refusal> {
        let Writer(api, _any_includes_reading) = Writer::from_request_parts(parts, api).await?;
        Ok(Self(api))
    }
}

impl FromRequestParts<Api> for Administrator {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Refusal> {
        let Writer(api, right) = Writer::from_request_parts(parts, api).await?;
        right.may_administer()?;
        Ok(Self(api))
    }
}
