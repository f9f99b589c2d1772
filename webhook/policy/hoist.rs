//! Makes negation mean what it means in OPA.
//!
//! OPA takes the arguments of a negated call out of the negation before it runs a rule: in
//! `not f(input.x)` an absent `input.x` makes the body undefined. The engine makes it true, which
//! turns a rule that allowed nothing into one that allows. So the text is rewritten at load to
//! what OPA does, `t := input.x; not f(t)`, by the places that the engine's syntax tree gives.
//! Lines keep their numbers.

use std::{collections::BTreeSet, ops::Range};

use regorus::unstable::{
    AssignOp, BoolOp, Expr, Literal, LiteralStmt, Module, Query, Ref, Rule, RuleHead,
};

use super::{
    Location, RuleError,
    bundle::RegoFile,
    edit::{self, Edit, apply, range},
    parsed,
    visit::{self, Node, Step},
};

/// Rewrites the files of one rule; `None` if no negation needs it.
///
/// # Errors
/// [`RuleError::At`] for negations that nest too deep to be rewritten.
pub(super) fn hoist(package: &str, files: &[RegoFile]) -> Result<Option<Vec<RegoFile>>, RuleError> {
    let mut rewritten: Option<Vec<RegoFile>> = None;
    // A pass takes the outermost negations; what they held inside has its turn in the next.
    for pass in 0.. {
        let current = rewritten.as_deref().unwrap_or(files);
        let modules = parsed::parse(package, current)?.get_modules().clone();
        let mut next = Vec::with_capacity(current.len());
        let mut changed = None;
        for (file, module) in current.iter().zip(&modules) {
            let hoist = Hoist { values: values(module, &modules), pass };
            let edits = hoist.edits(module);
            changed = changed.or_else(|| edits.first().map(|edit| edit.place.clone()));
            next.push(RegoFile { path: file.path.clone(), text: apply(&file.text, edits) });
        }
        match changed {
            None => break,
            Some(at) if pass == PASSES_MAX => {
                return Err(RuleError::At { at, detail: "negations nest too deep".to_owned() });
            }
            Some(_) => rewritten = Some(next),
        }
    }
    Ok(rewritten)
}

const PASSES_MAX: usize = 16;

/// The rewriting of one module.
struct Hoist<'a> {
    /// Names that stand for a value of the document, as if they were written `data.….name`.
    values: BTreeSet<&'a str>,
    /// Tells the variables of one pass from those of another.
    pass: usize,
}

