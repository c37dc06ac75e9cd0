//! [`Rules`], what is checked of a document before anything is sent.

use std::str::FromStr;

use http::Method;
use klient_apimachinery::go::quoted;
use klient_client::FieldValidation;
use serde_json::Value;

use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::flag_values::{Refusal, go_bool};

/// What becomes of fields that nobody knows (`--validate`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Validation {
    /// The object is refused.
    #[default]
    Strict,
    /// The server warns of them.
    Warn,
    /// They are dropped.
    Ignore,
}

impl FromStr for Validation {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        match (text, go_bool(text)) {
            ("strict", _) | (_, Ok(true)) => Ok(Validation::Strict),
            ("warn", _) => Ok(Validation::Warn),
            ("ignore", _) | (_, Ok(false)) => Ok(Validation::Ignore),
            _ => Err(Refusal::new(format!(
                "invalid - validate option {text}; must be one of: strict (or true), warn, ignore (or false)",
                text = quoted(text)
            ))),
        }
    }
}

impl From<Validation> for FieldValidation {
    fn from(validation: Validation) -> Self {
        match validation {
            Validation::Strict => FieldValidation::Strict,
            Validation::Warn => FieldValidation::Warn,
            Validation::Ignore => FieldValidation::Ignore,
        }
    }
}

/// Checks documents. Fields are the server's to check, if it is one that can.
#[derive(Debug)]
pub(crate) struct Rules {
    validation: Validation,
    server_is_asked: bool,
}

const HINT: &str = "if you choose to ignore these errors, turn validation off with --validate=false";

impl Rules {
    pub(crate) fn new(validation: Validation) -> Self {
        Rules { validation, server_is_asked: false }
    }

    /// Returns true if nothing is checked.
    pub(crate) fn ignore_all(&self) -> bool {
        self.validation == Validation::Ignore
    }

    /// Checks that a document says what it is.
    pub(crate) async fn check(
        &mut self,
        cluster: &Cluster,
        document: &Value,
        source: &str,
    ) -> Result<(), Failure> {
        if self.ignore_all() {
            return Ok(());
        }
        let refuse = |problem: &str| invalid(source, problem);
        let listed = match document["kind"].as_str() {
            Some("List") => document["items"].as_array().map_or(&[][..], Vec::as_slice),
            _ => &[],
        };
        let problem = type_problem(document).or_else(|| listed.iter().find_map(type_problem));
        problem.map_or(Ok(()), |problem| Err(refuse(&problem)))?;
        if !self.server_is_asked {
            ask(cluster)
                .await
                .map_err(|problem| refuse(&format!("failed to download openapi: {problem}")))?;
            self.server_is_asked = true;
        }
        Ok(())
    }
}

/// The error of a document that fails validation.
pub(crate) fn invalid(source: &str, problem: &str) -> Failure {
    Failure::Message(format!("error validating {}: error validating data: {problem}; {HINT}", quoted(source)))
}

/// What is wrong with `apiVersion` and `kind`.
fn type_problem(document: &Value) -> Option<String> {
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

/// Asks the server whether it checks fields, which is the case for all that serve OpenAPI v3, since Kubernetes 1.25.
async fn ask(cluster: &Cluster) -> Result<(), String> {
    let get =
        |path: &str| cluster.client().request(Method::GET).absolute_path(path).query("timeout", "32s").send();
    if get("/openapi/v3").await.is_ok() {
        return Ok(());
    }
    get("/openapi/v2").await.map(drop).map_err(|error| Failure::from(error).go_text())
}
