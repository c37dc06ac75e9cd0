//! The environments of admission: the variables of match conditions and of policies.
//!
//! The values of all variables but the authorizers are JSON: `request` has the form of an AdmissionRequest, and a
//! variable without a value is null.

use crate::environment::Environment;
use crate::object_type::ObjectType;

/// The object that is written; null if it is deleted.
pub const OBJECT: &str = "object";
/// The object as it was; null if it is created.
pub const OLD_OBJECT: &str = "oldObject";
/// The attributes of the request.
pub const REQUEST: &str = "request";
/// The namespace of the object, or null.
pub const NAMESPACE_OBJECT: &str = "namespaceObject";
/// The parameters of a policy, or null.
pub const PARAMS: &str = "params";
/// The authorizer of the user.
pub const AUTHORIZER: &str = "authorizer";
/// The authorization check of the resource that is written.
pub const REQUEST_RESOURCE: &str = "authorizer.requestResource";

/// The cost of all evaluations of a binding of a policy.
pub const BUDGET: u64 = 10_000_000;

/// The cost of the evaluations of the match conditions of a webhook or policy.
pub const MATCH_CONDITIONS_BUDGET: u64 = 2_500_000;

/// The environment of expressions without an authorizer: messages.
pub fn environment(has_params: bool) -> Environment {
    let environment = types(Environment::default())
        .with_dynamic_variable(OBJECT)
        .with_dynamic_variable(OLD_OBJECT)
        .with_declared_variable(NAMESPACE_OBJECT, "kubernetes.Namespace")
        .with_declared_variable(REQUEST, "kubernetes.AdmissionRequest");
    if has_params { environment.with_dynamic_variable(PARAMS) } else { environment }
}

/// The environment in which the types of a policy's expressions are checked, for objects of a kind. `params` is `None`
/// for a policy without parameters, and `Some(None)` if their type is not known.
pub fn typed_environment(object: &ObjectType, params: Option<Option<&ObjectType>>) -> Environment {
    let environment = types(Environment::default())
        .with_object_variable(OBJECT, object)
        .with_object_variable(OLD_OBJECT, object)
        .with_declared_variable(NAMESPACE_OBJECT, "kubernetes.Namespace")
        .with_declared_variable(REQUEST, "kubernetes.AdmissionRequest");
    with_authorizer(match params {
        None => environment,
        Some(None) => environment.with_dynamic_variable(PARAMS),
        Some(Some(ty)) => environment.with_object_variable(PARAMS, ty),
    })
}

/// Adds the authorizer to an environment. Expressions that were compiled in the environment without it can be evaluated
/// with it.
pub fn with_authorizer(environment: Environment) -> Environment {
    environment
        .with_declared_variable(AUTHORIZER, "kubernetes.authorization.Authorizer")
        .with_declared_variable(REQUEST_RESOURCE, "kubernetes.authorization.ResourceCheck")
}

fn types(environment: Environment) -> Environment {
    environment
        .with_type(
            "kubernetes.GroupVersionKind",
            &[("group", "string"), ("version", "string"), ("kind", "string")],
        )
        .with_type(
            "kubernetes.GroupVersionResource",
            &[("group", "string"), ("version", "string"), ("resource", "string")],
        )
        .with_type(
            "kubernetes.UserInfo",
            &[
                ("username", "string"),
                ("uid", "string"),
                ("groups", "list(string)"),
                ("extra", "map(string, list(string))"),
            ],
        )
        .with_type(
            "kubernetes.AdmissionRequest",
            &[
                ("kind", "kubernetes.GroupVersionKind"),
                ("resource", "kubernetes.GroupVersionResource"),
                ("subResource", "string"),
                ("requestKind", "kubernetes.GroupVersionKind"),
                ("requestResource", "kubernetes.GroupVersionResource"),
                ("requestSubResource", "string"),
                ("name", "string"),
                ("namespace", "string"),
                ("operation", "string"),
                ("userInfo", "kubernetes.UserInfo"),
                ("dryRun", "bool"),
                ("options", "dyn"),
            ],
        )
        .with_type("kubernetes.NamespaceSpec", &[("finalizers", "list(string)")])
        .with_type(
            "kubernetes.NamespaceCondition",
            &[
                ("status", "string"),
                ("type", "string"),
                ("lastTransitionTime", "timestamp"),
                ("message", "string"),
                ("reason", "string"),
            ],
        )
        .with_type(
            "kubernetes.NamespaceStatus",
            &[("conditions", "list(kubernetes.NamespaceCondition)"), ("phase", "string")],
        )
        .with_type(
            "kubernetes.NamespaceMetadata",
            &[
                ("name", "string"),
                ("generateName", "string"),
                ("namespace", "string"),
                ("labels", "map(string, string)"),
                ("annotations", "map(string, string)"),
                ("UID", "string"),
                ("creationTimestamp", "timestamp"),
                ("deletionGracePeriodSeconds", "int"),
                ("deletionTimestamp", "timestamp"),
                ("generation", "int"),
                ("resourceVersion", "string"),
                ("finalizers", "list(string)"),
            ],
        )
        .with_type(
            "kubernetes.Namespace",
            &[
                ("metadata", "kubernetes.NamespaceMetadata"),
                ("spec", "kubernetes.NamespaceSpec"),
                ("status", "kubernetes.NamespaceStatus"),
            ],
        )
}