impl Hoist<'_> {
    fn edits(&self, module: &Module) -> Vec<Edit> {
        let mut edits = Vec::new();
        let mut done: Vec<Range<usize>> = Vec::new();
        visit::module(module, &mut |node| {
            let Node::Query(query) = node else { return };
            for stmt in &query.stmts {
                let Literal::NotExpr { expr, .. } = &stmt.literal else { continue };
                let range = range(&stmt.span);
                if done.iter().any(|outer| outer.start <= range.start && range.end <= outer.end) {
                    continue;
                }
                let operands = self.operands(expr);
                if !operands.is_empty() {
                    self.rewrite(query, stmt, &operands, &mut edits);
                    done.push(range);
                }
            }
        });
        edits
    }

    /// Puts `name := operand; ` before the statement and the name where the operand was.
    fn rewrite(
        &self,
        query: &Query,
        stmt: &LiteralStmt,
        operands: &[&Expr],
        edits: &mut Vec<Edit>,
    ) {
        let place = Location::of(&stmt.span);
        let text = stmt.span.source.contents();
        let end = range(&stmt.span).end;
        // The modifiers hold for what is taken out, too.
        let with = stmt.with_mods.first().and_then(|with| text.get(range(&with.span).start..end));
        let with = with.map(|with| format!(" {with}")).unwrap_or_default();
        let mut before = String::new();
        for (at, operand) in operands.iter().enumerate() {
            let name = format!("__hoisted_{}_{}_{at}", self.pass, stmt.sidx);
            let operand_text = edit::text(operand.span());
            before.extend([&name, " := ", operand_text, &with, "; "]);
            edits.push(Edit { range: range(operand.span()), text: name, place: place.clone() });
        }
        edits.extend(Edit::around(query, stmt, &before, ""));
    }

    /// The parts of a negated expression that OPA takes out of it.
    fn operands<'e>(&self, expr: &'e Expr) -> Vec<&'e Expr> {
        match expr {
            Expr::Call { params, .. } => self.of(params.iter().map(Ref::as_ref)),
            Expr::Membership { key, value, collection, .. } => {
                self.of(key.iter().chain([value, collection]).map(Ref::as_ref))
            }
            // Both sides of an equality stay, if they are references: an absent one is unequal.
            Expr::BoolExpr { op: BoolOp::Eq, lhs, rhs, .. }
            | Expr::AssignExpr { op: AssignOp::Eq, lhs, rhs, .. } => [lhs, rhs]
                .into_iter()
                .flat_map(|side| match side.as_ref() {
                    side @ (Expr::RefDot { .. } | Expr::RefBrack { .. }) => self.inside(side),
                    Expr::Var { .. } => Vec::new(),
                    side => self.of([side]),
                })
                .collect(),
            Expr::BoolExpr { lhs, rhs, .. }
            | Expr::BinExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. } => self.of([lhs.as_ref(), rhs.as_ref()]),
            Expr::UnaryExpr { expr, .. } => self.of([expr.as_ref()]),
            Expr::RefDot { .. } | Expr::RefBrack { .. } => self.inside(expr),
            Expr::Array { .. } | Expr::Set { .. } | Expr::Object { .. } => self.of([expr]),
            _ => Vec::new(),
        }
    }

    fn of<'e>(&self, parts: impl IntoIterator<Item = &'e Expr>) -> Vec<&'e Expr> {
        parts.into_iter().filter(|part| self.may_be_undefined(part)).collect()
    }

    /// The parts inside a reference: what it selects from, and its indexes.
    fn inside<'e>(&self, expr: &'e Expr) -> Vec<&'e Expr> {
        let (base, steps) = visit::chain(expr);
        let base = (!matches!(base, Expr::Var { .. })).then_some(base);
        let indexes = steps.into_iter().filter_map(|step| match step {
            Step::Index(index) => Some(index),
            Step::Field(_) => None,
        });
        self.of(base.into_iter().chain(indexes))
    }

    fn may_be_undefined(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Var { span, .. } => self.values.contains(span.text()),
            Expr::RefDot { .. }
            | Expr::RefBrack { .. }
            | Expr::Call { .. }
            | Expr::BinExpr { .. }
            | Expr::BoolExpr { .. }
            | Expr::ArithExpr { .. }
            | Expr::AssignExpr { .. }
            | Expr::Membership { .. } => true,
            Expr::UnaryExpr { expr, .. } => self.may_be_undefined(expr),
            Expr::Array { items, .. } | Expr::Set { items, .. } => {
                items.iter().any(|item| self.may_be_undefined(item))
            }
            Expr::Object { fields, .. } => fields
                .iter()
                .any(|(_, key, value)| self.may_be_undefined(key) || self.may_be_undefined(value)),
            _ => false,
        }
    }
}

/// The names of the rules of a module's package, and of its imports.
pub(super) fn values<'a>(module: &'a Module, all: &'a [Ref<Module>]) -> BTreeSet<&'a str> {
    let package = parsed::name(module);
    let rules =
        all.iter().filter(|other| parsed::name(other) == package).flat_map(|other| &other.policy);
    let rules =
        rules.map(|rule| match rule.as_ref() {
            Rule::Spec {
                head:
                    RuleHead::Compr { refr, .. }
                    | RuleHead::Set { refr, .. }
                    | RuleHead::Func { refr, .. },
                ..
            }
            | Rule::Default { refr, .. } => visit::chain(refr).0.span().text(),
        });
    let imports = module.imports.iter().filter_map(|import| match &import.r#as {
        Some(name) => Some(name.text()),
        None => match visit::chain(&import.refr).1.last() {
            Some(Step::Field(name)) => Some(*name),
            _ => None,
        },
    });
    rules.chain(imports).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operands_move_before_their_statement() {
        for (name, text, want) in [
            (
                "one statement",
                "p if not f(input.a)",
                "p if { __hoisted_0_1_0 := input.a; not f(__hoisted_0_1_0) }",
            ),
            (
                "one of two",
                "p if {\n\tinput.b\n\tnot f(input.a)\n}",
                "p if {\n\tinput.b\n\t__hoisted_0_2_0 := input.a; not f(__hoisted_0_2_0)\n}",
            ),
            (
                "with modifiers",
                "p if not f(input.a) with input as {}",
                "p if { __hoisted_0_1_0 := input.a with input as {}; \
                 not f(__hoisted_0_1_0) with input as {} }",
            ),
        ] {
            let head = "package a\n\nf(x) if x\n";
            let file = RegoFile { path: "a.rego".to_owned(), text: format!("{head}{text}\n") };
            let got = hoist("a", &[file]).unwrap().unwrap();
            assert_eq!(got[0].text, format!("{head}{want}\n"), "{name}");
        }
    }
}
