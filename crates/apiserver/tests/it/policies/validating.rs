//! ValidatingAdmissionPolicies and their bindings.

use klient_apiserver::TestServer;
use serde_json::{Value, json};

use super::{GROUP, config_map, constraints, object, server, with};
use crate::answer::Answer;
use crate::client::{Client, Identity, Protocol};
use crate::definition::defined;
use crate::objects::{CONFIG_MAPS, GADGETS, anything, deployment, gadget, gadgets};
use crate::webhooks::matching::{OF_THE_CLIENT, SCALERS, scaler};

fn policies() -> String {
    format!("{GROUP}/validatingadmissionpolicies")
}

fn bindings() -> String {
    format!("{GROUP}/validatingadmissionpolicybindings")
}

/// A policy for ConfigMaps with one validation.
fn policy(expression: &str) -> Value {
    json!({"matchConstraints": constraints("", "configmaps"), "validations": [{"expression": expression}]})
}

/// A server with a policy "p" that a binding "b" puts into effect.
async fn in_effect(policy: Value, binding: Value) -> (TestServer, Client) {
    let (server, client) = server().await;
    client.post(&policies(), &object("p", policy)).await.expect(201);
    let binding = with(json!({"policyName": "p", "validationActions": ["Deny"]}), binding);
    client.post(&bindings(), &object("b", binding)).await.expect(201);
    (server, client)
}

fn denied(name: &str, problem: &str) -> String {
    format!(
        "422 configmaps \"{name}\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: \
         {problem}"
    )
}

#[tokio::test]
async fn a_validation_that_is_false_denies_the_write() {
    let (_server, client) = in_effect(policy("object.data.size != 'big'"), json!({})).await;
    let created = client.post(CONFIG_MAPS, &config_map("c", json!({"size": "big"}))).await;
    assert_eq!(created.refusal(), denied("c", "failed expression: object.data.size != 'big'"));
    let answer = created.json();
    assert_eq!(answer["reason"], "Invalid");
    let message = denied("c", "failed expression: object.data.size != 'big'");
    let message = message.trim_start_matches("422 configmaps \"c\" is forbidden: ");
    assert_eq!(
        answer["details"],
        json!({"name": "c", "kind": "configmaps", "causes": [{"message": message}]})
    );

    client.post(CONFIG_MAPS, &config_map("c", json!({"size": "small"}))).await.expect(201);
    let path = format!("{CONFIG_MAPS}/c");
    let patched = client.patch(&path, "merge", &json!({"data": {"size": "big"}})).await;
    assert_eq!(patched.refusal(), denied("c", "failed expression: object.data.size != 'big'"));
    let dry =
        client.post(&format!("{CONFIG_MAPS}?dryRun=All"), &config_map("d", json!({"size": "big"}))).await;
    assert_eq!(dry.status, 422);
    let missing = client.post(CONFIG_MAPS, &config_map("d", json!({}))).await.refusal();
    assert_eq!(
        missing,
        denied("d", "expression 'object.data.size != 'big'' resulted in error: no such key: data")
    );
    client.delete(&path).await.expect(200);
    client.delete(&format!("{}/b", bindings())).await.expect(200);
    client.post(CONFIG_MAPS, &config_map("c", json!({"size": "big"}))).await.expect(201);
}

#[tokio::test]
async fn messages_and_reasons_are_those_of_the_validation() {
    let spec = with(
        policy("true"),
        json!({
            "variables": [{"name": "size", "expression": "int(object.data.size)"}],
            "validations": [
                {"expression": "variables.size < 10", "messageExpression": "'size is ' + string(variables.size)",
                 "message": "too large", "reason": "Forbidden"},
                {"expression": "variables.size != 5", "message": " five ", "reason": "RequestEntityTooLarge"},
                {"expression": "variables.size != 4", "message": "four", "messageExpression": "' '"},
            ],
        }),
    );
    let (_server, client) = in_effect(spec, json!({})).await;
    let refusal = async |size: &str| {
        let answer = client.post(CONFIG_MAPS, &config_map("c", json!({"size": size}))).await;
        let reason = answer.json()["reason"].as_str().unwrap_or_default().to_owned();
        (
            answer.status.as_u16(),
            reason,
            answer.refusal().rsplit_once("request: ").unwrap_or_default().1.to_owned(),
        )
    };
    let expected = |code: u16, reason: &str, message: &str| (code, reason.to_owned(), message.to_owned());
    assert_eq!(refusal("12").await, expected(403, "Forbidden", "size is 12"));
    assert_eq!(refusal("5").await, expected(413, "RequestEntityTooLarge", "five"));
    assert_eq!(refusal("4").await, expected(422, "Invalid", "four"));
    let broken = refusal("x").await;
    assert_eq!(broken.0, 422);
    assert!(
        broken.2.starts_with(
            "expression 'variables.size < 10' resulted in error: composited variable \"size\" fails to evaluate: "
        ),
        "{}",
        broken.2
    );
}

