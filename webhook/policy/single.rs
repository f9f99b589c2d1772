//! Makes two values where one belongs an error.
//!
//! In OPA a complete rule, a function or an object that comes to two different values at once is a
//! conflict, which ends the evaluation; so it must deny (P7). The engine's machine takes the last
//! value, or none, and goes on. So where that can happen all values are made first, and asked for
//! one by one of [`VALUES`], which end the evaluation where there are two.

use std::collections::BTreeMap;

use regorus::unstable::{Expr, Literal, Module, Query, Ref, Rule, RuleAssign, RuleBody, RuleHead};

use super::{
    Location, RuleError,
    bundle::RegoFile,
    edit::{self, Edit},
    parsed,
    visit::{self, Node, Step},
};

/// The functions that the rewritten files call. A division that overflows is what the engine gives
/// up on; [`super::RuleFault`] says what it stands for.
pub(super) const VALUES: &str = "package countersign.values

one(found) := value if { count(found) == 1; some value in found } else := 1.5e308 / 0.001 if count(found) > 1

object(pairs) := {pair[0]: pair[1] | some pair in pairs} if count(pairs) == count({pair[0] | some pair in pairs}) else := 1.5e308 / 0.001
";

/// The text of a file in which every `{k: v | …}` is made of all its pairs.
pub(super) fn objects(file: &RegoFile, module: &Module) -> RegoFile {
    let mut edits = Vec::new();
    visit::module(module, &mut |node| {
        let Node::Object { span, key, value } = node else { return };
        let (whole, place) = (edit::range(span), Location::of(span));
        let (key, value) = (edit::range(key.span()), edit::range(value.span()));
        let after = |start: usize, mark: char| {
            let rest = file.text.get(start..whole.end)?;
            rest.find(mark).map(|at| start + at..start + at + 1)
        };
        // Mark by mark: parts within parts, parentheses and comments stay as they are.
        for (range, text) in [
            (Some(whole.start..whole.start + 1), "data.countersign.values.object({["),
            (after(key.end, ':'), ","),
            (after(value.end, '|'), "]|"),
            (Some(whole.end.saturating_sub(1)..whole.end), "})"),
        ] {
            let place = place.clone();
            edits.extend(range.map(|range| Edit { range, text: text.to_owned(), place }));
        }
    });
    RegoFile { path: file.path.clone(), text: edit::apply(&file.text, edits) }
}

/// The text of a file in which a definition that may hold in more than one way comes to one value.
pub(super) fn definitions(file: &RegoFile, module: &Module) -> RegoFile {
    let mut edits = Vec::new();
    for rule in &module.policy {
        let Rule::Spec { head, bodies, .. } = rule.as_ref() else { continue };
        let (RuleHead::Compr { refr, assign, .. } | RuleHead::Func { refr, assign, .. }) = head
        else {
            continue;
        };
        // What comes before an `else` has been seen to.
        let last = match bodies.as_slice() {
            [only] => Some((assign, only)),
            [.., last] => last.is_else.then_some((&last.assign, last)),
            [] => None,
        };
        let Some((Some(assign), RuleBody { query, .. })) = last else { continue };
        let is_object = matches!(refr.as_ref(), Expr::RefBrack { .. });
        if !is_object && !is_literal(&assign.value) && goes_through_a_list(rule, query) {
            edits.extend(collected(query, assign));
        }
    }
    RegoFile { path: file.path.clone(), text: edit::apply(&file.text, edits) }
}

