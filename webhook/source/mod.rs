//! Where evidence lies: registries, Grafeas servers, the evidence cache.

mod bounds;
mod carry;
mod deadline;
mod error;
mod evidence;
mod few;
mod file;
mod grafeas;
mod layout;
mod local;
mod manifesto;
mod metadata;
mod registry;
mod secret;
mod shares;
mod task;
mod transport;
mod unreached;

pub use bounds::{Bounds, Stage};
pub use carry::{
    CarryError, Copied, CopiedManifest, CopyOptions, Destination, Fit, Graph, Item, Note, Observer,
    Origin, Removed, Step, Tally, copy, detach,
};
pub use deadline::{Deadline, PATIENCE};
pub use error::{
    BadRedirect, CredentialError, DigestMismatch, FetchError, Peer, Presented, ProtocolError,
    Wanted,
};
pub use evidence::{
    Answer, Answered, Description, Evidence, EvidenceOptions, Gathered, ImageError, KnownLayers,
    LayerCheck, Lifetimes, Lookup, Runnable,
};
pub use few::join_few;
pub use file::{open_file, read_file};
pub use grafeas::{
    Filed, FiledAbout, GrafeasStore, MissingParent, StoreEvidence, StoreOptions, StoreOptionsError,
    StoreToken,
};
pub use layout::{
    BadLayoutPlace, BlobFile, Layout, LayoutBlob, LayoutError, LayoutImage, LayoutPlace,
    LayoutRoot, LayoutWriter, Packing,
};
pub use local::{Engine, EngineError, LocalError, LocalImage, LocalPlatform};
pub use manifesto::ManifestoError;
pub use metadata::{NotStored, StoredMetadata, UnreadableMetadata};
pub use registry::{
    BlobStream, Credential, CredentialOptions, CredentialSource, Deleted, Fetched, HostError,
    HostOptions, Listed, OpenSlot, Pushed, Reference, Registries, RegistriesError,
    RegistriesOptions, Slot, Stored, helper_named_in, registry_of,
};
pub use secret::Secret;
pub use task::{SMALL, apart, landed};
pub use transport::{
    Cap, Download, HostSettings, Redirects, Request, Response, Transport, TransportError, Upload,
};