#[tokio::test]
async fn warnings_are_sent_beside_the_answer() {
    let (_server, client) = in_effect(policy("false"), json!({"validationActions": ["Warn", "Audit"]})).await;
    let created = client.post(CONFIG_MAPS, &config_map("c", json!({}))).await;
    created.expect(201);
    assert_eq!(
        created.warnings(),
        ["Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': failed expression: false"]
    );
}

#[tokio::test]
async fn expressions_read_the_request_the_namespace_and_the_permissions_of_the_user() {
    let spec = with(
        policy("true"),
        json!({"validations": [
            {"expression": "request.operation in ['CREATE', 'UPDATE'] && request.kind.kind == 'ConfigMap'"},
            {"expression": "object.kind == 'ConfigMap' && object.apiVersion == 'v1'"},
            {"expression": "request.operation != 'CREATE' || oldObject == null"},
            {"expression": "request.operation != 'UPDATE' || oldObject.data.a == '1'"},
            {"expression": "namespaceObject.metadata.name == 'default' && !has(dyn(namespaceObject.metadata).managedFields)"},
            {"expression": "request.userInfo.username == 'kubernetes-admin'"},
            {"expression": "authorizer.requestResource.check('delete').allowed()"},
            {"expression": "!authorizer.serviceAccount('default', 'x').group('').resource('secrets').check('get').allowed()"},
            {"expression": "request.options.kind == request.operation.lowerAscii().substring(0, 1).upperAscii() + \
              request.operation.lowerAscii().substring(1) + 'Options'"},
        ]}),
    );
    let (_server, client) = in_effect(spec, json!({})).await;
    client.post(CONFIG_MAPS, &config_map("c", json!({"a": "1"}))).await.expect(201);
    client.patch(&format!("{CONFIG_MAPS}/c"), "merge", &json!({"data": {"a": "2"}})).await.expect(200);
}

#[tokio::test]
async fn conditions_selectors_and_rules_decide_what_a_policy_is_for() {
    let spec = with(
        policy("false"),
        json!({"matchConditions": [{"name": "checked", "expression": "object.data.check == 'yes'"}]}),
    );
    let resources = json!({"objectSelector": {"matchLabels": {"checked": "yes"}}});
    let (_server, client) = in_effect(spec, json!({"matchResources": resources})).await;
    let create = async |name: &str, label: &str, data: Value| {
        let mut object = config_map(name, data);
        object["metadata"]["labels"] = json!({"checked": label});
        client.post(CONFIG_MAPS, &object).await
    };
    create("a", "no", json!({"check": "yes"})).await.expect(201);
    create("b", "yes", json!({"check": "no"})).await.expect(201);
    let refused = create("c", "yes", json!({"check": "yes"})).await.refusal();
    assert_eq!(refused, denied("c", "failed expression: false"));
    let error = create("d", "yes", json!({"other": "1"})).await.refusal();
    let problem = "expression 'object.data.check == 'yes'' resulted in error: no such key: check";
    assert_eq!(error, denied("d", problem));
    let ignore = json!({"spec": {"failurePolicy": "Ignore"}});
    client.patch(&format!("{}/p", policies()), "merge", &ignore).await.expect(200);
    create("d", "yes", json!({"other": "1"})).await.expect(201);
}

