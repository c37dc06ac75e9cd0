//! Expressions of admission policies with the answers of Kubernetes: messages, types, costs, values and errors.
//!
//! A line of the file is an expression with its answer, or the declarations and values of the expressions after it. The
//! answers are recorded with `cargo xtask e2e cel`.

use std::fmt::Write as _;

use klient_cel::{Activation, Environment, Expression, Output, Variable, admission};
use serde_json::{Map, Value, json};

use crate::cases::difference;

/// The environment that a line declares.
fn environment(line: &Value) -> Environment {
    let declares = |name: &str| line["declares"][name].as_bool().unwrap_or_default();
    let mut environment = admission::environment(declares("params")).with_composition();
    if declares("authorizer") {
        environment = admission::with_authorizer(environment);
    }
    for variable in line["variables"].as_array().expect("variables") {
        let text = |index: usize| variable[index].as_str().expect("a string");
        // The problem is an answer where the variable is read.
        let _ = environment.compose(text(0), text(1));
    }
    if declares("patchTypes") { environment.with_patch_types() } else { environment }
}

/// JSON with the fields of objects in their order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort();
            names.into_iter().map(|name| (name.clone(), sorted(&fields[name]))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

fn answer(source: &str, environment: &Environment, values: &Map<String, Value>) -> Value {
    let expression = match Expression::compile(source, environment) {
        Ok(expression) => expression,
        Err(error) => return json!({"error": error.reported()}),
    };
    let variables: Vec<(&str, Variable<'_>)> =
        values.iter().map(|(name, value)| (name.as_str(), Variable::Json(value))).collect();
    let evaluation = Activation::new(environment, &variables).evaluate(&expression, admission::BUDGET);
    let mut answer = json!({"type": expression.runtime_type_name(), "cost": evaluation.cost});
    let shown = match evaluation.result {
        Ok(Output::Null) => "null".to_owned(),
        Ok(Output::Bool(value)) => value.to_string(),
        Ok(Output::String(text)) => Value::from(text).to_string(),
        Ok(Output::Configuration(Ok(object))) => sorted(&object).to_string(),
        Ok(Output::Other(text)) => text,
        Ok(Output::Configuration(Err(problem)) | Output::Patch(Err(problem))) => {
            answer["failure"] = problem.trim_start_matches("type mismatch: ").into();
            return answer;
        }
        Ok(other) => format!("{other:?}"),
        Err(error) => {
            answer["failure"] = error.to_string().into();
            return answer;
        }
    };
    answer["value"] = shown.into();
    answer
}

#[test]
fn expressions_of_policies_have_the_answers_of_kubernetes() {
    let text = include_str!("cases/admission.jsonl");
    let (mut current, mut values) = (Environment::default(), Map::new());
    let (mut wrong, mut count) = (String::new(), 0);
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).expect("a case is JSON");
        let Some(source) = line["policy"].as_str() else {
            current = environment(&line);
            values = line["values"].as_object().cloned().expect("values");
            continue;
        };
        count += 1;
        if let Some(difference) = difference(&answer(source, &current, &values), &line["answer"]) {
            write!(wrong, "\n{source}{difference}").expect("a String takes all text");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count > 0, "there are no expressions");
}
