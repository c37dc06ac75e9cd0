//! The options of a delete: those of its body, or where it has none those of its query.

use klient_apimachinery::codec::json;
use klient_apimachinery::go::quoted;
use klient_apimachinery::meta::PropagationPolicy;
use klient_apimachinery::meta::v1::schema::DELETE_OPTIONS;
use klient_apimachinery::meta::v1::{DeleteOptions, Preconditions};
use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::{self, Parsed, text_at};
use serde_json::Value;

use super::super::Context;
use super::super::body::{Medium, medium, protobuf, read_yaml};
use super::super::options::dry_run;
use crate::foreign_kind::no_kind;
use crate::registry::deletion::Deletion;
use crate::request::Query;
use crate::status::{Failure, Result};

/// The option that deletes objects which cannot be read from storage, and its path in errors.
pub(in crate::handlers) const IGNORE_READ_ERROR: &str = "ignoreStoreReadErrorWithClusterBreakingPotential";

/// The kinds of `meta.k8s.io/v1` that are decoded, although they are no options of a delete.
const META_KINDS: [&str; 10] = [
    "CreateOptions",
    "GetOptions",
    "ListOptions",
    "PartialObjectMetadata",
    "PartialObjectMetadataList",
    "PatchOptions",
    "Table",
    "TableOptions",
    "UpdateOptions",
    "WatchEvent",
];

/// The kinds that are the same in every version.
const UNVERSIONED_KINDS: [&str; 5] = ["APIGroup", "APIGroupList", "APIResourceList", "APIVersions", "Status"];

/// The options of a delete.
pub(in crate::handlers) struct Options {
    pub(in crate::handlers) deletion: Deletion,
    /// The answer for an object that is not gone at once is 202.
    pub(super) is_accepted: bool,
    /// The object is deleted if it cannot be read from storage, and only then.
    pub(in crate::handlers) ignores_read_error: bool,
}

impl Options {
    /// Reads the options of a delete.
    ///
    /// # Errors
    ///
    /// 400 if the body is no DeleteOptions, 422 if an option is not one.
    pub(super) fn parse(context: &Context) -> Result<Self> {
        Self::of(if context.body.is_empty() { from_query(&context.query)? } else { from_body(context)? })
    }

    /// Checks options.
    ///
    /// # Errors
    ///
    /// 422 if an option is not one.
    pub(in crate::handlers) fn of(options: DeleteOptions) -> Result<Self> {
        let mut problems = ErrorList::default();
        let propagation = propagation(&options, &mut problems);
        let dry_run = dry_run(options.dry_run.iter().map(|word| &**word), &mut problems);
        let ignores_read_error =
            options.ignore_store_read_error_with_cluster_breaking_potential == Some(true);
        if ignores_read_error {
            only_option(&options, &mut problems);
        }
        if !problems.0.is_empty() {
            return Err(invalid(&problems.0));
        }
        let preconditions = options.preconditions.unwrap_or_default();
        Ok(Options {
            deletion: Deletion {
                dry_run,
                grace_period: options.grace_period_seconds,
                propagation,
                uid: preconditions.uid.map(Into::into),
                version: preconditions.resource_version.map(Into::into),
            },
            is_accepted: options.orphan_dependents == Some(false),
            ignores_read_error,
        })
    }
}

/// 422 for options.
pub(super) fn invalid(errors: &[FieldError]) -> Failure {
    Failure::invalid("meta.k8s.io", "DeleteOptions", "", errors)
}

fn propagation(options: &DeleteOptions, problems: &mut ErrorList) -> Option<PropagationPolicy> {
    let policy = options.propagation_policy.as_deref();
    if let (Some(policy), Some(_)) = (policy, options.orphan_dependents) {
        let detail = "orphanDependents and deletionPropagation cannot be both set";
        problems.add(FieldError::invalid("propagationPolicy", policy, detail));
    }
    match (policy, options.orphan_dependents) {
        (None, None) => None,
        (None, Some(true)) | (Some("Orphan"), _) => Some(PropagationPolicy::Orphan),
        (None, Some(false)) | (Some("Background"), _) => Some(PropagationPolicy::Background),
        (Some("Foreground"), _) => Some(PropagationPolicy::Foreground),
        (Some(other), _) => {
            let allowed = ["Foreground", "Background", "Orphan", "nil"];
            problems.add(FieldError::not_supported("propagationPolicy", other, &allowed));
            None
        }
    }
}

