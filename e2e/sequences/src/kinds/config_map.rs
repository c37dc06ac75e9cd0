//! ConfigMaps.

use serde_json::json;

use super::metadata;
use crate::kind::{Kind, Place};
use crate::shape::{Shape, may, must};

pub(super) fn config_map() -> Kind {
    Kind {
        kind: "ConfigMap",
        plural: "configmaps",
        place: Place::Namespace,
        api_versions: &["v1"],
        has_status: false,
        has_scale: false,
        is_builtin: true,
        shape: Shape::Object(vec![
            may("metadata", metadata(false)),
            must("data", Shape::strings(&["a", "b", "c", "d.e"])),
            may("binaryData", Shape::Map(&["x", "y"], Box::new(Shape::one(json!(["AQ==", "Ag=="]))))),
        ]),
        second_shape: None,
        status: Shape::Object(vec![]),
        defaults: &["finalizers"],
        dropped: &[],
    }
}
