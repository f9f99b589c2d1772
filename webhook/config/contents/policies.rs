//! `policies`: what must be so of which images.

use super::{Reading, rules};
use crate::{
    admission,
    config::{
        At, Problem,
        document::{Authority, Mode, Platforms, Policy},
    },
    verify::Trust,
};

/// `policies`, with their rules compiled. `trust` is absent where the authorities are in error.
pub(in crate::config) fn policies(
    reading: &mut Reading<'_>,
    policies: &[At<Policy>],
    authorities: &[At<Authority>],
    trust: Option<&Trust>,
) -> Vec<admission::Policy> {
    reading.distinct("policy", policies.iter().map(|policy| &policy.name));
    policies.iter().map(|policy| self::policy(reading, policy, authorities, trust)).collect()
}

fn policy(
    reading: &mut Reading<'_>,
    policy: &At<Policy>,
    authorities: &[At<Authority>],
    trust: Option<&Trust>,
) -> admission::Policy {
    if policy.rules.is_empty() {
        let why = "is empty, so that every image would pass; name at least one rule";
        reading.fail(policy.line, Problem::Senseless { key: "rules", why });
    }
    let name = policy.name.value.clone();
    admission::Policy {
        namespaces: reading.parse_some("match.namespaces", policy.applies.namespaces.as_ref()),
        images: reading.parse_some("match.images", policy.applies.images.as_ref()),
        rules: policy
            .rules
            .iter()
            .filter_map(|rule| rules::rule(reading, &name, rule, authorities, trust))
            .collect(),
        mode: match policy.mode {
            Mode::Enforce => admission::Mode::Enforce,
            Mode::Warn => admission::Mode::Warn,
            Mode::Audit => admission::Mode::Audit,
        },
        platforms: match policy.platforms {
            Platforms::Index => admission::Platforms::Index,
            Platforms::Every => admission::Platforms::Every,
            Platforms::IndexOrEvery => admission::Platforms::IndexOrEvery,
        },
        name,
    }
}
