//! Label selectors: `app=web,tier in (front,back),!legacy`.

use std::fmt;
use std::str::FromStr;

use crate::meta::v1::{LabelSelector, LabelSelectorRequirement};
use crate::{Str, go, validation};

mod parse;

/// A label selector: conditions on the labels of an object, all of which must hold.
///
/// ```
/// use klient_apimachinery::labels::Selector;
/// let selector: Selector = "app=web,tier in (front,back),!legacy".parse()?;
/// let labels = [("app", "web"), ("tier", "front")];
/// assert!(selector.matches(|key| labels.iter().find(|(k, _)| *k == key).map(|(_, v)| *v)));
/// # Ok::<(), klient_apimachinery::labels::InvalidSelector>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    requirements: Vec<Requirement>,
}

/// One condition of a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    key: Str,
    operator: Operator,
    values: Vec<Str>,
}

/// The comparison of a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// The label has one of the values.
    In,
    /// The label is absent or has none of the values.
    NotIn,
    /// The label has the value.
    Equals,
    /// The label is absent or has another value.
    NotEquals,
    /// The label exists.
    Exists,
    /// The label is absent.
    DoesNotExist,
    /// The label is a whole number greater than the value.
    GreaterThan,
    /// The label is a whole number less than the value.
    LessThan,
}

/// A selector that cannot be parsed; the message is the API server's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSelector(String);

impl InvalidSelector {
    pub(crate) fn new(problem: String) -> Self {
        InvalidSelector(problem)
    }

    /// The same error, preceded by what was parsed: `label selector "a=b=c": …`.
    pub fn of(self, what: &str, selector: &str) -> Self {
        InvalidSelector(format!("{what} {}: {}", go::quoted(selector), self.0))
    }
}

impl fmt::Display for InvalidSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidSelector {}

impl Selector {
    /// The selector that matches everything.
    pub const fn everything() -> Self {
        Selector { requirements: Vec::new() }
    }

    /// The selector for objects with exactly these values among their labels.
    pub fn from_set<K: Into<Str>, V: Into<Str>>(labels: impl IntoIterator<Item = (K, V)>) -> Self {
        let requirement = |(key, value): (K, V)| Requirement {
            key: key.into(),
            operator: Operator::Equals,
            values: vec![value.into()],
        };
        let mut requirements: Vec<Requirement> = labels.into_iter().map(requirement).collect();
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Selector { requirements }
    }

    /// Returns true if the selector has no requirements.
    pub fn is_everything(&self) -> bool {
        self.requirements.is_empty()
    }

    /// The requirements, sorted by key.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// Returns true if all requirements hold; `label` gives the value of a key.
    pub fn matches<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.requirements.iter().all(|requirement| requirement.matches(label(&requirement.key)))
    }
}

