//! Reviews in, answers out: images of every kind, the gate, patches, denial texts.
//!
//! All but the gate is pure: bytes and a time go in, values come out.

mod answer;
mod exempt;
mod gate;
mod images;
mod namespaces;
mod object;
mod patch;
mod podspec;
mod reply;
mod response;
mod review;
mod salvage;
mod violation;
mod workload;

pub use answer::{Answer, Exemption};
pub use exempt::{BadBreakGlass, BreakGlass, Exception};
pub use gate::{
    Entry, Gate, GateOptions, Inspection, Judgement, Mode, Obstacle, Permission, Platforms, Policy,
    PolicyRule, Subject, Templates, Uses,
};
pub use images::{Change, Container, ContainerKind, ImageUse, Images};
pub use namespaces::{BadNamespacePattern, NamespacePattern};
pub use object::{Object, Skimmed};
pub use patch::{Patch, Pin};
pub use reply::{Decision, Outcome, Phase, Reply, Stage};
pub use review::{Kind, Operation, Resource, Review, Text, Unreadable, User};
pub use violation::Violation;
pub use workload::{Pass, Workload};
