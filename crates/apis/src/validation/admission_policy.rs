//! Admission policies and their bindings.

use std::collections::HashSet;

use klient_apimachinery::jsonpath::JsonPath;
use klient_apimachinery::validation::field::ErrorList;
use klient_apimachinery::values::{Map, text_at};
use klient_cel::{Environment, admission, is_reserved};
use serde_json::{Value, json};

use super::at::{At, same};
use super::form::{dns_1035_label, dns_subdomain, path_segment, qualified_name};
use super::match_conditions::{are_unchanged, compile_problem, match_conditions, must_compile};
use super::selector::label_selector;
use super::webhook::rule;

/// The number of audit annotations of a policy.
const ANNOTATIONS_MAX: usize = 20;

/// The length of the expression of an audit annotation, in bytes.
const ANNOTATION_EXPRESSION_MAX: usize = 5 * 1024;

/// The environments of a policy's expressions.
struct Environments {
    /// That of all but messages, with an authorizer.
    full: Environment,
    has_params: bool,
    has_composition: bool,
}

impl Environments {
    fn new(has_params: bool, has_composition: bool) -> Self {
        let full = admission::with_authorizer(admission::environment(has_params));
        let full = if has_composition { full.with_composition() } else { full };
        Environments { full, has_params, has_composition }
    }

    /// That of messages, which has no authorizer.
    fn of_messages(&self) -> Environment {
        let environment = admission::environment(self.has_params);
        if self.has_composition { environment.with_composition_of(&self.full) } else { environment }
    }
}

/// Checks a ValidatingAdmissionPolicy, with the old one in an update.
pub(super) fn validating(object: &Map, old: Option<&Map>, problems: &mut ErrorList) {
    let spec = At::new(object, "spec");
    let has_params = start(&spec, old, problems);
    let variables = spec.get("variables");
    let mut environments = Environments::new(has_params, !variables.is_empty());
    variables.items().for_each(|at| variable(&at, &mut environments.full, problems));
    let (validations, annotations) = (spec.get("validations"), spec.get("auditAnnotations"));
    if validations.is_empty() && annotations.is_empty() {
        let problem = "validations or auditAnnotations must contain at least one item";
        problems.add(validations.required(problem));
        problems.add(annotations.required(problem));
        return;
    }
    let messages = environments.of_messages();
    for at in validations.items() {
        validation(&at, &environments.full, &messages, problems);
    }
    if annotations.list().len() > ANNOTATIONS_MAX {
        // Upstream shows its internal type, which has no names for JSON.
        let shown = |at: At<'_, '_>| json!({"Key": at.get("key").text(), "ValueExpression": at.get("valueExpression").text()});
        let shown: Vec<Value> = annotations.items().map(shown).collect();
        let problem = format!("must not have more than {ANNOTATIONS_MAX} auditAnnotations");
        problems.add(annotations.invalid_as(shown, problem));
    }
    let mut keys = HashSet::new();
    for at in annotations.items() {
        audit_annotation(&at, text_at(object, &["metadata", "name"]), &environments.full, problems);
        let key = at.get("key");
        if !keys.insert(key.text()) {
            problems.add(key.duplicate(key.text()));
        }
    }
}

/// Checks what the type checker found wrong in the expressions of a policy, in its status.
pub(super) fn type_checking(checked: &At<'_, '_>, problems: &mut ErrorList) {
    for warning in checked.get("expressionWarnings").items() {
        warning.get("warning").must_be_set("", problems);
        let field = warning.get("fieldRef");
        let path = field.text().trim();
        if path.is_empty() {
            problems.add(field.required(""));
        } else if let Err(error) = JsonPath::parse(&format!("{{{path}}}")) {
            problems.add(field.invalid_as(path, format!("invalid JSONPath: {error}")));
        }
    }
}

/// Checks a MutatingAdmissionPolicy, with the old one in an update.
pub(super) fn mutating(object: &Map, old: Option<&Map>, problems: &mut ErrorList) {
    let spec = At::new(object, "spec");
    let constraints = spec.get("matchConstraints");
    let mut operations = ErrorList::default();
    mutating_operations(&constraints, &mut operations);
    let has_params = start_with(&spec, old, operations, problems);
    let mut environments = Environments::new(has_params, true);
    spec.get("variables").items().for_each(|at| variable(&at, &mut environments.full, problems));
    let environment = environments.full.with_patch_types();
    let mutations = spec.get("mutations");
    mutations.must_be_set("mutations must contain at least one item", problems);
    mutations.items().for_each(|at| mutation(&at, &environment, problems));
    spec.get("reinvocationPolicy").must_have_one_of(&["IfNeeded", "Never"], problems);
}

/// The fields that both kinds of policies have before their variables; returns true if there are parameters.
fn start(spec: &At<'_, '_>, old: Option<&Map>, problems: &mut ErrorList) -> bool {
    start_with(spec, old, ErrorList::default(), problems)
}

