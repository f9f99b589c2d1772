//! A walk over the engine's syntax trees, for what is decided by looking at a rule's text.

use regorus::unstable::{Expr, Literal, Module, Query, Ref, Rule, RuleHead, Span, WithModifier};

/// What a walk comes by.
pub(super) enum Node<'a> {
    /// A body: of a rule, a comprehension or an `every`.
    Query(&'a Query),
    /// A variable with what is selected from it, or a selection from another expression. The
    /// parts of a selection are not come by on their own, its indexes are.
    Ref {
        base: &'a Expr,
        steps: Vec<Step<'a>>,
    },
    /// A call; its name is not come by as a reference.
    Call {
        expr: &'a Expr,
        name: String,
        params: &'a [Ref<Expr>],
    },
    /// `some k, v in collection` or `every k, v in collection`, where `k` is named.
    Pairs {
        collection: &'a Expr,
    },
    With(&'a WithModifier),
    /// `{key: value | …}`
    Object {
        span: &'a Span,
        key: &'a Expr,
        value: &'a Expr,
    },
}

/// One selection from a value.
#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    /// `.name` or `["name"]`
    Field(&'a str),
    Index(&'a Expr),
}

/// Walks all rules of a module, and its imports as references.
pub(super) fn module<'a>(module: &'a Module, found: &mut impl FnMut(Node<'a>)) {
    for import in &module.imports {
        expr(&import.refr, found);
    }
    for item in &module.policy {
        rule(item, found);
    }
}

/// Walks one rule.
pub(super) fn rule<'a>(item: &'a Rule, found: &mut impl FnMut(Node<'a>)) {
    match item {
        Rule::Default { value, .. } => expr(value, found),
        Rule::Spec { head, bodies, .. } => {
            let assign = match head {
                RuleHead::Compr { refr, assign, .. } => {
                    indexes(refr, found);
                    assign.as_ref()
                }
                RuleHead::Set { refr, key, .. } => {
                    indexes(refr, found);
                    each(key, found);
                    None
                }
                RuleHead::Func { args, assign, .. } => {
                    each(args, found);
                    assign.as_ref()
                }
            };
            each(assign.map(|assign| &assign.value), found);
            for body in bodies {
                each(body.assign.as_ref().map(|assign| &assign.value), found);
                query(&body.query, found);
            }
        }
    }
}

fn query<'a>(body: &'a Query, found: &mut impl FnMut(Node<'a>)) {
    found(Node::Query(body));
    for stmt in &body.stmts {
        match &stmt.literal {
            Literal::SomeVars { .. } => {}
            Literal::SomeIn { key, value, collection, .. } => {
                if key.as_ref().is_some_and(|key| !is_wildcard(key)) {
                    found(Node::Pairs { collection });
                }
                each(key.iter().chain([value, collection]), found);
            }
            Literal::Expr { expr: part, .. } | Literal::NotExpr { expr: part, .. } => {
                expr(part, found);
            }
            Literal::Every { key, domain, query: body, .. } => {
                if key.as_ref().is_some_and(|key| key.text() != "_") {
                    found(Node::Pairs { collection: domain });
                }
                expr(domain, found);
                query(body, found);
            }
        }
        for with in &stmt.with_mods {
            found(Node::With(with));
            expr(&with.r#as, found);
        }
    }
}

fn expr<'a>(item: &'a Expr, found: &mut impl FnMut(Node<'a>)) {
    match item {
        Expr::RefDot { .. } | Expr::RefBrack { .. } => {
            let (base, steps) = chain(item);
            if !matches!(base, Expr::Var { .. }) {
                expr(base, found);
            }
            indexes(item, found);
            found(Node::Ref { base, steps });
        }
        Expr::Var { .. } => found(Node::Ref { base: item, steps: Vec::new() }),
        Expr::Call { fcn, params, .. } => {
            found(Node::Call { expr: item, name: fcn.span().text().to_owned(), params });
            each(params, found);
        }
        Expr::ArrayCompr { term, query: body, .. } | Expr::SetCompr { term, query: body, .. } => {
            expr(term, found);
            query(body, found);
        }
        Expr::ObjectCompr { span, key, value, query: body, .. } => {
            found(Node::Object { span, key, value });
            each([key, value], found);
            query(body, found);
        }
        _ => {
            for part in children(item) {
                expr(part, found);
            }
        }
    }
}

fn each<'a>(items: impl IntoIterator<Item = &'a Ref<Expr>>, found: &mut impl FnMut(Node<'a>)) {
    for item in items {
        expr(item, found);
    }
}

/// The indexes of a selection.
fn indexes<'a>(refr: &'a Expr, found: &mut impl FnMut(Node<'a>)) {
    for step in chain(refr).1 {
        if let Step::Index(index) = step {
            expr(index, found);
        }
    }
}

/// Splits a selection into what it selects from and its steps.
pub(super) fn chain(item: &Expr) -> (&Expr, Vec<Step<'_>>) {
    let (mut base, mut steps) = (item, Vec::new());
    loop {
        base = match base {
            Expr::RefDot { refr, field, .. } => {
                steps.push(Step::Field(field.0.text()));
                refr
            }
            Expr::RefBrack { refr, index, .. } => {
                steps.push(match index.as_ref() {
                    Expr::String { value: regorus::Value::String(text), .. } => Step::Field(text),
                    index => Step::Index(index),
                });
                refr
            }
            _ => break,
        };
    }
    steps.reverse();
    (base, steps)
}

/// `_`, or a number, which selects from a list only.
pub(super) fn is_wildcard(item: &Expr) -> bool {
    match item {
        Expr::Var { span, .. } => span.text() == "_",
        Expr::Number { .. } => true,
        _ => false,
    }
}

/// The expressions that an expression is made of, without those of the bodies in it.
pub(super) fn children(item: &Expr) -> Vec<&Expr> {
    let refs: Vec<&Ref<Expr>> = match item {
        Expr::RefDot { refr, .. } => vec![refr],
        Expr::RefBrack { refr, index, .. } => vec![refr, index],
        Expr::Call { params, .. } => params.iter().collect(),
        Expr::Array { items, .. } | Expr::Set { items, .. } => items.iter().collect(),
        Expr::Object { fields, .. } => {
            fields.iter().flat_map(|(_, key, value)| [key, value]).collect()
        }
        Expr::UnaryExpr { expr, .. } => vec![expr],
        Expr::BinExpr { lhs, rhs, .. }
        | Expr::BoolExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. }
        | Expr::AssignExpr { lhs, rhs, .. } => vec![lhs, rhs],
        Expr::Membership { key, value, collection, .. } => {
            key.iter().chain([value, collection]).collect()
        }
        _ => Vec::new(),
    };
    refs.into_iter().map(AsRef::as_ref).collect()
}
