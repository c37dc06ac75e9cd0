//! Formats of labels, selectors, containers and lists in cells.

use klient_apimachinery::labels::Selector;
use klient_apimachinery::meta::v1::LabelSelector;
use serde::Deserialize;
use serde_json::Value;

/// The cell of an absent list, map or string.
pub(super) const NONE: &str = "<none>";
/// The cell of a field without a value.
pub(super) const UNSET: &str = "<unset>";

/// The string in a field, empty if there is none.
pub(super) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// A string, or a placeholder if it is empty.
pub(super) fn or<'a>(text: &'a str, absent: &'a str) -> &'a str {
    if text.is_empty() { absent } else { text }
}

/// A resource or a kind with its group: `deployments.apps`.
pub(super) fn qualified(name: &str, group: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{name}.{group}") }
}

/// Strings of a list, joined by commas.
pub(super) fn joined(items: &[Value]) -> String {
    let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
    items.join(",")
}

/// Items joined by commas; those beyond a limit are only counted.
pub(super) fn first_few(items: &[String], shown: usize, separator: &str) -> String {
    match items.get(..shown) {
        Some(first) if items.len() > shown => {
            format!("{} + {} more...", first.join(separator), items.len() - shown)
        }
        _ => items.join(separator),
    }
}

/// A map of labels: `app=web,tier=front`.
pub(super) fn labels(labels: &Value) -> String {
    let pair = |(key, value): (&String, &Value)| format!("{key}={}", value.as_str().unwrap_or_default());
    let pairs: Vec<String> = labels.as_object().into_iter().flatten().map(pair).collect();
    if pairs.is_empty() { NONE.to_owned() } else { pairs.join(",") }
}

/// A label selector: `app=web,tier in (back,front)`.
pub(super) fn selector(selector: &Value) -> String {
    match parsed(selector) {
        Some(selector) if selector.is_everything() => NONE.to_owned(),
        Some(selector) => selector.to_string(),
        None => "<error>".to_owned(),
    }
}

/// A label selector as printed for Deployments: empty instead of `<none>`.
pub(super) fn bare_selector(selector: &Value) -> String {
    parsed(selector).map_or_else(|| "<invalid>".to_owned(), |selector| selector.to_string())
}

fn parsed(selector: &Value) -> Option<Selector> {
    if selector.is_null() {
        return Some(Selector::everything());
    }
    let selector = LabelSelector::deserialize(selector).ok()?;
    Selector::try_from(&selector).ok()
}

/// The names and the images of containers.
pub(super) fn containers(containers: &[Value]) -> [Value; 2] {
    ["name", "image"].map(|field| {
        let texts: Vec<&str> = containers.iter().map(|container| text(container, field)).collect();
        texts.join(",").into()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_print_as_they_are_written() {
        for (value, expected, bare) in [
            (json!(null), "<none>", ""),
            (json!({}), "<none>", ""),
            (json!({"matchLabels": {"b": "2", "a": ""}}), "a=,b=2", "a=,b=2"),
            (
                json!({
                    "matchLabels": {"m": "1"},
                    "matchExpressions": [
                        {"key": "z", "operator": "Exists"},
                        {"key": "a", "operator": "In", "values": ["y", "x"]},
                    ],
                }),
                "a in (x,y),m=1,z",
                "a in (x,y),m=1,z",
            ),
            (json!({"matchExpressions": [{"key": "a", "operator": "Near"}]}), "<error>", "<invalid>"),
            (json!("app=web"), "<error>", "<invalid>"),
        ] {
            assert_eq!((&*selector(&value), &*bare_selector(&value)), (expected, bare));
        }
    }

    #[test]
    fn long_lists_are_cut_and_counted() {
        let items: Vec<String> = ["a", "b", "c"].map(String::from).to_vec();
        for (shown, expected) in [(4, "a,b,c"), (3, "a,b,c"), (2, "a,b + 1 more..."), (0, " + 3 more...")] {
            assert_eq!(first_few(&items, shown, ","), expected);
        }
    }
}
