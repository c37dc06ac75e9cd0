//! `MutatingAdmissionPolicy`: changes the objects of writes by policies.

use std::sync::Arc;

use klient_apimachinery::BoxFuture;
use klient_apimachinery::go::quoted;
use klient_apimachinery::values::{Map, list_at, text_at};
use klient_cel::admission::BUDGET;
use klient_cel::{Environment, Output};
use serde_json::Value;

use super::patch::{ChangeError, Changed};
use super::{Binding, Definition, Sources, is_changeable, is_subject, rejected_name};
use crate::admission::conditions::{Compiled, Input, OutOfBudget, UserAuthorizer, request};
use crate::admission::evaluation::evaluate;
use crate::admission::matching::Matched;
use crate::admission::registrations::Registrations;
use crate::admission::{Attributes, Plugin};
use crate::status::{Failure, Result};

/// The name of the plugin.
const NAME: &str = "MutatingAdmissionPolicy";

/// The admission plugin.
pub(crate) struct MutatingAdmissionPolicy {
    sources: Sources,
    policies: Registrations<Policy>,
    bindings: Registrations<Binding>,
}

/// A compiled policy.
struct Policy {
    definition: Definition,
    /// The environment of the mutations, with the types of patches.
    environment: Environment,
    mutations: Vec<Compiled>,
    is_reinvoked: bool,
}

impl Policy {
    fn parse(policy: &Map) -> Self {
        let definition = Definition::parse(policy);
        let environment = Environment::clone(&definition.environment).with_patch_types();
        let mutation = |mutation: &Value| {
            let text = |field: &str| {
                let own = mutation.get(field).and_then(Value::as_object);
                own.map_or("", |own| text_at(own, &["expression"]))
            };
            match mutation.get("patchType").and_then(Value::as_str) {
                Some("JSONPatch") => Compiled::new(text("jsonPatch"), &environment, &["list(JSONPatch)"]),
                _ => Compiled::new(text("applyConfiguration"), &environment, &["Object"]),
            }
        };
        Policy {
            mutations: list_at(policy, &["spec", "mutations"]).iter().map(mutation).collect(),
            is_reinvoked: text_at(policy, &["spec", "reinvocationPolicy"]) == "IfNeeded",
            environment,
            definition,
        }
    }
}

/// A policy with a binding and a parameter, which are for a write.
struct Invocation<'a> {
    policy: &'a Arc<Policy>,
    binding: &'a Binding,
    param: Option<Map>,
    matched: Matched,
}

impl Invocation<'_> {
    fn id(&self) -> String {
        let param = |name: &str| {
            self.param.as_ref().map_or("", |param| text_at(param, &["metadata", name])).to_owned()
        };
        let (policy, binding) = (&self.policy.definition.name, &self.binding.name);
        format!("{policy}/{binding}/{}/{}", param("namespace"), param("name"))
    }
}

/// The errors of policies that do not ignore them.
#[derive(Default)]
struct Errors(Vec<PolicyError>);

struct PolicyError {
    message: String,
    /// True if the reason of the rejection is `Invalid`, though its code remains.
    is_invalid: bool,
}

impl Errors {
    fn add(&mut self, policy: &Policy, binding: Option<&Binding>, problem: &str, is_invalid: bool) {
        let Definition { name, fails, .. } = &policy.definition;
        if !fails {
            return;
        }
        let message = match binding {
            Some(binding) => {
                format!("policy '{name}' with binding '{}' denied request: {problem}", binding.name)
            }
            None => format!("policy {} denied request: {problem}", quoted(name)),
        };
        self.0.push(PolicyError { message, is_invalid });
    }

    /// The configuration of a policy or a binding has a problem.
    fn misconfigured(&mut self, policy: &Policy, binding: Option<&Binding>, problem: &str) {
        let what = if binding.is_some() { "binding" } else { "policy" };
        self.add(policy, binding, &format!("failed to configure {what}: {problem}"), false);
    }

