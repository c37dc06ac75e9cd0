//! Services.

use serde_json::json;

use super::{conditions, metadata};
use crate::kind::{Kind, Place};
use crate::shape::{Shape, may, must};

pub(super) fn service() -> Kind {
    let ports = json!([
        {"port": 80, "name": "web"},
        {"port": 80, "protocol": "TCP", "name": "web"},
        {"port": 53, "protocol": "UDP", "name": "dns"},
        {"port": 53, "name": "dns-tcp"},
    ]);
    Kind {
        kind: "Service",
        plural: "services",
        place: Place::Namespace,
        api_versions: &["v1"],
        has_status: true,
        has_scale: false,
        is_builtin: true,
        shape: Shape::Object(vec![
            may("metadata", metadata(false)),
            must(
                "spec",
                Shape::Object(vec![
                    must(
                        "ports",
                        Shape::keyed(
                            ports,
                            vec![may("targetPort", Shape::one(json!([8080, "web", "8080"])))],
                        ),
                    ),
                    may("selector", Shape::strings(&["app", "tier"])),
                    may("sessionAffinity", Shape::one(json!(["None", "ClientIP"]))),
                    may("type", Shape::one(json!(["ClusterIP", "ClusterIP", "NodePort"]))),
                    may("externalIPs", Shape::list(json!(["192.0.2.1", "192.0.2.2"]))),
                    may("publishNotReadyAddresses", Shape::one(json!([true, false]))),
                ]),
            ),
        ]),
        second_shape: None,
        status: Shape::Object(vec![
            may("conditions", conditions()),
            may(
                "loadBalancer",
                Shape::Object(vec![may("ingress", Shape::list(json!([{"ip": "192.0.2.9"}])))]),
            ),
        ]),
        defaults: &[
            "clusterIP",
            "clusterIPs",
            "internalTrafficPolicy",
            "externalTrafficPolicy",
            "ipFamilies",
            "ipFamilyPolicy",
            "sessionAffinity",
            "sessionAffinityConfig",
            "type",
            "protocol",
            "targetPort",
            "status",
            "finalizers",
            "nodePort",
        ],
        dropped: &["externalTrafficPolicy", "nodePort", "sessionAffinityConfig"],
    }
}
