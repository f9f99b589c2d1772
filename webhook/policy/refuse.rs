//! What a rule may not use: what is unsafe here, and what the engine would run otherwise than OPA.
//!
//! A rule that is refused with its place can be written otherwise; a rule that silently means
//! something else cannot even be noticed.

use std::collections::BTreeSet;

use regorus::{
    Value,
    unstable::{AssignOp, BUILTINS, Expr, Literal, Module, Ref, Rule, RuleHead},
};

use super::{
    Location, RuleError, parsed,
    visit::{self, Node, Step},
};

/// Refuses a module that holds what a rule may not use; `with` is for tests.
pub(super) fn refuse(module: &Module, all: &[Ref<Module>]) -> Result<(), RuleError> {
    let functions = functions(module, all);
    let mut first = None;
    let mut note = |found: Option<RuleError>| {
        if first.is_none() {
            first = found;
        }
    };
    for rule in &module.policy {
        note(head(rule));
    }
    visit::module(module, &mut |node| {
        note(match node {
            Node::Call { expr, name, params } => call(expr, &name, params, &functions),
            Node::Query(query) => query.stmts.iter().find_map(|stmt| statement(&stmt.literal)),
            Node::With(with) => Some(at(&with.span, "`with` is for tests; a rule cannot use it")),
            _ => None,
        });
    });
    first.map_or(Ok(()), Err)
}

/// Calls of what is not there, or could use up memory faster than anything looks.
fn call(
    expr: &Expr,
    name: &str,
    params: &[Ref<Expr>],
    functions: &BTreeSet<String>,
) -> Option<RuleError> {
    let refused = |why: &str| Some(at(expr.span(), why));
    let built_in = BUILTINS.contains_key(name) && !name.starts_with("__");
    if params.len() > ARGUMENTS_MAX {
        return refused(&format!("more than {ARGUMENTS_MAX} arguments; give them as one object"));
    }
    match name {
        "print" => None,
        "walk" => refused("`walk` is not supported; name the members that matter"),
        "net.cidr_expand" => refused(
            "`net.cidr_expand` is not available, since a short text makes it fill the memory",
        ),
        "sprintf" if !params.first().is_some_and(is_narrow) => refused(&format!(
            "`sprintf` takes a literal text as its format, with widths of at most {DIGITS_MAX} \
             digits; another could make it fill the memory"
        )),
        "numbers.range" | "numbers.range_step" | "bits.lsh" if !params.iter().all(is_small) => {
            refused(&format!("`{name}` takes literal numbers up to {NUMBER_MAX} only"))
        }
        _ if built_in || functions.contains(name) => None,
        _ => refused(&format!("function `{name}` is not available")),
    }
}

/// Patterns that the engine matches more widely than OPA does.
fn statement(literal: &Literal) -> Option<RuleError> {
    let patterns: Vec<&Expr> = match literal {
        Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => match expr.as_ref() {
            Expr::AssignExpr { op: AssignOp::ColEq, lhs, .. } => vec![lhs],
            Expr::AssignExpr { op: AssignOp::Eq, lhs, rhs, .. } => vec![lhs, rhs],
            _ => Vec::new(),
        },
        Literal::SomeIn { value, .. } => vec![value],
        _ => Vec::new(),
    };
    patterns.into_iter().find_map(object_pattern)
}

fn object_pattern(pattern: &Expr) -> Option<RuleError> {
    match pattern {
        Expr::Object { span, .. } => Some(at(
            span,
            "an object pattern matches otherwise here than in OPA; compare with `==`, or name the \
             members: x := object.member",
        )),
        Expr::Array { items, .. } => items.iter().find_map(|item| object_pattern(item)),
        _ => None,
    }
}

/// Heads that the engine's machine takes for something else.
fn head(rule: &Rule) -> Option<RuleError> {
    match rule {
        Rule::Default { args, refr, .. } if !args.is_empty() => Some(at(
            refr.span(),
            "a default of a function is not supported; give the function another `else`",
        )),
        Rule::Spec { head: RuleHead::Func { args, refr, .. }, .. } => {
            if args.len() > ARGUMENTS_MAX {
                return Some(at(refr.span(), "too many arguments; give them as one object"));
            }
            args.iter().find_map(|arg| object_pattern(arg)).or_else(|| long_head(refr, 0))
        }
        Rule::Spec { head: RuleHead::Set { refr, .. }, .. } | Rule::Default { refr, .. } => {
            long_head(refr, 0)
        }
        Rule::Spec { head: RuleHead::Compr { refr, .. }, .. } => long_head(refr, 1),
    }
}

fn long_head(refr: &Expr, steps_max: usize) -> Option<RuleError> {
    let (_, steps) = visit::chain(refr);
    let named = steps.iter().any(|step| matches!(step, Step::Field(_)));
    (named || steps.len() > steps_max).then(|| {
        at(refr.span(), "a rule's name is one word, or one word and one `[key]`; make it an object")
    })
}

/// The names by which a module may call the functions of this rule's files.
fn functions(module: &Module, all: &[Ref<Module>]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for other in all {
        let package = parsed::name(other);
        for rule in &other.policy {
            let Rule::Spec { head: RuleHead::Func { refr, .. }, .. } = rule.as_ref() else {
                continue;
            };
            let function = refr.span().text();
            names.insert(format!("data.{package}.{function}"));
            if package == parsed::name(module) {
                names.insert(function.to_owned());
            }
            for import in &module.imports {
                let path = import.refr.span().text();
                let Some(rest) =
                    format!("data.{package}.{function}").strip_prefix(path).map(str::to_owned)
                else {
                    continue;
                };
                let last = path.rsplit('.').next().unwrap_or(path);
                let alias = import.r#as.as_ref().map_or(last, |name| name.text());
                names.insert(format!("{alias}{rest}"));
            }
        }
    }
    names
}

fn is_small(param: &Ref<Expr>) -> bool {
    match param.as_ref() {
        Expr::Number { span, .. } => {
            span.text().parse::<i64>().is_ok_and(|number| number.abs() <= NUMBER_MAX)
        }
        _ => false,
    }
}

/// Whether a format is written out, and makes no text much longer than its arguments.
fn is_narrow(format: &Ref<Expr>) -> bool {
    let (Expr::String { value, .. } | Expr::RawString { value, .. }) = format.as_ref() else {
        return false;
    };
    let Value::String(text) = value else { return false };
    text.replace("%%", "").split('%').skip(1).all(|verb| {
        let digits = verb.trim_start_matches('.').chars().take_while(|sign| sign.is_numeric());
        digits.count() <= DIGITS_MAX
    })
}

fn at(span: &regorus::unstable::Span, detail: &str) -> RuleError {
    RuleError::At { at: Location::of(span), detail: detail.to_owned() }
}

/// Of functions; the machine drops what is past them.
const ARGUMENTS_MAX: usize = 8;
const NUMBER_MAX: i64 = 10_000;
const DIGITS_MAX: usize = 3;
