//! Admission policies: expressions that validate or change the objects of writes
//! (<https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/>).
//!
//! A policy takes effect through its bindings, which may have parameters. Policies and bindings are compiled once, when
//! they are first needed after a change. Policies and bindings themselves are not subject to policies.

mod mutating;
mod params;
mod patch;
mod validating;

use std::sync::Arc;

use klient_apimachinery::values::{Map, list_at, text_at};
use klient_cel::{Environment, admission};
use serde_json::Value;

pub(crate) use mutating::MutatingAdmissionPolicy;
pub(crate) use validating::ValidatingAdmissionPolicy;

use super::conditions::MatchConditions;
use super::matching::{self, Criteria, Matched};
use super::registrations::Registrations;
use super::{Attributes, Operation};
use crate::conversion::Converter;
use crate::registry::{Registry, Resource};
use crate::status::{Failure, Result};
use crate::storage::Storage;
use params::ParamKind;

/// The group of the kinds that configure admission.
const GROUP: &str = "admissionregistration.k8s.io";

/// The sources of both plugins.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) converter: Arc<Converter>,
}

/// The parts that policies of both kinds have.
struct Definition {
    name: String,
    criteria: Criteria,
    /// False if errors are ignored.
    fails: bool,
    param_kind: Option<ParamKind>,
    conditions: MatchConditions,
    /// The environment of expressions with an authorizer, with the policy's variables.
    environment: Arc<Environment>,
}

/// A binding of a policy.
struct Binding {
    name: String,
    policy: String,
    /// The writes that it is for, among those of the policy.
    criteria: Option<Criteria>,
    param_ref: Option<Map>,
    actions: Vec<String>,
}

impl Definition {
    fn parse(policy: &Map) -> Self {
        let empty = Map::new();
        let object = |name: &str| policy.get("spec").and_then(|spec| spec.get(name)?.as_object());
        let param_kind = object("paramKind").map(ParamKind::parse);
        let environment = admission::environment(param_kind.is_some()).with_composition();
        let mut environment = admission::with_authorizer(environment);
        for variable in list_at(policy, &["spec", "variables"]).iter().filter_map(Value::as_object) {
            // The problem is told when the variable is read.
            let _ = environment.compose(text_at(variable, &["name"]), text_at(variable, &["expression"]));
        }
        let environment = Arc::new(environment);
        Definition {
            name: text_at(policy, &["metadata", "name"]).to_owned(),
            criteria: Criteria::of_match_resources(object("matchConstraints").unwrap_or(&empty)),
            fails: text_at(policy, &["spec", "failurePolicy"]) != "Ignore",
            param_kind,
            conditions: MatchConditions::compile(list_at(policy, &["spec", "matchConditions"]), &environment),
            environment,
        }
    }

    /// The environment of messages, without an authorizer.
    fn message_environment(&self) -> Environment {
        admission::environment(self.param_kind.is_some()).with_composition_of(&self.environment)
    }
}

impl Binding {
    fn parse(binding: &Map) -> Self {
        let object = |name: &str| binding.get("spec").and_then(|spec| spec.get(name)?.as_object());
        let actions = list_at(binding, &["spec", "validationActions"]).iter().filter_map(Value::as_str);
        Binding {
            name: text_at(binding, &["metadata", "name"]).to_owned(),
            policy: text_at(binding, &["spec", "policyName"]).to_owned(),
            criteria: object("matchResources").map(Criteria::of_match_resources),
            param_ref: object("paramRef").cloned(),
            actions: actions.map(str::to_owned).collect(),
        }
    }

    fn has(&self, action: &str) -> bool {
        self.actions.iter().any(|own| own == action)
    }
}

impl Sources {
    /// The parsed objects of a kind that configures admission.
    fn registrations<T: Send + Sync + 'static>(
        &self,
        plural: &str,
        parse: fn(&Map) -> T,
    ) -> Registrations<T> {
        let table = self.registry.built_in(GROUP, "v1", plural).table.clone();
        Registrations::new(self.storage.clone(), table, parse)
    }

    fn matches(
        &self,
        criteria: &Criteria,
        attributes: &Attributes<'_>,
        object: Option<&Map>,
    ) -> Result<Option<Matched>> {
        criteria.matches(&*self.storage, &self.registry, attributes, object)
    }

    /// An object in the version by which a write has matched, with its apiVersion and kind.
    async fn convert(&self, attributes: &Attributes<'_>, matched: &Matched, object: &Map) -> Result<Map> {
        let mut object = if attributes.presented.is_some() {
            object.clone()
        } else {
            self.converter
                .convert(attributes.form, &matched.resource, object.clone(), attributes.request.deadline)
                .await?
        };
        object.insert("apiVersion".to_owned(), matched.kind.api_version().into());
        object.insert("kind".to_owned(), (&*matched.kind.kind).into());
        Ok(object)
    }

    /// The namespace of the object as expressions see it. A namespace itself has none.
    ///
    /// # Errors
    ///
    /// 404 if it does not exist.
    fn namespace(&self, attributes: &Attributes<'_>) -> Result<Option<Map>> {
        let Some(name) = attributes.namespace.filter(|_| !attributes.resource.is_namespace()) else {
            return Ok(None);
        };
        let Some(mut namespace) = matching::namespace(&*self.storage, &self.registry, name) else {
            return Err(Failure::not_found(&self.registry.built_in("", "v1", "namespaces").target(name)));
        };
        if let Some(Value::Object(metadata)) = namespace.get_mut("metadata") {
            for hidden in ["managedFields", "ownerReferences", "selfLink"] {
                metadata.remove(hidden);
            }
        }
        namespace.retain(|field, _| matches!(field.as_str(), "metadata" | "spec" | "status"));
        Ok(Some(namespace))
    }

    /// The resource of a kind.
    fn resource(&self, kind: &ParamKind) -> Option<Arc<Resource>> {
        let is_of_kind = |resource: &Arc<Resource>| {
            *resource.info.kind == *kind.kind && resource.info.api_version() == kind.api_version
        };
        self.registry.all().into_iter().find(is_of_kind)
    }
}

/// Returns true if policies may be for a write: not for those of the server itself, nor for reviews, nor for policies and
/// bindings. Unlike webhooks they are for the configurations of webhooks.
fn is_subject(attributes: &Attributes<'_>) -> bool {
    let info = &attributes.resource.info;
    let is_review = matches!(&*info.group, "authentication.k8s.io" | "authorization.k8s.io");
    let is_policy = info.group == GROUP
        && matches!(
            &*info.plural,
            "validatingadmissionpolicies"
                | "validatingadmissionpolicybindings"
                | "mutatingadmissionpolicies"
                | "mutatingadmissionpolicybindings"
        );
    attributes.request.user.is_some() && !is_review && !is_policy
}

/// The name that a rejection has: that of the object, or of the prefix of the name that is to be generated.
fn rejected_name<'a>(attributes: &'a Attributes<'_>, object: Option<&'a Map>) -> &'a str {
    let of = |field: &str| object.map_or("", |object| text_at(object, &["metadata", field]));
    [attributes.name, of("name"), of("generateName"), "Unknown"]
        .into_iter()
        .find(|name| !name.is_empty())
        .unwrap_or_default()
}

/// Returns true if a write has an object that can be changed.
fn is_changeable(operation: Operation) -> bool {
    operation != Operation::Delete
}
