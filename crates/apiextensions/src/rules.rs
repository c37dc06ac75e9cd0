//! [`Rule`], a compiled rule of `x-kubernetes-validations`.

use std::sync::Arc;

use klient_apimachinery::values::{Map, encode_untyped, text_at};
use klient_cel::{CompileError, Environment, Expression, Schema};
use serde_json::Value;

use super::field_path;

/// The name of the type of `self` in messages, if it is an object.
const SELF_TYPE: &str = "selfType";

/// A compiled rule.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) rule: String,
    pub(super) message: String,
    pub(super) message_source: String,
    pub(super) reason: Option<String>,
    /// The path of the field at fault, relative to that of the rule.
    pub(super) field_path: String,
    /// `optionalOldSelf`, if it is set.
    pub(super) optional_old_self: Option<bool>,
    /// `None` for an empty rule.
    pub(super) expression: Option<Result<Expression, String>>,
    pub(super) message_expression: Option<Result<Expression, String>>,
}

impl Rule {
    /// Compiles a rule for values of a schema. `schema` and `declared` are two forms of that schema.
    pub(super) fn compile(rule: &Map, schema: &Map, declared: &Arc<Schema>) -> Rule {
        let text = |name: &str| text_at(rule, &[name]).to_owned();
        let optional_old_self = rule.get("optionalOldSelf").and_then(Value::as_bool);
        let environment = environment(declared, optional_old_self.unwrap_or_default());
        let source = text("rule");
        let expression = (!source.trim().is_empty()).then(|| compile(&source, &environment, "bool"));
        let message_source = text("messageExpression");
        let compiled = matches!(expression, Some(Ok(_)));
        let message_expression = (compiled && !message_source.is_empty())
            .then(|| compile(&message_source, &environment, "string"));
        let path = text_at(rule, &["fieldPath"]);
        let field_path = match path {
            "" => String::new(),
            path => field_path::resolve(path, schema, true).map(|field| field.path).unwrap_or_default(),
        };
        Rule {
            rule: source,
            message: text("message"),
            message_source,
            reason: rule.get("reason").and_then(Value::as_str).map(str::to_owned),
            field_path,
            optional_old_self,
            expression,
            message_expression,
        }
    }

    /// Returns true if the rule compares with the old value.
    pub(super) fn uses_old_self(&self) -> bool {
        matches!(&self.expression, Some(Ok(expression)) if expression.uses("oldSelf"))
    }

    /// The rule in messages about its evaluation.
    pub(super) fn shown(&self) -> &str {
        if self.message.is_empty() { self.rule.trim() } else { self.message.trim() }
    }
}

fn environment(declared: &Arc<Schema>, optional: bool) -> Environment {
    let environment = Environment::default().with_variable("self", declared, SELF_TYPE);
    if optional {
        environment.with_optional_variable("oldSelf", declared, SELF_TYPE)
    } else {
        environment.with_variable("oldSelf", declared, SELF_TYPE)
    }
}

/// Compiles an expression of a type; the error is worded for a rule or for a message.
fn compile(source: &str, environment: &Environment, ty: &str) -> Result<Expression, String> {
    let is_rule = ty == "bool";
    let prefix = if is_rule { "" } else { "messageExpression " };
    match Expression::compile(source, environment) {
        Ok(expression) if expression.is_of_type(ty) => Ok(expression),
        Ok(_) if is_rule => Err("cel expression must evaluate to a bool".to_owned()),
        Ok(_) => Err("messageExpression must evaluate to a string".to_owned()),
        Err(CompileError::Issues(text)) => Err(format!("{prefix}compilation failed: {text}")),
        Err(CompileError::Program(text)) if is_rule => Err(format!("program instantiation failed: {text}")),
        Err(CompileError::Program(text)) => Err(format!("messageExpression instantiation failed: {text}")),
    }
}

/// A rule as messages show it.
pub(super) fn shown(rule: &Map) -> String {
    let empty = Value::from("");
    let text = |name: &str| rule.get(name).unwrap_or(&empty);
    let optional = |name: &str| rule.get(name).unwrap_or(&Value::Null);
    let fields = [
        ("Rule", text("rule")),
        ("Message", text("message")),
        ("MessageExpression", text("messageExpression")),
        ("Reason", optional("reason")),
        ("FieldPath", text("fieldPath")),
        ("OptionalOldSelf", optional("optionalOldSelf")),
    ];
    let fields = fields.map(|(name, value)| {
        let mut json = Vec::new();
        encode_untyped(value, &mut json);
        format!("\"{name}\":{}", String::from_utf8_lossy(&json))
    });
    format!("{{{}}}", fields.join(","))
}
