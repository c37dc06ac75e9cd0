//! Expressions of admission: dynamic variables, authorization checks, composition, and objects for patches.

use klient_cel::{
    AccessCheck, Activation, Authorizer, Decision, Environment, Evaluation, Expression, Output, Variable,
    admission,
};
use serde_json::{Value, json};

/// Allows the verb `get` for the user, and everything for the service account `shop/robot`.
#[derive(Debug)]
struct Getter;

impl Authorizer for Getter {
    fn check(&self, check: &AccessCheck) -> Decision {
        if check.verb == "fail" {
            return Decision { error: Some("no answer".to_owned()), ..Decision::default() };
        }
        let robot = ("shop".to_owned(), "robot".to_owned());
        let allowed = check.verb == "get" || check.service_account == Some(robot);
        Decision { allowed, reason: format!("{check:?}").replace('"', "'"), error: None }
    }
}

fn environment() -> Environment {
    admission::with_authorizer(admission::environment(true).with_composition())
}

/// The result of an expression on an object, as text.
fn evaluate(environment: &Environment, source: &str, object: &Value) -> String {
    let expression = match Expression::compile(source, environment) {
        Ok(expression) => expression,
        Err(error) => return error.reported(),
    };
    let request = json!({
        "kind": {"group": "apps", "version": "v1", "kind": "Deployment"},
        "resource": {"group": "apps", "version": "v1", "resource": "deployments"},
        "operation": "CREATE", "name": "web", "dryRun": false,
        "userInfo": {"username": "alice", "groups": ["a", "b"], "extra": {"k": ["v"]}},
        "options": {"kind": "CreateOptions", "fieldManager": "kubectl"},
    });
    let check = AccessCheck {
        group: "apps".to_owned(),
        resource: "deployments".to_owned(),
        namespace: "shop".to_owned(),
        name: "web".to_owned(),
        ..AccessCheck::default()
    };
    let variables = [
        (admission::OBJECT, Variable::Json(object)),
        (admission::OLD_OBJECT, Variable::Json(&Value::Null)),
        (admission::NAMESPACE_OBJECT, Variable::Json(&Value::Null)),
        (admission::PARAMS, Variable::Json(&Value::Null)),
        (admission::REQUEST, Variable::Json(&request)),
        (admission::AUTHORIZER, Variable::Authorizer(&Getter)),
        (admission::REQUEST_RESOURCE, Variable::ResourceCheck(&Getter, &check)),
    ];
    let mut activation = Activation::new(environment, &variables);
    let Evaluation { result, .. } = activation.evaluate(&expression, admission::BUDGET);
    match result {
        Ok(Output::Bool(value)) => value.to_string(),
        Ok(Output::String(text)) => text,
        Ok(Output::Configuration(Ok(object))) => object.to_string(),
        Ok(Output::Patch(Ok(operations))) => Value::from(operations).to_string(),
        Ok(Output::Configuration(Err(problem)) | Output::Patch(Err(problem))) => problem,
        Ok(Output::Null) => "null".to_owned(),
        Ok(Output::Other(text)) => text,
        Ok(_) => "another output".to_owned(),
        Err(error) => format!("error: {error}"),
    }
}

#[track_caller]
fn check(environment: &Environment, cases: &[(&str, &str)]) {
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "labels": {"a/b": "1", "in": "2"}},
        "spec": {"replicas": 3, "ratio": 1.5, "nothing": null, "ports": [{"port": 80}, {"port": 81}]},
    });
    for (source, expected) in cases {
        assert_eq!(evaluate(environment, source, &object), *expected, "{source}");
    }
}

#[test]
fn json_without_a_schema_is_dynamic() {
    check(
        &environment(),
        &[
            ("object.spec.replicas > 2", "true"),
            ("object.spec.replicas == 3.0", "true"),
            ("object.spec.ratio == 1.5", "true"),
            ("object.spec.nothing == null", "true"),
            ("has(object.spec.nothing)", "true"),
            ("has(object.spec.missing)", "false"),
            ("object.spec.missing", "error: no such key: missing"),
            ("object.?spec.missing.orValue(7) == 7", "true"),
            ("object.metadata.namespace == 'shop'", "true"),
            ("object.metadata.labels['a/b'] == '1' && 'in' in object.metadata.labels", "true"),
            ("object.metadata.labels.all(k, k in ['a/b', 'in'])", "true"),
            ("object.spec.ports.map(p, p.port) == [80, 81]", "true"),
            ("object.spec.ports[1] == {'port': 81}", "true"),
            ("size(object.spec.ports) == 2", "true"),
            ("oldObject == null && params == null && namespaceObject == null", "true"),
            ("object.spec.replicas + 'a' == ''", "error: no such overload"),
            ("type(object) == map && type(object.spec.replicas) == int", "true"),
        ],
    );
}

