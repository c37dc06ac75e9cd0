//! Rules of definitions: compiling them, and evaluating them on an object.
//!
//! `cargo xtask bench cel` evaluates the same rules beside cel-go.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use klient_cel::{Environment, Expression, Limits, Schema, Variable};
use serde_json::Value;

const RULES: &str = include_str!("rules.json");

fn rules(criterion: &mut Criterion) {
    let rules: Value = serde_json::from_str(RULES).expect("the file is JSON");
    let schema = rules["schema"].as_object().expect("the file has a schema");
    let schema = Arc::new(Schema::parse(schema, false));
    let environment = Environment::default().with_variable("self", &schema, "self");
    for (name, rule) in rules["rules"].as_object().expect("the file has rules") {
        let source = rule.as_str().expect("a rule is a string");
        let rule = Expression::compile(source, &environment).expect("the rule is right");
        let variables = [Variable::Json(&rules["self"])];
        criterion.bench_function(&format!("evaluate/{name}"), |bencher| {
            bencher.iter(|| black_box(rule.evaluate(&variables, Limits::default())));
        });
        criterion.bench_function(&format!("compile/{name}"), |bencher| {
            bencher.iter(|| black_box(Expression::compile(source, &environment)));
        });
    }
}

criterion_group!(benches, rules);
criterion_main!(benches);