    fn rejection(self, attributes: &Attributes<'_>, object: &Map) -> Result<()> {
        let Some(first) = self.0.first() else { return Ok(()) };
        let target = attributes.resource.target(rejected_name(attributes, Some(object)));
        let mut failure = Failure::forbidden(&target, "").with_message(&first.message);
        if first.is_invalid {
            failure = failure.with_reason("Invalid", 403);
        }
        Err(self.0.iter().fold(failure, |failure, error| failure.caused_by("", &error.message, "")))
    }
}

impl Plugin for MutatingAdmissionPolicy {
    fn admit<'a>(
        &'a self,
        attributes: &'a Attributes<'_>,
        object: Option<&'a mut Map>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.change(attributes, object))
    }
}

impl MutatingAdmissionPolicy {
    pub(crate) fn new(sources: Sources) -> Self {
        MutatingAdmissionPolicy {
            policies: sources.registrations("mutatingadmissionpolicies", Policy::parse),
            bindings: sources.registrations("mutatingadmissionpolicybindings", Binding::parse),
            sources,
        }
    }

    async fn change(&self, attributes: &Attributes<'_>, object: Option<&mut Map>) -> Result<()> {
        let Some(object) = object.filter(|_| is_subject(attributes) && is_changeable(attributes.operation))
        else {
            return Ok(());
        };
        let deadline = attributes.request.deadline;
        let bindings = self.bindings.all(deadline).await?;
        if bindings.is_empty() {
            return Ok(());
        }
        let policies = self.policies.all(deadline).await?;
        let mut errors = Errors::default();
        let mut invocations = Vec::new();
        for policy in policies.iter() {
            let own = bindings.iter().filter(|binding| binding.policy == policy.definition.name);
            let own: Vec<&Binding> = own.map(|binding| &**binding).collect();
            if !own.is_empty() {
                self.invocations(policy, &own, attributes, object, &mut invocations, &mut errors).await;
            }
        }
        if !invocations.is_empty() {
            let namespace = self.sources.namespace(attributes)?;
            if let Some(reinvocation) = attributes.reinvocation {
                reinvocation.begin(NAME, Some(object));
            }
            for invocation in &invocations {
                self.invoke(invocation, attributes, namespace.as_ref(), object, &mut errors).await?;
            }
            if let Some(reinvocation) = attributes.reinvocation {
                reinvocation.end(NAME, Some(object));
            }
        }
        errors.rejection(attributes, object)
    }

    /// Adds the invocations of a policy for a write.
    async fn invocations<'p>(
        &self,
        policy: &'p Arc<Policy>,
        bindings: &[&'p Binding],
        attributes: &Attributes<'_>,
        object: &Map,
        invocations: &mut Vec<Invocation<'p>>,
        errors: &mut Errors,
    ) {
        let definition = &policy.definition;
        let matched = match self.sources.matches(&definition.criteria, attributes, Some(object)) {
            Ok(Some(matched)) => matched,
            Ok(None) => return,
            Err(failure) => return errors.misconfigured(policy, None, &failure.message()),
        };
        let resource = match self.sources.param_resource(definition) {
            Ok(resource) => resource,
            Err(problem) => return errors.misconfigured(policy, None, &problem),
        };
        for binding in bindings {
            let own = binding.criteria.as_ref();
            match own.map(|criteria| self.sources.matches(criteria, attributes, Some(object))) {
                None | Some(Ok(Some(_))) => {}
                Some(Ok(None)) => continue,
                Some(Err(failure)) => {
                    errors.misconfigured(policy, Some(binding), &failure.message());
                    continue;
                }
            }
            match self.sources.params(resource.as_ref(), binding, attributes).await {
                Ok(params) => invocations.extend(params.into_iter().map(|param| Invocation {
                    policy,
                    binding,
                    param,
                    matched: matched.clone(),
                })),
                Err(problem) => errors.misconfigured(policy, Some(binding), &problem),
            }
        }
    }