fn start_with(spec: &At<'_, '_>, old: Option<&Map>, operations: ErrorList, problems: &mut ErrorList) -> bool {
    spec.get("failurePolicy").must_have_one_of(&["Fail", "Ignore"], problems);
    let kind = spec.get("paramKind");
    let has_params = kind.is_set();
    if has_params {
        param_kind(&kind, problems);
    }
    let constraints = spec.get("matchConstraints");
    if constraints.is_set() {
        match_resources(&constraints, problems);
        constraints.get("resourceRules").must_be_set("", problems);
        problems.0.extend(operations.0);
    } else {
        problems.add(constraints.required(""));
    }
    let conditions = spec.get("matchConditions");
    let is_unchanged = old.is_some_and(|old| {
        let old = At::new(old, "spec");
        same(kind.raw(), old.get("paramKind").raw())
            && are_unchanged(&conditions, &old.get("matchConditions"))
    });
    if !is_unchanged {
        match_conditions(&conditions, has_params, problems);
    }
    has_params
}

fn param_kind(kind: &At<'_, '_>, problems: &mut ErrorList) {
    let version = kind.get("apiVersion");
    match version.text().split('/').collect::<Vec<_>>()[..] {
        [""] => problems.add(version.required("")),
        ["", ""] => problems.add(version.invalid("version must be specified")),
        [own] => label(&version, own, problems),
        [group, own] => {
            let found = dns_subdomain(group);
            if !group.is_empty() && !found.is_empty() {
                problems.add(version.invalid_as(group, found.join(",")));
            }
            if own.is_empty() {
                problems.add(version.invalid("version must be specified"));
            } else {
                label(&version, own, problems);
            }
        }
        _ => {
            problems.add(version.invalid(format!("unexpected GroupVersion string: {}", version.text())));
        }
    }
    let name = kind.get("kind");
    let found = dns_1035_label(&name.text().to_lowercase());
    if name.is_empty() {
        problems.add(name.required(""));
    } else if !found.is_empty() {
        let problem = format!("may have mixed case, but should otherwise match: {}", found.join(","));
        problems.add(name.invalid(problem));
    }
}

fn label(at: &At<'_, '_>, text: &str, problems: &mut ErrorList) {
    let found = dns_1035_label(text);
    if !found.is_empty() {
        problems.add(at.invalid_as(text, found.join(",")));
    }
}

fn match_resources(resources: &At<'_, '_>, problems: &mut ErrorList) {
    resources.get("matchPolicy").must_have_one_of(&["Equivalent", "Exact"], problems);
    for name in ["namespaceSelector", "objectSelector"] {
        let selector = resources.get(name);
        if selector.is_set() {
            label_selector(&selector, problems);
        } else {
            problems.add(selector.required(""));
        }
    }
    for name in ["resourceRules", "excludeResourceRules"] {
        for named in resources.get(name).items() {
            let mut names = HashSet::new();
            for at in named.get("resourceNames").items() {
                at.must_be(path_segment, problems);
                if !names.insert(at.text()) {
                    problems.add(at.duplicate(at.text()));
                }
            }
            rule(&named, problems);
        }
    }
}

/// There is nothing to change in a delete. The path has no indices, as upstream.
fn mutating_operations(resources: &At<'_, '_>, problems: &mut ErrorList) {
    const ALLOWED: [&str; 4] = ["*", "CONNECT", "CREATE", "UPDATE"];
    let (rules, path) = (resources.get("resourceRules"), resources.get("resourceRules.operations"));
    for rule in rules.items() {
        for operation in rule.get("operations").items() {
            path.holding(operation.raw()).must_be_one_of(&ALLOWED, problems);
        }
    }
}

fn variable(variable: &At<'_, '_>, environment: &mut Environment, problems: &mut ErrorList) {
    let (name, expression) = (variable.get("name"), variable.get("expression"));
    let is_word = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let starts_well = !name.text().starts_with(|c: char| c.is_ascii_digit());
    if name.text().trim().is_empty() {
        problems.add(name.required("name is not specified"));
    } else if !name.text().chars().all(is_word) || !starts_well || is_reserved(name.text()) {
        problems.add(name.invalid("must be a valid CEL identifier"));
    }
    if expression.text().trim().is_empty() {
        problems.add(expression.required("expression is not specified"));
    } else if let Err(error) = environment.compose(name.text(), expression.text()) {
        problems.add(expression.invalid(error.reported()));
    }
}

fn validation(at: &At<'_, '_>, full: &Environment, messages: &Environment, problems: &mut ErrorList) {
    let expression = at.get("expression");
    if expression.text().trim().is_empty() {
        problems.add(expression.required("expression is not specified"));
    } else {
        must_compile(&expression, expression.text(), full, &["bool"], problems);
    }
    let message_expression = at.get("messageExpression");
    if !message_expression.text().trim().is_empty() {
        must_compile(&message_expression, message_expression.text(), messages, &["string"], problems);
    } else if !message_expression.is_empty() {
        problems.add(message_expression.invalid("must be non-empty if specified"));
    }
    let message = at.get("message");
    let text = message.text().trim();
    if !message.is_empty() && text.is_empty() {
        problems.add(message.invalid("must be non-empty if specified"));
    } else if text.contains(['\n', '\r']) {
        problems.add(message.invalid("must not contain line breaks"));
    }
    let reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge"];
    if at.get("reason").is_set() {
        at.get("reason").must_be_one_of(&reasons, problems);
    }
}

