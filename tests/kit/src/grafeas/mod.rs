//! A Grafeas server in memory: v1beta1 as the reference server speaks it, v1 as Artifact Analysis
//! does, with their quirks on demand.

mod names;
mod quirks;
mod read;
mod shapes;
mod write;

use std::{
    collections::BTreeMap,
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};

use crate::peer::{Answer, Handler, Kind, Listen, Peer, Request};
use names::Route;

pub use quirks::Quirks;
pub use shapes::{
    attestation_generic, attestation_pgp, attestation_v1, build_occurrence, occurrence,
    vulnerability_occurrence,
};

/// A Grafeas server; derefs to its [`Peer`] for address, records and faults.
///
/// It serves both APIs under `/v1beta1` and `/v1` on the same data, which it does not translate:
/// what was put or posted is what comes back.
///
/// ```
/// use countersign_kit::{Grafeas, attestation_pgp};
/// let grafeas = Grafeas::start();
/// grafeas.put_note("projects/acme/notes/qa");
/// let uri = "https://registry.example/acme/shop@sha256:0f";
/// let name = grafeas.put("projects/acme", attestation_pgp(uri, "projects/acme/notes/qa", "pgp", "FPR"));
/// assert_eq!(name, "projects/acme/occurrences/kit-1");
/// ```
pub struct Grafeas {
    peer: Peer,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    data: Mutex<Data>,
    quirks: Mutex<Quirks>,
    token: Mutex<Option<String>>,
}

#[derive(Default)]
struct Data {
    projects: Vec<String>,
    notes: BTreeMap<String, Value>,
    /// In the order they came, each with its `name`.
    occurrences: Vec<Value>,
    made: usize,
}

impl Grafeas {
    /// Plain HTTP, no quirks but that filters are ignored.
    pub fn start() -> Self {
        Self::start_on(Listen::plain())
    }

    /// The same, listening so.
    pub fn start_on(listen: Listen) -> Self {
        let shared = Arc::new(Shared::default());
        Self { peer: Peer::serve(listen, Routes(shared.clone())), shared }
    }

    /// Behaves so from now on.
    pub fn set_quirks(&self, quirks: Quirks) {
        *self.shared.quirks.lock().unwrap_or_else(PoisonError::into_inner) = quirks;
    }

    /// Answers only requests with `Authorization: Bearer <token>` from now on, others with 401.
    pub fn require_token(&self, token: &str) {
        *self.shared.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.to_owned());
    }

    /// Stores a project.
    pub fn put_project(&self, name: &str) {
        self.shared.data().projects.push(name.to_owned());
    }

    /// Stores an attestation note: `projects/P/notes/N`.
    pub fn put_note(&self, name: &str) {
        let note = json!({"name": name, "kind": "ATTESTATION"});
        self.shared.data().notes.insert(name.to_owned(), note);
    }

    /// Stores an occurrence under a name and times of ours, as POST would; its name.
    pub fn put(&self, project: &str, occurrence: Value) -> String {
        self.shared.data().add(project, occurrence)
    }

    /// Stores an occurrence as it is, `name` included: of another project, without a name.
    pub fn put_raw(&self, occurrence: Value) {
        self.shared.data().occurrences.push(occurrence);
    }

    /// Everything that is stored, whoever put it there.
    pub fn occurrences(&self) -> Vec<Value> {
        self.shared.data().occurrences.clone()
    }

    /// A stored note.
    pub fn note(&self, name: &str) -> Option<Value> {
        self.shared.data().notes.get(name).cloned()
    }

    /// The stored projects.
    pub fn projects(&self) -> Vec<String> {
        self.shared.data().projects.clone()
    }

    /// Forgets all occurrences.
    pub fn clear(&self) {
        self.shared.data().occurrences.clear();
    }
}

impl Deref for Grafeas {
    type Target = Peer;

    fn deref(&self) -> &Peer {
        &self.peer
    }
}

impl std::ops::DerefMut for Grafeas {
    fn deref_mut(&mut self) -> &mut Peer {
        &mut self.peer
    }
}

impl Shared {
    fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Data {
    fn add(&mut self, project: &str, mut occurrence: Value) -> String {
        self.made += 1;
        let name = format!("{project}/occurrences/kit-{}", self.made);
        occurrence["name"] = name.clone().into();
        for time in ["createTime", "updateTime"] {
            occurrence[time] = "2026-11-21T09:46:38.231166243Z".into();
        }
        self.occurrences.push(occurrence);
        name
    }
}

struct Routes(Arc<Shared>);

impl Handler for Routes {
    fn kind(&self, _method: &str, path: &str) -> Kind {
        Route::of(path).kind()
    }

    fn answer(&self, request: &Request) -> Answer {
        let token = self.0.token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if token.is_some_and(|token| request.authorization() != Some(&format!("Bearer {token}"))) {
            return error(16, "Request had invalid authentication credentials");
        }
        let quirks = self.0.quirks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let route = Route::of(&request.path);
        if request.path.starts_with("/v1/") && !quirks.v1 {
            return error(5, "Not Found");
        }
        let mut data = self.0.data();
        match request.method.as_str() {
            "GET" => read::answer(&data, request, &route, &quirks),
            "POST" => write::create(&mut data, request, &route),
            "DELETE" => write::delete(&mut data, &route),
            _ => error(12, "Method Not Allowed"),
        }
    }
}

/// An error as the reference server words it: gRPC's code, and the status that goes with it.
fn error(code: u32, message: &str) -> Answer {
    let status = match code {
        3 => 400,
        5 => 404,
        6 => 409,
        7 => 403,
        12 => 501,
        14 => 503,
        16 => 401,
        _ => 500,
    };
    Answer::json(status, &json!({"code": code, "message": message}))
}
