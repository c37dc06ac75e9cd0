//! [`Validations`], the compiled rules of a schema, and their evaluation on objects.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use klient_apimachinery::go::quoted;
use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::{Map, list_at, text_at};
use klient_cel::{Evaluation, EvaluationError, Expression, Limits, Output, Schema, Variable};
use serde_json::Value;

use super::data::Data;
use super::path::{child, key};
use super::ratcheting::CorrelatedObject;
use super::rules::Rule;
use super::schema::{flag, list, schema_at, schemas};
use super::structural::Structural;
use super::validation_result::NO_PATH;

/// The cost of the evaluations for one object.
const BUDGET: u64 = 10_000_000;

/// The length of a message.
const MESSAGE_MAX: usize = 5 * 1024;

/// The compiled rules of a schema and of those below it.
#[derive(Debug)]
pub(super) struct Validations {
    rules: Vec<Rule>,
    /// The type of the values, as errors show it.
    ty: String,
    properties: BTreeMap<String, Validations>,
    additional: Option<Box<Validations>>,
    items: Option<Box<Validations>>,
}

impl Validations {
    /// Compiles the rules of a schema, which is that of a `resource` or of a part of one; `None` if there are none.
    pub(super) fn compile(schema: &Map, resource: bool) -> Option<Validations> {
        compile(schema, &Arc::new(Schema::parse(schema, resource)))
    }

    /// Evaluates the rules on an object, with the old one if there is one.
    pub(super) fn validate(&self, object: &Map, old: Option<&Map>, schema: &Structural) -> Outcome {
        self.validate_within(object, old, schema, BUDGET)
    }

    /// Evaluates the rules on an object, up to a cost.
    pub(super) fn validate_within(
        &self,
        object: &Map,
        old: Option<&Map>,
        schema: &Structural,
        budget: u64,
    ) -> Outcome {
        let mut run = Run::new(budget);
        let old_value = old.map_or(Before::None, Before::Object);
        let correlated = old.map(|old| Correlation {
            old: CorrelatedObject { value: Data::Object(old), schema },
            new: Data::Object(object),
        });
        let correlated = correlated.map(Compared::new);
        let ratchet = Ratchet { current: correlated.as_ref(), parent: None, is_root: true };
        run.visit(self, Item { new: Now::Object(object), old: old_value, ratchet, schema: Some(schema) }, "");
        run.outcome
    }

    /// Evaluates the rules on a default, whose errors are never tolerated.
    pub(super) fn validate_default(
        &self,
        value: &Value,
        old: Option<&Value>,
        schema: &Structural,
        path: &str,
    ) -> Outcome {
        let mut run = Run::new(BUDGET);
        let ratchet = Ratchet { current: None, parent: None, is_root: false };
        run.visit(
            self,
            Item { new: Now::Value(value), old: Before::of(old), ratchet, schema: Some(schema) },
            path,
        );
        run.outcome
    }
}

fn compile(schema: &Map, declared: &Arc<Schema>) -> Option<Validations> {
    let rules = list(schema, "x-kubernetes-validations");
    let rules: Vec<Rule> = rules.map(|(_, rule)| Rule::compile(rule, schema, declared)).collect();
    let mut properties = BTreeMap::new();
    for (name, property) in schemas(schema, "properties") {
        let Some(declared) = declared.property(name).filter(|declared| declared.is_declared()) else {
            continue;
        };
        if let Some(validations) = compile(property, declared) {
            properties.insert(name.clone(), validations);
        }
    }
    let below = |name: &str| compile(schema_at(schema, name)?, declared.items()?).map(Box::new);
    let (additional, items) = (below("additionalProperties"), below("items"));
    let is_empty = rules.is_empty() && properties.is_empty() && additional.is_none() && items.is_none();
    let ty = if flag(schema, "x-kubernetes-int-or-string") { "" } else { text_at(schema, &["type"]) };
    (!is_empty).then(|| Validations { rules, ty: ty.to_owned(), properties, additional, items })
}

