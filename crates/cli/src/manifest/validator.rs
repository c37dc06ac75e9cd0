//! [`Validator`], the client-side validation of a document (`--validate`).

use std::str::FromStr;

use http::Method;
use klient_apimachinery::go::quoted;
use klient_client::FieldValidation;
use serde_json::Value;

use crate::cluster::Cluster;
use crate::error::CliError;
use crate::flag_values::{FlagValueError, go_bool};

/// Handling of unknown and duplicate fields (`--validate`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ValidationDirective {
    /// The server rejects the object.
    #[default]
    Strict,
    /// The server sends a warning for each.
    Warn,
    /// The server drops them without a warning.
    Ignore,
}

impl FromStr for ValidationDirective {
    type Err = FlagValueError;

    fn from_str(text: &str) -> Result<Self, FlagValueError> {
        match (text, go_bool(text)) {
            ("strict", _) | (_, Ok(true)) => Ok(ValidationDirective::Strict),
            ("warn", _) => Ok(ValidationDirective::Warn),
            ("ignore", _) | (_, Ok(false)) => Ok(ValidationDirective::Ignore),
            _ => Err(FlagValueError::new(format!(
                "invalid - validate option {text}; must be one of: strict (or true), warn, ignore (or false)",
                text = quoted(text)
            ))),
        }
    }
}

impl From<ValidationDirective> for FieldValidation {
    fn from(validation: ValidationDirective) -> Self {
        match validation {
            ValidationDirective::Strict => FieldValidation::Strict,
            ValidationDirective::Warn => FieldValidation::Warn,
            ValidationDirective::Ignore => FieldValidation::Ignore,
        }
    }
}

/// Validates `apiVersion` and `kind` of documents, and that the server can validate their fields.
#[derive(Debug)]
pub(crate) struct Validator {
    validation: ValidationDirective,
    schema_is_fetched: bool,
}

const HINT: &str = "if you choose to ignore these errors, turn validation off with --validate=false";

impl Validator {
    pub(crate) fn new(validation: ValidationDirective) -> Self {
        Validator { validation, schema_is_fetched: false }
    }

    /// Returns true for `--validate=ignore`.
    pub(crate) fn is_off(&self) -> bool {
        self.validation == ValidationDirective::Ignore
    }

    /// Checks that a document, and each item of a `List`, has an `apiVersion` and a `kind`.
    ///
    /// # Errors
    ///
    /// If one is missing or no string, or the server's OpenAPI document cannot be fetched.
    pub(crate) async fn check(
        &mut self,
        cluster: &Cluster,
        document: &Value,
        source: &str,
    ) -> Result<(), CliError> {
        if self.is_off() {
            return Ok(());
        }
        let refuse = |problem: &str| invalid(source, problem);
        let listed = match document["kind"].as_str() {
            Some("List") => document["items"].as_array().map_or(&[][..], Vec::as_slice),
            _ => &[],
        };
        let problem = type_meta_error(document).or_else(|| listed.iter().find_map(type_meta_error));
        problem.map_or(Ok(()), |problem| Err(refuse(&problem)))?;
        if !self.schema_is_fetched {
            fetch_schema(cluster)
                .await
                .map_err(|problem| refuse(&format!("failed to download openapi: {problem}")))?;
            self.schema_is_fetched = true;
        }
        Ok(())
    }
}

/// The error of a document that fails validation.
pub(crate) fn invalid(source: &str, problem: &str) -> CliError {
    CliError::Message(format!(
        "error validating {}: error validating data: {problem}; {HINT}",
        quoted(source)
    ))
}

/// Returns the error of a missing or invalid `apiVersion` or `kind`.
fn type_meta_error(document: &Value) -> Option<String> {
    let Some(fields) = document.as_object() else { return Some("invalid object to validate".to_owned()) };
    let problem = |field: &str| match fields.get(field) {
        None | Some(Value::Null) => Some(format!("{field} not set")),
        Some(Value::String(_)) => None,
        Some(_) => Some(format!("{field} isn't string type")),
    };
    match (problem("apiVersion"), problem("kind")) {
        (Some(first), Some(second)) => Some(format!("[{first}, {second}]")),
        (first, second) => first.or(second),
    }
}

/// Checks that the server serves OpenAPI, v3 or else v2. Servers with v3 (Kubernetes 1.25 and newer) validate fields.
async fn fetch_schema(cluster: &Cluster) -> Result<(), String> {
    let get =
        |path: &str| cluster.client().request(Method::GET).absolute_path(path).query("timeout", "32s").send();
    if get("/openapi/v3").await.is_ok() {
        return Ok(());
    }
    get("/openapi/v2").await.map(drop).map_err(|error| CliError::from(error).go_error())
}
