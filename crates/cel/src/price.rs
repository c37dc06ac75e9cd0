//! [`Price`], the cost of a call at run time, in the units and by the rules of cel-go.

use crate::cost::{CHARACTER, LIST, PATTERN};
use crate::value::Value;

/// The cost of a call, by the sizes of its arguments and its result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Price {
    Fixed(u64),
    /// The size of an argument times a factor, rounded up.
    Argument(usize, f64),
    /// The size of the result times a factor, rounded up.
    Result(f64),
    /// The traversal of the first argument.
    Traversal,
    /// A match of the first argument with a pattern.
    Match,
    /// A search for the second argument in the first.
    Search,
    /// The size of the smaller of two arguments.
    Smaller,
    /// The size of both arguments.
    Both,
    /// A list of the size of the result.
    NewList,
    /// A list of the items of the first argument's lists.
    Flatten,
    /// The comparison of all pairs of items of an argument.
    Pairs(usize),
    /// The comparison of the items of two arguments, this many times.
    Sets(u64),
    ContainsIp {
        parses: bool,
    },
    ContainsCidr {
        parses: bool,
    },
    /// A match with the pattern of a format.
    Validation,
    /// The requirements of a selector.
    Selector,
}

/// The price of a function, with the overload if there is only one.
pub(crate) fn price(name: &str, overload: Option<&str>) -> Price {
    let by_overload = match overload.unwrap_or_default() {
        "list_slice" | "lists_range" | "list_reverse" => Some(Price::NewList),
        "list_flatten" | "list_flatten_int" => Some(Price::Flatten),
        "list_distinct" => Some(Price::Pairs(0)),
        "list_sets_contains_list" | "list_sets_intersects_list" => Some(Price::Sets(1)),
        "list_sets_equivalent_list" => Some(Price::Sets(2)),
        overload if overload.ends_with("_sort") => Some(Price::Pairs(0)),
        overload if overload.ends_with("_sortByAssociatedKeys") => Some(Price::Pairs(1)),
        _ => None,
    };
    by_overload.or_else(|| of_kubernetes(name, overload)).unwrap_or_else(|| of_standard(overload))
}

fn of_kubernetes(name: &str, overload: Option<&str>) -> Option<Price> {
    let parses = overload.is_some_and(|overload| overload.ends_with("_string"));
    Some(match name {
        "check" => Price::Fixed(350_000),
        "fieldSelector" | "labelSelector" => Price::Selector,
        "isSorted" | "sum" | "max" | "min" | "indexOf" | "lastIndexOf" | "includes" => Price::Traversal,
        "url" | "lowerAscii" | "upperAscii" | "substring" | "trim" => Price::Argument(0, CHARACTER),
        "replace" | "split" | "ip.isCanonical" => Price::Argument(0, 2.0 * CHARACTER),
        "join" => Price::Result(2.0 * CHARACTER),
        "find" | "findAll" => Price::Match,
        "ip" if overload == Some("cidr_ip") => Price::Fixed(1),
        "cidr" | "isIP" | "isCIDR" | "ip" | "quantity" | "isQuantity" | "semver" | "isSemver" => {
            Price::Argument(0, CHARACTER)
        }
        "containsIP" => Price::ContainsIp { parses },
        "containsCIDR" => Price::ContainsCidr { parses },
        "validate" => Price::Validation,
        _ => return None,
    })
}

fn of_standard(overload: Option<&str>) -> Price {
    match overload.unwrap_or_default() {
        "starts_with_string" | "ends_with_string" => Price::Argument(1, CHARACTER),
        "string_to_bytes" | "bytes_to_string" | "strings_quote" | "string_format" => {
            Price::Argument(0, CHARACTER)
        }
        "in_list" => Price::Argument(1, 1.0),
        "less_string"
        | "greater_string"
        | "less_equals_string"
        | "greater_equals_string"
        | "less_bytes"
        | "greater_bytes"
        | "less_equals_bytes"
        | "greater_equals_bytes" => Price::Smaller,
        "add_string" | "add_bytes" => Price::Both,
        "matches" | "matches_string" => Price::Match,
        "contains_string" => Price::Search,
        _ => Price::Fixed(1),
    }
}

fn scaled(size: u64, factor: f64) -> u64 {
    (size as f64 * factor).ceil() as u64
}