#[test]
fn the_request_is_typed() {
    check(
        &environment(),
        &[
            ("request.kind.kind == 'Deployment' && request.name == 'web'", "true"),
            ("'a' in request.userInfo.groups && request.userInfo.extra['k'] == ['v']", "true"),
            ("has(request.namespace)", "false"),
            ("!request.dryRun && request.options.fieldManager == 'kubectl'", "true"),
            (
                "request.uid",
                "compilation failed: ERROR: <input>:1:8: undefined field 'uid'\n | request.uid\n | .......^",
            ),
            (
                "request.kind == 'a'",
                "compilation failed: ERROR: <input>:1:14: found no matching overload for '_==_' applied to \
                 '(kubernetes.GroupVersionKind, string)'\n | request.kind == 'a'\n | .............^",
            ),
        ],
    );
}

#[test]
fn authorization_is_checked_by_the_caller() {
    check(
        &environment(),
        &[
            ("authorizer.group('').resource('pods').check('get').allowed()", "true"),
            ("authorizer.group('').resource('pods').check('list').allowed()", "false"),
            ("authorizer.serviceAccount('shop', 'robot').path('/x').check('post').allowed()", "true"),
            ("authorizer.serviceAccount('shop', 'R').path('/x')", "error: Invalid service account name"),
            ("authorizer.serviceAccount('S', 'r').path('/x')", "error: Invalid service account namespace"),
            ("authorizer.path(' ')", "error: path must not be empty"),
            ("authorizer.group('').resource('')", "error: resource must not be empty"),
            ("authorizer.requestResource.check('get').allowed()", "true"),
            ("authorizer.path('/x').check('fail').errored()", "true"),
            ("authorizer.path('/x').check('fail').error()", "no answer"),
            (
                "authorizer.requestResource.subresource('status').name('n').fieldSelector('a=b')\
                 .labelSelector('c=d').namespace('z').check('get').reason()",
                "AccessCheck { service_account: None, verb: 'get', path: None, group: 'apps', \
                 resource: 'deployments', subresource: 'status', namespace: 'z', name: 'n', \
                 field_selector: 'a=b', label_selector: 'c=d' }",
            ),
            (
                "authorizer.requestResource.check('get').allowed() && \
                 authorizer.requestResource.check('get').allowed() && \
                 authorizer.requestResource.check('get').allowed()",
                "error: operation cancelled: actual cost limit exceeded",
            ),
        ],
    );
}

#[test]
fn composited_variables_are_typed_and_evaluated_once() {
    let mut environment = environment();
    environment.compose("replicas", "object.spec.replicas").unwrap();
    environment.compose("double", "variables.replicas * 2").unwrap();
    environment.compose("names", "['a', 'b']").unwrap();
    environment.compose("failing", "object.nothing.there").unwrap();
    environment.compose("broken", "object.(").unwrap_err();
    environment
        .compose(
            "endless",
            "[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, \
        [1,2,3,4,5,6,7,8,9,10].all(c, [1,2,3,4,5,6,7,8,9,10].all(d, [1,2,3,4,5,6,7,8,9,10].all(e, \
        [1,2,3,4,5,6,7,8,9,10].all(f, a + b + c + d + e + f > 0))))))",
        )
        .unwrap();
    check(
        &environment,
        &[
            ("variables.double == 6 && variables.replicas == 3", "true"),
            ("has(variables.double)", "true"),
            (
                "variables.names == 1",
                "compilation failed: ERROR: <input>:1:17: found no matching overload for '_==_' applied to \
                 '(list(string), int)'\n | variables.names == 1\n | ................^",
            ),
            (
                "variables.missing",
                "compilation failed: ERROR: <input>:1:10: undefined field 'missing'\n | variables.missing\n \
                 | .........^",
            ),
            (
                "variables.failing",
                "error: composited variable \"failing\" fails to evaluate: no such key: nothing",
            ),
            ("variables.failing == 1 || true", "true"),
            (
                "variables.endless",
                "error: composited variable \"endless\" fails to evaluate: operation cancelled: actual cost \
                 limit exceeded",
            ),
        ],
    );
    let broken = evaluate(&environment, "variables.broken == 1", &Value::Null);
    assert!(
        broken
            .starts_with("error: composited variable \"broken\" fails to compile: compilation failed: ERROR"),
        "{broken}"
    );
    let object = json!({"spec": {"replicas": 1}});
    let variables = [(admission::OBJECT, Variable::Json(&object))];
    let mut activation = Activation::new(&environment, &variables);
    let expression = Expression::compile("variables.double > 0", &environment).unwrap();
    let mut cost = || activation.evaluate(&expression, admission::BUDGET).cost;
    let (first, second) = (cost(), cost());
    assert!(second < first, "{second} is not less than {first}");
}

#[test]
fn a_long_chain_of_variables_ends() {
    let mut environment = environment();
    environment.compose("v0", "1").unwrap();
    let composed: Vec<_> = (1..3_000)
        .map(|index| environment.compose(&format!("v{index}"), &format!("variables.v{} + 1", index - 1)))
        .collect();
    assert!(composed.iter().any(Result::is_err), "no limit of the depth");
    assert_eq!(evaluate(&environment, "variables.v600 == 601", &Value::Null), "true");
}

