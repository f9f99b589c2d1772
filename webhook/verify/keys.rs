//! All keys of all authorities, each once, with who holds it.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use sequoia_openpgp::{
    Cert, Fingerprint as OpenPgpFingerprint, KeyHandle, KeyID,
    packet::{
        Key as PublicKey,
        key::{PublicParts, UnspecifiedRole},
    },
};

use super::{
    Authority, Key, key::merged, maker::Signers, material::Material, pkix::PkixKey, root::Root,
};
use crate::name::Fingerprint;

/// The keys, found by what signatures say about their makers.
#[derive(Debug, Default)]
pub struct Keys {
    certs: HashMap<OpenPgpFingerprint, Held<Cert>>,
    pkix: Vec<(Fingerprint, Held<PkixKey>)>,
    roots: Vec<(Fingerprint, Held<Root>)>,
    by_id: HashMap<KeyID, Vec<CertKey>>,
    /// All material that is held, each with the one name of its key.
    identities: HashMap<Material, Material>,
    pub seen: Signers,
}

/// A key and the authorities that hold it, by their place.
#[derive(Clone, Debug)]
pub struct Held<T> {
    pub key: Arc<T>,
    pub holders: Arc<[usize]>,
    /// The one name of all keys that are the same by some material.
    pub identity: Material,
}

/// One key of a certificate.
#[derive(Clone, Debug)]
pub struct CertKey {
    pub name: Arc<KeyName>,
    pub key: PublicKey<PublicParts, UnspecifiedRole>,
}

/// Which key made a signature. It holds names only, so that what is kept of an older trust can
/// never bring a key back.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum KeyName {
    OpenPgp {
        cert: OpenPgpFingerprint,
        key: OpenPgpFingerprint,
    },
    Pkix(Fingerprint),
    /// A certificate's, by both certificates.
    Certified {
        root: Fingerprint,
        leaf: Fingerprint,
    },
}

impl Keys {
    pub fn new(authorities: &[Authority]) -> Self {
        let mut certs: HashMap<OpenPgpFingerprint, (Vec<Cert>, Vec<usize>)> = HashMap::new();
        let mut pkix: Found<PkixKey> = Vec::new();
        let mut roots: Found<Root> = Vec::new();
        for (holder, authority) in authorities.iter().enumerate() {
            for key in &authority.keys {
                match key {
                    Key::OpenPgp(cert) => {
                        let (copies, holders) = certs.entry(cert.fingerprint()).or_default();
                        copies.push(cert.as_ref().clone());
                        hold(holders, holder);
                    }
                    Key::Pkix(own) => find(&mut pkix, key.fingerprint(), own, holder),
                    Key::X509(own) => find(&mut roots, key.fingerprint(), own, holder),
                }
            }
        }
        let certs = certs
            .into_iter()
            .filter_map(|(name, (copies, holders))| {
                let cert = merged(copies).pop()?;
                let identity = Material::of(cert.primary_key().key().role_as_unspecified());
                Some((name, Held { key: Arc::new(cert), holders: holders.into(), identity }))
            })
            .collect();
        let pkix = held(pkix, PkixKey::material);
        let roots = held(roots, Root::material);
        let mut keys = Self { certs, pkix, roots, ..Self::default() };
        keys.index();
        keys.identify();
        keys
    }

    /// The keys that a handle may mean.
    pub fn named(&self, handle: &KeyHandle) -> impl Iterator<Item = &CertKey> {
        let keys = self.by_id.get(&KeyID::from(handle.clone()));
        let handle = handle.clone();
        keys.into_iter()
            .flatten()
            .filter(move |known| KeyHandle::from(known.key.fingerprint()).aliases(&handle))
    }

    pub fn cert(&self, name: &OpenPgpFingerprint) -> Option<&Held<Cert>> {
        self.certs.get(name)
    }

    pub fn certs(&self) -> impl Iterator<Item = (&OpenPgpFingerprint, &Held<Cert>)> {
        self.certs.iter()
    }

    pub fn all_pkix(&self) -> impl Iterator<Item = &(Fingerprint, Held<PkixKey>)> {
        self.pkix.iter()
    }

    pub fn pkix(&self, name: Fingerprint) -> Option<&Held<PkixKey>> {
        self.pkix.iter().find_map(|(known, held)| (*known == name).then_some(held))
    }

    pub fn all_roots(&self) -> impl Iterator<Item = &(Fingerprint, Held<Root>)> {
        self.roots.iter()
    }