#[tokio::test]
async fn parameters_come_from_the_objects_that_the_binding_names() {
    let spec = with(
        policy("params == null || size(object.data) <= int(params.data.max)"),
        json!({"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}, "matchConstraints": constraints("", "secrets")}),
    );
    let reference = json!({"name": "limits", "parameterNotFoundAction": "Deny"});
    let (_server, client) = in_effect(spec, json!({"paramRef": reference})).await;
    let secrets = CONFIG_MAPS.replace("configmaps", "secrets");
    let secret = |name: &str| json!({"metadata": {"name": name}, "stringData": {"a": "1", "b": "2"}, "data": {"c": "MQ=="}});
    let refusal = async |name: &str| {
        client.post(&secrets, &secret(name)).await.refusal().replace("secrets", "configmaps")
    };
    let missing =
        "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction";
    assert_eq!(refusal("s").await, denied("s", missing));
    let limits = |max: &str, label: &str| {
        let mut limits = config_map("limits", json!({"max": max}));
        limits["metadata"]["labels"] = json!({"limits": label});
        limits
    };
    client.post(CONFIG_MAPS, &limits("2", "a")).await.expect(201);
    let failed = "failed expression: params == null || size(object.data) <= int(params.data.max)";
    assert_eq!(refusal("s").await, denied("s", failed));
    client.patch(&format!("{CONFIG_MAPS}/limits"), "merge", &json!({"data": {"max": "3"}})).await.expect(200);
    client.post(&secrets, &secret("s")).await.expect(201);

    let selected = json!({"policyName": "p", "validationActions": ["Deny"], "paramRef": {
        "selector": {"matchLabels": {"limits": "b"}}, "parameterNotFoundAction": "Allow"}});
    client.post(&bindings(), &object("second", selected)).await.expect(201);
    client.post(&secrets, &secret("t")).await.expect(201);
    let mut other = limits("1", "b");
    other["metadata"]["name"] = "others".into();
    client.post(CONFIG_MAPS, &other).await.expect(201);
    let refused = refusal("u").await.replace("binding 'second'", "binding 'b'");
    assert_eq!(refused, denied("u", failed));
}

#[tokio::test]
async fn parameters_are_objects_that_the_writer_of_a_policy_can_read() {
    let (server, admin) = server().await;
    let roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
    let rules = json!([
        {"apiGroups": ["admissionregistration.k8s.io"], "resources": ["*"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]},
    ]);
    admin.post(roles, &json!({"metadata": {"name": "policies"}, "rules": rules})).await.expect(201);
    let binding = json!({
        "metadata": {"name": "policies"}, "subjects": [{"kind": "User", "name": "bob"}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "policies"},
    });
    admin.post(&roles.replace("clusterroles", "clusterrolebindings"), &binding).await.expect(201);
    let bob = Client::connect(&server, Protocol::Http2, Identity::Token(server.token("bob", &[]))).await;
    let spec = |kind: &str| with(policy("true"), json!({"paramKind": {"apiVersion": "v1", "kind": kind}}));
    let user = "&{bob  [system:authenticated] map[]}";
    assert_eq!(
        bob.post(&policies(), &object("p", spec("Secret"))).await.refusal(),
        format!(
            "422 ValidatingAdmissionPolicy.admissionregistration.k8s.io \"p\" is invalid: spec.paramKind: Forbidden: user \
             {user} must have \"get\" permission on all objects of the referenced paramKind (kind=Secret, apiVersion=v1)"
        )
    );
    bob.post(&policies(), &object("p", spec("ConfigMap"))).await.expect(201);
    let bound = |policy: &str, reference: Value| {
        object("b", json!({"policyName": policy, "validationActions": ["Deny"], "paramRef": reference}))
    };
    let selected = json!({"selector": {}, "parameterNotFoundAction": "Deny"});
    let start = "422 ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io \"b\" is invalid: spec.paramRef: Forbidden: ";
    assert_eq!(
        bob.post(&bindings(), &bound("p", selected)).await.refusal(),
        format!("{start}user {user} does not have \"list\" permission on the object referenced by paramRef")
    );
    let named = json!({"name": "limits", "parameterNotFoundAction": "Deny"});
    assert_eq!(
        bob.post(&bindings(), &bound("missing", named.clone())).await.refusal(),
        format!(
            "{start}unable to get policy missing to determine minimum required permissions and user {user} does not have \
             \"get\" permission for all groups, versions and resources"
        )
    );
    bob.post(&bindings(), &bound("p", named)).await.expect(201);
}

#[tokio::test]
async fn a_kind_of_parameters_that_does_not_exist_fails_the_policy() {
    let spec = with(policy("true"), json!({"paramKind": {"apiVersion": "a.example/v1", "kind": "Limit"}}));
    let reference = json!({"name": "x", "parameterNotFoundAction": "Allow"});
    let (_server, client) = in_effect(spec, json!({"paramRef": reference})).await;
    let refused = client.post(CONFIG_MAPS, &config_map("c", json!({}))).await.refusal();
    assert_eq!(
        refused,
        "422 configmaps \"c\" is forbidden: ValidatingAdmissionPolicy 'p' denied request: failed to configure policy: \
         failed to find resource referenced by paramKind: 'a.example/v1, Kind=Limit'"
    );
}

#[tokio::test]
async fn deletes_scales_and_custom_resources_are_validated() {
    let rule = |groups: &str, resource: &str, operation: &str| json!({"apiGroups": [groups], "apiVersions": ["*"], "operations": [operation], "resources": [resource]});
    let spec = json!({
        "matchConstraints": {"resourceRules": [
            rule("", "configmaps", "DELETE"), rule("apps", "deployments/scale", "UPDATE"), rule("a.example", "gadgets", "*"),
        ]},
        "validations": [
            {"expression": "request.operation != 'DELETE' || (object == null && oldObject.metadata.name != 'kept')"},
            {"expression": "request.?subResource.orValue('') != 'scale' || (object.kind == 'Scale' && \
              request.kind.kind == 'Scale' && object.spec.replicas < 3)", "message": "at most two"},
            {"expression": "request.resource.resource != 'gadgets' || object.spec.size < 5", "message": "too large"},
        ],
    });
    let (_server, client) = defined(&gadgets(anything())).await;
    client.post(&policies(), &object("p", spec)).await.expect(201);
    client
        .post(&bindings(), &object("b", json!({"policyName": "p", "validationActions": ["Deny"]})))
        .await
        .expect(201);
    let problem =
        async |answer: Answer| answer.refusal().rsplit_once("request: ").unwrap_or_default().1.to_owned();
    for name in ["kept", "other"] {
        client.post(CONFIG_MAPS, &config_map(name, json!({}))).await.expect(201);
    }
    let kept = problem(client.delete(&format!("{CONFIG_MAPS}/kept")).await).await;
    assert!(kept.starts_with("failed expression: request.operation != 'DELETE'"), "{kept}");
    client.delete(&format!("{CONFIG_MAPS}/other")).await.expect(200);
    let deployments = "/apis/apps/v1/namespaces/default/deployments";
    client.post(deployments, &deployment("d")).await.expect(201);
    let scale = async |replicas: u32| {
        let path = format!("{deployments}/d/scale");
        client.patch(&path, "merge", &json!({"spec": {"replicas": replicas}})).await
    };
    scale(2).await.expect(200);
    assert_eq!(problem(scale(3).await).await, "at most two");
    client.post(GADGETS, &gadget("g", json!({"size": 4}))).await.expect(201);
    assert_eq!(problem(client.post(GADGETS, &gadget("h", json!({"size": 5}))).await).await, "too large");
}

#[tokio::test]
async fn equivalent_versions_are_converted() {
    let spec = json!({
        "matchConstraints": {"resourceRules": [{
            "apiGroups": ["autoscaling"], "apiVersions": ["v1"], "operations": ["CREATE"],
            "resources": ["horizontalpodautoscalers"],
        }]},
        "validations": [{"expression": "request.kind.version != 'v1' || !has(object.spec.metrics)"},
            {"expression": "object.spec.targetCPUUtilizationPercentage < 50 && object.apiVersion == 'autoscaling/v1' \
              && request.requestKind.version == 'v2'", "message": "seen as v1"}],
    });
    let (_server, client) = in_effect(spec, json!({})).await;
    let autoscaler = |percent: u32| {
        json!({"metadata": {"name": "h"}, "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}, "maxReplicas": 3,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": percent}}}]}})
    };
    let path = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";
    let refused = client.post(path, &autoscaler(80)).await.refusal();
    assert!(refused.ends_with("denied request: seen as v1"), "{refused}");
    client.post(path, &autoscaler(40)).await.expect(201);
}

