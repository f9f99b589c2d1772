//! One build, put together from all that is known of it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Ci, Git, Material, Origin, remote::same_source};
use crate::name::escape;

/// What is recorded of a build. What is `None` is not known.
#[derive(Clone, Debug, Default)]
pub struct BuildRecord {
    /// Where it began.
    pub origin: Origin,
    /// Whether the work tree differed from the revision.
    pub dirty: Option<bool>,
    /// Who built, as a URI.
    pub builder_id: Option<String>,
    /// How the members of the record are to be read, as a URI.
    pub build_type: String,
    /// This run of the builder.
    pub invocation_id: Option<String>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// What the person who built chose.
    pub parameters: BTreeMap<String, String>,
    /// What else went into it.
    pub materials: Vec<Material>,
    /// The CI system, as people call it.
    pub ci: Option<&'static str>,
    /// Whether the revision is the person's own word.
    pub(super) revision_given: bool,
}

/// What the person says; it goes before all else.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Where the build began.
    pub origin: Origin,
    /// Who built.
    pub builder_id: Option<String>,
    /// How the record is to be read, if not in our way.
    pub build_type: Option<String>,
    /// This run of the builder.
    pub invocation_id: Option<String>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// What the person who built chose.
    pub parameters: BTreeMap<String, String>,
    /// What else went into it.
    pub materials: Vec<Material>,
}

/// What was found at hand.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The CI system that this runs under.
    pub ci: Option<Ci>,
    /// What Tekton results say of the source.
    pub results: Origin,
    /// The work tree.
    pub git: Git,
}

impl BuildRecord {
    /// Puts a record together, and what to tell the person about it: where things disagree, what
    /// stays open.
    pub fn new(given: Given, observed: Observed) -> (Self, Vec<String>) {
        let Observed { ci, results, git } = observed;
        let mut notes = git.notes;
        let mut origin = Merged::new(given.origin);
        let revision_given = origin.given;
        if let Some(ci) = &ci {
            origin.add(ci.name, &ci.origin, &mut notes);
        }
        origin.add("the Tekton results", &results, &mut notes);
        let same_tree = origin.add("git", &git.origin, &mut notes);
        let record = Self {
            origin: origin.known,
            dirty: git.dirty.filter(|_| same_tree),
            builder_id: given.builder_id.or_else(|| ci.as_ref()?.builder_id.clone()),
            build_type: given.build_type.unwrap_or_else(|| BUILD_TYPE.to_owned()),
            invocation_id: given.invocation_id.or_else(|| ci.as_ref()?.invocation_id.clone()),
            started: given.started.or_else(|| ci.as_ref()?.started.as_ref()?.parse().ok()),
            finished: given.finished,
            parameters: given.parameters,
            materials: given.materials,
            ci: ci.map(|ci| ci.name),
            revision_given,
        };
        record.tell(&mut notes);
        (record, notes)
    }

    /// The revision that the build is wholly made from: none of a tree with changes, unless the
    /// person says otherwise.
    pub fn whole_revision(&self) -> Option<&str> {
        let changed = self.dirty == Some(true) && !self.revision_given;
        self.origin.revision.as_deref().filter(|_| !changed)
    }

    fn tell(&self, notes: &mut Vec<String>) {
        if self.dirty == Some(true) && !self.revision_given && self.origin.revision.is_some() {
            notes.push(
                "files of the work tree differ from its commit, so the record does not name that as \
                 its revision; commit them, or give --revision"
                    .into(),
            );
        }
        let open: Vec<&str> = [
            ("the source repository (--source)", self.origin.source.is_none()),
            ("its revision (--revision)", self.origin.revision.is_none()),
            ("its ref (--ref)", self.origin.reference.is_none()),
            ("the builder (--builder-id), which SLSA asks for", self.builder_id.is_none()),
            ("the run (--invocation-id)", self.invocation_id.is_none()),
            ("the start (--started)", self.started.is_none()),
            ("the end (--finished)", self.finished.is_none()),
        ]
        .into_iter()
        .filter_map(|(what, is_open)| is_open.then_some(what))
        .collect();
        if !open.is_empty() {
            notes.push(format!("not known, so not recorded: {}", open.join(", ")));
        }
    }
}

/// Where the build began, filled in by one after another.
struct Merged {
    known: Origin,
    /// The person named the revision: what others say of another does not matter.
    given: bool,
    /// Two that nobody has decided between named different revisions.
    disputed: bool,
}

impl Merged {
    fn new(given: Origin) -> Self {
        Self { given: given.revision.is_some(), known: given, disputed: false }
    }

    /// Fills in what is open by what `name` says, if it speaks of the same source and revision.
    /// Whether it does.
    fn add(&mut self, name: &str, said: &Origin, notes: &mut Vec<String>) -> bool {
        let Self { known, given, disputed } = self;
        if let (Some(one), Some(other)) = (&known.source, &said.source)
            && !same_source(one, other)
        {
            notes.push(format!(
                "{name} speaks of {}, the record of {}: it is not asked further",
                escape(other, SHOWN),
                escape(one, SHOWN)
            ));
            return false;
        }
        if let (Some(one), Some(other)) = (&known.revision, &said.revision)
            && one != other
        {
            let what = if *given {
                "it is not asked further"
            } else {
                "neither is recorded; give --revision and --ref"
            };
            notes.push(format!("{name} says that revision {other} is built, not {one}: {what}"));
            if !*given {
                *disputed = true;
                known.revision = None;
                known.reference = None;
            }
            return false;
        }
        let fill = |open: &mut Option<String>, said: &Option<String>| {
            if open.is_none() {
                open.clone_from(said);
            }
        };
        fill(&mut known.source, &said.source);
        if *disputed {
            return false;
        }
        // A ref says where a revision stood; it goes only with one that its teller knows.
        fill(&mut known.revision, &said.revision);
        if said.revision.is_some() {
            fill(&mut known.reference, &said.reference);
        }
        fill(&mut known.path, &said.path);
        said.revision.is_some()
    }
}

/// How the members of our records are to be read: docs/ci.md.
const BUILD_TYPE: &str = "https://countersign.dev/build/v1";

/// How much of a URL a message shows.
const SHOWN: usize = 300;