/// Composes variables with a name and the numbers 0 to 19: each but the first is a list of the one before, ten times.
fn compose_tenfold(environment: &mut Environment, name: &str, first: &str) {
    for index in 0..20 {
        let source = match index {
            0 => first.to_owned(),
            _ => format!("[{}]", vec![format!("dyn(variables.{name}{})", index - 1); 10].join(", ")),
        };
        environment.compose(&format!("{name}{index}"), &source).expect("the variable is right");
    }
}

#[test]
fn small_expressions_do_not_make_large_patches() {
    let mut environment = environment().with_patch_types();
    let text = "a".repeat(10_000);
    compose_tenfold(&mut environment, "v", &format!("'{text}'"));
    let exceeds = "the value exceeds 3145728 bytes";
    let marshal = "JSONPath valueExpression evaluated to a type that could not marshal to JSON: ";
    for (source, result) in [
        ("Object{data: variables.v19}", exceeds.to_owned()),
        ("Object{data: [variables.v19]}", exceeds.to_owned()),
        ("Object{data: {'a': variables.v3}}", exceeds.to_owned()),
        ("[JSONPatch{op: 'add', path: '/a', value: variables.v19}]", format!("{marshal}{exceeds}")),
        ("[JSONPatch{op: 'add', path: '/a', value: Object.a{b: variables.v19}}]", exceeds.to_owned()),
    ] {
        assert_eq!(evaluate(&environment, source, &Value::Null), result, "{source}");
    }
    let object = json!({"spec": text});
    assert_eq!(evaluate(&environment, "Object{data: [object].map(o, o)}", &object).len(), text.len() + 22);
    let copies = vec!["object"; 400].join(", ");
    assert_eq!(evaluate(&environment, &format!("Object{{data: [{copies}]}}"), &object), exceeds);
}

#[test]
fn small_expressions_do_not_compare_or_show_large_values_forever() {
    let mut environment = environment();
    compose_tenfold(&mut environment, "v", "1");
    compose_tenfold(&mut environment, "w", "1");
    compose_tenfold(&mut environment, "e", "[]");
    for source in [
        "variables.v19 == variables.w19",
        "'%s'.format([variables.v7]).size() > 0",
        "dyn(variables.v19) in [variables.w19]",
        "[variables.v19].indexOf([dyn(1 / 0)]) == 0",
        "variables.e19.flatten(100).size() == 0",
        "sets.contains([variables.v19], [variables.w19])",
        "[variables.v19, variables.w19].distinct().size() == 1",
    ] {
        let result = evaluate(&environment, source, &Value::Null);
        assert_eq!(result, "error: operation cancelled: actual cost limit exceeded", "{source}");
    }
    for (source, result) in [
        ("variables.v3 == variables.w3 && variables.v3 in [variables.w3]", "true"),
        ("{'a': 1}[dyn(variables.v19)]", "error: no such key: list"),
    ] {
        assert_eq!(evaluate(&environment, source, &Value::Null), result, "{source}");
    }
}

#[test]
fn objects_are_made_for_patches() {
    let environment = environment().with_patch_types();
    check(
        &environment,
        &[
            (
                "Object{spec: Object.spec{replicas: object.spec.replicas + 1, ?paused: optional.none()}}",
                r#"{"spec":{"replicas":4}}"#,
            ),
            (
                "Object{metadata: Object.metadata{labels: {'a': 'b'}}, spec: Object.spec{ports: \
                 [Object.spec.ports{port: 1}]}}",
                r#"{"metadata":{"labels":{"a":"b"}},"spec":{"ports":[{"port":1}]}}"#,
            ),
            (
                "Object{spec: Object.wrong{}}",
                "type mismatch: unexpected type name \"Object.wrong\", expected \"Object.spec\", which \
                 matches field name path from root Object type",
            ),
            (
                "[JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('a/b~c'), value: 1}]",
                r#"[{"op":"add","path":"/metadata/labels/a~1b~0c","value":1}]"#,
            ),
            (
                "[JSONPatch{op: 'copy', from: '/a', path: '/b'}, JSONPatch{op: 'add', path: '/c', value: \
                 Object.c{d: [1.0, 2.5]}}]",
                r#"[{"from":"/a","op":"copy","path":"/b"},{"op":"add","path":"/c","value":{"d":[1,2.5]}}]"#,
            ),
            ("JSONPatch{op: 'a'}.op", "a"),
            ("Object{a: 1}.a == 1", "true"),
            ("Object{} == Object{}", "true"),
        ],
    );
    let refused = |source: &str| evaluate(&environment, source, &Value::Null);
    assert!(
        refused("JSONPatch{op: 1}")
            .contains("expected type of field 'op' is 'string' but provided type is 'int'")
    );
    assert!(refused("JSONPatch{op: dyn(1)}").contains("unexpected type int64 for JSONPatchType 'op' field"));
    assert!(refused("Other{}").contains("undeclared reference to 'Other' (in container '')"));
    let plain = evaluate(&self::environment(), "Object{}", &Value::Null);
    assert!(plain.contains("undeclared reference to 'Object' (in container '')"), "{plain}");
}