/// Refuses the options that cannot be combined with [`IGNORE_READ_ERROR`].
fn only_option(options: &DeleteOptions, problems: &mut ErrorList) {
    for (is_set, name) in [
        (options.propagation_policy.is_some(), "propagationPolicy"),
        (options.orphan_dependents.is_some(), "orphanDependents"),
        (options.grace_period_seconds.is_some(), "gracePeriodSeconds"),
        (options.preconditions.is_some(), "preconditions"),
    ] {
        if is_set {
            let detail = format!("cannot be set together with .{name}");
            problems.add(FieldError::invalid(IGNORE_READ_ERROR, true, detail));
        }
    }
}

fn from_query(query: &Query) -> Result<DeleteOptions> {
    let flag = |name: &str| query.get(name).map(|_| query.is_true(name));
    let precondition = |name: &str| query.get(name).filter(|value| !value.is_empty()).map(Into::into);
    let preconditions = Preconditions {
        uid: precondition("uid"),
        resource_version: precondition("resourceVersion"),
        ..Default::default()
    };
    let has_preconditions = preconditions.uid.is_some() || preconditions.resource_version.is_some();
    Ok(DeleteOptions {
        grace_period_seconds: query.number("gracePeriodSeconds")?,
        propagation_policy: query.get("propagationPolicy").map(Into::into),
        orphan_dependents: flag("orphanDependents"),
        dry_run: query.all("dryRun").map(Into::into).collect(),
        preconditions: has_preconditions.then(|| preconditions.into()),
        ignore_store_read_error_with_cluster_breaking_potential: flag(IGNORE_READ_ERROR),
        ..Default::default()
    })
}

fn from_body(context: &Context) -> Result<DeleteOptions> {
    let unreadable = |problem: String| {
        Failure::bad_request(format!("couldn't get version/kind; json parse error: {problem}"))
    };
    let Parsed { value, numbers, .. } = match medium(&context.headers, true)? {
        Medium::Protobuf => {
            let check = |kind: &str, version: &str| check_kind(kind, version, &context.body);
            return protobuf::read_options(&context.body, check);
        }
        Medium::Json => values::parse(&context.body).map_err(unreadable)?,
        Medium::Yaml => {
            let (value, _) = read_yaml(&context.body).map_err(Failure::bad_request)?;
            Parsed { value, ..Parsed::default() }
        }
    };
    if let Some(problem) = no_kind(&value) {
        return Err(unreadable(problem));
    }
    let Value::Object(object) = value else { return Ok(DeleteOptions::default()) };
    check_kind(text_at(&object, &["kind"]), text_at(&object, &["apiVersion"]), &context.body)?;
    let decoded = values::decode_with_numbers(object, &DELETE_OPTIONS, &numbers)
        .map_err(|mismatch| Failure::bad_request(mismatch.of_json))?;
    let text = Value::Object(decoded.object).to_string();
    json::from_slice(text.as_bytes()).map_err(|error| Failure::bad_request(error.to_string()))
}

/// Checks that a body is DeleteOptions, of any group and version.
fn check_kind(kind: &str, api_version: &str, body: &[u8]) -> Result<()> {
    if api_version.matches('/').count() > 1 {
        return Err(Failure::bad_request(format!("unexpected GroupVersion string: {api_version}")));
    }
    if api_version.len() > 1 && api_version.ends_with('/') {
        let body = String::from_utf8_lossy(body);
        return Err(Failure::bad_request(format!("Object 'apiVersion' is missing in '{body}'")));
    }
    if matches!(kind, "" | "DeleteOptions") {
        return Ok(());
    }
    let version = if matches!(api_version, "" | "/") { "meta.k8s.io/v1" } else { api_version };
    let is_known =
        UNVERSIONED_KINDS.contains(&kind) || version == "meta.k8s.io/v1" && META_KINDS.contains(&kind);
    Err(Failure::bad_request(if is_known {
        format!("converting (v1.{kind}) to (v1.DeleteOptions): unknown conversion")
    } else {
        let (kind, version) = (quoted(kind), quoted(version));
        format!(r#"no kind {kind} is registered for version {version} in scheme "pkg/runtime/scheme.go:111""#)
    }))
}
