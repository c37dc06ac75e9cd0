//! ConfigMaps and Secrets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::Map;
use serde_json::Value;

use super::at::{At, same};
use super::form::config_map_key;

/// The maximum size of a ConfigMap's or Secret's data, in bytes.
const SIZE_MAX: usize = 1024 * 1024;

pub(super) fn config_map(object: &Map, problems: &mut ErrorList) {
    let (data, binary) = (At::new(object, "data"), At::new(object, "binaryData"));
    let mut size = 0;
    for (key, value) in data.entries() {
        problems.invalid(&value.path(), key, config_map_key(key));
        if binary.map().is_some_and(|binary| binary.contains_key(key)) {
            problems.add(value.invalid_as(key, "duplicate of key present in binaryData"));
        }
        size += value.text().len();
    }
    for (key, value) in binary.entries() {
        problems.invalid(&value.path(), key, config_map_key(key));
        size += decoded_len(value.text());
    }
    if size > SIZE_MAX {
        // Upstream gives no field here, which prints so.
        problems.add(FieldError::too_long("[]", SIZE_MAX));
    }
}

fn decoded_len(text: &str) -> usize {
    let padding = text.bytes().rev().take_while(|c| *c == b'=').count();
    (text.len() / 4 * 3).saturating_sub(padding)
}

/// Checks that an immutable ConfigMap or Secret does not change.
pub(super) fn sealed(object: &Map, old: &Map, data: &[&str], problems: &mut ErrorList) {
    let is_sealed = |object: &Map| object.get("immutable").and_then(Value::as_bool) == Some(true);
    if !is_sealed(old) {
        return;
    }
    let problem = "field is immutable when `immutable` is set";
    if !is_sealed(object) {
        problems.add(FieldError::forbidden("immutable", problem));
    }
    for name in data {
        if !same(object.get(*name), old.get(*name)) {
            problems.add(FieldError::forbidden(*name, problem));
        }
    }
}

pub(super) fn secret(object: &Map, problems: &mut ErrorList) {
    let data = At::new(object, "data");
    let mut size = 0;
    for (key, value) in data.entries() {
        problems.invalid(&value.path(), key, config_map_key(key));
        size += decoded_len(value.text());
    }
    if size > SIZE_MAX {
        problems.add(data.too_long(SIZE_MAX));
    }
    let has = |key: &str| data.map().is_some_and(|data| data.contains_key(key));
    let missing = |key: &str| FieldError::required(format!("data[{key}]"), "");
    match At::new(object, "type").text() {
        "kubernetes.io/service-account-token" => {
            const ACCOUNT: &str = "kubernetes.io/service-account.name";
            if At::new(object, "metadata.annotations").entry(ACCOUNT).unwrap_or_default().is_empty() {
                problems.add(FieldError::required(format!("metadata.annotations[{ACCOUNT}]"), ""));
            }
        }
        "kubernetes.io/dockercfg" => json_key(&data, ".dockercfg", problems),
        "kubernetes.io/dockerconfigjson" => json_key(&data, ".dockerconfigjson", problems),
        "kubernetes.io/basic-auth" if !has("username") && !has("password") => {
            problems.0.extend(["username", "password"].map(missing));
        }
        "kubernetes.io/ssh-auth" if data.entry("ssh-privatekey").unwrap_or_default().is_empty() => {
            problems.add(missing("ssh-privatekey"));
        }
        "kubernetes.io/tls" => {
            problems.0.extend(["tls.crt", "tls.key"].into_iter().filter(|key| !has(key)).map(missing));
        }
        _ => {}
    }
}

fn json_key(data: &At<'_, '_>, key: &str, problems: &mut ErrorList) {
    let path = format!("data[{key}]");
    let Some(text) = data.entry(key) else { return problems.add(FieldError::required(path, "")) };
    let bytes = BASE64.decode(text).unwrap_or_default();
    let problem = match serde_json::from_slice::<Value>(&bytes) {
        Ok(Value::Object(_) | Value::Null) => return,
        Ok(_) => "json: cannot unmarshal value into Go value of type map[string]interface {}".to_owned(),
        Err(_) => match String::from_utf8_lossy(&bytes).trim_start().chars().next() {
            None => "unexpected end of JSON input".to_owned(),
            Some('{') => "invalid JSON".to_owned(),
            Some(first) => format!("invalid character '{first}' looking for beginning of value"),
        },
    };
    problems.add(FieldError::invalid(path, "<secret contents redacted>", problem));
}
