//! Makes the machine stop where Rego does.
//!
//! After `x := input.a` with an absent `input.a`, Rego's body is undefined; the machine goes on
//! with an `x` that is not there. `_ = x` behind it is the machine's own test for that. And
//! `print`, which OPA leaves out of what it runs, is left out.

use regorus::unstable::{AssignOp, Expr, Literal, Module};

use super::{
    Place,
    bundle::RegoFile,
    edit::{self, Edit},
    visit::{self, Node},
};

/// The text of a file with its guards.
pub(super) fn guard(file: &RegoFile, module: &Module) -> RegoFile {
    rewrite(file, module, &|expr| match expr {
        Expr::AssignExpr { op: AssignOp::ColEq, lhs, rhs, .. } => match lhs.as_ref() {
            Expr::Var { span, .. } if span.text() != "_" && !is_defined(rhs) => {
                Some(Change::Behind(format!("; _ = {}", span.text())))
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
                    place: Place::of(&stmt.span),
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