#[tokio::test]
async fn policies_are_not_for_policies_and_bindings() {
    let everything = json!({"resourceRules": [{
        "apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"],
    }]});
    let (_server, client) =
        in_effect(with(policy("false"), json!({"matchConstraints": everything})), json!({})).await;
    let refused = client.post(CONFIG_MAPS, &config_map("c", json!({}))).await.refusal();
    assert_eq!(refused, denied("c", "failed expression: false"));
    client.post(&policies(), &object("q", policy("true"))).await.expect(201);
    let unbound = json!({"policyName": "missing", "validationActions": ["Deny"]});
    client.post(&bindings(), &object("unbound", unbound)).await.expect(201);
    let webhooks = json!({"metadata": {"name": "w"}, "webhooks": []});
    let refused = client.post(&format!("{GROUP}/validatingwebhookconfigurations"), &webhooks).await;
    assert_eq!(refused.status, 422, "the configurations of webhooks are validated by policies");
    client.delete(&format!("{}/p", policies())).await.expect(200);
    client.post(CONFIG_MAPS, &config_map("c", json!({}))).await.expect(201);
}

#[tokio::test]
async fn endless_expressions_end_at_their_cost() {
    let ten = "[0,1,2,3,4,5,6,7,8,9]";
    let endless = (0..8).fold("true".to_owned(), |inner, index| format!("{ten}.all(i{index}, {inner})"));
    let (_server, client) = in_effect(policy(&endless), json!({})).await;
    let refused = client.post(CONFIG_MAPS, &config_map("c", json!({}))).await.refusal();
    let problem =
        format!("expression '{endless}' resulted in error: operation cancelled: actual cost limit exceeded");
    assert_eq!(refused, denied("c", &problem));
    let validations: Vec<Value> = (0..12).map(|_| json!({"expression": endless})).collect();
    let patch = json!({"spec": {"validations": validations}});
    client.patch(&format!("{}/p", policies()), "merge", &patch).await.expect(200);
    let refused = client.post(CONFIG_MAPS, &config_map("c", json!({}))).await.refusal();
    let problem =
        "validation failed due to running out of cost budget, no further validation rules will be run";
    assert_eq!(refused, denied("c", problem));
}