/// `v := VALUE if { BODY }` becomes `v := one(__found) if { __found := {__way | BODY; __way := VALUE} }`.
fn collected(body: &Query, assign: &RuleAssign) -> Vec<Edit> {
    let (Some(first), Some(last)) = (body.stmts.first(), body.stmts.last()) else {
        return Vec::new();
    };
    let (id, place) = (first.sidx, Location::of(&first.span));
    let (start, end) = (edit::range(&first.span).start, edit::range(&last.span).end);
    let bare = body.stmts.len() == 1 && body.span.start == first.span.start;
    let (open, close) = if bare { ("{ ", " }") } else { ("", "") };
    let value = edit::text(assign.value.span());
    [
        (start..start, format!("{open}__found_{id} := {{__way_{id} | ")),
        (end..end, format!("; __way_{id} := {value}}}{close}")),
        (edit::range(assign.value.span()), format!("data.countersign.values.one(__found_{id})")),
    ]
    .into_iter()
    .map(|(range, text)| Edit { range, text, place: place.clone() })
    .collect()
}

/// Whether a body may hold in more than one way: it names a member of a list, or selects by what
/// has no value before.
fn goes_through_a_list(rule: &Rule, body: &Query) -> bool {
    let mut bound: Vec<&str> = Vec::new();
    if let Rule::Spec { head: RuleHead::Func { args, .. }, .. } = rule {
        bound.extend(args.iter().map(|arg| arg.span().text()));
    }
    let mut many = false;
    for stmt in &body.stmts {
        match &stmt.literal {
            Literal::SomeIn { .. } | Literal::SomeVars { .. } => many = true,
            Literal::Expr { expr, .. } => {
                if let Expr::AssignExpr { lhs, .. } = expr.as_ref() {
                    bound.push(lhs.span().text());
                }
            }
            _ => {}
        }
    }
    visit::rule(rule, &mut |node| {
        let Node::Ref { steps, .. } = node else { return };
        many |= steps.iter().any(|step| match step {
            Step::Index(Expr::Var { span, .. }) => !bound.contains(&span.text()),
            _ => false,
        });
    });
    many
}

/// The files in which a rule or function of several definitions has each under a name of its own,
/// and one more that asks all of them.
///
/// # Errors
/// As the parser's.
pub(super) fn rules(package: &str, files: &[RegoFile]) -> Result<Vec<RegoFile>, RuleError> {
    let modules = parsed::parse(package, files)?.get_modules().clone();
    let mut groups: BTreeMap<(&str, &str), Vec<(usize, &Rule)>> = BTreeMap::new();
    for (at, module) in modules.iter().enumerate() {
        for rule in &module.policy {
            if let Some(refr) = named(rule) {
                let name = visit::chain(refr).0.span().text();
                let group = groups.entry((parsed::name(module), name)).or_default();
                group.push((at, rule.as_ref()));
            }
        }
    }
    let mut edits: Vec<Vec<Edit>> = files.iter().map(|_| Vec::new()).collect();
    for ((_, name), group) in &groups {
        let mut parts = Vec::new();
        let is_object = |rule: &Rule| matches!(named(rule), Some(Expr::RefBrack { .. }));
        if group.iter().all(|(_, rule)| is_object(rule)) {
            parts.push(format!("data.countersign.values.object(__pairs_{name})"));
            for (at, rule) in group {
                edits.get_mut(*at).into_iter().for_each(|edits| edits.extend(pair(rule, name)));
            }
        } else if !group.iter().any(|(_, rule)| is_object(rule)) && may_conflict(group) {
            let most = group.iter().map(|(_, rule)| arguments(rule).len()).max().unwrap_or(0);
            let given: Vec<String> = (0..most).map(|at| format!("__given_{at}")).collect();
            let given = if most == 0 { String::new() } else { format!("({})", given.join(", ")) };
            for (number, (at, rule)) in group.iter().enumerate() {
                let Some(refr) = named(rule) else { continue };
                let (range, place) = (edit::range(refr.span()), Location::of(refr.span()));
                let own = format!("__{number}_{name}");
                parts.push(format!("{{__way | __way := {own}{given}}}"));
                edits.get_mut(*at).into_iter().for_each(|edits| {
                    edits.push(Edit {
                        range: range.clone(),
                        text: own.clone(),
                        place: place.clone(),
                    });
                });
            }
            let all = format!("data.countersign.values.one({})", parts.join(" | "));
            parts = vec![all];
            if !given.is_empty() {
                parts.push(given);
            }
        }
        let (Some(value), Some((at, rule))) = (parts.first(), group.last()) else { continue };
        let given = parts.get(1).map_or("", String::as_str);
        let (text, place) = (format!("\n{name}{given} := {value}\n"), Location::of(rule.span()));
        if let (Some(edits), Some(file)) = (edits.get_mut(*at), files.get(*at)) {
            let end = file.text.len();
            edits.push(Edit { range: end..end, text, place });
        }
    }
    let rewritten = files.iter().zip(edits).map(|(file, edits)| RegoFile {
        path: file.path.clone(),
        text: edit::apply(&file.text, edits),
    });
    Ok(rewritten.collect())
}