fn audit_annotation(at: &At<'_, '_>, policy: &str, environment: &Environment, problems: &mut ErrorList) {
    let (key, expression) = (at.get("key"), at.get("valueExpression"));
    if policy.is_empty() {
        problems.add(key.invalid_text("requires metadata.name be non-empty"));
    } else {
        let qualified = format!("{policy}/{}", key.text());
        let found = qualified_name(&qualified);
        if !found.is_empty() {
            problems.invalid(&key.path(), &qualified, found);
        }
    }
    let source = expression.text().trim();
    if source.is_empty() {
        problems.add(expression.required("valueExpression is not specified"));
    } else if source.len() > ANNOTATION_EXPRESSION_MAX {
        let problem = format!("must not exceed {ANNOTATION_EXPRESSION_MAX} bytes in length");
        problems.add(expression.required(&problem));
    } else if let Some(problem) = compile_problem(source, environment, &["string", "null_type"]) {
        problems.add(expression.invalid(problem));
    }
}

fn mutation(at: &At<'_, '_>, environment: &Environment, problems: &mut ErrorList) {
    let (json_patch, configuration) = (at.get("jsonPatch"), at.get("applyConfiguration"));
    let ty = at.get("patchType");
    let (own, other, shown, result) = match ty.text() {
        "JSONPatch" => (&json_patch, &configuration, "{applyConfiguration}", "list(JSONPatch)"),
        "ApplyConfiguration" => (&configuration, &json_patch, "{jsonPatch}", "Object"),
        _ => return ty.must_have_one_of(&["ApplyConfiguration", "JSONPatch"], problems),
    };
    let expression = own.get("expression");
    let source = expression.text().trim();
    if !own.is_set() {
        problems.add(own.required(&format!("must be specified when patchType is {}", ty.text())));
    } else if source.is_empty() {
        problems.add(expression.required(""));
    } else {
        must_compile(&expression, source, environment, &[result], problems);
    }
    if other.is_set() {
        let problem = format!("must not be specified when patchType is {}", ty.text());
        problems.add(other.invalid_as(shown, problem));
    }
}

/// Checks a ValidatingAdmissionPolicyBinding. What the types declare comes last.
pub(super) fn validating_binding(object: &Map, problems: &mut ErrorList) {
    let spec = At::new(object, "spec");
    let policy = spec.get("policyName");
    if !policy.is_empty() {
        policy.must_be(dns_subdomain, problems);
    }
    binding(&spec, problems);
    let actions = spec.get("validationActions");
    let mut seen = HashSet::new();
    for at in actions.items() {
        at.must_be_one_of(&["Audit", "Deny", "Warn"], problems);
        if !seen.insert(at.text()) {
            problems.add(at.duplicate(at.text()));
        }
    }
    if seen.contains("Deny") && seen.contains("Warn") {
        let problem = "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)";
        problems.add(actions.invalid(problem));
    }
    policy.must_be_set("", problems);
    actions.must_be_set("", problems);
}

/// Checks a MutatingAdmissionPolicyBinding.
pub(super) fn mutating_binding(object: &Map, problems: &mut ErrorList) {
    let spec = At::new(object, "spec");
    spec.get("policyName").must_have(dns_subdomain, problems);
    binding(&spec, problems);
    mutating_operations(&spec.get("matchResources"), problems);
}

fn binding(spec: &At<'_, '_>, problems: &mut ErrorList) {
    let (reference, resources) = (spec.get("paramRef"), spec.get("matchResources"));
    if reference.is_set() {
        param_ref(&reference, problems);
    }
    if resources.is_set() {
        match_resources(&resources, problems);
    }
}

fn param_ref(reference: &At<'_, '_>, problems: &mut ErrorList) {
    const EXCLUSIVE: &str = "name and selector are mutually exclusive";
    let (name, selector) = (reference.get("name"), reference.get("selector"));
    if !name.is_empty() {
        name.must_be(path_segment, problems);
        if selector.is_set() {
            problems.add(name.forbidden(EXCLUSIVE));
        }
    }
    if selector.is_set() {
        label_selector(&selector, problems);
        if !name.is_empty() {
            problems.add(selector.forbidden(EXCLUSIVE));
        }
    }
    if name.is_empty() && !selector.is_set() {
        problems.add(reference.required("one of name or selector must be specified"));
    }
    reference.get("parameterNotFoundAction").must_have_one_of(&["Deny", "Allow"], problems);
}
