//! The type checker of ValidatingAdmissionPolicies, `validatingadmissionpolicy-status`: it checks the expressions of
//! policies with the types of the kinds that they are for, and writes warnings into their status.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::BoxFuture;
use klient_apimachinery::values::{Map, at, list_at, map_at, text_at};
use klient_cel::{CompileError, Effort, Environment, Expression, ObjectType, admission};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::managed_fields::ManagedFields;
use crate::offload::offload;
use crate::registry::pipeline::Pipeline;
use crate::registry::{Resource, ResourceSource};
use crate::state::{Committed, Controller, State};
use crate::storage::{Key, Object};
use crate::warnings::Warnings;

/// The name of the controller, under which it owns fields.
const NAME: &str = "validatingadmissionpolicy-status";

/// The time for the check of a policy.
const CHECK_TIME: Duration = Duration::from_secs(300);

/// The number of kinds of one rule with which a policy is checked.
const KINDS_MAX: usize = 10;

pub(super) struct ValidatingAdmissionPolicies;

impl Controller for ValidatingAdmissionPolicies {
    fn committed<'a>(&'a self, state: &'a Arc<State>, change: &'a Committed<'a>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let Committed { resource, object, deleted, .. } = *change;
            let is_policy =
                resource.is_built_in("admissionregistration.k8s.io", "validatingadmissionpolicies");
            if !is_policy || deleted {
                return;
            }
            let policy = object.value();
            if !is_unobserved(&policy) {
                return;
            }
            match Effort::LITTLE.spend(|| expression_warnings(state, &policy)) {
                Ok(found) => observe(state, resource, &object.key, &policy, found).await,
                Err(_) => {
                    // The client does not wait for it.
                    let (state, resource, key) = (state.clone(), resource.clone(), object.key.clone());
                    tokio::spawn(check(state, resource, key, policy));
                }
            }
        })
    }
}

/// Returns true if a policy has changed since it was checked.
fn is_unobserved(policy: &Map) -> bool {
    let number = |path: &[&str]| at(policy, path).and_then(Value::as_i64).unwrap_or_default();
    number(&["metadata", "generation"]) > number(&["status", "observedGeneration"])
}

/// Checks a policy on a thread of its own, and writes its status.
async fn check(state: Arc<State>, resource: Arc<Resource>, key: Key, policy: Map) {
    let policy = Arc::new(policy);
    let (own_state, own_policy) = (state.clone(), policy.clone());
    let work = move || expression_warnings(&own_state, &own_policy);
    match offload(Instant::now() + CHECK_TIME, work).await {
        Ok(found) => observe(&state, &resource, &key, &policy, found).await,
        Err(failure) => tracing::debug!(policy = %key, code = failure.code(), "types could not be checked"),
    }
}

/// Writes the warnings of a policy into its status, unless it has changed since it was checked.
async fn observe(state: &Arc<State>, resource: &Arc<Resource>, key: &Key, policy: &Map, found: Vec<Value>) {
    let warnings = Warnings::default();
    let pipeline = Pipeline::of_server(state, resource, Some("status"), None, &warnings);
    let generation = at(policy, &["metadata", "generation"]).cloned().unwrap_or_default();
    let of = |policy: &Map, field: &str| at(policy, &["metadata", field]).cloned();
    let is_checked =
        |now: &Map| ["uid", "generation"].iter().all(|field| of(now, field) == of(policy, field));
    let mut update = |old: &Map, _: &Object| {
        let mut new = old.clone();
        if is_unobserved(old) && is_checked(old) {
            let status = map_at(&mut new, "status");
            status.insert("observedGeneration".to_owned(), generation.clone());
            let checked = if found.is_empty() { json!({}) } else { json!({ "expressionWarnings": found }) };
            status.insert("typeChecking".to_owned(), checked);
            ManagedFields::of(resource, Some("status")).update(Some(old), &mut new, NAME);
        }
        Ok(new)
    };
    if let Err(failure) = pipeline.guaranteed_update(key, &mut update).await {
        tracing::debug!(policy = %key, code = failure.code(), "types could not be checked");
    }
}

/// A kind whose objects a policy is for.
struct CheckedKind {
    /// As Go prints it.
    name: String,
    ty: ObjectType,
}