/// The result of evaluating rules.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) errors: Vec<FieldError>,
    /// Errors of values that have not changed.
    pub(super) ratcheted: Vec<FieldError>,
    /// The cost that is left; `None` if it was exceeded.
    pub(super) rest: Option<u64>,
}

/// A new value.
#[derive(Clone, Copy)]
enum Now<'a> {
    Object(&'a Map),
    Value(&'a Value),
}

/// An old value.
#[derive(Clone, Copy)]
enum Before<'a> {
    None,
    Object(&'a Map),
    Value(&'a Value),
}

impl<'a> Before<'a> {
    fn of(value: Option<&'a Value>) -> Self {
        value.filter(|value| !value.is_null()).map_or(Before::None, Before::Value)
    }

    fn variable(self) -> Variable<'a> {
        match self {
            Before::None => Variable::Absent,
            Before::Object(object) => Variable::Object(object),
            Before::Value(value) => Variable::Json(value),
        }
    }

    fn object(self) -> Option<&'a Map> {
        match self {
            Before::None => None,
            Before::Object(object) => Some(object),
            Before::Value(value) => value.as_object(),
        }
    }
}

/// A new value with the old one that corresponds to it.
#[derive(Clone, Copy)]
struct Correlation<'a> {
    old: CorrelatedObject<'a>,
    new: Data<'a>,
}

/// A correlation whose values are compared when that is first asked for. Items that correspond to none ask for their whole
/// list, all of them.
struct Compared<'a> {
    correlation: Correlation<'a>,
    is_unchanged: OnceCell<bool>,
}

impl<'a> Compared<'a> {
    fn new(correlation: Correlation<'a>) -> Self {
        Compared { correlation, is_unchanged: OnceCell::new() }
    }

    fn is_unchanged(&self) -> bool {
        let Correlation { old, new } = self.correlation;
        *self.is_unchanged.get_or_init(|| old.is(new))
    }
}

/// The values whose equality decides if errors are tolerated.
#[derive(Clone, Copy)]
struct Ratchet<'a> {
    current: Option<&'a Compared<'a>>,
    /// The next value above that corresponds to an old one.
    parent: Option<&'a Compared<'a>>,
    is_root: bool,
}

impl<'a> Ratchet<'a> {
    fn tolerates(self) -> bool {
        self.current.or(self.parent).is_some_and(Compared::is_unchanged)
    }

    /// The ratchet of a value below, which corresponds to `below`.
    fn to(self, below: Option<&'a Compared<'a>>) -> Ratchet<'a> {
        Ratchet { current: below, parent: self.current, is_root: false }
    }
}

/// A value to validate.
#[derive(Clone, Copy)]
struct Item<'a> {
    new: Now<'a>,
    old: Before<'a>,
    ratchet: Ratchet<'a>,
    schema: Option<&'a Structural>,
}

/// The end of an evaluation, after which there are no others.
struct Exhausted;

struct Run {
    outcome: Outcome,
}

impl Run {
    fn new(budget: u64) -> Self {
        Run { outcome: Outcome { rest: Some(budget), ..Outcome::default() } }
    }

    fn visit(&mut self, validations: &Validations, item: Item<'_>, path: &str) {
        if matches!(item.new, Now::Value(Value::Null)) {
            return;
        }
        if !validations.rules.is_empty() && self.rules(validations, item, path).is_err() {
            self.outcome.rest = None;
        }
        let object = match item.new {
            Now::Object(object) => object,
            Now::Value(Value::Object(object)) => object,
            Now::Value(Value::Array(items)) => return self.items(validations, item, items, path),
            Now::Value(_) => return,
        };
        let old = item.old.object();
        for (name, value) in object {
            if self.outcome.rest.is_none() {
                return;
            }
            let (additional, property) = (&validations.additional, validations.properties.get(name));
            if additional.is_none() && property.is_none() {
                continue;
            }
            let before = Before::of(old.and_then(|old| old.get(name)));
            let is_typed = item.ratchet.is_root && matches!(name.as_str(), "apiVersion" | "kind");
            let below = item.ratchet.current.filter(|_| !is_typed).and_then(|current| {
                let old = current.correlation.old.field(name)?;
                Some(Compared::new(Correlation { old, new: value.into() }))
            });
            let ratchet = match item.ratchet.current {
                _ if is_typed => Ratchet { current: None, parent: None, is_root: false },
                None => Ratchet { is_root: false, ..item.ratchet },
                Some(_) => item.ratchet.to(below.as_ref()),
            };
            let below = Item {
                new: Now::Value(value),
                old: before,
                ratchet,
                schema: item.schema.and_then(|schema| schema.field(name)),
            };
            if let Some(additional) = additional {
                self.visit(additional, below, &key(path, name));
            }
            if let Some(property) = property {
                self.visit(property, below, &child(path, name));
            }
        }
    }

