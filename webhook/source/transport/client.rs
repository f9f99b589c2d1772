//! One HTTP client per TLS setting, made when it is first needed.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use reqwest::{Certificate, Client, Identity};
use rustls::crypto::{CryptoProvider, ring};

use super::address::OutsideOnly;

/// A client that is made when it is first needed.
pub(super) struct LazyClient {
    settings: ClientSettings,
    made: OnceLock<Result<Client, Arc<reqwest::Error>>>,
}

/// What a client trusts and shows, and where it goes.
#[derive(Default)]
pub(super) struct ClientSettings {
    /// Trusted beside the system's.
    pub(super) ca: Vec<Certificate>,
    pub(super) identity: Option<Identity>,
    /// Speaks no TLS, so that the system's roots need not be read.
    pub(super) plain: bool,
    /// Goes to public addresses only.
    pub(super) outside: bool,
}

impl LazyClient {
    pub(super) fn new(settings: ClientSettings) -> Self {
        Self { settings, made: OnceLock::new() }
    }

    /// The client. Reading the system's certificates takes some milliseconds the first time.
    ///
    /// # Errors
    /// If there are no certificates to trust.
    pub(super) fn get(&self) -> Result<&Client, Arc<reqwest::Error>> {
        self.made.get_or_init(|| self.make().map_err(Arc::new)).as_ref().map_err(Arc::clone)
    }

    /// Follows nothing, unpacks nothing, repeats nothing and knows no proxy by itself.
    fn make(&self) -> Result<Client, reqwest::Error> {
        let settings = &self.settings;
        choose_cryptography();
        let mut builder = Client::builder()
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT)
            .pool_max_idle_per_host(32);
        if settings.outside {
            builder = builder.dns_resolver(OutsideOnly);
        }
        builder = if settings.plain {
            builder.tls_certs_only([])
        } else if settings.ca.is_empty() {
            builder
        } else {
            builder.tls_certs_merge(settings.ca.iter().cloned())
        };
        if let Some(identity) = &settings.identity {
            builder = builder.identity(identity.clone());
        }
        builder.build()
    }
}

/// Without a choice no client can be made, not even one that speaks no TLS.
pub fn choose_cryptography() {
    if CryptoProvider::get_default().is_none() {
        // Losing the race is as good: all of ours choose the same.
        let _ = ring::default_provider().install_default();
    }
}

/// Leaves time for another try inside a review's deadline.
const CONNECT: Duration = Duration::from_secs(3);
