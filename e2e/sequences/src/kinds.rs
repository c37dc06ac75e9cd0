//! The kinds that are written.

mod config_map;
mod custom;
mod definition;
pub(crate) mod gauge;
mod meter;
mod service;
mod workloads;

use serde_json::{Value, json};

use crate::kind::Kind;
use crate::shape::{Shape, may, must};

pub(crate) fn all() -> Vec<Kind> {
    vec![
        workloads::pod(),
        workloads::deployment(),
        service::service(),
        config_map::config_map(),
        custom::widget(),
        custom::blob(),
        meter::meter(),
        gauge::gauge(),
        definition::definition(),
    ]
}

/// The definitions of the custom kinds that need no webhook, and the one that is written.
pub(crate) fn definitions() -> [Value; 4] {
    [
        custom::widget_definition(),
        custom::blob_definition(),
        meter::meter_definition(),
        definition::gadget_definition(),
    ]
}

/// What a kind has for metadata. An empty list of finalizers of a custom resource is stored as it is by
/// kube-apiserver, and dropped, as a change, by whichever write is next.
fn metadata(is_custom: bool) -> Shape {
    let finalizers = match is_custom {
        true => Shape::one(json!([["a.example/one"], ["a.example/one", "a.example/two"]])),
        false => Shape::list(json!(["a.example/one", "a.example/two"])),
    };
    let owner = json!([
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "11111111-0000-0000-0000-000000000001"},
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "b", "uid": "11111111-0000-0000-0000-000000000002"},
    ]);
    Shape::Object(vec![
        may("labels", Shape::strings(&["app", "tier", "a.example/x"])),
        may("annotations", Shape::strings(&["note", "a.example/y"])),
        may("finalizers", finalizers),
        may("ownerReferences", Shape::keyed(owner, vec![may("controller", Shape::one(json!([false])))])),
    ])
}

fn conditions() -> Shape {
    Shape::keyed(
        json!([{"type": "Ready"}, {"type": "a.example/Fine"}]),
        vec![
            must("status", Shape::one(json!(["True", "False"]))),
            may("reason", Shape::one(json!(["Because", "So"]))),
        ],
    )
}