#[tokio::test]
async fn many_evaluations_end_at_the_deadline_of_the_request() {
    let ten = "[0,1,2,3,4,5,6,7,8,9]";
    let endless = (0..8).fold("true".to_owned(), |inner, index| format!("{ten}.all(i{index}, {inner})"));
    let spec = with(
        policy(&endless),
        json!({
            "paramKind": {"apiVersion": "v1", "kind": "Secret"},
            "matchConstraints": constraints("", "configmaps"),
        }),
    );
    let reference = json!({"selector": {}, "parameterNotFoundAction": "Allow"});
    let (_server, client) = in_effect(spec, json!({"paramRef": reference})).await;
    let secrets = CONFIG_MAPS.replace("configmaps", "secrets");
    for index in 0..100 {
        client.post(&secrets, &json!({"metadata": {"name": format!("s{index}")}})).await.expect(201);
    }
    let path = format!("{CONFIG_MAPS}?timeout=1s");
    let refused = client.post(&path, &config_map("c", json!({}))).await.refusal();
    let problem = "Timeout: request did not complete within requested timeout - context deadline exceeded";
    assert_eq!(refused, format!("504 {problem}"));
}

#[tokio::test]
async fn the_types_of_expressions_are_checked_with_those_of_the_kinds() {
    let (_server, client) = server().await;
    let spec = json!({
        "matchConstraints": {"resourceRules": [{
            "apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"],
        }]},
        "variables": [{"name": "replicas", "expression": "object.spec.replicas"}],
    });
    let spec = with(
        spec,
        json!({"validations": [
            {"expression": "object.spec.replicas > 1 && object.metadata.namespace == 'a'"},
            {"expression": "object.spec.replica > 1", "messageExpression": "object.nothing + ''"},
            {"expression": "variables.replicas == 'a'"},
        ]}),
    );
    client.post(&policies(), &object("p", spec)).await.expect(201);
    let status = client.get(&format!("{}/p", policies())).await.expect(200)["status"].clone();
    let warning = |field: &str, text: &str| json!({"fieldRef": field, "warning": format!("apps/v1, Kind=Deployment: {text}\n")});
    assert_eq!(
        status,
        json!({"observedGeneration": 1, "typeChecking": {"expressionWarnings": [
            warning(
                "spec.validations[1].expression",
                "ERROR: <input>:1:12: undefined field 'replica'\n | object.spec.replica > 1\n | ...........^"
            ),
            warning(
                "spec.validations[1].messageExpression",
                "ERROR: <input>:1:7: undefined field 'nothing'\n | object.nothing + ''\n | ......^"
            ),
            warning(
                "spec.validations[2].expression",
                "ERROR: <input>:1:20: found no matching overload for '_==_' applied to '(int, string)'\n | \
                 variables.replicas == 'a'\n | ...................^"
            ),
        ]}})
    );
}

