//! [`Policy`], a compiled ValidatingAdmissionPolicy, and its evaluation.

use klient_apimachinery::values::{Map, list_at, text_at};
use klient_cel::admission::BUDGET;
use klient_cel::{Environment, Output};
use serde_json::Value;

use crate::admission::conditions::{Compiled, Input, OutOfBudget};
use crate::admission::policies::Definition;

/// The length of the message of an expression, in bytes.
const MESSAGE_MAX: usize = 5 * 1024;

/// A compiled policy.
pub(super) struct Policy {
    pub(super) definition: Definition,
    validations: Vec<Validation>,
    /// The environment of the messages.
    messages: Environment,
    /// The keys and values of audit annotations.
    annotations: Vec<(String, Compiled)>,
}

struct Validation {
    expression: Compiled,
    message: String,
    message_expression: Option<Compiled>,
    reason: String,
}

impl Policy {
    pub(super) fn parse(policy: &Map) -> Self {
        let definition = Definition::parse(policy);
        let messages = definition.message_environment();
        let environment = &*definition.environment;
        let validation = |validation: &Map| {
            let text = |name: &str| text_at(validation, &[name]);
            let message_expression = text("messageExpression");
            Validation {
                expression: Compiled::new(text("expression"), environment, &["bool"]),
                message: text("message").trim().to_owned(),
                message_expression: (!message_expression.is_empty())
                    .then(|| Compiled::new(message_expression, &messages, &["string"])),
                reason: text("reason").to_owned(),
            }
        };
        let annotation = |annotation: &Map| {
            let source = text_at(annotation, &["valueExpression"]);
            let value = Compiled::new(source, environment, &["string", "null_type"]);
            (text_at(annotation, &["key"]).to_owned(), value)
        };
        let items = |name: &str| list_at(policy, &["spec", name]).iter().filter_map(Value::as_object);
        Policy {
            validations: items("validations").map(validation).collect(),
            annotations: items("auditAnnotations").map(annotation).collect(),
            messages,
            definition,
        }
    }
}

/// A rejection by a policy.
pub(super) struct Denial {
    pub(super) message: String,
    /// Empty for `Invalid`.
    pub(super) reason: String,
}

/// The result of the evaluation of a policy with one parameter.
#[derive(Default)]
pub(super) struct Evaluated {
    /// The rejections, with the indices of the validations.
    pub(super) denials: Vec<(usize, Denial)>,
    pub(super) annotations: Vec<(String, Result<String, String>)>,
}

impl Evaluated {
    /// The result of an error that ends the evaluation.
    fn error(fails: bool, message: String) -> Self {
        let denial = (0, Denial { message, reason: String::new() });
        Evaluated { denials: if fails { vec![denial] } else { Vec::new() }, annotations: Vec::new() }
    }
}

impl Policy {
    /// Evaluates the policy with one parameter.
    pub(super) fn evaluate(&self, input: Input<'_>) -> Evaluated {
        let fails = self.definition.fails;
        let conditions = Input { namespace: None, ..input };
        match self.definition.conditions.matches(fails, conditions) {
            Ok(true) => {}
            Ok(false) => return Evaluated::default(),
            Err(message) => return Evaluated::error(fails, message),
        }
        let out_of_budget = |OutOfBudget| Evaluated::error(fails, OutOfBudget::MESSAGE.to_owned());
        let mut budget = BUDGET;
        let mut activation = input.activate(&self.definition.environment, true);
        let mut results = Vec::with_capacity(self.validations.len());
        for validation in &self.validations {
            match validation.expression.evaluate(&mut activation, &mut budget) {
                Ok(result) => results.push(result),
                Err(exceeded) => return out_of_budget(exceeded),
            }
        }
        let messages = self.messages(input, &mut budget);
        let mut evaluated = Evaluated::default();
        for (index, (validation, result)) in self.validations.iter().zip(results).enumerate() {
            let mut deny = |message: String, reason: &str| {
                evaluated.denials.push((index, Denial { message, reason: reason.to_owned() }));
            };
            match (result, &messages) {
                (Err(message), _) if fails => deny(message, ""),
                (Ok(_), Err(OutOfBudget)) if fails => {
                    deny(format!("failed messageExpression: {}", OutOfBudget::MESSAGE), "");
                }
                (Err(_), _) | (_, Err(OutOfBudget)) | (Ok(Output::Bool(true)), _) => {}
                (Ok(_), Ok(messages)) => {
                    deny(validation.message(messages[index].as_deref()), &validation.reason)
                }
            }
        }
        let mut budget = BUDGET;
        let mut activation = input.activate(&self.definition.environment, false);
        for (key, expression) in &self.annotations {
            let value = match expression.evaluate(&mut activation, &mut budget) {
                Err(exceeded) => return out_of_budget(exceeded),
                Ok(Ok(Output::String(text))) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
                Ok(Err(message)) if fails => Err(message),
                Ok(_) => continue,
            };
            evaluated.annotations.push((key.clone(), value));
        }
        evaluated
    }

    /// The messages of the validations that have expressions for them; `None` where there is none to use.
    fn messages(&self, input: Input<'_>, budget: &mut u64) -> Result<Vec<Option<String>>, OutOfBudget> {
        let mut activation = input.activate(&self.messages, false);
        let mut message = |validation: &Validation| {
            let Some(expression) = &validation.message_expression else { return Ok(None) };
            let result = expression.evaluate(&mut activation, budget)?;
            let Ok(Output::String(text)) = result else { return Ok(None) };
            let text = text.trim();
            let usable = !text.is_empty() && text.len() <= MESSAGE_MAX && !text.contains('\n');
            Ok(usable.then(|| text.to_owned()))
        };
        self.validations.iter().map(&mut message).collect()
    }
}

impl Validation {
    fn message(&self, evaluated: Option<&str>) -> String {
        match (evaluated, self.message.as_str()) {
            (Some(message), _) => message.to_owned(),
            (None, "") => format!("failed expression: {}", self.expression.source.trim()),
            (None, message) => message.to_owned(),
        }
    }
}
