//! Requests to a registry with what it wants to see.

use std::sync::Arc;

use http::{HeaderValue, StatusCode};

use super::{Registries, challenge::Challenge, credential::Credential, host::Host, token::Key};
use crate::{
    name::Repository,
    source::{
        Deadline,
        error::{FetchError, Presented},
        transport::{Request, Response, Upload},
    },
};

/// What is to be done in a repository.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Action<'a> {
    Pull,
    PullAndPush,
    /// Push, with a blob that this repository of the same host has.
    Mount(&'a Repository),
    Delete,
}

impl Registries {
    /// Sends a request with the credential for its repository, as the host asked for it last time,
    /// and once more if it now asks otherwise.
    ///
    /// # Errors
    /// As the transport, and [`FetchError::Unauthorized`] for 401 and 403.
    pub(super) async fn ask(
        &self,
        host: &Host,
        repository: &Repository,
        action: Action<'_>,
        mut request: Request,
        deadline: Deadline,
    ) -> Result<Response, FetchError> {
        let credential = host.credential(repository).await?;
        let visit = Visit { host, repository, action, credential: credential.as_ref(), deadline };
        request.secret = self.expected(&visit).await?.or(request.secret);
        let mut response = self.transport.send(request.clone(), deadline).await?;
        if response.status == StatusCode::UNAUTHORIZED && is_from(host, &response) {
            let refused = request.secret.take();
            if let Some(challenge) = Challenge::of(&response.headers) {
                request.secret = self.meet(&visit, &challenge, refused.as_ref()).await?;
                self.challenges.insert(Arc::clone(&host.name), Arc::new(challenge)).await;
            }
            if request.secret.is_some() && request.secret != refused {
                response = self.transport.send(request, deadline).await?;
            }
        }
        admitted(host, response, Presented::of(credential.as_ref()))
    }

    /// Sends a body that cannot be sent twice, with the credential as the host asked for it last
    /// time.
    ///
    /// # Errors
    /// As the transport, and [`FetchError::Unauthorized`] for 401 and 403.
    pub(super) async fn ask_once(
        &self,
        host: &Host,
        repository: &Repository,
        mut request: Request,
        body: Upload,
        deadline: Deadline,
    ) -> Result<Response, FetchError> {
        let credential = host.credential(repository).await?;
        let (action, credential) = (Action::PullAndPush, credential.as_ref());
        let visit = Visit { host, repository, action, credential, deadline };
        request.secret = self.expected(&visit).await?;
        let response = self.transport.upload(&request, body).await?;
        admitted(host, response, Presented::of(credential))
    }

    /// The `Authorization` header that the host asked for last time, if it did.
    async fn expected(&self, visit: &Visit<'_>) -> Result<Option<HeaderValue>, FetchError> {
        let name = &visit.host.name;
        let Some(known) = self.challenges.get(name).await else { return Ok(None) };
        let met = self.meet(visit, &known, None).await;
        if met.is_err() {
            // It may have moved its token service; the next request asks it anew.
            self.challenges.invalidate(name).await;
        }
        met
    }

    /// The `Authorization` header that meets a challenge; `None` if we have nothing to show.
    async fn meet(
        &self,
        visit: &Visit<'_>,
        challenge: &Challenge,
        refused: Option<&HeaderValue>,
    ) -> Result<Option<HeaderValue>, FetchError> {
        let Challenge::Bearer { realm, service, scope } = challenge else {
            return Ok(visit.credential.and_then(Credential::basic));
        };
        if let Some(Credential::RegistryToken(token)) = visit.credential {
            return Ok(token.bearer());
        }
        visit.host.permit_realm(realm)?;
        let key = Key {
            registry: Arc::clone(&visit.host.name),
            realm: realm.clone(),
            service: service.clone(),
            scope: visit.scope(scope.as_deref()),
            credential: visit.credential.map(Credential::identity),
        };
        self.tokens
            .get(key, visit.host, visit.credential, refused, &self.transport, visit.deadline)
            .await
            .map(Some)
    }
}

/// Who asks what, while one request is made.
struct Visit<'a> {
    host: &'a Host,
    repository: &'a Repository,
    action: Action<'a>,
    credential: Option<&'a Credential>,
    deadline: Deadline,
}

impl Visit<'_> {
    /// The scope of the token: that of the challenge where it is about this repository, perhaps
    /// under a longer name of the registry's own, and allows just what is wanted; else our own.
    fn scope(&self, challenged: Option<&str>) -> String {
        let path = self.repository.path();
        let actions = match self.action {
            Action::Pull => "pull",
            Action::PullAndPush => "pull,push",
            Action::Delete => "delete",
            Action::Mount(from) => {
                return format!("repository:{path}:pull,push repository:{}:pull", from.path());
            }
        };
        let fits = |scope: &&str| {
            let parts = scope.strip_prefix("repository:").and_then(|rest| rest.rsplit_once(':'));
            parts.is_some_and(|(name, allowed)| {
                let ours = name.strip_suffix(path);
                allowed == actions
                    && ours.is_some_and(|before| before.is_empty() || before.ends_with('/'))
            })
        };
        match challenged.filter(fits) {
            Some(scope) => scope.to_owned(),
            None => format!("repository:{path}:{actions}"),
        }
    }
}

impl Presented {
    pub(super) fn of(credential: Option<&Credential>) -> Self {
        if credential.is_some() { Self::Credential } else { Self::Nothing }
    }
}

/// An answer that is no refusal.
///
/// # Errors
/// [`FetchError::Unauthorized`] for 401 and 403.
pub(super) fn admitted(
    host: &Host,
    response: Response,
    presented: Presented,
) -> Result<Response, FetchError> {
    match response.status {
        status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            Err(FetchError::Unauthorized { peer: host.peer(), status, presented })
        }
        _ => Ok(response),
    }
}

/// Whether the registry itself answered, not a host that it redirected to.
fn is_from(host: &Host, response: &Response) -> bool {
    response.url.origin() == host.origin.origin()
}
