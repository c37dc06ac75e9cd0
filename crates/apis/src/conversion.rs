//! Kinds that are stored in one version and served in others.

use klient_structured_merge::Convert;
use serde_json::{Value, json};

use klient_apimachinery::values::{Map, map_at};

/// The conversion of a resource's objects to the stored version, and back.
#[derive(Clone, Copy)]
pub struct Conversion {
    /// From the served version to the stored one.
    pub to_storage: fn(Map) -> Map,
    /// From the stored version to the served one.
    pub from_storage: fn(Map) -> Map,
    /// The group and version in which they are stored.
    pub storage: (&'static str, &'static str),
}

/// The conversion of a resource, if its storage version has another form.
pub fn conversion(group: &str, version: &str, kind: &str) -> Option<Conversion> {
    match (group, version, kind) {
        ("events.k8s.io", "v1", "Event") => Some(Conversion {
            to_storage: |event| rename(event, |(core, new)| (new, core)),
            from_storage: |event| rename(event, |pair| pair),
            storage: ("", "v1"),
        }),
        ("autoscaling", "v1", "HorizontalPodAutoscaler") => Some(Conversion {
            to_storage: scaler_to_v2,
            from_storage: scaler_to_v1,
            storage: ("autoscaling", "v2"),
        }),
        _ => None,
    }
}

/// The conversion between the versions of a kind, if they differ.
pub fn between_versions(kind: &str) -> Option<&'static Convert<'static>> {
    match kind {
        "Event" => Some(&|event, from, to| Ok(between("Event", event, from, to))),
        "HorizontalPodAutoscaler" => {
            Some(&|scaler, from, to| Ok(between("HorizontalPodAutoscaler", scaler, from, to)))
        }
        _ => None,
    }
}

fn between(kind: &str, object: &Map, from: &str, to: &str) -> Map {
    let of = |api_version: &str| {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        conversion(group, version, kind)
    };
    let stored = match of(from) {
        Some(conversion) => (conversion.to_storage)(object.clone()),
        None => object.clone(),
    };
    match of(to) {
        Some(conversion) => (conversion.from_storage)(stored),
        None => stored,
    }
}

/// Fields of an Event in the core group, and in events.k8s.io.
const EVENT_FIELDS: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

fn rename(
    mut event: Map,
    order: impl Fn((&'static str, &'static str)) -> (&'static str, &'static str),
) -> Map {
    for (from, to) in EVENT_FIELDS.map(order) {
        if let Some(value) = event.remove(from) {
            event.insert(to.to_owned(), value);
        }
    }
    event
}

/// Annotations for fields that `autoscaling/v1` lacks.
const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";

const TARGET: &str = "targetCPUUtilizationPercentage";

fn is_cpu_utilization(metric: &Value) -> bool {
    metric["resource"]["name"] == "cpu" && metric["resource"]["target"]["type"] == "Utilization"
}

fn scaler_to_v1(mut scaler: Map) -> Map {
    let spec = map_at(&mut scaler, "spec");
    let metrics = match spec.remove("metrics") {
        Some(Value::Array(metrics)) => metrics,
        _ => Vec::new(),
    };
    let behavior = spec.remove("behavior");
    let (cpu, others): (Vec<Value>, Vec<Value>) = metrics.into_iter().partition(is_cpu_utilization);
    if let Some(target) = cpu.first().map(|metric| metric["resource"]["target"]["averageUtilization"].clone())
    {
        spec.insert(TARGET.to_owned(), target);
    }
    if let Some(Value::Object(status)) = scaler.get_mut("status") {
        let current = status.remove("currentMetrics");
        let utilization =
            current.as_ref().and_then(Value::as_array).into_iter().flatten().find_map(|metric| {
                metric["resource"]["current"]["averageUtilization"]
                    .as_i64()
                    .filter(|_| metric["resource"]["name"] == "cpu")
            });
        if let Some(utilization) = utilization {
            status.insert("currentCPUUtilizationPercentage".to_owned(), utilization.into());
        }
        status.remove("conditions");
    }
    let notes = [
        (METRICS, (!others.is_empty()).then(|| Value::Array(others).to_string())),
        (BEHAVIOR, behavior.map(|behavior| behavior.to_string())),
    ];
    for (key, note) in notes {
        if let Some(note) = note {
            map_at(map_at(&mut scaler, "metadata"), "annotations").insert(key.to_owned(), note.into());
        }
    }
    scaler
}

fn scaler_to_v2(mut scaler: Map) -> Map {
    let mut note = |key: &str| -> Option<Value> {
        let metadata = map_at(&mut scaler, "metadata");
        let annotations = metadata.get_mut("annotations")?.as_object_mut()?;
        let text = annotations.remove(key)?;
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
        serde_json::from_str(text.as_str()?).ok()
    };
    let (others, behavior) = (note(METRICS), note(BEHAVIOR));
    let spec = map_at(&mut scaler, "spec");
    let mut metrics = Vec::new();
    if let Some(target) = spec.remove(TARGET) {
        let target = json!({"type": "Utilization", "averageUtilization": target});
        metrics.push(json!({"type": "Resource", "resource": {"name": "cpu", "target": target}}));
    }
    if let Some(Value::Array(others)) = others {
        metrics.extend(others);
    }
    if !metrics.is_empty() {
        spec.insert("metrics".to_owned(), Value::Array(metrics));
    }
    if let Some(behavior @ Value::Object(_)) = behavior {
        spec.insert("behavior".to_owned(), behavior);
    }
    if let Some(Value::Object(status)) = scaler.get_mut("status") {
        let utilization = status.remove("currentCPUUtilizationPercentage");
        let current = utilization.map(|utilization| {
            let current = json!({"averageUtilization": utilization});
            json!([{"type": "Resource", "resource": {"name": "cpu", "current": current}}])
        });
        status.insert("currentMetrics".to_owned(), current.unwrap_or_default());
    }
    scaler
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn autoscalers_keep_what_v1_cannot_say() {
        let v2 = json!({
            "metadata": {"name": "a"},
            "spec": {
                "maxReplicas": 3,
                "metrics": [
                    {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}},
                    {"type": "Resource", "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 50}}},
                ],
                "behavior": {"scaleUp": {"stabilizationWindowSeconds": 3}},
            },
        });
        let v1 = scaler_to_v1(v2.as_object().unwrap().clone());
        assert_eq!(v1["spec"], json!({"maxReplicas": 3, "targetCPUUtilizationPercentage": 80}));
        assert_eq!(Value::Object(scaler_to_v2(v1)), v2);
    }

    #[test]
    fn events_have_other_names_in_their_own_group() {
        let core = json!({"involvedObject": {"name": "p"}, "message": "m", "count": 2, "type": "Normal"});
        let both = conversion("events.k8s.io", "v1", "Event").unwrap();
        let new = (both.from_storage)(core.as_object().unwrap().clone());
        assert_eq!(
            Value::Object(new.clone()),
            json!({"regarding": {"name": "p"}, "note": "m", "deprecatedCount": 2, "type": "Normal"})
        );
        assert_eq!(Value::Object((both.to_storage)(new)), core);
    }
}
