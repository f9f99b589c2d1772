//! Rego files as the engine reads them.

use std::num::NonZeroU32;

use regorus::{Engine, PolicyLengthConfig, unstable::Module};

use super::{RuleError, bundle::RegoFile, depth};

/// An engine with all files of a rule.
pub(super) fn parse(package: &str, files: &[RegoFile]) -> Result<Engine, RuleError> {
    let mut engine = Engine::new();
    engine.set_strict_builtin_errors(false);
    engine.set_policy_length_config(PolicyLengthConfig {
        max_col: COLUMNS_MAX,
        ..PolicyLengthConfig::default()
    });
    for file in files {
        depth::check(file, COLUMNS_MAX)?;
        engine
            .add_policy(file.path.clone(), file.text.clone())
            .map_err(|error| RuleError::from_engine(package, &format!("{error:#}")))?;
    }
    Ok(engine)
}

/// The package of a module, as it is written.
pub(super) fn name(module: &Module) -> &str {
    module.package.refr.span().text()
}

/// Generated code has long lines, and hoisting makes lines longer.
const COLUMNS_MAX: NonZeroU32 = NonZeroU32::new(16_384).unwrap();
