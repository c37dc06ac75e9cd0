//! [`CustomProfile`], the part of a container in the file of `--custom`.

use klient_apimachinery::go::os_error;
use klient_apimachinery::patch::strategic;
use klient_apimachinery::values::{self, Map};
use klient_apimachinery::yaml;
use serde_json::Value;

use crate::error::CliError;
use crate::go_form;

/// The fields that a profile cannot have.
const FIXED: [&str; 5] = ["name", "command", "image", "lifecycle", "volumeDevices"];

/// The part of a container in the file of `--custom`, in Go's form.
pub(super) struct CustomProfile(Map);

impl CustomProfile {
    /// Reads a file of JSON or YAML; `None` if it is empty.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or has no container.
    pub(super) fn read(file: &str) -> Result<Option<Self>, CliError> {
        let text = std::fs::read_to_string(file).map_err(|error| {
            let problem = format!("open {file}: {}", os_error(&error));
            CliError::Message(format!("must pass a container spec json file for custom profile: {problem}"))
        })?;
        let invalid = |problem: String| {
            CliError::Message(format!("{file} does not contain a valid container spec: {problem}"))
        };
        let value = yaml::single_document(&text)
            .map_err(|error| invalid(format!("error converting YAML to JSON: {error}")))?;
        let mismatch =
            |problem: String| invalid(format!("error unmarshaling JSON: while decoding JSON: {problem}"));
        match value {
            Value::Null => Ok(None),
            Value::Object(container) => {
                let decoded = values::decode(container, go_form::container());
                Ok(Some(CustomProfile(decoded.map_err(|error| mismatch(error.of_json))?.object)))
            }
            other => Err(mismatch(format!(
                "json: cannot unmarshal {} into Go value of type v1.Container",
                klient_apimachinery::go::json_type(&other)
            ))),
        }
    }

    /// Checks that the profile has no field that the flags set.
    ///
    /// # Errors
    ///
    /// If it has one.
    pub(super) fn check(&self) -> Result<(), CliError> {
        let is_set = |field: &&str| match self.0.get(*field) {
            None | Some(Value::Null) => false,
            Some(Value::String(text)) => !text.is_empty(),
            Some(Value::Array(items)) => !items.is_empty(),
            Some(_) => true,
        };
        match FIXED.iter().any(is_set) {
            false => Ok(()),
            true => Err(CliError::message(
                "name, command, image, lifecycle and volume devices are not modifiable via custom profile",
            )),
        }
    }

    /// Merges the profile into a container.
    ///
    /// # Errors
    ///
    /// If the result is no container.
    pub(super) fn apply(&self, container: &mut Map) -> Result<(), CliError> {
        let mut patch = self.0.clone();
        patch.insert("name".to_owned(), container["name"].clone());
        strategic::apply(container, patch, go_form::container()).map_err(|error| {
            CliError::Message(format!("error creating three way patch to add debug container: {error}"))
        })?;
        let decoded = values::decode(std::mem::take(container), go_form::container());
        let decoded = decoded.map_err(|error| {
            let problem = error.of_json;
            CliError::Message(format!("unable to unmarshall patched container to container: {problem}"))
        })?;
        *container = decoded.object;
        Ok(())
    }
}
