//! Expressions that try to use up time, memory or the stack.

use std::sync::Arc;
use std::time::Instant;

use klient_cel::{
    Effort, Environment, EvaluationError, Expression, Interrupted, Limits, Output, Schema, Variable,
};
use serde_json::{Value, json};

/// The result of compiling: the error, or `ok`.
fn compiled(source: &str) -> String {
    match Expression::compile(source, &Environment::default()) {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn deep_expressions_are_refused_in_the_words_of_kubernetes() {
    let nested = |open: &str, inner: &str, close: &str, depth: usize| {
        format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
    };
    let limit = "ERROR: <input>:-1:0: expression recursion limit exceeded: 250";
    for (open, inner, close) in [
        ("(", "1", ")"),
        ("[", "", "]"),
        ("{1:", "1", "}"),
        ("string(", "''", ")"),
        ("[1].all(x,", "true", ")"),
    ] {
        assert_eq!(compiled(&nested(open, inner, close, 200)), "ok", "{open}");
        assert_eq!(compiled(&nested(open, inner, close, 9_000)), limit, "{open}");
    }
    let depth = "ERROR: <input>:-1:0: max recursion depth exceeded";
    for (start, link) in [("{'b': dyn(1)}", ".b"), ("dyn([])", "[0]"), ("'a'", ".trim()"), ("1", "+1")] {
        assert_eq!(compiled(&format!("{start}{}", link.repeat(200))), "ok", "{link}");
        assert_eq!(compiled(&format!("{start}{}", link.repeat(10_000))), depth, "{link}");
    }
    assert_eq!(compiled(&format!("{}true", "!".repeat(10_000))), "ok");
    assert_eq!(compiled(&format!("true{}", "&&true".repeat(10_000))), "ok");
    assert_eq!(compiled(&nested("true?1:", "2", "", 10_000)), limit);
}

#[test]
fn long_expressions_are_refused_or_compiled() {
    let long = format!("'{}'", "a".repeat(100_000));
    assert_eq!(
        compiled(&long),
        "ERROR: <input>:-1:0: expression code point size exceeds limit: size: 100002, limit 100000"
    );
    assert_eq!(compiled(&format!("[{}1]", "1,".repeat(20_000))), "ok");
    let garbage = compiled(&"$#@".repeat(10_000));
    assert!(garbage.ends_with("\n1 more errors were truncated"), "{}", &garbage[garbage.len() - 100..]);
    assert!(garbage.len() < 4 << 20, "{} bytes", garbage.len());
}

/// Evaluates an expression on a list of numbers.
fn evaluated(source: &str, own: &Value) -> Result<Output, EvaluationError> {
    let schema = json!({"type": "array", "items": {"type": "integer"}});
    let schema = Arc::new(Schema::parse(schema.as_object().expect("an object"), false));
    let environment = Environment::default().with_variable("self", &schema, "self");
    let expression = Expression::compile(source, &environment).expect("the expression is right");
    expression.evaluate(&[Variable::Json(own)], Limits::default()).result
}

#[test]
fn evaluations_end_when_their_cost_is_exceeded() {
    let numbers = json!((0..2000).collect::<Vec<i64>>());
    for source in [
        "self.all(a, self.all(b, self.all(c, true)))",
        // An error of a part does not hide that the cost is exceeded.
        "self.all(a, self.all(b, self.all(c, 1 / 0 > 0))) || true",
        "self.map(a, self.map(b, self.map(c, c))).size() > 0 || true",
        "self.exists(a, [self.all(b, self.all(c, c < 9999)), true][1] && false)",
        "self.map(a, self).map(l, l.map(x, string(x)).join('')).size() > 0",
        "lists.range(100000000).size() > 0",
        "self.map(x, 'aaaaaaaaaaaaaaaa').join('').split('').map(c, self.map(x, 'aaaaaaaaaaaaaaaa').join('')).size() > 0",
        "self.all(a, self.all(b, 'aaaaaaaaaaaaaaaaaaaa'.matches('(a*)*|' + string(a)))) || true",
    ] {
        assert_eq!(evaluated(source, &numbers), Err(EvaluationError::CostExceeded), "{source}");
    }
}

#[test]
fn lists_and_strings_that_double_are_bounded() {
    let doubled = |start: &str, times: usize, end: &str| {
        let mut source = format!("optional.of({start})");
        for _ in 0..times {
            source.push_str(".optMap(x, x + x)");
        }
        format!("{source}.value(){end}")
    };
    // The target of each macro is copied, so that the text of the expression doubles, too.
    for (start, end) in [("[1]", ".size() > 0"), ("'a'", ".size() > 0")] {
        assert_eq!(evaluated(&doubled(start, 10, end), &json!([])), Ok(Output::Bool(true)));
    }
    let nested = |start: &str, end: &str| {
        let mut source = String::from("x25");
        for index in (0..25).rev() {
            source = format!("optional.of(x{index} + x{index}).optMap(x{}, {source}).value()", index + 1);
        }
        format!("optional.of({start}).optMap(x0, {source}).value(){end}")
    };
    assert_eq!(
        evaluated(&nested("[1]", ".map(x, x).size() > 0"), &json!([])),
        Err(EvaluationError::CostExceeded)
    );
    assert_eq!(
        evaluated(&nested("'aaaaaaaa'", ".size() > 0"), &json!([])),
        Err(EvaluationError::CostExceeded)
    );
}

#[test]
fn macros_that_copy_their_targets_are_bounded_with_one_error() {
    let chain = |times: usize| format!("optional.of(1){}.hasValue()", ".optMap(x, x)".repeat(times));
    assert_eq!(compiled(&chain(10)), "ok");
    for times in [20, 60] {
        let error = compiled(&chain(times));
        assert!(error.contains("its macros make more than 250000 nodes"), "{error}");
        assert_eq!(error.matches("ERROR").count(), 1, "{error}");
    }
}

#[test]
fn types_that_double_are_bounded_with_one_error() {
    let nested = |depth: usize| {
        let mut source = "true".to_owned();
        for index in (0..depth).rev() {
            source = format!("optional.of({{x{index}: x{index}}}).optMap(x{}, {source}).value()", index + 1);
        }
        format!("optional.of(1).optMap(x0, {source}).value()")
    };
    assert_eq!(compiled(&nested(3)), "ok");
    let error = compiled(&nested(15));
    assert!(error.contains("type is too large"), "{error}");
    assert_eq!(error.matches("ERROR").count(), 1, "{error}");
}

#[test]
fn pairs_of_items_that_are_worth_more_than_is_left_are_not_compared() {
    let schema = json!({"type": "array", "items": {"type": "array", "items": {"type": "integer"}}});
    let schema = Arc::new(Schema::parse(schema.as_object().expect("an object"), false));
    let environment = Environment::default().with_variable("self", &schema, "self");
    let expression = Expression::compile("self.distinct().size() > 0", &environment).unwrap();
    // Comparing them all takes minutes.
    let lists: Vec<Value> = (0..200_000).map(|number| json!([number])).collect();
    let evaluation = expression.evaluate(&[Variable::Json(&json!(lists))], Limits::default());
    assert_eq!(evaluation.result, Err(EvaluationError::CostExceeded));
}

#[test]
fn an_evaluation_that_is_interrupted_has_no_result_and_not_exceeded_its_cost() {
    let schema = json!({"type": "string"});
    let schema = Arc::new(Schema::parse(schema.as_object().expect("an object"), false));
    let environment = Environment::default().with_variable("self", &schema, "self");
    let long = Value::from("\u{e9}".repeat(1_000_000));
    let short = Value::from("a");
    let little = |source: &str, own: &Value| {
        let expression = Expression::compile(source, &environment).unwrap();
        let evaluate = || expression.evaluate(&[Variable::Json(own)], Limits::default()).result;
        assert_eq!(Effort::until(Instant::now()).spend(evaluate), Err(Interrupted), "{source}");
        Effort::LITTLE.spend(evaluate)
    };
    // A function that costs 1 reads a text of any length.
    let sizes = "lists.range(100).all(i, self.size() > 0)";
    assert_eq!(little(sizes, &short), Ok(Ok(Output::Bool(true))));
    assert_eq!(little(sizes, &long), Err(Interrupted));
    assert_eq!(little("self.replace('', 'aaaa').size() > 0", &short), Ok(Ok(Output::Bool(true))));
    assert_eq!(little("lists.range(9).all(i, self.replace('', 'aaaa').size() > 0)", &long), Err(Interrupted));
    // Each of many is taken from the effort of them all.
    let expression = Expression::compile("self.size() > 0", &environment).unwrap();
    let many = || {
        (0..100_000).all(|_| {
            expression.evaluate(&[Variable::Json(&short)], Limits::default()).result == Ok(Output::Bool(true))
        })
    };
    assert_eq!(Effort::LITTLE.spend(many), Err(Interrupted));
    assert!(many(), "nothing is interrupted afterwards");
}

#[test]
fn a_compilation_that_takes_long_is_interrupted() {
    let source = format!("[{}1].size() > 0", "1,".repeat(10_000));
    let compile = || Expression::compile(&source, &Environment::default()).is_ok();
    assert_eq!(Effort::LITTLE.spend(compile), Err(Interrupted));
    assert!(compile());
}
