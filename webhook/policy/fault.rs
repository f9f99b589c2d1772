//! Why a rule gave no verdict. All of these deny (P7).

use std::time::Duration;

use regorus::{Value, rvm::vm::VmError};

use crate::name::Code;

/// Why an evaluation gave no verdict; none of them goes away by trying again.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RuleFault {
    /// `deny` or `warn` has no value, which a set of violations always has.
    #[error("the rule is undefined for this input")]
    Undefined,
    /// The rule's result is not what rules return.
    #[error("the rule returned {found}, but {expected}")]
    WrongType { expected: &'static str, found: String },
    /// Two values at once where Rego has one.
    #[error(
        "a rule, function or object of it has two different values at once, which is a conflict; \
         let only one of them hold"
    )]
    Conflict,
    /// The engine stopped with an error.
    #[error("the rule went wrong: {0}")]
    Engine(String),
    /// The rule took more time than it may have.
    #[error("the rule took longer than {0:?}")]
    Timeout(Duration),
    /// The rule took more steps than it may.
    #[error("the rule took more than {0} steps")]
    Instructions(usize),
    /// The rule took more memory than it may have.
    #[error("the rule took more than {0} bytes of memory")]
    Memory(u64),
}

impl RuleFault {
    /// The reason code of a denial for this fault.
    pub fn code(&self) -> Code {
        match self {
            Self::Undefined => Code::PolicyUndefined,
            Self::WrongType { .. } | Self::Conflict | Self::Engine(_) => Code::PolicyError,
            Self::Timeout(_) | Self::Instructions(_) => Code::PolicyTimeout,
            Self::Memory(_) => Code::PolicyMemory,
        }
    }

    /// Whether it might have gone well with more to use.
    pub(super) fn is_of_limits(&self) -> bool {
        matches!(self, Self::Timeout(_) | Self::Instructions(_) | Self::Memory(_))
    }

    pub(super) fn wrong(expected: &'static str, found: &Value) -> Self {
        Self::WrongType { expected, found: cut(&found.to_string()) }
    }

    /// A panic of the engine, which is its bug and our denial.
    pub(super) fn panicked() -> Self {
        Self::Engine("the engine panicked".to_owned())
    }
}

impl From<VmError> for RuleFault {
    fn from(error: VmError) -> Self {
        match error {
            VmError::TimeLimitExceeded { limit, .. } => Self::Timeout(limit),
            VmError::InstructionLimitExceeded { limit, .. } => Self::Instructions(limit),
            VmError::MemoryBudgetExceeded { budget: limit, .. }
            | VmError::MemoryLimitExceeded { limit, .. } => Self::Memory(limit),
            // Of nothing else than what `single` has put there for this.
            VmError::NumericOverflow { operation: "division", .. } => Self::Conflict,
            other => Self::Engine(cut(&other.to_string())),
        }
    }
}

/// Values in messages may be of any size.
fn cut(text: &str) -> String {
    const MAX: usize = 300;
    let mut short: String = text.chars().take(MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
