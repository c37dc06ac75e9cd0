//! From the bytes of a file to a kubeconfig.

use klient_apimachinery::yaml;
use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Kubeconfig, Named};
use crate::error::Problem;

/// An error in a kubeconfig, without its contents, which are secret.
pub(super) fn parse(bytes: &[u8]) -> Result<Kubeconfig, Problem> {
    let value = yaml::from_slice(bytes).map_err(|error| Problem(error.to_string()))?;
    if value.is_null() {
        return Ok(Kubeconfig::default());
    }
    let Some(object) = value.as_object() else {
        return Err(Problem("expected an object with clusters, users and contexts".to_owned()));
    };
    if let Some(kind) = object.get("kind").and_then(Value::as_str).filter(|kind| *kind != "Config") {
        return Err(Problem(format!("expected kind Config, found {kind}")));
    }
    Ok(Kubeconfig {
        current_context: decode("current-context", object.get("current-context"))?,
        clusters: section(object, "clusters")?,
        users: section(object, "users")?,
        contexts: section(object, "contexts")?,
        files: Vec::new(),
    })
}

/// The named entries of one kind; an error names the entry at fault.
fn section<T: DeserializeOwned>(
    object: &serde_json::Map<String, Value>,
    name: &str,
) -> Result<Vec<Named<T>>, Problem> {
    let all: Vec<Value> = decode(name, object.get(name))?;
    let decoded = all.iter().enumerate().map(|(index, one)| {
        let name = match one["name"].as_str() {
            Some(own) => format!("{name}[{index}] {own:?}"),
            None => format!("{name}[{index}]"),
        };
        Named::<T>::deserialize(one).map_err(|error| told(&name, &error))
    });
    decoded.collect()
}

fn decode<T: DeserializeOwned + Default>(name: &str, value: Option<&Value>) -> Result<T, Problem> {
    match value {
        None | Some(Value::Null) => Ok(T::default()),
        Some(value) => T::deserialize(value).map_err(|error| told(name, &error)),
    }
}

fn told(name: &str, error: &serde_json::Error) -> Problem {
    Problem(format!("{name}: {}", without_values(&error.to_string())))
}

/// A decoder's message without the values it quotes.
fn without_values(message: &str) -> String {
    let mut out = String::new();
    for (index, part) in message.split('"').enumerate() {
        out.push_str(if index % 2 == 0 { part } else { "\"***\"" });
    }
    out
}