/// What a complete rule, a function or an object is called.
fn named(rule: &Rule) -> Option<&Expr> {
    match rule {
        Rule::Spec { head: RuleHead::Compr { refr, .. } | RuleHead::Func { refr, .. }, .. } => {
            Some(refr.as_ref())
        }
        _ => None,
    }
}

fn arguments(rule: &Rule) -> &[Ref<Expr>] {
    match rule {
        Rule::Spec { head: RuleHead::Func { args, .. }, .. } => args,
        _ => &[],
    }
}

/// `o[k] := v if …` becomes `__pairs_o contains [k, v] if …`.
fn pair(rule: &Rule, name: &str) -> Option<Edit> {
    let Rule::Spec { head: RuleHead::Compr { refr, assign, .. }, .. } = rule else { return None };
    let Expr::RefBrack { index, .. } = refr.as_ref() else { return None };
    let whole = edit::range(refr.span());
    let end = assign.as_ref().map_or(whole.end, |assign| edit::range(assign.value.span()).end);
    let value = assign.as_ref().map_or("true", |assign| edit::text(assign.value.span()));
    let text = format!("__pairs_{name} contains [{}, {value}]", edit::text(index.span()));
    Some(Edit { range: whole.start..end, text, place: Location::of(refr.span()) })
}

/// Whether two definitions may hold at once with different values.
fn may_conflict(group: &[(usize, &Rule)]) -> bool {
    let mut values = group.iter().flat_map(|(_, rule)| values(rule));
    let first = values.next().flatten();
    let alike = first.is_some() && values.all(|value| value == first);
    group.len() > 1 && !alike && !told_apart(group)
}

/// The literals that a rule may come to; `None` for what is none.
fn values(rule: &Rule) -> Vec<Option<&str>> {
    let Rule::Spec { head, bodies, .. } = rule else { return Vec::new() };
    let assign = match head {
        RuleHead::Compr { assign, .. } | RuleHead::Func { assign, .. } => assign.as_ref(),
        RuleHead::Set { .. } => None,
    };
    let others = bodies.iter().filter(|body| body.is_else).map(|body| body.assign.as_ref());
    std::iter::once(assign).chain(others).map(literal).collect()
}

fn literal(assign: Option<&RuleAssign>) -> Option<&str> {
    match assign {
        None => Some("true"),
        Some(assign) => is_literal(&assign.value).then(|| edit::text(assign.value.span())),
    }
}

/// Whether the same argument is another literal in each definition.
fn told_apart(group: &[(usize, &Rule)]) -> bool {
    let fewest = group.iter().map(|(_, rule)| arguments(rule).len()).min().unwrap_or(0);
    (0..fewest).any(|at| {
        let mut texts = Vec::new();
        group.iter().filter_map(|(_, rule)| arguments(rule).get(at)).all(|argument| {
            let text = edit::text(argument.span());
            let new = is_literal(argument) && !texts.contains(&text);
            texts.push(text);
            new
        })
    })
}

fn is_literal(value: &Expr) -> bool {
    matches!(
        value,
        Expr::String { .. }
            | Expr::RawString { .. }
            | Expr::Number { .. }
            | Expr::Bool { .. }
            | Expr::Null { .. }
    )
}
