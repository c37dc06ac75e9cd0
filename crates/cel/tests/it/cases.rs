//! Expressions with the answers of Kubernetes: messages, types, costs, values and errors.
//!
//! A line of a file is an expression with its answer, or the schema and values of the expressions after it. The answers
//! are recorded with `cargo xtask e2e cel`.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use klient_cel::{CompileError, Environment, Evaluation, Expression, Limits, Output, Schema, Variable};
use serde_json::{Value, json};

/// The schema and values of expressions.
#[derive(Default)]
struct Context {
    environment: Environment,
    own: Option<Value>,
    old: Option<Value>,
    has_schema: bool,
}

impl Context {
    fn of(line: &Value) -> Context {
        let Some(schema) = line.get("schema").and_then(Value::as_object) else { return Context::default() };
        let schema =
            Arc::new(Schema::parse(schema, line.get("root").and_then(Value::as_bool).unwrap_or_default()));
        let environment = Environment::default();
        let environment = environment.with_variable("self", &schema, "selfType");
        Context {
            environment: environment.with_variable("oldSelf", &schema, "selfType"),
            own: line.get("self").cloned(),
            old: line.get("oldSelf").cloned(),
            has_schema: true,
        }
    }

    fn answer(&self, source: &str) -> Value {
        let expression = match Expression::compile(source, &self.environment) {
            Ok(expression) => expression,
            Err(CompileError::Issues(text)) => return json!({"error": text}),
            // Kubernetes does not instantiate what is not evaluated.
            Err(CompileError::Program(_)) if self.has_schema && self.own.is_none() => return Value::Null,
            Err(CompileError::Program(text)) => {
                return json!({"failure": format!("program instantiation failed: {text}")});
            }
        };
        let mut answer = json!({
            "type": expression.type_name(), "min": expression.cost().min, "max": expression.cost().max,
        });
        if self.has_schema && self.own.is_none() {
            return answer;
        }
        let own = self.own.as_ref().map_or(Variable::Absent, Variable::Json);
        let old = self.old.as_ref().map_or(Variable::Absent, Variable::Json);
        let Evaluation { result, cost } = expression.evaluate(&[own, old], Limits::default());
        match result {
            Ok(Output::Null) => answer["value"] = "null".into(),
            Ok(Output::Bool(value)) => answer["value"] = value.to_string().into(),
            Ok(Output::String(text)) => answer["value"] = Value::from(text).to_string().into(),
            Ok(Output::Other(text)) => answer["value"] = text.into(),
            Err(error) => answer["failure"] = error.to_string().into(),
            _ => {}
        }
        answer["cost"] = cost.into();
        answer
    }
}

/// The difference of an answer to Kubernetes'.
pub(crate) fn difference(ours: &Value, theirs: &Value) -> Option<String> {
    let mut out = String::new();
    if ours.is_null() {
        return None;
    }
    let mut names: Vec<&String> =
        ours.as_object().into_iter().chain(theirs.as_object()).flatten().map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    // The types and costs of an expression that cannot be instantiated are not compared.
    let failed = |answer: &Value| {
        answer["failure"].as_str().is_some_and(|text| text.starts_with("program instantiation"))
    };
    let skipped = |name: &str| failed(ours) && failed(theirs) && name != "failure";
    for name in names.into_iter().filter(|name| !skipped(name)) {
        if ours[name] != theirs[name] {
            write!(out, "\n  {name}: {} instead of {}", ours[name], theirs[name])
                .expect("a String takes all text");
        }
    }
    (!out.is_empty()).then_some(out)
}

#[track_caller]
fn check(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/cases").join(file);
    let mut context = Context::default();
    let mut wrong = String::new();
    let mut count = 0;
    for line in
        std::fs::read_to_string(&path).expect("the cases can be read").lines().filter(|line| !line.is_empty())
    {
        let line: Value = serde_json::from_str(line).expect("a case is JSON");
        let Some(source) = line["expression"].as_str() else {
            context = Context::of(&line);
            continue;
        };
        count += 1;
        if let Some(difference) = difference(&context.answer(source), &line["answer"]) {
            write!(wrong, "\n{source}{difference}").expect("a String takes all text");
        }
    }
    assert!(wrong.is_empty(), "{file}:{wrong}");
    assert!(count > 0, "{file} has no expressions");
}

#[test]
fn fields_are_read_by_the_schema() {
    check("fields.jsonl");
}

#[test]
fn types_are_checked_in_the_words_of_kubernetes() {
    check("types.jsonl");
}

#[test]
fn operators_and_conversions_have_the_values_of_kubernetes() {
    check("values.jsonl");
}

#[test]
fn libraries_have_the_values_of_kubernetes() {
    check("libraries.jsonl");
}
