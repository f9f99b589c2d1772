//! From Rego files to a [`Rule`]: parsed, looked over, compiled, and tried once.

use std::{ops::BitOr, sync::LazyLock};

use regorus::{
    Engine, Value,
    unstable::{Module, Ref, Rule as RegoRule, RuleHead},
};

use super::{
    Bundle, Location, Metadata, Reads, Rule, RuleError,
    bundle::RegoFile,
    guard, hoist, library,
    parsed::{name, parse},
    program::Program,
    refuse,
    rule::Entry,
    safety, single,
};

impl Rule {
    /// The rule `name` of the built-in library.
    ///
    /// # Errors
    /// [`RuleError::Unknown`] and [`RuleError::Parameters`].
    pub fn library(name: &str, parameters: &serde_json::Value) -> Result<Self, RuleError> {
        let file = library::find(name)?;
        let bundle = Bundle::of_text(&format!("library/{name}.rego"), file.text);
        compile(&bundle, &format!("{}{name}", library::PREFIX), parameters)
    }

    /// The rule in `package`, which `bundle` must declare; the library's packages are reserved.
    ///
    /// # Errors
    /// A [`RuleError`], with file, line and column where the text is at fault.
    pub fn load(
        bundle: &Bundle,
        package: &str,
        parameters: &serde_json::Value,
    ) -> Result<Self, RuleError> {
        library::refuse_reserved(bundle, package)?;
        compile(bundle, package, parameters)
    }
}

/// Compiles the rule in `package` with its parameters.
fn compile(
    bundle: &Bundle,
    package: &str,
    parameters: &serde_json::Value,
) -> Result<Rule, RuleError> {
    let mut engine = parse(package, &bundle.modules)?;
    let modules = engine.get_modules().clone();
    let own: Vec<&Module> =
        modules.iter().map(Ref::as_ref).filter(|module| name(module) == package).collect();
    if own.is_empty() {
        let found = modules.iter().map(|module| name(module).to_owned()).collect();
        return Err(RuleError::NoPackage { package: package.to_owned(), found });
    }
    let metadata = metadata(&own, package, parameters)?;
    let entries = entries(package, &own)?;
    modules.iter().try_for_each(|module| {
        refuse::refuse(module, &modules)?;
        safety::check(module, &modules)
    })?;
    let mut data = bundle.data.clone();
    data.insert("parameters".to_owned(), parameters.clone());
    let data = Value::from(serde_json::Value::Object(data));
    let program = rewrite_and_link(package, &bundle.modules, &entries, &data)?;
    let code = metadata.custom.code.clone().unwrap_or_else(|| package.to_lowercase());
    let reads = modules.iter().map(|module| Reads::of(module)).fold(Reads::default(), BitOr::bitor);
    let rule = Rule { package: package.to_owned(), metadata, code, entries, reads, program };
    try_once(&rule)?;
    Ok(rule)
}

/// The METADATA of the package, once the parameters are what it says.
fn metadata(
    own: &[&Module],
    package: &str,
    parameters: &serde_json::Value,
) -> Result<Metadata, RuleError> {
    let metadata = own.iter().find_map(|module| Metadata::of_package(module).transpose());
    let metadata = metadata.transpose()?.unwrap_or_default();
    let schema = metadata.custom.parameters.as_ref();
    let problems = schema.map(|schema| schema.problems(parameters)).unwrap_or_default();
    if problems.is_empty() {
        Ok(metadata)
    } else {
        Err(RuleError::Parameters { rule: package.to_owned(), problems })
    }
}