#[tokio::test]
async fn definitions_that_do_not_compile_are_refused() {
    let (_server, client) = server().await;
    let refusal = async |spec: Value| {
        let refused = client.post(&policies(), &object("p", spec)).await.refusal();
        let start = "422 ValidatingAdmissionPolicy.admissionregistration.k8s.io \"p\" is invalid: ";
        refused.strip_prefix(start).map_or(refused.clone(), str::to_owned)
    };
    assert_eq!(
        refusal(policy("object.x = 1")).await,
        "spec.validations[0].expression: Invalid value: \"object.x = 1\": compilation failed: ERROR: <input>:1:10: \
         Syntax error: token recognition error at: '= '\n | object.x = 1\n | .........^\nERROR: <input>:1:12: Syntax \
         error: extraneous input '1' expecting <EOF>\n | object.x = 1\n | ...........^"
    );
    assert_eq!(
        refusal(policy("object.x")).await,
        "spec.validations[0].expression: Invalid value: \"object.x\": must evaluate to bool but got dyn"
    );
    assert_eq!(
        refusal(policy("params.x == 1")).await,
        "spec.validations[0].expression: Invalid value: \"params.x == 1\": compilation failed: ERROR: <input>:1:1: \
         undeclared reference to 'params' (in container '')\n | params.x == 1\n | ^"
    );
    let nested = format!("{}1{} == 1", "(".repeat(10_000), ")".repeat(10_000));
    let refused = refusal(policy(&nested)).await;
    assert!(refused.ends_with("ERROR: <input>:-1:0: expression recursion limit exceeded: 250"));
    assert_eq!(
        refusal(json!({})).await,
        "[spec.matchConstraints: Required value, spec.validations: Required value: \
        validations or auditAnnotations must contain at least one item, spec.auditAnnotations: Required value: \
        validations or auditAnnotations must contain at least one item]"
    );
    let binding =
        client.post(&bindings(), &object("b", json!({"validationActions": ["Deny", "Warn"]}))).await;
    assert_eq!(
        binding.refusal(),
        "422 ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io \"b\" is invalid: \
         [spec.validationActions: Invalid value: [\"Deny\",\"Warn\"]: must not contain both Deny and Warn (repeating \
         the same validation failure information in the API response and headers serves no purpose), \
         spec.policyName: Required value]"
    );
}

#[tokio::test]
async fn a_costly_policy_holds_up_no_other_request() {
    let rule = "object.data.all(one, object.data.all(other, one != other || one == other))";
    let rules = vec![json!({"expression": rule}); 9];
    let costly = json!({"matchConstraints": constraints("", "configmaps"), "validations": rules});
    let (_server, client) = in_effect(costly, json!({})).await;
    let data: Value = (0..250).map(|index| (format!("k{index}"), Value::from("v"))).collect();
    let writer = client.share();
    let write = tokio::spawn(async move { writer.post(CONFIG_MAPS, &config_map("c", data)).await });
    let mut reads = 0;
    while !write.is_finished() {
        client.get(CONFIG_MAPS).await.expect(200);
        reads += 1;
    }
    write.await.expect("it does not panic").expect(201);
    assert!(reads > 20, "{reads} reads during the write");
}

