//! [`Sensor`], a custom resource whose definition kube derives.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A sensor, and the range of what it measures.
#[derive(CustomResource, Clone, Debug, Deserialize, KubeSchema, Serialize)]
#[kube(
    group = "kube.klient.example",
    version = "v1",
    kind = "Sensor",
    namespaced,
    status = "SensorStatus",
    shortname = "sn",
    category = "all",
    selectable = ".spec.unit",
    scale(spec_replicas_path = ".spec.replicas", status_replicas_path = ".status.replicas"),
    printcolumn(name = "Unit", type_ = "string", json_path = ".spec.unit"),
    validation = Rule::new("self.metadata.name.size() <= 20").message("a name must have 20 characters at most"),
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.low <= self.high").message("low must not be above high"),
    validation = Rule::new("!has(oldSelf.calibrated) || has(self.calibrated)").message("calibration cannot be undone"),
)]
pub struct SensorSpec {
    #[schemars(range(min = -273))]
    pub low: i32,
    #[schemars(range(max = 1000))]
    pub high: i32,
    #[serde(default = "celsius")]
    #[x_kube(
        validation = Rule::new("self == oldSelf").message("the unit stays").reason(Reason::FieldValueForbidden)
    )]
    pub unit: String,
    #[serde(default = "one")]
    pub replicas: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibrated: Option<String>,
    #[serde(default)]
    #[schemars(length(max = 4), inner(length(max = 10)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = Rule::new("self.all(tag, tag.startsWith('t'))").message(Message::Expression("'tags must begin with t, not as in ' + self.join(', ')".into()))
    )]
    pub tags: Vec<String>,
    #[serde(default)]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub alarms: Vec<Alarm>,
    #[serde(default)]
    pub mode: Mode,
}

/// A value at which a sensor tells somebody.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct Alarm {
    pub name: String,
    pub at: i32,
    #[serde(default = "one")]
    pub level: i32,
}

/// The state that a sensor is to be in.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
pub enum Mode {
    #[default]
    On,
    Off,
}

/// The last reading of a sensor.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SensorStatus {
    #[serde(default)]
    pub replicas: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<i32>,
    #[serde(default)]
    pub conditions: Vec<Condition>,
}

fn celsius() -> String {
    "C".to_owned()
}

fn one() -> i32 {
    1
}