    pub fn root(&self, name: Fingerprint) -> Option<&Held<Root>> {
        self.roots.iter().find_map(|(known, held)| (*known == name).then_some(held))
    }

    /// The one name of the key with this material, which a certificate may be for too.
    pub fn identity(&self, material: Material) -> Material {
        self.identities.get(&material).copied().unwrap_or(material)
    }

    /// Two authorities that hold some material in common, if any do.
    pub fn shared(&self) -> Vec<(usize, usize, String)> {
        let mut owners: HashMap<Material, Vec<usize>> = HashMap::new();
        let mut shared = Vec::new();
        for (name, holders, materials) in self.units() {
            for material in materials {
                let owners = owners.entry(material).or_default();
                for holder in holders {
                    hold(owners, *holder);
                }
                for (at, first) in owners.iter().enumerate() {
                    for second in owners.iter().skip(at + 1) {
                        shared.push((*first.min(second), *first.max(second), name.clone()));
                    }
                }
            }
        }
        shared.sort();
        shared.dedup_by_key(|(first, second, _)| (*first, *second));
        shared
    }

    /// How many different signers there are among the keys whose holders are wanted.
    pub fn signers(&self, wanted: impl Fn(&[usize]) -> bool) -> usize {
        let certs = self.certs.values().map(|held| (&*held.holders, held.identity));
        let pkix = self.pkix.iter().map(|(_, held)| (&*held.holders, held.identity));
        let named = certs.chain(pkix).filter(|(holders, _)| wanted(holders));
        named.map(|(_, identity)| identity).collect::<HashSet<_>>().len()
    }

    fn index(&mut self) {
        for (name, held) in &self.certs {
            for key in held.key.keys() {
                let key = key.key().clone();
                let name = KeyName::OpenPgp { cert: name.clone(), key: key.fingerprint() };
                let entry = CertKey { name: Arc::new(name), key };
                self.by_id.entry(entry.key.keyid()).or_default().push(entry);
            }
        }
    }

    /// Gives keys with some material in common one identity: the least material of the group.
    fn identify(&mut self) {
        let mut identity: HashMap<Material, Material> = HashMap::new();
        let groups: Vec<Vec<Material>> = self.units().map(|(_, _, materials)| materials).collect();
        // Each round carries the least name one key further; there are few, and fewer alike.
        let mut changed = true;
        while changed {
            changed = false;
            for group in &groups {
                let named = |material: &Material| *identity.get(material).unwrap_or(material);
                let Some(least) = group.iter().map(named).min() else { continue };
                for material in group {
                    changed |= identity.insert(*material, least) != Some(least);
                }
            }
        }
        let certs = self.certs.values_mut().map(|held| &mut held.identity);
        let pkix = self.pkix.iter_mut().map(|(_, held)| &mut held.identity);
        for named in certs.chain(pkix) {
            *named = identity.get(named).copied().unwrap_or(*named);
        }
        self.identities = identity;
    }

    /// Each certificate or PKIX key with its name, its holders and all of its material.
    fn units(&self) -> impl Iterator<Item = (String, &[usize], Vec<Material>)> {
        let certs = self.certs.iter().map(|(name, held)| {
            let materials = held.key.keys().map(|key| Material::of(key.key())).collect();
            (name.to_string(), &*held.holders, materials)
        });
        let pkix = self
            .pkix
            .iter()
            .map(|(name, held)| (name.to_string(), &*held.holders, vec![held.key.material()]));
        let roots = self
            .roots
            .iter()
            .map(|(name, held)| (name.to_string(), &*held.holders, vec![held.key.material()]));
        certs.chain(pkix).chain(roots)
    }
}

/// Keys as they are found, each once, with who has them.
type Found<T> = Vec<(Fingerprint, Arc<T>, Vec<usize>)>;

fn find<T>(found: &mut Found<T>, name: Fingerprint, key: &Arc<T>, holder: usize) {
    match found.iter_mut().find(|(known, ..)| *known == name) {
        Some((.., holders)) => hold(holders, holder),
        None => found.push((name, Arc::clone(key), vec![holder])),
    }
}

fn held<T>(found: Found<T>, material: impl Fn(&T) -> Material) -> Vec<(Fingerprint, Held<T>)> {
    let held = found.into_iter().map(|(name, key, holders)| {
        let identity = material(&key);
        (name, Held { key, holders: holders.into(), identity })
    });
    held.collect()
}

fn hold(holders: &mut Vec<usize>, holder: usize) {
    if !holders.contains(&holder) {
        holders.push(holder);
    }
}
