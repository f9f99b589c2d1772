//! What a rule reads, told from its text, so that nothing is fetched or built that it cannot see.
//!
//! Wrong in one direction only: where the text leaves open what is read, it counts as read.

use std::ops::BitOr;

use regorus::unstable::{Expr, Module};

use super::visit::{self, Node, Step};

/// The parts of the input that cost something, and whether a rule may read them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "six independent parts of one document")]
pub struct Reads {
    /// `input.request.object` or `oldObject`.
    pub object: bool,
    /// `input.images[].config`.
    pub config: bool,
    /// `input.images[].statements`.
    pub statements: bool,
    /// `input.images[].metadata`, where the newest word of a signer takes its older ones back.
    pub metadata: bool,
    /// Anything of `input.request`; the verdicts of rules that do not read it hold for every
    /// request about the same images.
    pub request: bool,
    /// The time of the review, the clock, or chance: verdicts of such rules never hold for long.
    pub time: bool,
}

impl Reads {
    /// Everything.
    pub const ALL: Self = Self {
        object: true,
        config: true,
        statements: true,
        metadata: true,
        request: true,
        time: true,
    };

    /// What the rules of `module` may read.
    pub(super) fn of(module: &Module) -> Self {
        let mut reads = Self::default();
        visit::module(module, &mut |node| reads = reads | Self::at(&node));
        reads
    }

    fn at(node: &Node<'_>) -> Self {
        let members = |any| Self { config: any, statements: any, metadata: any, ..Self::default() };
        match node {
            Node::Ref { base, steps } => Self::selected(base, steps),
            Node::Call { name, params, .. } => match name.as_str() {
                "time.now_ns" | "rand.intn" | "uuid.rfc4122" => {
                    Self { time: true, ..Self::default() }
                }
                // What it gets is named, unless the name is worked out.
                "object.get"
                    if let Some(Expr::String { span, .. }) = params.get(1).map(AsRef::as_ref) =>
                {
                    Self::member(span.text())
                }
                name if WHOLE.contains(&name) => {
                    members(params.iter().any(|param| may_be_image(param)))
                }
                _ => Self::default(),
            },
            Node::Pairs { collection } => members(may_be_image(collection)),
            Node::Query(_) | Node::With(_) | Node::Object { .. } => Self::default(),
        }
    }

    /// A member of what may be an image.
    fn member(name: &str) -> Self {
        Self {
            config: name == "config",
            statements: name == "statements",
            metadata: name == "metadata",
            ..Self::default()
        }
    }

    /// What these steps name; `open` where one of them may be any member of an image.
    fn named(steps: &[Step<'_>], open: bool) -> Self {
        let names =
            |name| steps.iter().any(|step| matches!(step, Step::Field(one) if *one == name));
        Self {
            config: open || names_config(steps),
            statements: open || names("statements"),
            metadata: open || names("metadata"),
            ..Self::default()
        }
    }

    fn selected(base: &Expr, steps: &[Step<'_>]) -> Self {
        let Expr::Var { span, .. } = base else {
            return Self::named(steps, false);
        };
        if span.text() != "input" {
            let open =
                steps.iter().any(|step| matches!(step, Step::Index(index) if is_open(index)));
            // `image[key]`, where `key` may be "config"; deeper selections are past it.
            let first_open = open && matches!(steps.first(), Some(Step::Index(_)));
            return Self::named(steps, first_open);
        }
        match steps {
            [] | [Step::Index(_), ..] => Self::ALL,
            [Step::Field("request"), rest @ ..] => {
                let request = Self { request: true, ..Self::default() };
                match rest {
                    [] | [Step::Index(_), ..] => Self { object: true, time: true, ..request },
                    [Step::Field("object" | "oldObject"), ..] => Self { object: true, ..request },
                    [Step::Field("time"), ..] => Self { time: true, ..request },
                    [Step::Field(_), ..] => request,
                }
            }
            [Step::Field("images"), rest @ ..] => {
                let open = matches!(rest.get(1), Some(Step::Index(index)) if is_open(index));
                Self::named(rest, open)
            }
            [Step::Field(_), ..] => Self::default(),
        }
    }
}

impl BitOr for Reads {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self {
            object: self.object | other.object,
            config: self.config | other.config,
            statements: self.statements | other.statements,
            metadata: self.metadata | other.metadata,
            request: self.request | other.request,
            time: self.time | other.time,
        }
    }
}

/// `.config`, but not that of `platform`, which is a digest.
fn names_config(steps: &[Step<'_>]) -> bool {
    let field = |step: &Step<'_>, name| matches!(step, Step::Field(field) if *field == name);
    steps.iter().enumerate().any(|(at, step)| {
        let before = at.checked_sub(1).and_then(|before| steps.get(before));
        field(step, "config") && !before.is_some_and(|before| field(before, "platform"))
    })
}

/// An index whose value the text does not tell.
fn is_open(index: &Expr) -> bool {
    !visit::is_wildcard(index)
}

/// A variable may hold an image, and so may an element of `input.images`.
fn may_be_image(item: &Expr) -> bool {
    let (base, steps) = visit::chain(item);
    match (base, steps.as_slice()) {
        (Expr::Var { span, .. }, [Step::Field("images"), ..]) => span.text() == "input",
        (Expr::Var { .. }, []) => true,
        (Expr::Array { items, .. } | Expr::Set { items, .. }, []) => {
            items.iter().any(|item| may_be_image(item))
        }
        _ => false,
    }
}

/// Functions that look into all members of what they are given.
const WHOLE: [&str; 12] = [
    "walk",
    "json.marshal",
    "json.marshal_with_options",
    "json.filter",
    "json.remove",
    "json.patch",
    "yaml.marshal",
    "object.get",
    "object.filter",
    "object.remove",
    "object.union",
    "object.subset",
];
