//! Variables under a negation must have their value from elsewhere, as OPA demands: the engine
//! would go through all values instead, and mean the opposite.

use std::collections::BTreeSet;

use regorus::unstable::{Expr, Literal, Module, Query, Ref, Rule, RuleHead, Span};

use super::{Location, RuleError, hoist, visit};

/// Refuses negations that select by a variable without a value, or by `_`.
///
/// # Errors
/// [`RuleError::At`], with the place of the variable.
pub(super) fn check(module: &Module, all: &[Ref<Module>]) -> Result<(), RuleError> {
    let values = hoist::values(module, all);
    for rule in &module.policy {
        let Rule::Spec { head, bodies, .. } = rule.as_ref() else { continue };
        let mut bound = values.clone();
        bound.extend(["input", "data"]);
        let terms: Vec<&Expr> = match head {
            RuleHead::Func { args, assign, .. } => {
                for arg in args {
                    variables(arg, &mut bound);
                }
                assign.iter().map(|assign| assign.value.as_ref()).collect()
            }
            RuleHead::Compr { assign, .. } => {
                assign.iter().map(|assign| assign.value.as_ref()).collect()
            }
            RuleHead::Set { key, .. } => key.iter().map(AsRef::as_ref).collect(),
        };
        terms.into_iter().try_for_each(|term| bodies_of(term, &bound))?;
        for body in bodies {
            check_query(&body.query, &bound)?;
            body.assign.iter().try_for_each(|assign| bodies_of(&assign.value, &bound))?;
        }
    }
    Ok(())
}

fn check_query(query: &Query, outer: &BTreeSet<&str>) -> Result<(), RuleError> {
    let mut bound = outer.clone();
    for stmt in &query.stmts {
        match &stmt.literal {
            Literal::SomeVars { .. } | Literal::NotExpr { .. } => {}
            Literal::SomeIn { key, value, collection, .. } => {
                for part in key.iter().chain([value, collection]) {
                    variables(part, &mut bound);
                }
            }
            Literal::Expr { expr, .. } => variables(expr, &mut bound),
            Literal::Every { domain, .. } => variables(domain, &mut bound),
        }
    }
    for stmt in &query.stmts {
        match &stmt.literal {
            Literal::SomeVars { .. } => {}
            Literal::SomeIn { collection, .. } => bodies_of(collection, &bound)?,
            Literal::Expr { expr, .. } => bodies_of(expr, &bound)?,
            Literal::NotExpr { expr, .. } => {
                negated(expr, &bound)?;
                bodies_of(expr, &bound)?;
            }
            Literal::Every { key, value, domain, query, .. } => {
                bodies_of(domain, &bound)?;
                let mut inner = bound.clone();
                inner.extend(key.iter().chain([value]).map(Span::text));
                check_query(query, &inner)?;
            }
        }
    }
    Ok(())
}

/// The comprehensions in an expression, which may use what is bound around them.
fn bodies_of(expr: &Expr, bound: &BTreeSet<&str>) -> Result<(), RuleError> {
    match expr {
        Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
            check_query(query, bound)?;
            bodies_of(term, bound)
        }
        Expr::ObjectCompr { key, value, query, .. } => {
            check_query(query, bound)?;
            bodies_of(key, bound)?;
            bodies_of(value, bound)
        }
        _ => visit::children(expr).into_iter().try_for_each(|part| bodies_of(part, bound)),
    }
}

fn negated(expr: &Expr, bound: &BTreeSet<&str>) -> Result<(), RuleError> {
    if let Expr::Var { span, .. } = expr {
        let name = span.text();
        if name == "_" || !bound.contains(name) {
            let detail = format!("`{name}` under `not` is unsafe; give it a value before");
            return Err(RuleError::At { at: Location::of(span), detail });
        }
    }
    visit::children(expr).into_iter().try_for_each(|part| negated(part, bound))
}

fn variables<'a>(expr: &'a Expr, bound: &mut BTreeSet<&'a str>) {
    if let Expr::Var { span, .. } = expr {
        bound.insert(span.text());
    }
    for part in visit::children(expr) {
        variables(part, bound);
    }
}
