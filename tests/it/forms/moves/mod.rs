//! Every form of evidence × everything that can be done to it: a byte of it changed, the right
//! signature moved, the wrong type. Through a registry, a store and a gate that are real.

mod table;
mod table_store;
mod tampered;

use std::{fmt, sync::Arc};

use countersign_kit::{Form, Spot, image};
use tokio::{sync::Semaphore, task::JoinSet};

use super::stage::{OTHER_NOTE, Stage};
use tampered::{Part, tampered};

/// What is done to evidence that counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Move {
    /// Nothing: it counts.
    Honest,
    /// One byte of it is changed.
    Tampered(Part),
    /// Hung on another image of its repository.
    Image,
    /// Copied with its image to another repository.
    Repository,
    /// Hung on another platform of an index that its own image is in.
    Platform,
    /// Posted again under another note, which is not its authority's.
    Note,
    /// Put where its authority takes nothing from.
    Store,
    /// Signed by the key of an authority that attests another type.
    Type,
}

const MOVES: [Move; 10] = [
    Move::Honest,
    Move::Tampered(Part::Signature),
    Move::Tampered(Part::Payload),
    Move::Tampered(Part::Subject),
    Move::Image,
    Move::Repository,
    Move::Platform,
    Move::Note,
    Move::Store,
    Move::Type,
];

/// How many are on stage, so that each has its answers within a review's time.
const AT_A_TIME: usize = 6;

/// What comes of it.
#[derive(Clone, Copy)]
enum Want {
    Counts,
    /// Rejected by this code and no other.
    Code(&'static str),
    /// A statement of the index that nobody vouches for; nothing was signed that could be rejected.
    Bare,
    /// Why this cannot be done to it.
    Senseless(&'static str),
}

use Want::{Bare, Code, Counts, Senseless};

/// A row of the table, without its first cell.
#[derive(Clone, Copy)]
struct Wants {
    signature: Want,
    payload: Want,
    subject: Want,
    image: Want,
    repository: Want,
    platform: Want,
    note: Want,
    store: Want,
    kind: Want,
}

impl Wants {
    /// What comes of evidence in registries whose tampered twins are rejected so.
    const fn in_registry(tampered: &'static str) -> Self {
        Self {
            signature: Code(tampered),
            payload: Code(tampered),
            subject: Code(tampered),
            image: Code("payload.other-image"),
            repository: Code("payload.other-repository"),
            platform: Code("payload.other-image"),
            note: Senseless("only occurrences stand under notes"),
            store: Code("scope.source"),
            kind: Code("scope.type"),
        }
    }

    /// The same of occurrences.
    const fn in_store(tampered: &'static str) -> Self {
        Self { note: Code("scope.note"), ..Self::in_registry(tampered) }
    }

    /// The same of what names no repository.
    const fn anywhere(self) -> Self {
        Self { repository: Senseless("it names none, so it counts in each"), ..self }
    }

    fn of(&self, what: Move) -> Want {
        match what {
            Move::Honest => Counts,
            Move::Tampered(Part::Signature) => self.signature,
            Move::Tampered(Part::Payload) => self.payload,
            Move::Tampered(Part::Subject) => self.subject,
            Move::Image => self.image,
            Move::Repository => self.repository,
            Move::Platform => self.platform,
            Move::Note => self.note,
            Move::Store => self.store,
            Move::Type => self.kind,
        }
    }
}

impl fmt::Display for Want {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Counts => formatter.write_str("counts"),
            Code(code) => formatter.write_str(code),
            Bare => formatter.write_str("counts for nobody"),
            Senseless(why) => write!(formatter, "— {why}"),
        }
    }
}

/// How often it counts, and the codes against it.
type Outcome = (usize, Vec<String>);

