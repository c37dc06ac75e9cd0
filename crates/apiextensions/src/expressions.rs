//! Checks of the rules of a definition: their expressions, types and costs.

use std::sync::Arc;

use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::{Map, text_at};
use klient_cel::Schema;
use serde_json::Value;

use super::path::{child, key};
use super::rules::{self, Rule};
use super::schema::list;

/// The cost of a rule, at most.
const RULE_COST: u64 = 10_000_000;

/// The cost of all rules of a schema, at most.
const TOTAL_COST: u64 = 100_000_000;

/// The number of the most expensive rules that are reported.
const EXPENSIVE: usize = 4;

/// The position of a schema, for the rules in it.
#[derive(Clone, Debug)]
pub(super) struct Position {
    /// The schema as expressions see it, unless they cannot.
    declared: Option<Arc<Schema>>,
    /// The number of values that an object may have here, if there is a limit.
    cardinality: Option<u64>,
    /// The path of a list whose items cannot be compared with old ones.
    uncorrelatable: Option<String>,
}

impl Position {
    /// The position of the schema of an object.
    pub(super) fn root(schema: &Map) -> Position {
        let declared = Some(Arc::new(Schema::parse(schema, true)));
        Position { declared, cardinality: Some(1), uncorrelatable: None }
    }

    /// The position of a field of the object at a path.
    pub(super) fn property(&self, schema: &Map, name: &str, path: &str) -> Position {
        let declared = self.declared.as_ref().and_then(|declared| declared.property(name)).cloned();
        let is_correlatable =
            matches!(text_at(schema, &["x-kubernetes-map-type"]), "" | "atomic" | "granular");
        let uncorrelatable = self.uncorrelatable.clone();
        let uncorrelatable = uncorrelatable.or_else(|| (!is_correlatable).then(|| path.to_owned()));
        Position { declared, cardinality: self.below(schema), uncorrelatable }
    }

    /// The position of the values of a map.
    pub(super) fn values(&self, schema: &Map) -> Position {
        let declared = self.declared.as_ref().and_then(|declared| declared.items()).cloned();
        Position { declared, cardinality: self.below(schema), uncorrelatable: self.uncorrelatable.clone() }
    }

    /// The position of the items of a list at a path.
    pub(super) fn items(&self, schema: &Map, path: &str) -> Position {
        let mut position = self.values(schema);
        if text_at(schema, &["x-kubernetes-list-type"]) != "map" {
            position.uncorrelatable.get_or_insert_with(|| path.to_owned());
        }
        position
    }

    /// The number of values below a schema.
    fn below(&self, schema: &Map) -> Option<u64> {
        let limit = |name: &str| {
            let limit = schema.get(name).and_then(Value::as_i64)?;
            Some(u64::try_from(limit).unwrap_or_default())
        };
        let factor = match text_at(schema, &["type"]) {
            "object" if schema.contains_key("additionalProperties") => limit("maxProperties")?,
            "array" => limit("maxItems")?,
            _ => 1,
        };
        self.cardinality.map(|cardinality| cardinality.saturating_mul(factor))
    }
}

/// The rules of a schema with what is below it.
#[derive(Debug, Default)]
pub(super) struct Expressions {
    pub(super) errors: Vec<FieldError>,
    total: u64,
    /// The most expensive rules, the dearest first.
    expensive: Vec<(u64, String)>,
    /// True if the cost of a single rule does not matter, because the schema was accepted before.
    accepted: bool,
}

impl Expressions {
    /// No rules yet. The cost of single rules does not matter for a schema that was `accepted` before.
    pub(super) fn new(accepted: bool) -> Expressions {
        Expressions { accepted, ..Expressions::default() }
    }

    /// Checks the rules of a schema.
    pub(super) fn check(&mut self, schema: &Map, position: &Position, path: &str) {
        let path = child(path, "x-kubernetes-validations");
        let declared = position.declared.as_ref().filter(|declared| declared.is_declared());
        let Some(declared) = declared else {
            let message = "internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations";
            return self.errors.push(FieldError::internal(path, message));
        };
        for (index, rule) in list(schema, "x-kubernetes-validations") {
            self.rule(rule, schema, declared, position, &key(&path, index));
        }
    }

    fn rule(&mut self, rule: &Map, schema: &Map, declared: &Arc<Schema>, position: &Position, path: &str) {
        let compiled = Rule::compile(rule, schema, declared);
        let at_rule = child(path, "rule");
        let cardinality = position.cardinality.unwrap_or_else(|| declared.max_cardinality());
        let cost = match &compiled.expression {
            Some(Ok(expression)) => expression.cost().max.saturating_mul(cardinality),
            _ => 0,
        };
        if cost > RULE_COST && !self.accepted {
            self.errors.push(FieldError::forbidden(
                at_rule.as_str(),
                too_costly("estimated rule cost", cost, RULE_COST),
            ));
        }
        self.observe(&at_rule, cost);
        if let Some(Err(message)) = &compiled.expression {
            let shown = rules::shown(rule);
            self.errors.push(FieldError::invalid_shown(at_rule.as_str(), shown, message.as_str()));
        }
        let at_message = child(path, "messageExpression");
        match &compiled.message_expression {
            Some(Ok(expression)) => {
                let cost = expression.cost().max;
                if cost > RULE_COST && !self.accepted {
                    let message = too_costly("estimated messageExpression cost", cost, RULE_COST);
                    self.errors.push(FieldError::forbidden(at_message.as_str(), message));
                }
                self.observe(&at_message, cost);
            }
            Some(Err(message)) => {
                let shown = rules::shown(rule);
                self.errors.push(FieldError::invalid_shown(at_message, shown, message.as_str()));
            }
            None => {}
        }
        if compiled.uses_old_self() {
            if let Some(within) = &position.uncorrelatable {
                let message = format!(
                    "oldSelf cannot be used on the uncorrelatable portion of the schema within {within}"
                );
                self.errors.push(FieldError::invalid(at_rule, compiled.rule.as_str(), message));
            }
        } else if let Some(optional) = compiled.optional_old_self {
            let message = "may not be set if oldSelf is not used in rule";
            self.errors.push(FieldError::invalid(child(path, "optionalOldSelf"), optional, message));
        }
    }

    fn observe(&mut self, path: &str, cost: u64) {
        self.total = self.total.saturating_add(cost);
        if cost >= TOTAL_COST / 100 {
            self.expensive.push((cost, path.to_owned()));
            self.expensive.sort_by_key(|expensive| std::cmp::Reverse(expensive.0));
            self.expensive.truncate(EXPENSIVE);
        }
    }

    /// The errors of the total cost; `path` is that of the schema.
    pub(super) fn total_errors(&self, path: &str) -> Vec<FieldError> {
        if self.total <= TOTAL_COST {
            return Vec::new();
        }
        let message =
            "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
        let each = self.expensive.iter().map(|(_, path)| FieldError::forbidden(path.as_str(), message));
        let total = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
        each.chain([FieldError::forbidden(path, too_costly(total, self.total, TOTAL_COST))]).collect()
    }
}

fn too_costly(what: &str, cost: u64, limit: u64) -> String {
    let factor = cost as f64 / limit as f64;
    let factor = if factor > 100.0 {
        "more than 100x".to_owned()
    } else if factor < 1.5 {
        format!("{factor:.6}x")
    } else {
        format!("{factor:.1}x")
    };
    format!(
        "{what} exceeds budget by factor of {factor} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"
    )
}
