//! Makes the engine stop where Rego does.
//!
//! After `x := input.a` with an absent `input.a`, Rego's body is undefined; the machine goes on
//! with an `x` that is not there. `x == x` behind it is false where `x` is not there. Where a
//! body before an `else` goes through a list in vain, or holds but its value is absent, Rego goes
//! on to the `else`; the engine does not, so the body becomes the making of a set. And `print`,
//! which OPA leaves out of what it runs, is left out.

use regorus::unstable::{AssignOp, Expr, Literal, Module, Query, Rule, RuleBody, RuleHead, Span};

use super::{
    Location,
    bundle::RegoFile,
    edit::{self, Edit},
    visit::{self, Node},
};

/// The text of a file with its guards.
pub(super) fn guard(file: &RegoFile, module: &Module) -> RegoFile {
    rewrite(file, module, &|expr| match expr {
        Expr::AssignExpr { op: AssignOp::ColEq, lhs, rhs, .. } => match lhs.as_ref() {
            Expr::Var { span, .. } if span.text() != "_" && !is_defined(rhs) => {
                let name = span.text();
                Some(Change::Behind(format!("; {name} == {name}")))
            }
            _ => None,
        },
        _ => None,
    })
}

/// The text of a file without `print`.
pub(super) fn silence(file: &RegoFile, module: &Module) -> RegoFile {
    rewrite(file, module, &|expr| match expr {
        Expr::Call { fcn, .. } if fcn.span().text() == "print" => Some(Change::Whole("true")),
        _ => None,
    })
}

/// The text of a file in which what comes before an `else` is a set first, of the value for each
/// way in which the body holds; the `else` follows where there is none.
pub(super) fn settle(file: &RegoFile, module: &Module) -> RegoFile {
    let mut edits = Vec::new();
    for rule in &module.policy {
        let Rule::Spec { head, bodies, .. } = rule.as_ref() else { continue };
        let (RuleHead::Compr { assign, .. } | RuleHead::Func { assign, .. }) = head else {
            continue;
        };
        for (at, pair) in bodies.windows(2).enumerate() {
            if let [body, RuleBody { is_else: true, .. }] = pair {
                let assign = if at == 0 { assign.as_ref() } else { body.assign.as_ref() };
                edits.extend(settled(&body.query, assign.map(|assign| assign.value.span())));
            }
        }
    }
    RegoFile { path: file.path.clone(), text: edit::apply(&file.text, edits) }
}

/// `v := VALUE if { BODY }` becomes
/// `v := __value if { __all := {__one | BODY; __one := VALUE}; __value := one(__all) }`.
fn settled(body: &Query, value: Option<&Span>) -> Vec<Edit> {
    let (Some(first), Some(last)) = (body.stmts.first(), body.stmts.last()) else {
        return Vec::new();
    };
    let id = first.sidx;
    let (start, end) = (edit::range(&first.span).start, edit::range(&last.span).end);
    let bare = body.stmts.len() == 1 && body.span.start == first.span.start;
    let (open, close) = if bare { ("{ ", " }") } else { ("", "") };
    let text = value.map_or("true", edit::text);
    let before = format!("{open}__all_{id} := {{__one_{id} | ");
    let one = "data.countersign.values.one";
    let after = format!("; __one_{id} := {text}}}; __value_{id} := {one}(__all_{id}){close}");
    let place = Location::of(&first.span);
    let mut edits = vec![
        Edit { range: start..start, text: before, place: place.clone() },
        Edit { range: end..end, text: after, place: place.clone() },
    ];
    let value = value.map(edit::range);
    edits.extend(value.map(|range| Edit { range, text: format!("__value_{id}"), place }));
    edits
}

/// What happens to a statement.
enum Change {
    Behind(String),
    Whole(&'static str),
}

fn rewrite(file: &RegoFile, module: &Module, change: &dyn Fn(&Expr) -> Option<Change>) -> RegoFile {
    let mut edits = Vec::new();
    visit::module(module, &mut |node| {
        let Node::Query(query) = node else { return };
        for stmt in &query.stmts {
            let Literal::Expr { expr, .. } = &stmt.literal else { continue };
            match change(expr) {
                None => {}
                Some(Change::Behind(text)) => edits.extend(Edit::around(query, stmt, "", &text)),
                Some(Change::Whole(text)) => edits.push(Edit {
                    range: edit::range(expr.span()),
                    text: text.to_owned(),
                    place: Location::of(&stmt.span),
                }),
            }
        }
    });
    RegoFile { path: file.path.clone(), text: edit::apply(&file.text, edits) }
}

/// What has a value always.
fn is_defined(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::String { .. }
            | Expr::RawString { .. }
            | Expr::Number { .. }
            | Expr::Bool { .. }
            | Expr::Null { .. }
            | Expr::ArrayCompr { .. }
            | Expr::SetCompr { .. }
            | Expr::ObjectCompr { .. }
    )
}