async fn outcome(form: &Form, what: Move) -> Outcome {
    let (attests, sources) = match what {
        Move::Type => (other_type(form.attests), None),
        Move::Store => (form.attests, Some(form.carrier.source())),
        _ => (form.attests, None),
    };
    let stage = Stage::of(form, attests, sources);
    let mut other = image("other").build();
    other.platform = Some(serde_json::json!({"os": "linux", "architecture": "arm64"}));
    let (shop, elsewhere) = ("acme/shop", "acme/evil");
    let (here, there) = (stage.spot(shop, &form.image), stage.spot(shop, &other));
    let hang = |spot: &Spot<'_>| form.hang(&form.evidence, spot);
    let (repository, asked) = match what {
        Move::Honest | Move::Type => (shop, hang(&here)),
        Move::Tampered(part) => {
            let twin = tampered(&form.evidence, part, &form.digest());
            (shop, form.hang(&twin, &here))
        }
        Move::Image => (shop, hang(&there)),
        Move::Repository => (elsewhere, hang(&stage.spot(elsewhere, &form.image))),
        Move::Platform => (shop, hang(&Spot { beside: Some(&form.image), ..there })),
        Move::Note => (shop, hang(&Spot { note: OTHER_NOTE, ..here })),
        Move::Store if form.carrier.source() == "grafeas" => {
            (shop, hang(&Spot { store: &stage.stores[1], ..here }))
        }
        Move::Store => (shop, form.hang_in_store(&here)),
    };
    let entries = stage.sees(repository, &asked).await;
    let counted = entries.iter().map(|entry| form.counted(entry)).sum();
    let rejected = entries.iter().flat_map(|entry| entry["rejected"].as_array().unwrap());
    let mut codes: Vec<String> =
        rejected.map(|one| one["code"].as_str().unwrap().to_owned()).collect();
    codes.sort_unstable();
    codes.dedup();
    for entry in &entries {
        for (source, lookup) in entry["lookups"].as_object().unwrap() {
            assert!(
                ["found", "none"].contains(&lookup.as_str().unwrap()),
                "{}, {what:?}: {source} {lookup}",
                form.name
            );
        }
    }
    (counted, codes)
}

fn other_type(attests: &str) -> &'static str {
    match attests {
        "simple-signing" => "\"https://a.example/other\"",
        "image-id" => "simple-signing",
        "metadata/approval" => "metadata/other",
        // Who may sign the index, and says nothing of what is in it.
        embedded if embedded.contains("embedded:") => "simple-signing",
        _ => "\"https://a.example/other\"",
    }
}

/// `.ci/run` does not print it; `cargo test --test it forms::moves -- --nocapture` does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_every_form_counts_and_none_of_its_twins_does() {
    let mut cells = JoinSet::new();
    let lanes = Arc::new(Semaphore::new(AT_A_TIME));
    let rows: Vec<_> = table::rows().into_iter().chain(table_store::rows()).collect();
    for (form, wants) in rows {
        let form = Arc::new(form);
        for what in MOVES {
            let (form, want, lanes) = (Arc::clone(&form), wants.of(what), Arc::clone(&lanes));
            cells.spawn(async move {
                let got = if let Senseless(why) = want {
                    assert!(!why.is_empty(), "{}, {what:?}: without a reason", form.name);
                    None
                } else {
                    let _lane = lanes.acquire().await;
                    Some(outcome(&form, what).await)
                };
                (form.name.clone(), what, want, got)
            });
        }
    }
    let mut wrong = Vec::new();
    let mut lines = Vec::new();
    while let Some(cell) = cells.join_next().await {
        let (name, what, want, got) = cell.unwrap();
        let as_wanted = match (want, &got) {
            (Senseless(_), None) => true,
            (Counts, Some((1, codes))) | (Bare, Some((0, codes))) => codes.is_empty(),
            (Code(code), Some((0, codes))) => *codes == [code],
            _ => false,
        };
        if !as_wanted {
            wrong.push(format!("{name}, {what:?}: want {want}, got {got:?}"));
        }
        lines.push(format!("{name}: {what:?}: {want}"));
    }
    lines.sort_unstable();
    println!("{}", lines.join("\n"));
    wrong.sort_unstable();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
