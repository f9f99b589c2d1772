//! Reviews in, answers out: images of every kind, the gate, patches, denial texts.
//!
//! All but the gate is pure: bytes and a time go in, values come out.

mod answer;
mod exempt;
mod gate;
mod images;
mod namespaces;
mod patch;
mod podspec;
mod reply;
mod response;
mod review;
mod salvage;
mod violation;
mod workload;

pub use answer::Answer;
pub use answer::Exemption;
pub use exempt::BadBreakGlass;
pub use exempt::BreakGlass;
pub use exempt::Exception;
pub use gate::{
    Entry, Gate, GateOptions, Inspection, Judgement, Mode, Obstacle, Permission, Platforms, Policy,
    PolicyRule, Subject, Templates, Uses,
};
pub use images::Change;
pub use images::Container;
pub use images::ContainerKind;
pub use images::ImageUse;
pub use images::Images;
pub use namespaces::BadNamespacePattern;
pub use namespaces::NamespacePattern;
pub use patch::Patch;
pub use patch::Pin;
pub use reply::Decision;
pub use reply::Outcome;
pub use reply::Phase;
pub use reply::Reply;
pub use reply::Stage;
pub use review::Kind;
pub use review::Operation;
pub use review::Resource;
pub use review::Review;
pub use review::Text;
pub use review::Unreadable;
pub use review::User;
pub use violation::Violation;
pub use workload::Pass;
pub use workload::Workload;