    /// Changes an object by a policy.
    async fn invoke(
        &self,
        invocation: &Invocation<'_>,
        attributes: &Attributes<'_>,
        namespace: Option<&Map>,
        object: &mut Map,
        errors: &mut Errors,
    ) -> Result<()> {
        let Invocation { policy, binding, param, matched } = invocation;
        let Some(user) = attributes.request.user else { return Ok(()) };
        let mut current = self.sources.convert(attributes, matched, object).await?;
        let old = match attributes.old {
            Some(old) => Some(self.sources.convert(attributes, matched, old).await?),
            None => None,
        };
        let request = request(attributes, matched);
        let authorizer = UserAuthorizer::new(&self.sources.storage, &self.sources.registry, user, attributes);
        let input = Input {
            object: None,
            old_object: old.as_ref(),
            request: &request,
            params: param.as_ref(),
            namespace,
            authorizer: &authorizer,
        };
        let own = Arc::clone(policy);
        let matches = move |input: Input<'_>| own.definition.conditions.matches(own.definition.fails, input);
        match evaluate(attributes.request, Input { object: Some(&current), ..input }, matches).await? {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(message) => {
                errors.add(policy, Some(binding), &message, true);
                return Ok(());
            }
        }
        let id = invocation.id();
        if attributes.reinvocation.is_some_and(|reinvocation| !reinvocation.invokes(NAME, &id)) {
            return Ok(());
        }
        let before = current.clone();
        let changed = Changed { attributes, matched };
        for index in 0..policy.mutations.len() {
            let own = Arc::clone(policy);
            let output = move |input: Input<'_>| own.output(index, input);
            let input = Input { object: Some(&current), ..input };
            let output = evaluate(attributes.request, input, output).await?;
            match mutate(&changed, &current, output) {
                Ok(mut new) => {
                    for field in ["apiVersion", "kind"] {
                        if let Some(own) = before.get(field) {
                            new.insert(field.to_owned(), own.clone());
                        }
                    }
                    current = new;
                }
                Err(ChangeError::Policy(message)) => errors.add(policy, Some(binding), &message, true),
                Err(ChangeError::Request(failure)) => return Err(failure),
            }
        }
        let is_changed = current != before;
        if is_changed {
            current.remove("apiVersion");
            current.remove("kind");
            if attributes.presented.is_none() {
                let (from, to) = (&matched.resource, attributes.form);
                current =
                    self.sources.converter.convert(from, to, current, attributes.request.deadline).await?;
            }
            if let Some(reinvocation) = attributes.reinvocation {
                reinvocation.changes(object);
            }
            *object = current;
        }
        if let Some(reinvocation) = attributes.reinvocation {
            reinvocation.invoked(NAME, &id, is_changed, policy.is_reinvoked);
        }
        Ok(())
    }
}

impl Policy {
    /// The output of a mutation.
    fn output(&self, index: usize, input: Input<'_>) -> std::result::Result<Output, String> {
        let mutation = &self.mutations[index];
        if let Some(problem) = mutation.problem() {
            return Err(problem.to_owned());
        }
        let mut activation = input.activate(&self.environment, true);
        let mut budget = BUDGET;
        let result = mutation.evaluate(&mut activation, &mut budget);
        result.map_err(|OutOfBudget| OutOfBudget::MESSAGE.to_owned())?
    }
}

/// The object after a mutation with this output.
fn mutate(
    changed: &Changed<'_>,
    object: &Map,
    output: std::result::Result<Output, String>,
) -> std::result::Result<Map, ChangeError> {
    let mut object = object.clone();
    object.remove("apiVersion");
    object.remove("kind");
    match output? {
        Output::Configuration(configuration) => changed.apply(&object, configuration?),
        Output::Patch(operations) => changed.patch(&object, operations?),
        // A list without operations.
        _ => Ok(object),
    }
}
