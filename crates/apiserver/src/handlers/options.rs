//! The options of writes, from query parameters.

use http::HeaderMap;
use http::header::USER_AGENT;
use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::Map;
use klient_apis::validation::manager_name;
use klient_structured_merge::manager_of_user_agent;
use serde_json::{Value, json};

use super::field_validation::FieldValidation;
use crate::request::Query;
use crate::status::{Failure, Result};

/// The kind of a write, which decides the allowed options.
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

/// The options of a write.
#[derive(Clone, Debug)]
pub(crate) struct WriteOptions {
    pub(crate) dry_run: bool,
    pub(crate) validation: FieldValidation,
    /// The `fieldValidation` parameter, empty if it is missing.
    validation_parameter: String,
    /// The `fieldManager` parameter, empty if it is missing.
    manager: String,
    /// True if fields are taken from other managers despite conflicts.
    pub(crate) force: bool,
}

impl WriteOptions {
    /// Reads the options of a write.
    ///
    /// # Errors
    ///
    /// 422 if an option is not one.
    pub(crate) fn parse(query: &Query, write: Write) -> Result<Self> {
        let mut problems = ErrorList::default();
        let manager = query.text("fieldManager");
        if write == Write::Apply && manager.is_empty() {
            problems.add(FieldError::required("fieldManager", "is required for apply patch"));
        }
        if write == Write::Patch && query.get("force").is_some() {
            problems.add(FieldError::forbidden("force", "may not be specified for non-apply patch"));
        }
        manager_name(&manager, "fieldManager", &mut problems);
        let dry_run = dry_run(query.all("dryRun"), &mut problems);
        let validation_parameter = query.text("fieldValidation");
        let validation = match &*validation_parameter {
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
            return Ok(WriteOptions {
                dry_run,
                validation,
                validation_parameter: validation_parameter.into(),
                manager: manager.into(),
                force,
            });
        }
        Err(Failure::invalid("meta.k8s.io", write.options(), "", &problems.0))
    }

    /// The options as an object of `meta.k8s.io/v1`, for admission.
    pub(crate) fn to_object(&self, kind: &str) -> Map {
        let mut options = Map::new();
        for (name, text) in [
            ("kind", kind),
            ("apiVersion", "meta.k8s.io/v1"),
            ("fieldManager", &self.manager),
            ("fieldValidation", &self.validation_parameter),
        ] {
            if !text.is_empty() {
                options.insert(name.to_owned(), text.into());
            }
        }
        if self.dry_run {
            options.insert("dryRun".to_owned(), json!(["All"]));
        }
        options
    }

    /// The field manager: the `fieldManager` parameter, else the first part of the User-Agent.
    pub(crate) fn manager(&self, headers: &HeaderMap) -> String {
        if !self.manager.is_empty() {
            return self.manager.clone();
        }
        let agent = headers.get(USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
        manager_of_user_agent(&agent.unwrap_or_default())
    }
}

/// Reads the words of a `dryRun`.
pub(super) fn dry_run<'a>(words: impl Iterator<Item = &'a str>, problems: &mut ErrorList) -> bool {
    let words: Vec<&str> = words.collect();
    if words.iter().any(|word| *word != "All") {
        let words = Value::Array(words.iter().map(|word| (*word).into()).collect());
        problems.add(FieldError::not_supported("dryRun", words, &["All"]));
    }
    !words.is_empty()
}
