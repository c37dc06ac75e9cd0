//! [`JsonPath`], the paths of printer columns, scales and selectable fields.

use klient_apimachinery::values::Map;
use serde_json::Value;

use super::data::Data;

/// A path such as `.status.conditions[?(@.type=="Ready")].status`.
///
/// Fields, `['quoted fields']`, `[0]`, `[-1]`, `[1:3]`, `[*]`, `..` and filters that compare or ask whether something
/// is there; no templates.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPath {
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Field(String),
    /// All fields of an object or items of a list.
    All,
    /// Items of a list, from, to and how many forward at a time.
    Items {
        from: Option<i64>,
        to: To,
        by: Option<i64>,
    },
    /// The value and all below it, but for numbers, booleans and what is empty.
    Descend,
    Filter(Filter),
    /// What each of these gives.
    Union(Vec<JsonPath>),
}

/// Where a range of items ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum To {
    /// After one item.
    Next,
    End,
    Index(i64),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Filter {
    Exists(JsonPath),
    Compare(Operand, Comparison, Operand),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    Path(JsonPath),
    Literal(Value),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// How many values a step may lead to; more come of paths that visit the same values many times over.
const FOUND_MAX: usize = 100_000;

/// The path cannot be followed, for example into the items of a text.
struct Astray;

impl JsonPath {
    /// The values at the path; none if it cannot be followed.
    #[cfg(test)]
    pub fn find<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        self.follow(vec![value]).unwrap_or_default()
    }

    /// The values at the path in an object.
    pub fn find_in<'a>(&self, object: &'a Map) -> Vec<&'a Value> {
        let found = match self.steps.split_first() {
            Some((Step::Field(name), rest)) => follow(rest, object.get(name).into_iter().collect()),
            Some((Step::All, rest)) => follow(rest, object.values().collect()),
            _ => Ok(Vec::new()),
        };
        found.unwrap_or_default()
    }

    fn follow<'a>(&self, values: Vec<&'a Value>) -> Result<Vec<&'a Value>, Astray> {
        follow(&self.steps, values)
    }
}

fn follow<'a>(steps: &[Step], values: Vec<&'a Value>) -> Result<Vec<&'a Value>, Astray> {
    steps.iter().try_fold(values, |values, step| step.follow(values))
}

impl Step {
    fn follow<'a>(&self, values: Vec<&'a Value>) -> Result<Vec<&'a Value>, Astray> {
        let mut found = Vec::new();
        if let Step::Union(paths) = self {
            for path in paths {
                found.extend(path.follow(values.clone())?);
                few(&found)?;
            }
            return Ok(found);
        }
        for value in values.into_iter().filter(|value| !value.is_null()) {
            match self {
                Step::Field(name) => found.extend(value.get(name)),
                Step::All => found.extend(children(value)),
                Step::Items { from, to, by } => found.extend(items(list(value)?, *from, *to, *by)?),
                Step::Descend => descend(value, &mut found),
                Step::Filter(filter) => {
                    for item in list(value)? {
                        if filter.accepts(item)? {
                            found.push(item);
                        }
                    }
                }
                Step::Union(_) => {}
            }
            few(&found)?;
        }
        Ok(found)
    }
}

fn few(found: &[&Value]) -> Result<(), Astray> {
    if found.len() > FOUND_MAX { Err(Astray) } else { Ok(()) }
}

fn list(value: &Value) -> Result<&[Value], Astray> {
    value.as_array().map(Vec::as_slice).ok_or(Astray)
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(object) => object.values().collect(),
        _ => Vec::new(),
    }
}

fn descend<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    let children = children(value);
    if !children.is_empty() || value.as_str().is_some_and(|text| !text.is_empty()) {
        found.push(value);
    }
    children.into_iter().for_each(|child| descend(child, found));
}

fn items(items: &[Value], from: Option<i64>, to: To, by: Option<i64>) -> Result<Vec<&Value>, Astray> {
    let len = i64::try_from(items.len()).map_err(|_| Astray)?;
    let index = |index: i64| if index < 0 { index.saturating_add(len) } else { index };
    let start = index(from.unwrap_or(0));
    let end = match to {
        To::Next => start.saturating_add(1),
        To::End => len,
        To::Index(to) => index(to),
    };
    if start == end {
        return Ok(Vec::new());
    }
    let range =
        (start >= 0 && start < len && end <= len && start < end).then_some((start, end)).ok_or(Astray)?;
    let step = usize::try_from(by.unwrap_or(1)).ok().filter(|step| *step > 0).ok_or(Astray)?;
    let (start, end) = (usize::try_from(range.0), usize::try_from(range.1));
    let (Ok(start), Ok(end)) = (start, end) else { return Err(Astray) };
    Ok(items[start..end].iter().step_by(step).collect())
}

impl Filter {
    fn accepts(&self, item: &Value) -> Result<bool, Astray> {
        match self {
            Filter::Exists(path) => Ok(path.follow(vec![item]).is_ok_and(|found| !found.is_empty())),
            Filter::Compare(left, comparison, right) => match (left.value(item)?, right.value(item)?) {
                (Some(left), Some(right)) => comparison.holds(left, right),
                _ => Ok(false),
            },
        }
    }
}

