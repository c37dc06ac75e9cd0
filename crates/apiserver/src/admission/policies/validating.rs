//! `ValidatingAdmissionPolicy`: rejects writes by policies, warns of them, or annotates them for the audit log.

mod policy;

use std::collections::BTreeMap;
use std::sync::Arc;

use klient_apimachinery::BoxFuture;
use klient_apimachinery::values::Map;
use policy::{Denial, Policy};
use serde_json::{Value, json};

use super::{Binding, Definition, Sources, is_subject, rejected_name};
use crate::admission::conditions::{Input, UserAuthorizer, request};
use crate::admission::evaluation::evaluate;
use crate::admission::matching::Matched;
use crate::admission::registrations::Registrations;
use crate::admission::{Attributes, Plugin};
use crate::status::{Failure, Result};

/// The length of the value of an audit annotation, in bytes.
const ANNOTATION_MAX: usize = 10 * 1024;

/// The number of failures that the audit annotation has.
const FAILURES_MAX: usize = 50;

/// The admission plugin.
pub(crate) struct ValidatingAdmissionPolicy {
    sources: Sources,
    policies: Registrations<Policy>,
    bindings: Registrations<Binding>,
}

impl Plugin for ValidatingAdmissionPolicy {
    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'_>,
        object: Option<&'a Map>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.check(attributes, object))
    }
}

/// The outcome of all policies.
#[derive(Default)]
struct Outcome {
    /// The first rejection.
    denied: Option<Failure>,
    /// The failures for the audit annotation.
    failures: Vec<Value>,
}

impl ValidatingAdmissionPolicy {
    pub(crate) fn new(sources: Sources) -> Self {
        ValidatingAdmissionPolicy {
            policies: sources.registrations("validatingadmissionpolicies", Policy::parse),
            bindings: sources.registrations("validatingadmissionpolicybindings", Binding::parse),
            sources,
        }
    }

    async fn check(&self, attributes: &Attributes<'_>, object: Option<&Map>) -> Result<()> {
        if !is_subject(attributes) {
            return Ok(());
        }
        let deadline = attributes.request.deadline;
        let bindings = self.bindings.all(deadline).await?;
        if bindings.is_empty() {
            return Ok(());
        }
        let mut outcome = Outcome::default();
        for policy in self.policies.all(deadline).await?.iter() {
            let own: Vec<&Arc<Binding>> =
                bindings.iter().filter(|binding| binding.policy == policy.definition.name).collect();
            if !own.is_empty() {
                self.run(policy, &own, attributes, object, &mut outcome).await?;
            }
        }
        if !outcome.failures.is_empty() {
            outcome.failures.truncate(FAILURES_MAX);
            let value = Value::from(outcome.failures).to_string();
            attributes.annotate("validation.policy.admission.k8s.io/validation_failure", &value);
        }
        outcome.denied.map_or(Ok(()), Err)
    }