#[tokio::test]
async fn a_policy_that_is_evaluated_once_more_says_the_same() {
    let variable = json!({"name": "all", "expression": "object.data.all(one, object.data.all(other, one != other || one == other))"});
    let cases = [
        // Whatever an expression does with the error of a variable, that is not given up for good.
        (json!([{"expression": "variables.all || true"}]), None),
        (json!([{"expression": "!variables.all"}]), Some("failed expression: !variables.all")),
        (
            json!([{"expression": "false", "messageExpression": "variables.all ? 'all of ' + string(object.data.size()) : ''"}]),
            Some("all of 200"),
        ),
        (
            json!([{"expression": "object.data.all(a, object.data.all(b, object.data.all(c, a != b || b != c || c != a || true)))"}]),
            Some(
                "expression 'object.data.all(a, object.data.all(b, object.data.all(c, a != b || b != c || c != a || true)))' \
                 resulted in error: operation cancelled: actual cost limit exceeded",
            ),
        ),
    ];
    for (validations, problem) in cases {
        let policy = json!({
            "matchConstraints": constraints("", "configmaps"), "variables": [variable], "validations": validations,
        });
        let (_server, client) = in_effect(policy, json!({})).await;
        let data: Value = (0..200).map(|index| (format!("k{index}"), Value::from("v"))).collect();
        let created = client.post(CONFIG_MAPS, &config_map("c", data)).await;
        match problem {
            Some(problem) => assert_eq!(created.refusal(), denied("c", problem)),
            None => drop(created.expect(201)),
        }
    }
}

#[tokio::test]
async fn conditions_see_the_resource_of_the_request_and_validations_that_which_has_matched() {
    let mut constraints = constraints("autoscaling", "horizontalpodautoscalers");
    constraints["resourceRules"][0]["apiVersions"] = json!(["v2"]);
    let spec = json!({"matchConstraints": constraints, "validations": [{
        "expression": "false", "messageExpression": "request.resource.version + ' ' + request.kind.version",
    }]});
    for (condition, matches) in OF_THE_CLIENT {
        let conditions = json!({"matchConditions": [{"name": "c", "expression": condition}]});
        let (_server, client) = in_effect(with(spec.clone(), conditions), json!({})).await;
        let answer = client.post(SCALERS, &scaler()).await;
        assert_eq!(answer.status, if matches { 422 } else { 201 }, "{condition}: {}", answer.text());
        assert!(!matches || answer.refusal().ends_with("denied request: v2 v2"), "{}", answer.text());
    }
}

#[tokio::test]
async fn the_kinds_that_a_policy_is_checked_with_are_counted_for_each_rule() {
    let core =
        ["configmaps", "endpoints", "events", "limitranges", "namespaces", "nodes", "pods", "podtemplates"];
    let more = ["replicationcontrollers", "resourcequotas", "secrets", "serviceaccounts", "services"];
    let apps = ["deployments", "replicasets", "statefulsets", "daemonsets"];
    let rule = |group: &str, resources: &[&str]| json!({"apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": resources});
    let all = [&core[..], &more].concat();
    let (_server, client) = server().await;
    for (name, rules, kinds) in [
        ("each", json!([rule("", &core), rule("apps", &apps), rule("", &more)]), 17),
        ("many", json!([rule("apps", &apps), rule("", &all), rule("batch", &["jobs"])]), 14),
    ] {
        let spec = json!({
            "matchConstraints": {"resourceRules": rules}, "validations": [{"expression": "object.nope == 1"}],
        });
        client.post(&policies(), &object(name, spec)).await.expect(201);
        let read = client.get(&format!("{}/{name}", policies())).await.expect(200);
        let warning = read["status"]["typeChecking"]["expressionWarnings"][0]["warning"].as_str();
        let warning = warning.expect("there is a warning");
        assert_eq!(warning.matches("Kind=").count(), kinds, "{warning}");
    }
}