impl Requirement {
    /// A requirement, validated.
    ///
    /// # Errors
    ///
    /// If the key or a value is malformed, or there are too few or too many values.
    pub fn new(key: impl Into<Str>, operator: Operator, values: Vec<Str>) -> Result<Self, InvalidSelector> {
        let key = key.into();
        let mut problems = Vec::new();
        let invalid =
            |field: &str, value: &str, problem: &str| format!("{field}: Invalid value: {value}: {problem}");
        let quoted = go::quoted;
        let listed = || serde_json::json!(values.iter().map(Str::as_str).collect::<Vec<_>>()).to_string();
        let key_problems = validation::qualified_name(&key);
        if !key_problems.is_empty() {
            problems.push(invalid("key", &quoted(&key), &key_problems.join("; ")));
        }
        match operator {
            Operator::In | Operator::NotIn if values.is_empty() => {
                problems.push(invalid(
                    "values",
                    "null",
                    "for 'in', 'notin' operators, values set can't be empty",
                ));
            }
            Operator::Equals | Operator::NotEquals if values.len() != 1 => {
                problems.push(invalid(
                    "values",
                    &listed(),
                    "exact-match compatibility requires one single value",
                ));
            }
            Operator::Exists | Operator::DoesNotExist if !values.is_empty() => {
                problems.push(invalid(
                    "values",
                    &listed(),
                    "values set must be empty for exists and does not exist",
                ));
            }
            Operator::GreaterThan | Operator::LessThan => {
                if values.len() != 1 {
                    problems.push(invalid(
                        "values",
                        &listed(),
                        "for 'Gt', 'Lt' operators, exactly one value is required",
                    ));
                }
                for (index, value) in
                    values.iter().enumerate().filter(|(_, value)| value.parse::<i64>().is_err())
                {
                    problems.push(invalid(
                        &format!("values[{index}]"),
                        &quoted(value),
                        "for 'Gt', 'Lt' operators, the value must be an integer",
                    ));
                }
            }
            _ => {}
        }
        for (index, value) in values.iter().enumerate() {
            let value_problems = validation::label_value(value);
            if !value_problems.is_empty() {
                problems.push(invalid(
                    &format!("values[{index}][{key}]"),
                    &quoted(value),
                    &value_problems.join("; "),
                ));
            }
        }
        match &problems[..] {
            [] => Ok(Requirement { key, operator, values }),
            [one] => Err(InvalidSelector(one.clone())),
            many => Err(InvalidSelector(format!("[{}]", many.join(", ")))),
        }
    }

    /// The label's key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The operator.
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// The values to compare with.
    pub fn values(&self) -> &[Str] {
        &self.values
    }

    /// Returns true if the requirement holds for a label's value, or for its absence.
    pub fn matches(&self, value: Option<&str>) -> bool {
        let listed = value.is_some_and(|value| self.values.iter().any(|other| other == value));
        let number = |text: &str| text.parse::<i64>().ok();
        let against = || Some((number(value?)?, number(self.values.first()?)?));
        match self.operator {
            Operator::In | Operator::Equals => listed,
            Operator::NotIn | Operator::NotEquals => !listed,
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::GreaterThan => against().is_some_and(|(value, bound)| value > bound),
            Operator::LessThan => against().is_some_and(|(value, bound)| value < bound),
        }
    }
}

impl FromStr for Selector {
    type Err = InvalidSelector;

    fn from_str(text: &str) -> Result<Self, InvalidSelector> {
        let mut requirements = parse::selector(text)?;
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Selector { requirements })
    }
}

impl TryFrom<&LabelSelector> for Selector {
    type Error = InvalidSelector;

    fn try_from(selector: &LabelSelector) -> Result<Self, InvalidSelector> {
        let mut all = Selector::everything();
        for (key, value) in &selector.match_labels {
            all.requirements.push(Requirement::new(key, Operator::Equals, vec![value.clone()])?);
        }
        for expression in &selector.match_expressions {
            let operator = match expression.operator.as_str() {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                other => {
                    let other = go::quoted(other);
                    return Err(InvalidSelector(format!("{other} is not a valid label selector operator")));
                }
            };
            all.requirements.push(Requirement::new(&*expression.key, operator, expression.values.clone())?);
        }
        all.requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(all)
    }
}

impl TryFrom<&Selector> for LabelSelector {
    type Error = InvalidSelector;

