//! The built-in rules: Rego files in `policies/`, compiled into the binary.

use super::{Bundle, Location, RuleError, parsed};

/// Packages below it are ours alone.
pub(super) const PREFIX: &str = "countersign.";

/// One file of the library.
#[derive(Clone, Copy, Debug)]
pub struct LibraryRule {
    /// The name in `use:`.
    pub name: &'static str,
    /// Its Rego.
    pub text: &'static str,
}

/// All rules of the library, by name.
pub const LIBRARY: [LibraryRule; 9] = [
    LibraryRule { name: "approved", text: include_str!("../../policies/approved.rego") },
    LibraryRule { name: "attested", text: include_str!("../../policies/attested.rego") },
    LibraryRule { name: "built", text: include_str!("../../policies/built.rego") },
    LibraryRule { name: "contact", text: include_str!("../../policies/contact.rego") },
    LibraryRule { name: "fresh", text: include_str!("../../policies/fresh.rego") },
    LibraryRule { name: "pinned", text: include_str!("../../policies/pinned.rego") },
    LibraryRule { name: "profile", text: include_str!("../../policies/profile.rego") },
    LibraryRule { name: "registries", text: include_str!("../../policies/registries.rego") },
    LibraryRule {
        name: "vulnerabilities",
        text: include_str!("../../policies/vulnerabilities.rego"),
    },
];

pub(super) fn find(name: &str) -> Result<LibraryRule, RuleError> {
    LIBRARY.into_iter().find(|rule| rule.name == name).ok_or_else(|| RuleError::Unknown {
        name: name.to_owned(),
        known: LIBRARY.iter().map(|rule| rule.name).collect(),
    })
}

/// Refuses a user's file that declares a package of ours, which its readers would take for ours.
pub(super) fn refuse_reserved(bundle: &Bundle, package: &str) -> Result<(), RuleError> {
    let mut engine = parsed::parse(package, &bundle.modules)?;
    for module in engine.get_modules() {
        let name = parsed::name(module);
        let is = |root: &str| name == root || name.starts_with(&format!("{root}."));
        if is("countersign") || is("parameters") {
            return Err(RuleError::At {
                at: Location::of(&module.package.span),
                detail: format!("package {name} is reserved; call yours by another name"),
            });
        }
    }
    Ok(())
}
