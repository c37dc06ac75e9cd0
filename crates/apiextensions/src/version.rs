//! The order of versions, and warnings for deprecated ones.

use std::cmp::Ordering;

use klient_apimachinery::values::{Map, text_at};
use serde_json::Value;

/// Compares versions by Kubernetes' version priority: `v2`, `v1`, `v1beta2`, `v1beta1`, `v1alpha1`, then all others
/// from Z to A, listed here from the greatest.
pub fn compare(one: &str, other: &str) -> Ordering {
    match (parts(one), parts(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        (Some(_), None) => Ordering::Greater,
        (None, Some(_)) => Ordering::Less,
        (None, None) => other.cmp(one),
    }
}

/// The maturity of a version, its major number and its alpha or beta number.
fn parts(version: &str) -> Option<(Maturity, u64, u64)> {
    let rest = version.strip_prefix('v')?;
    let (major, draft) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
    let (maturity, minor) = match draft {
        "" => (Maturity::General, "0"),
        _ => match draft.strip_prefix("alpha") {
            Some(minor) => (Maturity::Alpha, minor),
            None => (Maturity::Beta, draft.strip_prefix("beta")?),
        },
    };
    let number = |text: &str| text.bytes().all(|c| c.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    Some((maturity, number(major)?, number(minor)?))
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Maturity {
    Alpha,
    Beta,
    General,
}

/// The warning for clients of a deprecated version.
pub(super) fn warning(version: &Map, spec: &Map, versions: &[&Map]) -> Option<String> {
    if version.get("deprecated") != Some(&Value::Bool(true)) {
        return None;
    }
    if let Some(warning) = version.get("deprecationWarning").and_then(Value::as_str) {
        return Some(warning.to_owned());
    }
    let (group, kind) = (text_at(spec, &["group"]), text_at(spec, &["names", "kind"]));
    let name = text_at(version, &["name"]);
    let is = |version: &Map, what: &str| version.get(what) == Some(&Value::Bool(true));
    let usable = versions.iter().filter(|other| is(other, "served") && !is(other, "deprecated"));
    let newer = usable.map(|other| text_at(other, &["name"])).filter(|other| compare(name, other).is_lt());
    let newest = newer.max_by(|one, other| compare(one, other));
    let instead = newest.map_or(String::new(), |newest| format!("; use {group}/{newest} {kind}"));
    Some(format!("{group}/{name} {kind} is deprecated{instead}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_the_order_kubernetes_gives_them() {
        let sorted =
            ["v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "v11alpha2", "foo1", "foo10"];
        let mut versions = sorted;
        versions.reverse();
        versions.sort_by(|one, other| compare(other, one));
        assert_eq!(versions, sorted);
    }
}