    /// The `LabelSelector` object that selects the same.
    ///
    /// # Errors
    ///
    /// If numbers are compared, for which `LabelSelector` has no operator.
    fn try_from(selector: &Selector) -> Result<Self, InvalidSelector> {
        let mut object = LabelSelector::default();
        for Requirement { key, operator, values } in &selector.requirements {
            let unsupported =
                |name| Err(InvalidSelector(format!("\"{name}\" isn't supported in label selectors")));
            let operator = match operator {
                Operator::Equals if !object.match_labels.contains_key(key) => {
                    object.match_labels.insert(key.clone(), values.first().cloned().unwrap_or_default());
                    continue;
                }
                Operator::In | Operator::Equals => "In",
                Operator::NotIn | Operator::NotEquals => "NotIn",
                Operator::Exists => "Exists",
                Operator::DoesNotExist => "DoesNotExist",
                Operator::GreaterThan => return unsupported("gt"),
                Operator::LessThan => return unsupported("lt"),
            };
            object.match_expressions.push(LabelSelectorRequirement {
                key: key.clone(),
                operator: operator.into(),
                values: values.clone(),
                ..Default::default()
            });
        }
        Ok(object)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.requirements.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            requirement.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Requirement { key, operator, values } = self;
        let list = || {
            let mut values: Vec<&str> = values.iter().map(Str::as_str).collect();
            values.sort_unstable();
            values.join(",")
        };
        match operator {
            Operator::In => write!(f, "{key} in ({})", list()),
            Operator::NotIn => write!(f, "{key} notin ({})", list()),
            Operator::Equals => write!(f, "{key}={}", list()),
            Operator::NotEquals => write!(f, "{key}!={}", list()),
            Operator::Exists => write!(f, "{key}"),
            Operator::DoesNotExist => write!(f, "!{key}"),
            Operator::GreaterThan => write!(f, "{key}>{}", list()),
            Operator::LessThan => write!(f, "{key}<{}", list()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(selector: &str, matching: &[&[(&str, &str)]], others: &[&[(&str, &str)]]) {
        let selector: Selector = selector.parse().expect("a selector");
        let matches = |labels: &[(&str, &str)]| {
            selector.matches(|key| labels.iter().find(|(k, _)| *k == key).map(|(_, value)| *value))
        };
        for labels in matching {
            assert!(matches(labels), "{selector} should match {labels:?}");
        }
        for labels in others {
            assert!(!matches(labels), "{selector} should not match {labels:?}");
        }
    }

    #[test]
    fn every_operator_compares_as_documented() {
        check("", &[&[], &[("a", "1")]], &[]);
        check("a=1", &[&[("a", "1")]], &[&[], &[("a", "2")]]);
        check("a==1", &[&[("a", "1")]], &[&[("a", "2")]]);
        check("a!=1", &[&[], &[("a", "2")]], &[&[("a", "1")]]);
        check("a in (1, 2)", &[&[("a", "1")], &[("a", "2")]], &[&[], &[("a", "3")]]);
        check("a notin (1,2)", &[&[], &[("a", "3")]], &[&[("a", "1")]]);
        check("a", &[&[("a", "")]], &[&[]]);
        check("!a", &[&[]], &[&[("a", "")]]);
        check("a>3,a<9", &[&[("a", "5")]], &[&[("a", "3")], &[("a", "x")], &[]]);
        check("a=", &[&[("a", "")]], &[&[], &[("a", "1")]]);
        check("in in (in)", &[&[("in", "in")]], &[&[]]);
    }

    #[track_caller]
    fn refused(selector: &str, problem: &str) {
        assert_eq!(selector.parse::<Selector>().unwrap_err().to_string(), problem);
    }

    #[test]
    fn malformed_selectors_are_refused_in_the_servers_words() {
        refused("a=b=c", "found '=', expected: ',' or 'end of string'");
        refused("a,", "found '', expected: identifier after ','");
        refused("=a", "found '=', expected: !, identifier, or 'end of string'");
        refused("a in b", "unable to parse requirement: found 'b' expected: '('");
        refused("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt");
        refused("!", "unable to parse requirement: found '', expected: identifier");
        refused(
            "a>x",
            r#"unable to parse requirement: values[0]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer"#,
        );
        assert!("a=-".parse::<Selector>().unwrap_err().to_string().starts_with(
            r#"unable to parse requirement: values[0][a]: Invalid value: "-": a valid label must be"#
        ));
    }

    #[test]
    fn selectors_print_sorted() {
        let selector: Selector = "z, b in (2,1) ,!c, a!=1".parse().expect("a selector");
        assert_eq!(selector.to_string(), "a!=1,b in (1,2),!c,z");
    }
}