impl Operand {
    /// The value of one item, if there is one; two would be too many.
    fn value<'a>(&'a self, item: &'a Value) -> Result<Option<&'a Value>, Astray> {
        match self {
            Operand::Literal(value) => Ok(Some(value)),
            Operand::Path(path) => match path.follow(vec![item])?[..] {
                [] => Ok(None),
                [value] => Ok(Some(value)),
                _ => Err(Astray),
            },
        }
    }
}

impl Comparison {
    fn holds(self, left: &Value, right: &Value) -> Result<bool, Astray> {
        let order = match (Data::from(left), Data::from(right)) {
            (Data::Integer(left), Data::Integer(right)) => left.partial_cmp(&right),
            (Data::Number(left), Data::Number(right)) => left.partial_cmp(&right),
            (Data::Text(left), Data::Text(right)) => left.partial_cmp(right),
            (Data::Bool(left), Data::Bool(right)) => {
                let comparable = matches!(self, Comparison::Equal | Comparison::NotEqual);
                comparable.then_some(left.cmp(&right))
            }
            _ => None,
        };
        let order = order.ok_or(Astray)?;
        Ok(match self {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object() -> Value {
        json!({
            "metadata": {"labels": {"a.b/c": "x", "it's": "y"}},
            "spec": {"replicas": 3, "list": [1, 2, 3, 4], "null": null, "on": true},
            "status": {"conditions": [
                {"type": "Ready", "status": "True", "count": 1},
                {"type": "Live", "status": "False", "count": 5, "reason": "x)]"},
            ]},
        })
    }

    #[test]
    fn paths_find_what_client_go_finds() {
        let object = object();
        for (path, found) in [
            (".spec.replicas", json!([3])),
            ("$.spec.replicas", json!([3])),
            (".metadata.labels['a.b/c']", json!([])),
            (r".metadata.labels['a\.b/c']", json!(["x"])),
            (r".metadata.labels.a\.b/c", json!(["x"])),
            (".spec.list[0]", json!([1])),
            (".spec.list[-1]", json!([4])),
            (".spec.list[*]", json!([1, 2, 3, 4])),
            (".spec.list[1:3]", json!([2, 3])),
            (".spec.list[0:4:2]", json!([1, 3])),
            (".spec.list[:-1]", json!([1, 2, 3])),
            (".spec.list[0,2]", json!([1, 3])),
            (".spec.list[9]", json!([])),
            (".spec.replicas[0]", json!([])),
            (".spec.null", json!([null])),
            (".spec.null.x", json!([])),
            (".spec.nosuch.deep", json!([])),
            (r#".status.conditions[?(@.type=="Ready")].status"#, json!(["True"])),
            (".status.conditions[?(@.type == 'Ready')].status", json!(["True"])),
            (".status.conditions[?(@.count>2)].type", json!(["Live"])),
            (".status.conditions[?(@.count<=1)].type", json!(["Ready"])),
            (".status.conditions[?(@.count>2.5)].type", json!([])),
            (".status.conditions[?(@.reason)].type", json!(["Live"])),
            (r#".status.conditions[?(@.reason=="x)]")].type"#, json!(["Live"])),
            (r#".status.conditions[?(@.type!="Ready")].count"#, json!([5])),
            ("..count", json!([1, 5])),
            (".spec.*", json!([[1, 2, 3, 4], null, true, 3])),
            (".", json!([])),
        ] {
            let found_values = JsonPath::parse(path).unwrap().find(&object);
            assert_eq!(json!(found_values), found, "{path}");
            assert_eq!(
                json!(JsonPath::parse(path).unwrap().find_in(object.as_object().unwrap())),
                match path {
                    "..count" => json!([]),
                    _ => found,
                }
            );
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        let nested = format!(".a{}", "[?(@.a".repeat(100));
        for (path, error) in [
            (".spec[0", "unterminated array"),
            (".spec[a]", "invalid array index a"),
            (".spec[?(@.a==1)", "unclosed array expect ]"),
            (".spec[?(@.a", "unterminated filter"),
            (r#".spec[?(@.a=="x)]"#, "unterminated filter"),
            ("......", "invalid multiple recursive descent"),
            ("spec", "unrecognized identifier spec"),
            ("#", "unrecognized character in action: U+0023 '#'"),
            (".spec[99999999999999999999]", "array index 99999999999999999999 is not a number"),
            (nested.as_str(), "unterminated filter"),
        ] {
            assert_eq!(JsonPath::parse(path), Err(error.to_owned()), "{path}");
        }
    }

    #[test]
    fn a_path_that_visits_values_over_and_over_finds_nothing() {
        let deep = (0..120).fold(json!([1]), |inner, _| json!([inner, 2]));
        let path = JsonPath::parse(&"..[*]".repeat(20)).unwrap();
        assert_eq!(path.find(&deep), Vec::<&Value>::new());
    }
}
