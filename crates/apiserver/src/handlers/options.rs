//! The options of writes, from query parameters.

use http::HeaderMap;
use http::header::USER_AGENT;
use klient_apimachinery::codec::json;
use klient_apimachinery::meta::v1::DeleteOptions;
use klient_apimachinery::validation::field::{FieldError, Problems};
use klient_apis::validation::manager_name;
use klient_structured_merge::manager_of_user_agent;
use serde_json::Value;

use super::Context;
use super::body::{Medium, medium, protobuf, read_yaml};
use super::field_validation::FieldValidation;
use crate::registry::deletion::{Deletion, Propagation};
use crate::request::Query;
use crate::status::{Failure, Result};

/// What is done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    Create,
    Update,
    Patch,
    Apply,
}

impl Write {
    /// The kind of its options, for messages.
    fn options(self) -> &'static str {
        match self {
            Write::Create => "CreateOptions",
            Write::Update => "UpdateOptions",
            Write::Patch | Write::Apply => "PatchOptions",
        }
    }
}

/// How a write is to be done.
#[derive(Clone, Debug)]
pub(crate) struct WriteOptions {
    pub(crate) dry_run: bool,
    pub(crate) validation: FieldValidation,
    /// Who writes, if the client says so.
    manager: String,
    /// Fields are to be taken from other managers.
    pub(crate) force: bool,
}

impl WriteOptions {
    /// Reads the options of a write.
    ///
    /// # Errors
    ///
    /// 422 if an option is not one.
    pub(crate) fn parse(query: &Query, write: Write) -> Result<Self> {
        let mut problems = Problems::default();
        let manager = query.text("fieldManager");
        if write == Write::Apply && manager.is_empty() {
            problems.add(FieldError::required("fieldManager", "is required for apply patch"));
        }
        if write == Write::Patch && query.get("force").is_some() {
            problems.add(FieldError::forbidden("force", "may not be specified for non-apply patch"));
        }
        manager_name(&manager, "fieldManager", &mut problems);
        let dry_run = dry_run(query.all("dryRun"), &mut problems);
        let validation = match &*query.text("fieldValidation") {
            "" | "Warn" => FieldValidation::Warn,
            "Ignore" => FieldValidation::Ignore,
            "Strict" => FieldValidation::Strict,
            other => {
                problems.add(FieldError::not_supported(
                    "fieldValidation",
                    other,
                    &["", "Ignore", "Strict", "Warn"],
                ));
                FieldValidation::Warn
            }
        };
        if problems.0.is_empty() {
            let force = query.is_true("force");
            return Ok(WriteOptions { dry_run, validation, manager: manager.into(), force });
        }
        Err(Failure::invalid("meta.k8s.io", write.options(), "", &problems.0))
    }

    /// Who writes: who the client says, or what it calls itself.
    pub(crate) fn manager(&self, headers: &HeaderMap) -> String {
        if !self.manager.is_empty() {
            return self.manager.clone();
        }
        let agent = headers.get(USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
        manager_of_user_agent(&agent.unwrap_or_default())
    }
}

fn dry_run<'a>(words: impl Iterator<Item = &'a str>, problems: &mut Problems) -> bool {
    let words: Vec<&str> = words.collect();
    if words.iter().any(|word| *word != "All") {
        let words = Value::Array(words.iter().map(|word| (*word).into()).collect());
        problems.add(FieldError::not_supported("dryRun", words, &["All"]));
    }
    !words.is_empty()
}

/// Reads the options of a delete, from the body if there is one, else from the query.
///
/// # Errors
///
/// 400 if the body is no DeleteOptions, 422 if an option is not one.
pub(super) fn deletion(context: &Context) -> Result<Deletion> {
    let mut options = if context.body.is_empty() { from_query(&context.query)? } else { from_body(context)? };
    let mut problems = Problems::default();
    let from_query = context.query.all("dryRun").map(str::to_owned);
    let words: Vec<String> = options.dry_run.iter().map(ToString::to_string).chain(from_query).collect();
    let dry_run = dry_run(words.iter().map(String::as_str), &mut problems);
    let policy = options.propagation_policy.take();
    if let (Some(policy), Some(_)) = (&policy, options.orphan_dependents) {
        let detail = "orphanDependents and deletionPropagation cannot be both set";
        problems.add(FieldError::invalid("propagationPolicy", policy.as_str(), detail));
    }
    let propagation = match (policy.as_deref(), options.orphan_dependents) {
        (None, None) => None,
        (None, Some(true)) | (Some("Orphan"), _) => Some(Propagation::Orphan),
        (None, Some(false)) | (Some("Background"), _) => Some(Propagation::Background),
        (Some("Foreground"), _) => Some(Propagation::Foreground),
        (Some(other), _) => {
            let allowed = ["Foreground", "Background", "Orphan", "nil"];
            problems.add(FieldError::not_supported("propagationPolicy", other, &allowed));
            None
        }
    };
    if !problems.0.is_empty() {
        return Err(Failure::invalid("meta.k8s.io", "DeleteOptions", "", &problems.0));
    }
    let preconditions = options.preconditions.unwrap_or_default();
    Ok(Deletion {
        dry_run,
        grace_period: options.grace_period_seconds,
        propagation,
        uid: preconditions.uid.map(Into::into),
        version: preconditions.resource_version.map(Into::into),
    })
}

fn from_query(query: &Query) -> Result<DeleteOptions> {
    Ok(DeleteOptions {
        grace_period_seconds: query.number("gracePeriodSeconds")?,
        propagation_policy: query.get("propagationPolicy").map(Into::into),
        orphan_dependents: query.get("orphanDependents").map(|_| query.is_true("orphanDependents")),
        ..Default::default()
    })
}

fn from_body(context: &Context) -> Result<DeleteOptions> {
    let body = match medium(&context.headers, true)? {
        Medium::Protobuf => {
            return protobuf::read_options(&context.body).map_err(Failure::bad_request);
        }
        Medium::Json => context.body.to_vec(),
        Medium::Yaml => read_yaml(&context.body).map_err(Failure::bad_request)?.0.to_string().into_bytes(),
    };
    // Any group's DeleteOptions will do.
    let value: Value =
        serde_json::from_slice(&body).map_err(|error| Failure::bad_request(error.to_string()))?;
    let Value::Object(mut options) = value else {
        return Err(Failure::bad_request("the body is no DeleteOptions"));
    };
    let kind = options.remove("kind");
    options.remove("apiVersion");
    if let Some(kind) =
        kind.as_ref().and_then(Value::as_str).filter(|kind| !matches!(*kind, "" | "DeleteOptions"))
    {
        return Err(Failure::bad_request(format!(
            "decoded object cannot be converted to DeleteOptions: it is a {kind}"
        )));
    }
    let text = Value::Object(options).to_string();
    json::from_slice(text.as_bytes()).map_err(|error| Failure::bad_request(error.to_string()))
}
