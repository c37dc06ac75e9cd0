//! Match conditions on a write, with the words of Kubernetes.

use std::sync::Arc;

use klient_apimachinery::values::Map;
use serde_json::{Value, json};

use super::{Input, MatchConditions, UserAuthorizer, request};
use crate::admission::matching::Matched;
use crate::admission::{Attributes, Operation, RequestContext};
use crate::auth::{SUPERUSERS, User};
use crate::registry::Registry;
use crate::storage::{Memory, Storage};
use crate::warnings::Warnings;

fn map(value: &Value) -> Map {
    value.as_object().cloned().expect("an object")
}

/// The result of conditions on a new Pod that a user of a group creates.
fn matches(conditions: &[&str], fails: bool, group: &str) -> Result<bool, String> {
    let (storage, registry) = (Arc::new(Memory::after(1, 10)), Arc::new(Registry::new()));
    let storage: Arc<dyn Storage> = storage;
    let user = User::new("alice", &[group.to_owned()]);
    let warnings = Warnings::default();
    let pods = registry.built_in("", "v1", "pods");
    let attributes = Attributes {
        operation: Operation::Create,
        resource: &pods,
        form: &pods,
        subresource: None,
        presented: None,
        namespace: Some("shop"),
        name: "web",
        old: None,
        request: RequestContext { user: Some(&user), ..RequestContext::of_server(&warnings) },
        reinvocation: None,
    };
    let matched = Matched { resource: pods.clone(), kind: attributes.kind() };
    let conditions: Vec<Value> =
        conditions.iter().map(|expression| json!({"name": "c", "expression": expression})).collect();
    let conditions = MatchConditions::of_webhook(&conditions);
    let object = map(&json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": {"containers": []}}));
    let input = Input {
        object: Some(&object),
        old_object: None,
        request: &request(&attributes, &matched),
        params: None,
        namespace: None,
        authorizer: &UserAuthorizer::new(&storage, &registry, &user, &attributes),
    };
    conditions.matches(fails, input)
}

#[test]
fn conditions_read_the_object_and_the_request() {
    for condition in [
        "object.metadata.name == 'web' && oldObject == null && namespaceObject == null",
        "request.operation == 'CREATE' && request.resource.resource == 'pods' && request.kind.kind == 'Pod'",
        "request.namespace == 'shop' && request.userInfo.username == 'alice' && !has(request.subResource)",
        "request.options == null && !request.dryRun",
        "!authorizer.requestResource.check('get').allowed()",
    ] {
        assert_eq!(matches(&[condition], true, "users"), Ok(true), "{condition}");
    }
    let allowed = "authorizer.group('apps').resource('deployments').namespace('x').check('list').allowed()";
    assert_eq!(matches(&[allowed], true, SUPERUSERS), Ok(true));
}

#[test]
fn a_false_condition_decides_and_errors_follow_the_failure_policy() {
    let error = "object.missing == 1";
    let message = "expression 'object.missing == 1' resulted in error: no such key: missing";
    assert_eq!(matches(&[], true, "users"), Ok(true));
    assert_eq!(matches(&["true", "false"], true, "users"), Ok(false));
    assert_eq!(matches(&[error, "false"], true, "users"), Ok(false));
    assert_eq!(matches(&[error, "true"], true, "users"), Err(message.to_owned()));
    assert_eq!(matches(&[error, "true"], false, "users"), Ok(false));
    let typed = "compilation error: must evaluate to bool but got dyn";
    let both = format!("[{message}, {typed}]");
    assert_eq!(matches(&[error, "object.other", error], true, "users"), Err(both));
}

#[test]
fn the_cost_of_conditions_is_limited() {
    let ten = "[0,1,2,3,4,5,6,7,8,9]";
    let endless = (0..8).fold("true".to_owned(), |inner, index| format!("{ten}.all(i{index}, {inner})"));
    let result = matches(&[&endless], true, "users");
    let message =
        format!("expression '{endless}' resulted in error: operation cancelled: actual cost limit exceeded");
    assert_eq!(result, Err(message));
    let budget =
        "validation failed due to running out of cost budget, no further validation rules will be run";
    assert_eq!(matches(&[endless.as_str(); 3], true, "users"), Err(budget.to_owned()));
    assert_eq!(matches(&[endless.as_str(); 3], false, "users"), Ok(false));
}
