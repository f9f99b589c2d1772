//! The clients of the servers that a configuration names.

use std::sync::Arc;

use super::Problem;
use crate::source::{Bounds, GrafeasStore, Registries, RegistriesOptions, StoreOptions};

/// The clients, each with what it was made of.
#[derive(Clone)]
pub(super) struct Clients {
    /// Of all of them together, across reloads.
    bounds: Bounds,
    registries: (RegistriesOptions, Arc<Registries>),
    stores: Vec<(StoreOptions, Arc<GrafeasStore>)>,
}

impl Clients {
    /// Clients that have contacted nobody yet, save those that `earlier` has for the very same:
    /// their connections and tokens, and what is kept of their answers, outlive a reload.
    ///
    /// # Errors
    /// Where a client cannot be made of what is said about its server.
    pub(super) fn new(
        registries: RegistriesOptions,
        stores: Vec<StoreOptions>,
        earlier: Option<&Self>,
    ) -> Result<Self, Problem> {
        let bounds = earlier.map_or_else(Bounds::of_a_server, |last| last.bounds.clone());
        let same = earlier.filter(|last| last.registries.0 == registries);
        let registries = if let Some(last) = same {
            last.registries.clone()
        } else {
            let made = Registries::new(registries.clone())?.within(bounds.clone());
            (registries, Arc::new(made))
        };
        let stores = stores.into_iter().map(|store| {
            let mut known = earlier.iter().flat_map(|last| &last.stores);
            if let Some(known) = known.find(|(options, _)| *options == store) {
                return Ok(known.clone());
            }
            let made = GrafeasStore::new(store.clone())?.within(bounds.clone());
            Ok((store, Arc::new(made)))
        });
        let stores = stores.collect::<Result<_, Problem>>()?;
        Ok(Self { bounds, registries, stores })
    }

    /// Of the registries.
    pub(super) fn registries(&self) -> Arc<Registries> {
        Arc::clone(&self.registries.1)
    }

    /// Of the stores, in the order of the configuration.
    pub(super) fn stores(&self) -> Vec<Arc<GrafeasStore>> {
        self.stores.iter().map(|(_, store)| Arc::clone(store)).collect()
    }
}
