//! The parts of a gate: everything that a configuration says, checked, before anything is built.

use std::{collections::HashSet, sync::Arc, time::Duration};

use super::{
    Problem,
    clients::Clients,
    contents,
    contents::Reading,
    document,
    document::Document,
    loaded::{Config, Earlier, Purpose},
};
use crate::{
    admission::{
        BreakGlass, Exception, Gate, GateOptions, Permission, Policy, PolicyRule, Templates,
    },
    attest::oci::Platform,
    name::Digest,
    serve::ServeOptions,
    source::{Evidence, EvidenceOptions, KnownLayers, Lifetimes, RegistriesOptions, StoreOptions},
    verify::Trust,
};

/// What there is to build a gate from.
pub(super) struct Parts {
    serve: Option<ServeOptions>,
    registries: RegistriesOptions,
    stores: Vec<StoreOptions>,
    trust: Trust,
    policies: Vec<Policy>,
    unmatched: Permission,
    cluster_platforms: Vec<Platform>,
    revoked: HashSet<Digest>,
    exceptions: Vec<Exception>,
    break_glass: Option<BreakGlass>,
    most_images: usize,
    deadline: Duration,
    lifetimes: Lifetimes,
    memory: u64,
}

impl Parts {
    /// Reads all of the contents; what is wrong is left with `reading`, and then there may be no
    /// parts.
    pub(super) fn read(
        reading: &mut Reading<'_>,
        document: &Document,
        purpose: Purpose,
    ) -> Option<Self> {
        let deadline = contents::deadline(reading, document.deadline.as_ref());
        let serve = match purpose {
            Purpose::Serve => contents::serve(reading, document, deadline),
            Purpose::Inspect => None,
        };
        let registries = contents::registries(reading, &document.registries);
        let stores = contents::stores(reading, &document.stores);
        let trust = contents::authorities(reading, &document.authorities, &document.stores);
        let policies =
            contents::policies(reading, &document.policies, &document.authorities, trust.as_ref());
        let unmatched = contents::unmatched(reading, document.unmatched);
        let glass = document.break_glass.as_ref();
        let limits = &document.limits;
        Some(Self {
            serve,
            registries,
            stores,
            policies,
            cluster_platforms: contents::platforms(reading, document.cluster_platforms.as_ref()),
            revoked: contents::revoked(reading, &document.revoked),
            exceptions: contents::exceptions(reading, &document.exceptions),
            break_glass: glass.and_then(|glass| contents::break_glass(reading, glass)),
            most_images: contents::positive(reading, "limits.images", limits.images.as_ref(), 500),
            deadline,
            lifetimes: contents::lifetimes(&document.cache),
            memory: document.cache.memory.as_ref().map_or(48 << 20, |size| size.0),
            trust: trust?,
            unmatched: unmatched?,
        })
    }

    /// The gate, with what of `earlier` may be kept: clients, and what they have fetched.
    ///
    /// # Errors
    /// Where a client cannot be made of what is said about its server.
    pub(super) fn build(
        self,
        document: Document,
        revision: String,
        layers: KnownLayers,
        earlier: Option<Earlier<'_>>,
    ) -> Result<Config, Problem> {
        let trust = Arc::new(self.trust);
        let recording = self.stores.iter().filter(|store| !store.records.is_empty());
        let recording = recording.map(|store| Arc::clone(&store.name)).collect();
        let known = earlier.as_ref().map(|last| last.clients);
        let clients = Clients::new(self.registries, self.stores, known)?;
        let rules = || self.policies.iter().flat_map(|policy| &policy.rules);
        let last = earlier.as_ref().map(|last| last.gate.evidence());
        let evidence = Evidence::after(
            last,
            EvidenceOptions {
                registries: clients.registries(),
                stores: clients.stores(),
                trust: Arc::clone(&trust),
                lifetimes: self.lifetimes,
                memory: self.memory,
                patience: self.deadline,
                reads_configs: rules().any(|rule| rule.rule.reads().config),
                reads_statements: rules().any(PolicyRule::reads_statements),
                layers,
            },
        );
        let gate = Gate::new(GateOptions {
            revision: revision.clone(),
            trust: Arc::clone(&trust),
            evidence,
            recording,
            policies: self.policies.clone(),
            unmatched: self.unmatched,
            unpinned: permission(document.unpinned),
            templates: match document.templates {
                document::Templates::Deny => Templates::Deny,
                document::Templates::Warn => Templates::Warn,
                document::Templates::Ignore => Templates::Ignore,
            },
            cluster_platforms: self.cluster_platforms,
            revoked: self.revoked,
            exceptions: self.exceptions,
            break_glass: self.break_glass,
            most_images: self.most_images,
            none: self.lifetimes.none,
            deadline: self.deadline,
        });
        let (serve, policies) = (self.serve, self.policies);
        let gate = Arc::new(gate);
        Ok(Config { gate, serve, revision, document, trust, policies, clients })
    }
}

/// The gate's word for what the document says.
pub(super) fn permission(said: document::Permission) -> Permission {
    match said {
        document::Permission::Deny => Permission::Deny,
        document::Permission::Allow => Permission::Allow,
    }
}