impl Price {
    /// The times that a call may visit the parts of its arguments; `None` if it does not go into them.
    pub(crate) fn visits(self, arguments: &[Value<'_>]) -> Option<u64> {
        let size = |index: usize| arguments.get(index).map_or(1, Value::size);
        match self {
            Price::Traversal | Price::Flatten | Price::Argument(..) => Some(1),
            Price::Pairs(index) => Some(size(index)),
            Price::Sets(factor) => Some(size(0).max(size(1)).saturating_mul(factor)),
            _ => None,
        }
    }

    /// The cost of a call with these arguments.
    pub(crate) fn of(self, arguments: &[Value<'_>], result: Option<&Value<'_>>) -> u64 {
        let size = |index: usize| arguments.get(index).map_or(1, Value::size);
        let first = || size(0);
        match self {
            Price::Fixed(cost) => cost,
            Price::Argument(index, factor) => scaled(size(index), factor),
            Price::Result(factor) => scaled(result.map_or(1, Value::size), factor),
            Price::Traversal => arguments.first().map_or(0, traversal),
            Price::Match => {
                let text = ((1.0 + first() as f64) * CHARACTER).ceil() as u64;
                text.saturating_mul(scaled(size(1), PATTERN))
            }
            Price::Search => scaled(first(), CHARACTER).saturating_mul(scaled(size(1), CHARACTER)),
            Price::Smaller => smaller(arguments),
            Price::Both => scaled(first().saturating_add(size(1)), CHARACTER),
            Price::NewList => 1 + LIST + result.map_or(1, Value::size),
            Price::Flatten => {
                let depth = match arguments.get(1) {
                    Some(Value::Int(depth)) if *depth >= 0 => *depth as f64,
                    _ => 1.0,
                };
                ((first() as f64 * depth) as u64).saturating_add(1 + LIST)
            }
            Price::Pairs(index) => {
                let (size, texts) = match arguments.get(index) {
                    Some(Value::List(list)) => {
                        let first = (list.len() > 0).then(|| list.get(0).ok()).flatten();
                        (list.len() as u64, matches!(first, Some(Value::String(_) | Value::Bytes(_))))
                    }
                    _ => (1, false),
                };
                let factor = if texts { 2.0 + CHARACTER } else { 2.0 };
                ((size.saturating_mul(size) as f64 * factor) as u64).saturating_add(1 + LIST)
            }
            Price::Sets(factor) => first().saturating_mul(size(1)).saturating_mul(factor).saturating_add(1),
            Price::ContainsIp { parses } => {
                scaled(first() * 2, CHARACTER) + if parses { scaled(size(1), CHARACTER) } else { 0 }
            }
            Price::ContainsCidr { parses } => {
                let network = scaled(first() * 2, CHARACTER) + scaled(first(), CHARACTER) + 1;
                network + if parses { scaled(size(1), CHARACTER) } else { 0 }
            }
            Price::Validation => match arguments.first() {
                Some(Value::Format(format)) => {
                    let text = ((1.0 + size(1) as f64) * CHARACTER).ceil() as u64;
                    text.saturating_mul(scaled(format.pattern_size, PATTERN))
                }
                _ => 1,
            },
            Price::Selector => {
                let length = size(1);
                let requirements = scaled(scaled(length, 0.5), 50.0);
                10 + scaled(length, CHARACTER) + requirements
            }
        }
    }
}

/// The cost of a comparison for equality.
pub(crate) fn smaller(arguments: &[Value<'_>]) -> u64 {
    let [one, other] = arguments else { return 1 };
    match one {
        Value::Quantity(_)
        | Value::Ip(_)
        | Value::Cidr(_)
        | Value::Format(_)
        | Value::Url(_)
        | Value::Semver(_) => 1,
        one => scaled(one.size().min(other.size()), CHARACTER),
    }
}

/// The cost of reading a value with all that is in it.
fn traversal(value: &Value<'_>) -> u64 {
    match value {
        Value::String(text) => (text.len() as f64 * CHARACTER) as u64,
        Value::Bytes(bytes) => (bytes.len() as f64 * CHARACTER) as u64,
        Value::List(list) => list.iter().map(|item| item.map_or(1, |item| traversal(&item))).sum(),
        Value::Map(map) => {
            let entry = |key: &Value<'_>| {
                traversal(key) + map.find(key).ok().flatten().map_or(1, |value| traversal(&value))
            };
            map.keys().iter().map(entry).sum()
        }
        _ => 1,
    }
}
