//! Ownership of the number of replicas through the subresource `scale`.

use klient_apimachinery::Time;
use klient_schema::autoscaling_v1;
use klient_structured_merge::{FieldManager, Managers, Path, ScaleFields, Updater};
use serde_json::{Value, json};

use crate::live::{Live, object};

fn scale_of(web: &Live) -> ScaleFields<'static> {
    ScaleFields {
        managers: web.managers(),
        api_version: "apps/v1",
        replicas: [("apps/v1".into(), Some(Path::fields(["spec", "replicas"])))].into(),
    }
}

/// Writes the scale of a deployment as an API server does.
fn write_scale(web: &mut Live, manager: &str, replicas: i64) {
    let updater = Updater::of_one("autoscaling/v1", (&autoscaling_v1::SCALE).into());
    let fields = FieldManager {
        updater: &updater,
        api_version: "autoscaling/v1",
        subresource: "scale",
        ..Default::default()
    };
    let scale = scale_of(web);
    let mut live =
        object(&json!({"metadata": {"uid": "1"}, "spec": {"replicas": web.seen()["spec"]["replicas"]}}))
            .clone();
    scale.to_scale().write_to(&mut live);
    let mut new = live.clone();
    new["spec"]["replicas"] = replicas.into();
    fields.update(&live, &mut new, manager, Time::from_unix(0)).expect("it is written");
    let managers = scale.to_object(Managers::of(&new).expect("they can be read"));
    web.object["spec"]["replicas"] = replicas.into();
    managers.write_to(&mut web.object);
}

#[test]
fn who_scales_gets_the_replicas() {
    let mut web = Live::deployment();
    web.apply("alice", json!({"spec": {"replicas": 1, "paused": true}}));
    write_scale(&mut web, "scaler", 3);
    web.owned(&["alice: .spec.paused", "scaler*/scale: .spec.replicas"]);
    assert_eq!(web.times(), [Some(1), None]);
    assert_eq!(
        web.refused("alice", json!({"spec": {"replicas": 1, "paused": true}})),
        r#"Apply failed with 1 conflict: conflict with "scaler" with subresource "scale" using apps/v1: .spec.replicas"#
    );
    write_scale(&mut web, "other", 4);
    web.owned(&["alice: .spec.paused", "other*/scale: .spec.replicas"]);
}

#[test]
fn nobody_loses_replicas_that_stay() {
    let mut web = Live::deployment();
    web.apply("alice", json!({"spec": {"replicas": 1}}));
    web.update("bob", |web| web["spec"]["replicas"] = 2.into());
    web.apply("carol", json!({"spec": {"replicas": 2}}));
    write_scale(&mut web, "scaler", 2);
    web.owned(&["bob*: .spec.replicas", "carol: .spec.replicas"]);
}

#[test]
fn versions_that_are_not_known_are_dropped() {
    let entry = |version: &str| {
        json!({
            "manager": "a", "operation": "Update", "apiVersion": version, "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {"f:replicas": {}}},
        })
    };
    let of: Value = json!({"metadata": {"managedFields": [entry("apps/v1"), entry("apps/v1beta9")]}});
    let mut web = Live::deployment();
    web.object = object(&of).clone();
    let scale = scale_of(&web);
    assert_eq!(scale.to_scale().len(), 1);
    assert_eq!(scale.to_object(scale.to_scale()).len(), 1);
}
