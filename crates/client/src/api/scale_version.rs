//! Scales of group-versions that have a `Scale` of their own: apps/v1beta1, apps/v1beta2 and extensions/v1beta1 of
//! Kubernetes before 1.16. They are read and written as `Scale` of autoscaling/v1 (client-go's `scale/scheme`).

use klient_apimachinery::ResourceInfo;
use klient_apimachinery::codec::Wire;
use serde_json::{Map, Value};

use crate::error::Error;
use crate::rest::Request;

const AUTOSCALING: &str = "autoscaling/v1";

/// The version of the `Scale` of a resource, if it is not autoscaling/v1.
pub(super) fn own_version(info: &ResourceInfo) -> Option<&'static str> {
    let own = ["apps/v1beta1", "apps/v1beta2", "extensions/v1beta1"];
    own.into_iter().find(|version| version.split_once('/') == Some((&*info.group, &*info.version)))
}

/// Sends a request for a scale, with the scale that it writes, and converts both.
pub(super) async fn exchange<S: Wire>(
    request: Request,
    version: &str,
    scale: Option<&S>,
) -> Result<S, Error> {
    let request = match scale {
        Some(scale) => request.body("application/json", written(scale, version)),
        None => request,
    };
    let response = request.accept("application/json").send().await?;
    match serde_json::from_slice(response.bytes()) {
        Ok(Value::Object(scale)) => response.with_body(read(scale).to_string().into()).decode(),
        _ => response.decode(),
    }
}

/// The scale in the version of the server. Its status is not written.
fn written(scale: &impl Wire, version: &str) -> Vec<u8> {
    let mut json = Vec::new();
    scale.to_json(&mut json);
    let mut value: Value = serde_json::from_slice(&json).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        fields.insert("apiVersion".to_owned(), version.into());
        fields.insert("kind".to_owned(), "Scale".into());
        fields.remove("status");
    }
    value.to_string().into_bytes()
}

/// The scale in autoscaling/v1, whose selector is a string in place of labels.
fn read(mut scale: Map<String, Value>) -> Value {
    if scale.get("kind").is_none_or(|kind| kind != "Scale") {
        return scale.into();
    }
    scale.insert("apiVersion".to_owned(), AUTOSCALING.into());
    if let Some(status) = scale.get_mut("status").and_then(Value::as_object_mut) {
        let labels = status.remove("selector");
        let selector = match status.remove("targetSelector") {
            Some(Value::String(selector)) if !selector.is_empty() => selector,
            _ => selector_of(labels.as_ref().and_then(Value::as_object)),
        };
        status.insert("selector".to_owned(), selector.into());
    }
    scale.into()
}

/// The selector for labels, in their order.
fn selector_of(labels: Option<&Map<String, Value>>) -> String {
    let mut labels: Vec<_> = labels.into_iter().flatten().collect();
    labels.sort_by_key(|(key, _)| *key);
    let terms =
        labels.into_iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
    terms.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use klient_api::autoscaling::v1::Scale;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_scale_is_read_as_that_of_autoscaling() {
        for (status, selector) in [
            (
                json!({"replicas": 2, "selector": {"b": "2", "a": "1"}, "targetSelector": "a in (1)"}),
                "a in (1)",
            ),
            (json!({"replicas": 2, "selector": {"b": "2", "a": "1"}}), "a=1,b=2"),
            (json!({"replicas": 2}), ""),
        ] {
            let own = json!({
                "kind": "Scale", "apiVersion": "extensions/v1beta1", "metadata": {"name": "web"},
                "spec": {"replicas": 3}, "status": status,
            });
            let Value::Object(own) = own else { unreachable!("it is an object") };
            let scale = Scale::from_json(read(own).to_string().as_bytes()).unwrap();
            assert_eq!(scale.spec.replicas, Some(3));
            assert_eq!(scale.status.selector.as_deref().unwrap_or_default(), selector);

            let written: Value = serde_json::from_slice(&written(&scale, "extensions/v1beta1")).unwrap();
            let expected = json!({
                "kind": "Scale", "apiVersion": "extensions/v1beta1", "metadata": {"name": "web"},
                "spec": {"replicas": 3},
            });
            assert_eq!(written, expected);
        }
    }
}
