//! The clients of the servers that a configuration names.

use std::sync::Arc;

use super::Problem;
use crate::source::{GrafeasStore, Registries, RegistriesOptions, StoreOptions};

/// The clients, each with what it was made of.
#[derive(Clone)]
pub(super) struct Clients {
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
        let same = earlier.filter(|last| last.registries.0 == registries);
        let registries = match same {
            Some(last) => last.registries.clone(),
            None => (registries.clone(), Arc::new(Registries::new(registries)?)),
        };
        let stores = stores.into_iter().map(|store| {
            let mut known = earlier.iter().flat_map(|last| &last.stores);
            match known.find(|(options, _)| *options == store) {
                Some(known) => Ok(known.clone()),
                None => Ok((store.clone(), Arc::new(GrafeasStore::new(store)?))),
            }
        });
        Ok(Self { registries, stores: stores.collect::<Result<_, Problem>>()? })
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