    async fn run(
        &self,
        policy: &Arc<Policy>,
        bindings: &[&Arc<Binding>],
        attributes: &Attributes<'_>,
        object: Option<&Map>,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let Policy { definition, .. } = &**policy;
        let deny = |outcome: &mut Outcome, binding: Option<&Binding>, denial: &Denial| {
            if outcome.denied.is_none() {
                outcome.denied = Some(rejection(attributes, object, definition, binding, denial));
            }
        };
        let misconfigured = |outcome: &mut Outcome, binding: Option<&Binding>, problem: &str| {
            if definition.fails {
                let what = if binding.is_some() { "binding" } else { "policy" };
                let message = format!("failed to configure {what}: {problem}");
                deny(outcome, binding, &Denial { message, reason: String::new() });
            }
        };
        let matched = match self.sources.matches(&definition.criteria, attributes, object) {
            Ok(Some(matched)) => matched,
            Ok(None) => return Ok(()),
            Err(failure) => {
                misconfigured(outcome, None, &failure.message());
                return Ok(());
            }
        };
        let resource = match self.sources.param_resource(definition) {
            Ok(resource) => resource,
            Err(problem) => {
                misconfigured(outcome, None, &problem);
                return Ok(());
            }
        };
        let mut versioned: Option<Versioned> = None;
        let mut annotations: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for binding in bindings {
            match binding.criteria.as_ref().map(|criteria| self.sources.matches(criteria, attributes, object))
            {
                None | Some(Ok(Some(_))) => {}
                Some(Ok(None)) => continue,
                Some(Err(failure)) => {
                    misconfigured(outcome, Some(binding), &failure.message());
                    continue;
                }
            }
            let params = match self.sources.params(resource.as_ref(), binding, attributes).await {
                Ok(params) => params,
                Err(problem) => {
                    misconfigured(outcome, Some(binding), &problem);
                    continue;
                }
            };
            if params.is_empty() {
                continue;
            }
            if versioned.is_none() {
                match self.sources.versioned(attributes, &matched, object).await {
                    Ok(converted) => versioned = Some(converted),
                    Err(failure) => {
                        let problem = format!("failed to convert object version: {}", failure.message());
                        misconfigured(outcome, Some(binding), &problem);
                        continue;
                    }
                }
            }
            let namespace = self.sources.namespace(attributes)?;
            let (Some(versioned), Some(user)) = (&versioned, attributes.request.user) else { continue };
            let authorizer =
                UserAuthorizer::new(&self.sources.storage, &self.sources.registry, user, attributes);
            for param in &params {
                let input = Input {
                    object: versioned.object.as_ref(),
                    old_object: versioned.old.as_ref(),
                    request: &versioned.request,
                    params: param.as_ref(),
                    namespace: namespace.as_ref(),
                    authorizer: &authorizer,
                };
                let own = policy.clone();
                let evaluated = evaluate(attributes.request, input, move |input| own.evaluate(input)).await?;
                for (index, denial) in &evaluated.denials {
                    if binding.has("Deny") {
                        deny(outcome, Some(binding), denial);
                    }
                    if binding.has("Audit") {
                        outcome.failures.push(failure_value(definition, binding, *index, denial));
                    }
                    if binding.has("Warn") {
                        let warning = format!(
                            "Validation failed for ValidatingAdmissionPolicy '{}' with binding '{}': {}",
                            definition.name, binding.name, denial.message
                        );
                        attributes.request.warnings.add(vec![warning]);
                    }
                }
                for (key, value) in evaluated.annotations {
                    match value {
                        Ok(value) => annotate(&mut annotations, key, value),
                        Err(message) => {
                            deny(outcome, Some(binding), &Denial { message, reason: String::new() });
                        }
                    }
                }
            }
        }
        for (key, values) in annotations {
            attributes.annotate(&format!("{}/{key}", definition.name), &values.join(", "));
        }
        Ok(())
    }
}

/// The objects of a write in the version by which it has matched, and the request.
struct Versioned {
    object: Option<Map>,
    old: Option<Map>,
    request: Value,
}

impl Sources {
    async fn versioned(
        &self,
        attributes: &Attributes<'_>,
        matched: &Matched,
        object: Option<&Map>,
    ) -> Result<Versioned> {
        let object = match object {
            Some(object) => Some(self.convert(attributes, matched, object).await?),
            None => None,
        };
        let old = match attributes.old {
            Some(old) => Some(self.convert(attributes, matched, old).await?),
            None => None,
        };
        Ok(Versioned { object, old, request: request(attributes, matched) })
    }
}

/// Adds a value of an audit annotation, once.
fn annotate(annotations: &mut BTreeMap<String, Vec<String>>, key: String, mut value: String) {
    if value.len() > ANNOTATION_MAX {
        value.truncate((0..=ANNOTATION_MAX).rev().find(|at| value.is_char_boundary(*at)).unwrap_or(0));
    }
    let values = annotations.entry(key).or_default();
    if !values.contains(&value) {
        values.push(value);
    }
}

/// A failure as the audit annotation has it.
fn failure_value(definition: &Definition, binding: &Binding, index: usize, denial: &Denial) -> Value {
    json!({
        "message": denial.message,
        "policy": definition.name,
        "binding": binding.name,
        "expressionIndex": index,
        "validationActions": binding.actions,
    })
}

fn rejection(
    attributes: &Attributes<'_>,
    object: Option<&Map>,
    definition: &Definition,
    binding: Option<&Binding>,
    denial: &Denial,
) -> Failure {
    let with = binding.map_or(String::new(), |binding| format!(" with binding '{}'", binding.name));
    let message =
        format!("ValidatingAdmissionPolicy '{}'{with} denied request: {}", definition.name, denial.message);
    let (reason, code) = match denial.reason.as_str() {
        reason @ "Forbidden" => (reason, 403),
        reason @ "Unauthorized" => (reason, 401),
        reason @ "RequestEntityTooLarge" => (reason, 413),
        "" => ("Invalid", 422),
        reason => (reason, 422),
    };
    let target = attributes.resource.target(rejected_name(attributes, object));
    Failure::forbidden(&target, &message).with_reason(reason, code).caused_by("", &message, "")
}