fn expression_warnings(state: &State, policy: &Map) -> Vec<Value> {
    let param = at(policy, &["spec", "paramKind"]).and_then(Value::as_object);
    let param_type = param.map(|param| {
        let (api_version, kind) = (text_at(param, &["apiVersion"]), text_at(param, &["kind"]));
        let is_param = |resource: &Arc<Resource>| {
            *resource.info.kind == *kind && resource.info.api_version() == api_version
        };
        state.registry.all().into_iter().find(is_param).and_then(|resource| object_type(state, &resource))
    });
    let environments: Vec<(String, Environment)> = kinds(state, policy)
        .into_iter()
        .map(|kind| {
            let environment = admission::typed_environment(&kind.ty, param_type.as_ref().map(Option::as_ref));
            let mut environment = environment.with_composition();
            for variable in list_at(policy, &["spec", "variables"]).iter().filter_map(Value::as_object) {
                // A problem shows where the variable is read.
                let _ = environment.compose(text_at(variable, &["name"]), text_at(variable, &["expression"]));
            }
            (kind.name, environment)
        })
        .collect();
    let mut warnings = Vec::new();
    let validations = list_at(policy, &["spec", "validations"]).iter().filter_map(Value::as_object);
    for (index, validation) in validations.enumerate() {
        for field in ["expression", "messageExpression"] {
            let source = text_at(validation, &[field]);
            let problems: Vec<String> = environments
                .iter()
                .filter(|_| !source.is_empty())
                .filter_map(|(kind, environment)| match Expression::compile(source, environment) {
                    Err(CompileError::Issues(issues)) => Some(format!("{kind}: {issues}\n")),
                    _ => None,
                })
                .collect();
            if !problems.is_empty() {
                let place = format!("spec.validations[{index}].{field}");
                warnings.push(json!({"fieldRef": place, "warning": problems.join("\n")}));
            }
        }
    }
    warnings
}

/// The kinds that the rules of a policy name, in the order of their groups, versions and names.
fn kinds(state: &State, policy: &Map) -> Vec<CheckedKind> {
    let mut found = BTreeMap::new();
    let rules = list_at(policy, &["spec", "matchConstraints", "resourceRules"]);
    for rule in rules.iter().filter_map(Value::as_object) {
        let words = |name: &str| {
            let mut words: Vec<&str> = list_at(rule, &[name]).iter().filter_map(Value::as_str).collect();
            words.sort_unstable();
            words
        };
        let (groups, versions) = (words("apiGroups"), words("apiVersions"));
        if groups.iter().chain(&versions).any(|word| word.contains('*')) {
            continue;
        }
        let resources = words("resources");
        let mut count = 0;
        for (group, version) in groups.iter().flat_map(|group| versions.iter().map(move |own| (group, own))) {
            for plural in resources.iter().filter(|plural| !plural.contains(['*', '/'])) {
                let Some(resource) = state.registry.find(group, version, plural) else { continue };
                if let Some(ty) = object_type(state, &resource) {
                    let kind = resource.kind_of(None);
                    let order = (kind.group.to_string(), kind.version.to_string(), kind.kind.to_string());
                    found.insert(order, CheckedKind { name: kind.to_string(), ty });
                }
                count += 1;
                // As upstream, further rules are passed over then.
                if count == KINDS_MAX {
                    return found.into_values().collect();
                }
            }
        }
    }
    found.into_values().collect()
}

/// The type of the objects of a resource.
fn object_type(state: &State, resource: &Resource) -> Option<ObjectType> {
    let kind = &resource.info.kind;
    match &resource.source {
        ResourceSource::BuiltIn(_) => resource.schema().map(|table| ObjectType::built_in(kind, table)),
        ResourceSource::Custom { .. } => {
            let definitions =
                state.registry.built_in("apiextensions.k8s.io", "v1", "customresourcedefinitions");
            let key = Key::new(None, &resource.definition_name());
            let definition = state.store.get(&definitions.table, &key)?.value();
            let mut versions =
                list_at(&definition, &["spec", "versions"]).iter().filter_map(Value::as_object);
            let is_own = |version: &&Map| text_at(version, &["name"]) == &*resource.info.version;
            let version = versions.find(is_own)?;
            let openapi = at(version, &["schema", "openAPIV3Schema"])?.as_object()?;
            Some(ObjectType::custom(kind, openapi))
        }
    }
}
