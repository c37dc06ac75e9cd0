//! Defaults of the smaller groups: access, admission, storage, scheduling, flow control, devices.

use klient_apimachinery::Time;
use klient_apimachinery::schema::Schema;
use klient_apimachinery::values::{Map, map_at, text_at};
use serde_json::{Value, json};

use super::{fill, fill_zero, is_empty};

pub(super) fn set(schema: &Schema, object: &mut Map) {
    match schema.package {
        "rbac/v1" => access(schema.name, object),
        "storage/v1" => storage(schema.name, object),
        "flowcontrol/v1" => flow_control(schema.name, object),
        "authentication/v1" if schema.name == "TokenRequestSpec" => fill(object, "expirationSeconds", 3600),
        "scheduling/v1" if schema.name == "PriorityClass" => {
            fill(object, "preemptionPolicy", "PreemptLowerPriority");
        }
        package if package.starts_with("admissionregistration/") => admission(schema, object),
        package if package.starts_with("resource/") => device(schema.name, object),
        _ => {}
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";

fn access(name: &str, object: &mut Map) {
    match name {
        "RoleBinding" | "ClusterRoleBinding" => fill_zero(map_at(object, "roleRef"), "apiGroup", RBAC),
        "Subject" if matches!(text_at(object, &["kind"]), "User" | "Group") => fill(object, "apiGroup", RBAC),
        _ => {}
    }
}

fn storage(name: &str, object: &mut Map) {
    match name {
        "StorageClass" => {
            fill(object, "reclaimPolicy", "Delete");
            fill(object, "volumeBindingMode", "Immediate");
        }
        "CSIDriverSpec" => {
            fill(object, "attachRequired", true);
            fill(object, "fsGroupPolicy", "ReadWriteOnceWithFSType");
            let switches = [
                "podInfoOnMount",
                "storageCapacity",
                "requiresRepublish",
                "seLinuxMount",
                "preventPodSchedulingIfMissing",
            ];
            for switch in switches {
                fill(object, switch, false);
            }
            if is_empty(object, "volumeLifecycleModes") {
                object.insert("volumeLifecycleModes".to_owned(), json!(["Persistent"]));
            }
        }
        _ => {}
    }
}

fn flow_control(name: &str, object: &mut Map) {
    match name {
        "FlowSchemaSpec" => fill_zero(object, "matchingPrecedence", 1000),
        "ExemptPriorityLevelConfiguration" => {
            fill(object, "nominalConcurrencyShares", 0);
            fill(object, "lendablePercent", 0);
        }
        "LimitedPriorityLevelConfiguration" => {
            fill(object, "nominalConcurrencyShares", 30);
            fill(object, "lendablePercent", 0);
        }
        "QueuingConfiguration" => {
            fill_zero(object, "handSize", 8);
            fill_zero(object, "queues", 64);
            fill_zero(object, "queueLengthLimit", 50);
        }
        _ => {}
    }
}

fn admission(schema: &Schema, object: &mut Map) {
    match schema.name {
        "ValidatingWebhook" => webhook(object),
        "MutatingWebhook" => {
            webhook(object);
            fill(object, "reinvocationPolicy", "Never");
        }
        // The struct around these fields is inlined in JSON.
        "RuleWithOperations" | "NamedRuleWithOperations" | "Rule" => fill(object, "scope", "*"),
        "ServiceReference" => fill(object, "port", 443),
        "ValidatingAdmissionPolicySpec" | "MutatingAdmissionPolicySpec" => {
            fill(object, "failurePolicy", "Fail")
        }
        "MatchResources" => matching(object),
        "ParamRef" if schema.package == "admissionregistration/v1alpha1" => {
            fill(object, "parameterNotFoundAction", "Deny");
        }
        _ => {}
    }
}

fn webhook(object: &mut Map) {
    fill(object, "failurePolicy", "Fail");
    matching(object);
    fill(object, "timeoutSeconds", 10);
}

fn matching(object: &mut Map) {
    fill(object, "matchPolicy", "Equivalent");
    fill(object, "namespaceSelector", json!({}));
    fill(object, "objectSelector", json!({}));
}

fn device(name: &str, object: &mut Map) {
    match name {
        "ExactDeviceRequest" | "DeviceSubRequest" => count(object),
        // A request with alternatives has no class and no count.
        "DeviceRequest" if !text_at(object, &["deviceClassName"]).is_empty() => count(object),
        "DeviceTaint" => fill(object, "timeAdded", Time::now().to_string()),
        _ => {}
    }
}

fn count(request: &mut Map) {
    fill(request, "allocationMode", "ExactCount");
    if request.get("allocationMode") == Some(&Value::from("ExactCount")) {
        fill(request, "count", 1);
    }
}
