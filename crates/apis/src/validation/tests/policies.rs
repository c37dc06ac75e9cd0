//! Admission policies and match conditions.

use super::*;

const GROUP: &str = "admissionregistration.k8s.io";
const POLICIES: &str = "validatingadmissionpolicies";
const BINDINGS: &str = "validatingadmissionpolicybindings";

fn constraints() -> Value {
    json!({"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]})
}

fn policy(fields: Value) -> Value {
    let mut spec = json!({"matchConstraints": constraints(), "validations": [{"expression": "true"}]});
    for (name, value) in fields.as_object().expect("fields") {
        spec[name] = value.clone();
    }
    json!({ "spec": spec })
}

#[test]
fn policies_are_for_resources_and_have_parameters_of_a_kind() {
    check(GROUP, POLICIES, &policy(json!({})), &[]);
    check(
        GROUP,
        POLICIES,
        &policy(json!({
            "failurePolicy": "Sometimes",
            "paramKind": {"apiVersion": "a/b/c"},
            "matchConstraints": {"matchPolicy": "Loose", "excludeResourceRules": [
                {"apiGroups": ["*", "a"], "apiVersions": [""], "resources": ["*", "pods"], "operations": ["GET"],
                 "resourceNames": ["a/b", "x", "x"]}]},
        })),
        &[
            r#"spec.failurePolicy: Unsupported value: "Sometimes": supported values: "Fail", "Ignore""#,
            r#"spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c"#,
            "spec.paramKind.kind: Required value",
            r#"spec.matchConstraints.matchPolicy: Unsupported value: "Loose": supported values: "Equivalent", "Exact""#,
            r#"spec.matchConstraints.excludeResourceRules[0].resourceNames[0]: Invalid value: "a/b": may not contain '/'"#,
            r#"spec.matchConstraints.excludeResourceRules[0].resourceNames[2]: Duplicate value: "x""#,
            r#"spec.matchConstraints.excludeResourceRules[0].operations[0]: Unsupported value: "GET": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE""#,
            r#"spec.matchConstraints.excludeResourceRules[0].apiGroups: Invalid value: ["*","a"]: if '*' is present, must not specify other API groups"#,
            "spec.matchConstraints.excludeResourceRules[0].apiVersions[0]: Required value",
            r#"spec.matchConstraints.excludeResourceRules[0].resources: Invalid value: ["*","pods"]: if '*' is present, must not specify other resources without subresources"#,
            "spec.matchConstraints.resourceRules: Required value",
        ],
    );
}

#[test]
fn expressions_of_policies_are_compiled() {
    check(
        GROUP,
        POLICIES,
        &policy(json!({
            "matchConditions": [
                {"name": "a", "expression": " 1 "}, {"name": "a", "expression": "variables.x == 1"}, {"name": "b/"}],
            "variables": [
                {"name": "x", "expression": "'a'"}, {"name": "1y", "expression": "variables.x + 1"},
                {"name": "in", "expression": " "}, {}],
            "validations": [
                {"expression": "variables.x == 'a'", "messageExpression": "1", "message": "a\nb", "reason": "NotFound"},
                {"expression": " ", "messageExpression": " ", "message": " "},
                {"expression": "true", "messageExpression": "authorizer.path('/').check('get').reason()"}],
            "auditAnnotations": [
                {"key": "k", "valueExpression": " 1 "}, {"key": "k", "valueExpression": "null"}, {"key": "a b"}],
        })),
        &[
            r#"spec.matchConditions[0].expression: Invalid value: "1": must evaluate to bool but got int"#,
            "spec.matchConditions[1].expression: Invalid value: \"variables.x == 1\": compilation failed: ERROR: <input>:1:1: undeclared reference to 'variables' (in container '')\n | variables.x == 1\n | ^",
            r#"spec.matchConditions[1].name: Duplicate value: "a""#,
            "spec.matchConditions[2].expression: Required value",
            r#"spec.matchConditions[2].name: Invalid value: "b/": name part must be non-empty"#,
            r#"spec.matchConditions[2].name: Invalid value: "b/": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"#,
            r#"spec.variables[1].name: Invalid value: "1y": must be a valid CEL identifier"#,
            "spec.variables[1].expression: Invalid value: \"variables.x + 1\": compilation failed: ERROR: <input>:1:13: found no matching overload for '_+_' applied to '(string, int)'\n | variables.x + 1\n | ............^",
            r#"spec.variables[2].name: Invalid value: "in": must be a valid CEL identifier"#,
            "spec.variables[2].expression: Required value: expression is not specified",
            "spec.variables[3].name: Required value: name is not specified",
            "spec.variables[3].expression: Required value: expression is not specified",
            r#"spec.validations[0].messageExpression: Invalid value: "1": must evaluate to string but got int"#,
            r#"spec.validations[0].message: Invalid value: "a\nb": must not contain line breaks"#,
            r#"spec.validations[0].reason: Unsupported value: "NotFound": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge""#,
            "spec.validations[1].expression: Required value: expression is not specified",
            r#"spec.validations[1].messageExpression: Invalid value: " ": must be non-empty if specified"#,
            r#"spec.validations[1].message: Invalid value: " ": must be non-empty if specified"#,
            "spec.validations[2].messageExpression: Invalid value: \"authorizer.path('/').check('get').reason()\": compilation failed: ERROR: <input>:1:1: undeclared reference to 'authorizer' (in container '')\n | authorizer.path('/').check('get').reason()\n | ^",
            r#"spec.auditAnnotations[0].valueExpression: Invalid value: " 1 ": must evaluate to one of [string null_type] but got int"#,
            r#"spec.auditAnnotations[1].key: Duplicate value: "k""#,
            r#"spec.auditAnnotations[2].key: Invalid value: "x/a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"#,
            "spec.auditAnnotations[2].valueExpression: Required value: valueExpression is not specified",
        ],
    );
}

#[test]
fn bindings_name_a_policy_its_parameters_and_actions() {
    check(
        GROUP,
        BINDINGS,
        &json!({"spec": {"policyName": "p", "validationActions": ["Deny", "Audit"]}}),
        &[],
    );
    check(
        GROUP,
        BINDINGS,
        &json!({"spec": {"policyName": "P", "validationActions": ["Stop", "Audit", "Audit"],
            "paramRef": {"name": "a/b", "selector": {}}}}),
        &[
            &format!(r#"spec.policyName: Invalid value: "P": {SUBDOMAIN}"#),
            r#"spec.paramRef.name: Invalid value: "a/b": may not contain '/'"#,
            "spec.paramRef.name: Forbidden: name and selector are mutually exclusive",
            "spec.paramRef.selector: Forbidden: name and selector are mutually exclusive",
            "spec.paramRef.parameterNotFoundAction: Required value",
            r#"spec.validationActions[0]: Unsupported value: "Stop": supported values: "Audit", "Deny", "Warn""#,
            r#"spec.validationActions[2]: Duplicate value: "Audit""#,
        ],
    );
}

#[test]
fn conditions_that_were_accepted_before_are_not_checked_again() {
    let hook = |label: &str, expression: &str| {
        json!({"metadata": {"labels": {"a": label}}, "webhooks": [{
            "name": "a.b.c", "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "clientConfig": {"url": "https://host"},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["pods"]}],
            "matchConditions": [{"name": "c", "expression": expression}],
        }]})
    };
    let plural = "validatingwebhookconfigurations";
    let error =
        r#"webhooks[0].matchConditions[0].expression: Invalid value: "1": must evaluate to bool but got int"#;
    check(GROUP, plural, &hook("1", "1"), &[error]);
    check(GROUP, plural, &hook("1", "object.metadata.name == 'a'"), &[]);
    check_update(GROUP, plural, &hook("1", "1"), &hook("2", "1"), &[]);
    check_update(GROUP, plural, &hook("1", "true"), &hook("1", "1"), &[error]);
}
