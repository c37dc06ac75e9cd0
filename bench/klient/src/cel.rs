//! Evaluations of a rule on one object, as often as asked for.

use std::fs;
use std::hint::black_box;
use std::sync::Arc;

use klient_cel::{Environment, Expression, Limits, Schema, Variable};
use measure::{Args, Clock};
use serde_json::{Map, Value, json};

/// Evaluates the rule `--rule` of the file `--rules`.
pub fn run(args: &Args, out: &mut Map<String, Value>) {
    let path = args.str("rules", "../crates/cel/benches/rules.json");
    let rules: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let schema = Arc::new(Schema::parse(rules["schema"].as_object().unwrap(), false));
    let environment = Environment::default().with_variable("self", &schema, "self");
    let rule = rules["rules"][args.str("rule", "numbers").as_str()].as_str().unwrap();
    let rule = Expression::compile(rule, &environment).unwrap();
    let variables = [Variable::Json(&rules["self"])];
    let count = args.num("repeat", 20_000);
    let clock = Clock::start();
    for _ in 0..count {
        black_box(rule.evaluate(&variables, Limits::default())).result.unwrap();
    }
    let milliseconds = clock.stop(out);
    out.insert("ns_per_evaluation".into(), json!(milliseconds * 1e6 / count as f64));
}