    fn items<'a>(&mut self, validations: &Validations, item: Item<'a>, items: &'a [Value], path: &str) {
        let Some(below) = &validations.items else { return };
        let old = match item.old {
            Before::Value(value) => {
                item.schema.map(|schema| CorrelatedObject { value: value.into(), schema })
            }
            _ => None,
        };
        let old = old.and_then(CorrelatedObject::items);
        let correlated = item.ratchet.current.and_then(|current| current.correlation.old.items());
        for (index, value) in items.iter().enumerate() {
            if self.outcome.rest.is_none() {
                return;
            }
            let before = old.as_ref().and_then(|old| old.find(value));
            let earlier = correlated.as_ref().and_then(|old| old.get(value));
            let earlier = earlier.map(|old| Compared::new(Correlation { old, new: value.into() }));
            let ratchet = match item.ratchet.current {
                None => item.ratchet,
                Some(_) => item.ratchet.to(earlier.as_ref()),
            };
            let schema = item.schema.and_then(|schema| schema.items.as_deref());
            let below_item = Item { new: Now::Value(value), old: Before::of(before), ratchet, schema };
            self.visit(below, below_item, &key(path, index));
        }
    }

    fn rules(&mut self, validations: &Validations, item: Item<'_>, path: &str) -> Result<(), Exhausted> {
        let path = if path.is_empty() { NO_PATH } else { path };
        let ty = validations.ty.as_str();
        if self.outcome.rest.is_none_or(|rest| rest == 0) {
            return self.out_of_budget(path, ty);
        }
        for rule in &validations.rules {
            let expression = match &rule.expression {
                None => continue,
                Some(Ok(expression)) => expression,
                Some(Err(message)) => {
                    let message = format!("rule compile error: {message}");
                    self.outcome.errors.push(FieldError::invalid(path, ty, message));
                    continue;
                }
            };
            let is_new = matches!(item.old, Before::None);
            if rule.uses_old_self() && is_new && !rule.optional_old_self.unwrap_or_default() {
                continue;
            }
            let Evaluation { result, cost } = self.evaluate(expression, item);
            let rest = self.outcome.rest.and_then(|rest| rest.checked_sub(cost));
            // A cost that exceeds the limit of one evaluation is reported as that.
            let exceeded = matches!(result, Err(EvaluationError::CostExceeded));
            if rest.is_none() && !(exceeded && self.outcome.rest.is_some_and(|rest| rest > Limits::COST)) {
                return self.out_of_budget(path, ty);
            }
            self.outcome.rest = rest.or(self.outcome.rest);
            match result {
                Ok(Output::Bool(true)) => {}
                Ok(_) => self.failed(rule, item, path, ty)?,
                Err(error) => self.failure(rule, &error, path, ty)?,
            }
        }
        Ok(())
    }

    fn out_of_budget(&mut self, path: &str, ty: &str) -> Result<(), Exhausted> {
        let message =
            "validation failed due to running out of cost budget, no further validation rules will be run";
        self.outcome.errors.push(FieldError::invalid(path, ty, message));
        Err(Exhausted)
    }

    fn evaluate(&self, expression: &Expression, item: Item<'_>) -> Evaluation {
        let own = match item.new {
            Now::Object(object) => Variable::Object(object),
            Now::Value(value) => Variable::Json(value),
        };
        expression.evaluate(&[own, item.old.variable()], Limits::default())
    }

    /// An evaluation that has no result.
    fn failure(
        &mut self,
        rule: &Rule,
        error: &EvaluationError,
        path: &str,
        ty: &str,
    ) -> Result<(), Exhausted> {
        let shown = rule.shown();
        let (message, result) = match error {
            EvaluationError::CostExceeded => {
                let message = format!(
                    "'{error}': no further validation rules will be run due to call cost exceeds limit for rule: {shown}"
                );
                (message, Err(Exhausted))
            }
            EvaluationError::Interrupted => (error.to_string(), Err(Exhausted)),
            EvaluationError::Failed(text) if text.starts_with("no such overload") => {
                let message = format!(
                    "'{text}': call arguments did not match a supported operator, function or macro signature for rule: {shown}"
                );
                (message, Ok(()))
            }
            EvaluationError::Failed(text) => (format!("{text} evaluating rule: {shown}"), Ok(())),
        };
        self.outcome.errors.push(FieldError::invalid(path, ty, message));
        result
    }

    /// A rule that is not met.
    fn failed(&mut self, rule: &Rule, item: Item<'_>, path: &str, ty: &str) -> Result<(), Exhausted> {
        let path = match rule.field_path.as_str() {
            "" => path.to_owned(),
            below if path == NO_PATH => below.to_owned(),
            below => child(path, below),
        };
        let tolerated = !rule.uses_old_self() && item.ratchet.tolerates();
        let message = match &rule.message_expression {
            Some(Ok(expression)) => match self.message(expression, rule, item) {
                Ok(message) => message,
                Err(message) => {
                    self.report(FieldError::invalid(path, ty, message), tolerated);
                    return Err(Exhausted);
                }
            },
            _ => None,
        };
        let message = message.unwrap_or_else(|| match rule.message.trim() {
            _ if rule.message.is_empty() => format!("failed rule: {}", rule.shown()),
            message => message.to_owned(),
        });
        let value = match item.new {
            Now::Value(value) if !matches!(ty, "object" | "array") => Some(value.clone()),
            _ => None,
        };
        let error = match (rule.reason.as_deref(), value) {
            (Some("FieldValueForbidden"), _) => FieldError::forbidden(path, message),
            (Some("FieldValueRequired"), _) => FieldError::required(path, &message),
            (Some("FieldValueDuplicate"), Some(value)) => FieldError::duplicate(path, value),
            (Some("FieldValueDuplicate"), None) => FieldError::duplicate_omitted(path),
            (_, Some(value)) => FieldError::invalid(path, value, message),
            (_, None) => FieldError::invalid_omitted(path, message),
        };
        self.report(error, tolerated);
        Ok(())
    }

    fn report(&mut self, error: FieldError, tolerated: bool) {
        if tolerated {
            self.outcome.ratcheted.push(error);
        } else {
            self.outcome.errors.push(error);
        }
    }

    /// The message of an expression; `None` if there is none to use, and an error if the cost is exceeded.
    fn message(
        &mut self,
        expression: &Expression,
        rule: &Rule,
        item: Item<'_>,
    ) -> Result<Option<String>, String> {
        let Evaluation { result, cost } = self.evaluate(expression, item);
        let rest = self.outcome.rest.and_then(|rest| rest.checked_sub(cost));
        if rest.is_none() {
            let message = "messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run";
            return Err(message.to_owned());
        }
        if matches!(result, Err(EvaluationError::CostExceeded | EvaluationError::Interrupted)) {
            let source = quoted(&rule.message_source);
            return Err(format!(
                "no further validation rules will be run due to call cost exceeds limit for messageExpression: {source}"
            ));
        }
        self.outcome.rest = rest;
        let Ok(Output::String(text)) = result else { return Ok(None) };
        let text = text.trim();
        let usable = !text.is_empty() && text.len() <= MESSAGE_MAX && !text.contains('\n');
        Ok(usable.then(|| text.to_owned()))
    }
}

/// Returns true if a schema or one below it has rules.
pub(super) fn has_rules(schema: &Map) -> bool {
    super::schema::any(schema, &|schema| !list_at(schema, &["x-kubernetes-validations"]).is_empty())
}
