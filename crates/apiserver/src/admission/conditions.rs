//! [`MatchConditions`], the conditions in CEL of a webhook or policy, with the variables that they read.

mod authorizer;
mod request;
#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

use klient_apimachinery::values::{Map, text_at};
use klient_cel::admission::{
    AUTHORIZER, MATCH_CONDITIONS_BUDGET, NAMESPACE_OBJECT, OBJECT, OLD_OBJECT, PARAMS, REQUEST,
    REQUEST_RESOURCE,
};
use klient_cel::{Activation, Environment, EvaluationError, Expression, Output, Variable, admission};
use serde_json::Value;

pub(crate) use authorizer::UserAuthorizer;
use request::of_the_client;
pub(crate) use request::request;

/// The environment of conditions of webhooks.
static WEBHOOKS: LazyLock<Arc<Environment>> =
    LazyLock::new(|| Arc::new(admission::with_authorizer(admission::environment(false))));

/// The values of the variables of expressions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    /// The object in the matched version; `None` if it is deleted.
    pub(crate) object: Option<&'a Map>,
    /// The object as it was, in the matched version; `None` if it is created.
    pub(crate) old_object: Option<&'a Map>,
    /// The AdmissionRequest, without the objects.
    pub(crate) request: &'a Value,
    /// The parameters of a policy.
    pub(crate) params: Option<&'a Map>,
    /// The namespace of the object; match conditions do not see it.
    pub(crate) namespace: Option<&'a Map>,
    pub(crate) authorizer: &'a UserAuthorizer<'a>,
}

impl<'a> Input<'a> {
    /// The variables of an environment with or without an authorizer.
    pub(crate) fn activate(self, environment: &'a Environment, has_authorizer: bool) -> Activation<'a> {
        let object = |object: Option<&'a Map>| object.map_or(Variable::Json(&Value::Null), Variable::Object);
        let mut variables = vec![
            (OBJECT, object(self.object)),
            (OLD_OBJECT, object(self.old_object)),
            (NAMESPACE_OBJECT, object(self.namespace)),
            (REQUEST, Variable::Json(self.request)),
            (PARAMS, object(self.params)),
        ];
        if has_authorizer {
            let resource = self.authorizer.request_resource();
            variables.push((AUTHORIZER, Variable::Authorizer(self.authorizer)));
            variables.push((REQUEST_RESOURCE, Variable::ResourceCheck(self.authorizer, resource)));
        }
        Activation::new(environment, &variables)
    }
}

/// An expression with its source.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) source: String,
    /// The expression, or the message of the problem with it.
    expression: Result<Expression, String>,
}

/// No evaluation follows: the cost of all is exceeded.
#[derive(Debug)]
pub(crate) struct OutOfBudget;

impl OutOfBudget {
    pub(crate) const MESSAGE: &str =
        "validation failed due to running out of cost budget, no further validation rules will be run";
}

impl Compiled {
    /// Compiles an expression whose values have one of these types. Problems are told when it is evaluated, as
    /// definitions are validated.
    pub(crate) fn new(source: &str, environment: &Environment, types: &[&str]) -> Self {
        let expression = match Expression::compile(source, environment) {
            Ok(expression) => expression.type_problem(types).map_or(Ok(expression), Err),
            Err(error) => Err(error.reported()),
        };
        Compiled { source: source.to_owned(), expression }
    }

    /// The message of the problem with the expression.
    pub(crate) fn problem(&self) -> Option<&str> {
        self.expression.as_ref().err().map(String::as_str)
    }

    /// Evaluates the expression, and takes its cost from the budget. The inner error is that of the expression.
    pub(crate) fn evaluate<'a>(
        &self,
        activation: &mut Activation<'a>,
        budget: &mut u64,
    ) -> Result<Result<Output, String>, OutOfBudget> {
        let expression = match &self.expression {
            Ok(expression) => expression,
            Err(message) => return Ok(Err(format!("compilation error: {message}"))),
        };
        let evaluation = activation.evaluate(expression, *budget);
        *budget = budget.checked_sub(evaluation.cost).ok_or(OutOfBudget)?;
        let failed =
            |error: EvaluationError| format!("expression '{}' resulted in error: {error}", self.source);
        Ok(evaluation.result.map_err(failed))
    }
}

/// The match conditions of a webhook or policy.
#[derive(Debug)]
pub(crate) struct MatchConditions {
    environment: Arc<Environment>,
    conditions: Vec<Compiled>,
}

impl MatchConditions {
    /// Compiles the conditions of a webhook: the objects in its field `matchConditions`.
    pub(crate) fn of_webhook(conditions: &[Value]) -> Self {
        MatchConditions::compile(conditions, &WEBHOOKS)
    }

    /// Compiles conditions in an environment with an authorizer.
    pub(crate) fn compile(conditions: &[Value], environment: &Arc<Environment>) -> Self {
        let source = |condition: &Value| {
            condition.as_object().map_or(String::new(), |map| text_at(map, &["expression"]).to_owned())
        };
        let conditions =
            conditions.iter().map(|condition| Compiled::new(&source(condition), environment, &["bool"]));
        MatchConditions { environment: environment.clone(), conditions: conditions.collect() }
    }

    /// Returns true if a request meets all conditions. An error is an error of the request if the failure policy is
    /// `Fail` (`fails`); otherwise the request does not match. If one condition is false, errors of others do not matter.
    ///
    /// # Errors
    ///
    /// The errors of the evaluation, in upstream's words.
    pub(crate) fn matches(&self, fails: bool, input: Input<'_>) -> Result<bool, String> {
        if self.conditions.is_empty() {
            return Ok(true);
        }
        let request = of_the_client(input.request);
        let input = Input { namespace: None, request: &request, ..input };
        let mut activation = input.activate(&self.environment, true);
        let mut budget = MATCH_CONDITIONS_BUDGET;
        let (mut is_false, mut errors) = (false, Vec::new());
        for condition in &self.conditions {
            match condition.evaluate(&mut activation, &mut budget) {
                Ok(Ok(Output::Bool(value))) => is_false |= !value,
                Ok(Ok(_)) => {}
                Ok(Err(error)) if errors.contains(&error) => {}
                Ok(Err(error)) => errors.push(error),
                Err(OutOfBudget) if fails => return Err(OutOfBudget::MESSAGE.to_owned()),
                Err(OutOfBudget) => return Ok(false),
            }
        }
        match &errors[..] {
            _ if is_false => Ok(false),
            [] => Ok(true),
            _ if !fails => Ok(false),
            [one] => Err(one.clone()),
            many => Err(format!("[{}]", many.join(", "))),
        }
    }
}