/// Which of `deny` and `warn` the package has; each must be a partial set.
fn entries(package: &str, own: &[&Module]) -> Result<Vec<Entry>, RuleError> {
    let mut entries = Vec::new();
    for (name, denies) in [("deny", true), ("warn", false)] {
        let mut heads = own.iter().flat_map(|module| &module.policy).filter_map(|rule| {
            let (refr, is_set) = match rule.as_ref() {
                RegoRule::Spec { head: RuleHead::Set { refr, .. }, .. } => (refr, true),
                RegoRule::Spec {
                    head: RuleHead::Compr { refr, .. } | RuleHead::Func { refr, .. },
                    ..
                }
                | RegoRule::Default { refr, .. } => (refr, false),
            };
            (refr.span().text() == name).then_some((refr, is_set))
        });
        match heads.clone().find(|(_, is_set)| !is_set) {
            Some((refr, _)) => {
                let detail =
                    format!("`{name}` must be a partial set: {name} contains … if {{ … }}");
                return Err(RuleError::At { at: Location::of(refr.span()), detail });
            }
            None if heads.next().is_some() => {
                entries.push(Entry { path: format!("data.{package}.{name}"), denies });
            }
            None => {}
        }
    }
    if entries.is_empty() {
        Err(RuleError::NoEntry { package: package.to_owned() })
    } else {
        Ok(entries)
    }
}

/// Compiles what the files mean in OPA, which takes some rewriting.
fn rewrite_and_link(
    package: &str,
    files: &[RegoFile],
    entries: &[Entry],
    data: &Value,
) -> Result<Program, RuleError> {
    let silent = each(package, files, guard::silence)?;
    // As it is written first, so that mistakes are shown where they stand.
    link(parse(package, &silent)?, package, entries, data)?;
    let single = each(package, &as_in_opa(package, &silent)?, single::definitions)?;
    let guarded = each(package, &single::rules(package, &single)?, guard::guard)?;
    link(parse(package, &guarded)?, package, entries, data)
}

/// The files with what both of the engine's ways to run them take otherwise than OPA.
pub(super) fn as_in_opa(package: &str, files: &[RegoFile]) -> Result<Vec<RegoFile>, RuleError> {
    let mut settled = each(package, files, guard::settle)?;
    settled.push(RegoFile { path: VALUES.to_owned(), text: single::VALUES.to_owned() });
    let hoisted = hoist::hoist(package, &settled)?.unwrap_or(settled);
    each(package, &hoisted, |file, module| {
        if file.path == VALUES { file.clone() } else { single::objects(file, module) }
    })
}

fn each(
    package: &str,
    files: &[RegoFile],
    rewrite: fn(&RegoFile, &Module) -> RegoFile,
) -> Result<Vec<RegoFile>, RuleError> {
    let mut engine = parse(package, files)?;
    let modules = engine.get_modules();
    Ok(files.iter().zip(modules).map(|(file, module)| rewrite(file, module)).collect())
}

fn link(
    mut engine: Engine,
    package: &str,
    entries: &[Entry],
    data: &Value,
) -> Result<Program, RuleError> {
    let refused = |text: String| RuleError::from_engine(package, &text);
    engine.add_data(data.clone()).map_err(|error| refused(format!("{error:#}")))?;
    let paths: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
    let main = paths.first().copied().unwrap_or_default();
    let policy = engine
        .compile_with_entrypoint(&main.into())
        .map_err(|error| refused(format!("{error:#}")))?;
    Program::compile(&policy, &paths, data.clone()).map_err(refused)
}

/// Some mistakes show only when a rule runs, so it runs on an input like the real ones.
fn try_once(rule: &Rule) -> Result<(), RuleError> {
    let refused = |detail: String| RuleError::Engine { rule: rule.package.clone(), detail };
    match rule.evaluate(&SAMPLE) {
        Ok(_) => Ok(()),
        Err(fault) => Err(refused(format!("on a sample input, {fault}"))),
    }
}

/// Where the functions are that the rewritten files call.
const VALUES: &str = "countersign.values";

/// An input with every member that inputs have.
#[expect(clippy::expect_used, reason = "any rule that loads shows that the text is read")]
static SAMPLE: LazyLock<Value> = LazyLock::new(|| {
    Value::from_json_str(include_str!("../../fixtures/policy/input.json"))
        .expect("the sample is JSON")
});
