//! `metadata.managedFields`: how they are written, kept, started anew and bounded.

use klient_structured_merge::{Error, Managers, manager_of_user_agent};
use serde_json::{Value, json};

use crate::live::{Live, object};

fn set(web: &mut Value, field: &str) {
    web["spec"][field] = 1.into();
}

#[test]
fn entries_are_written_in_kubernetes_order() {
    let mut web = Live::deployment();
    web.apply("bob", json!({"spec": {"replicas": 1}}));
    web.update("carol", |web| set(web, "minReadySeconds"));
    web.apply("alice", json!({"spec": {"paused": true}}));
    web.update("adam", |web| set(web, "revisionHistoryLimit"));
    assert_eq!(
        web.object["metadata"]["managedFields"],
        json!([
            {
                "manager": "bob", "operation": "Apply", "apiVersion": "apps/v1", "time": "2027-01-15T08:00:01Z",
                "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:replicas": {}}},
            },
            {
                "manager": "alice", "operation": "Apply", "apiVersion": "apps/v1", "time": "2027-01-15T08:00:03Z",
                "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:paused": {}}},
            },
            {
                "manager": "carol", "operation": "Update", "apiVersion": "apps/v1", "time": "2027-01-15T08:00:02Z",
                "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:minReadySeconds": {}}},
            },
            {
                "manager": "adam", "operation": "Update", "apiVersion": "apps/v1", "time": "2027-01-15T08:00:04Z",
                "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:revisionHistoryLimit": {}}},
            },
        ])
    );
    let managers = web.managers();
    assert_eq!(Managers::from_entries(&managers.to_entries()).expect("they can be read"), managers);
}

#[test]
fn entries_that_cannot_be_are_refused() {
    let entry = |change: Value| {
        let mut entry = json!({
            "manager": "a", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {},
        });
        for (name, value) in object(&change) {
            entry[name] = value.clone();
        }
        json!({"metadata": {"managedFields": [entry]}})
    };
    let read = |object_with: &Value| Managers::of(object(object_with));
    for (change, problem) in [
        (json!({"operation": "Delete"}), "operation must be `Apply` or `Update`"),
        (json!({"apiVersion": ""}), "apiVersion must not be empty"),
        (json!({"fieldsType": null}), "missing fieldsType in managed fields entry 0"),
        (json!({"fieldsType": "V2"}), r#"invalid fieldsType "V2" in managed fields entry 0"#),
        (
            json!({"fieldsV1": {"a": {}}}),
            "managed fields entry 0: no set of fields: a path element has at least 2 characters, not \"a\"",
        ),
    ] {
        let error: Error = read(&entry(change)).expect_err("it is refused");
        assert!(error.is_managed_fields());
        assert_eq!(error.to_string(), problem);
    }
    assert!(read(&json!({"metadata": {"managedFields": 1}})).is_err());
    assert!(read(&json!({"metadata": {"managedFields": null}})).expect("there are none").is_empty());
    assert!(read(&entry(json!({"fieldsV1": null}))).is_ok());
}

#[test]
fn who_does_not_know_of_managed_fields_does_not_delete_them() {
    let mut web = Live::deployment();
    web.apply("alice", json!({"spec": {"paused": true}}));
    for absent in [json!(null), json!([{"manager": "x"}]), json!("x")] {
        web.update("bob", |web| web["metadata"]["managedFields"] = absent);
        web.owned(&["alice: .spec.paused"]);
    }
    web.update("bob", |web| {
        web.as_object_mut().expect("an object").remove("metadata");
        set(web, "replicas");
    });
    web.owned(&["alice: .spec.paused", "bob*: .spec.replicas"]);
}

#[test]
fn managed_fields_can_be_changed_and_started_anew() {
    let mut web = Live::deployment();
    web.apply("alice", json!({"spec": {"paused": true}}));
    web.update("bob", |web| web["metadata"]["managedFields"][0]["manager"] = "adam".into());
    web.owned(&["adam: .spec.paused"]);
    for anew in [json!([]), json!([{}]), json!([{"manager": "", "time": null}])] {
        web.apply("alice", json!({"spec": {"paused": true}}));
        web.update("bob", |web| web["metadata"]["managedFields"] = anew.clone());
        web.owned(&[]);
        // If the same request sets fields, its manager is the only owner.
        web.apply("alice", json!({"spec": {"paused": true}}));
        web.update("bob", |web| {
            web["metadata"]["managedFields"] = anew;
            web["spec"]["replicas"] = web["spec"]["replicas"].as_i64().map_or(1, |count| count + 1).into();
        });
        let owners = web.owners();
        assert_eq!(owners.len(), 1);
        assert!(owners[0].starts_with("bob*:"), "{owners:?}");
        web.update("bob", |web| web["metadata"]["managedFields"] = json!([]));
    }
}

#[test]
fn a_write_to_a_subresource_cannot_touch_managed_fields() {
    let mut web = Live::deployment();
    web.apply("alice", json!({"spec": {"paused": true}}));
    web.subresource = "status";
    web.update("bob", |web| web["metadata"]["managedFields"] = json!([]));
    web.owned(&["alice: .spec.paused"]);
}

#[test]
fn the_oldest_of_many_managers_become_one() {
    let mut map = Live::builtin("v1", &klient_schema::core_v1::CONFIG_MAP);
    for number in 0..15 {
        map.update(&format!("m{number:02}"), |map| map["data"][format!("k{number:02}")] = "1".into());
    }
    let owners = map.owners();
    assert_eq!(owners.len(), Managers::MOST_UPDATES);
    assert_eq!(
        owners[0],
        "ancient-changes*: .data .data.k00 .data.k01 .data.k02 .data.k03 .data.k04 .data.k05"
    );
    assert_eq!(owners[1], "m06*: .data.k06");
    assert_eq!(map.times(), (6..=15).map(Some).collect::<Vec<_>>());
    // Managers with operation `Apply` are not counted.
    for number in 0..15 {
        map.apply(&format!("a{number:02}"), json!({"data": {format!("a{number:02}"): "1"}}));
    }
    assert_eq!(map.owners().len(), 25);
}

#[test]
fn each_version_has_ancient_changes_of_its_own() {
    let entry = |number: i64, version: &str| {
        json!({
            "manager": format!("m{number:02}"), "operation": "Update", "apiVersion": version,
            "time": format!("2027-01-15T08:00:{number:02}Z"),
            "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {format!("f:k{number:02}"): {}}},
        })
    };
    let entries: Vec<Value> =
        (0..14).map(|number| entry(number, if number % 2 == 0 { "v1" } else { "v2" })).collect();
    let object_of = json!({"metadata": {"managedFields": entries}});
    let mut managers = Managers::of(object(&object_of)).expect("they can be read");
    managers.cap_updates();
    assert_eq!(managers.len(), Managers::MOST_UPDATES);
    let ancient: Vec<String> = managers
        .iter()
        .filter(|(manager, _)| manager.name == "ancient-changes")
        .map(|(_, owned)| format!("{} {}", owned.api_version, owned.fields.to_json()))
        .collect();
    assert_eq!(
        ancient,
        [
            r#"v1 {"f:data":{"f:k00":{},"f:k02":{},"f:k04":{}}}"#,
            r#"v2 {"f:data":{"f:k01":{},"f:k03":{},"f:k05":{}}}"#,
        ]
    );
}

#[test]
fn ancient_changes_are_not_lost_to_those_without_a_time() {
    let mut entries: Vec<Value> = (0..10)
        .map(|number| {
            json!({
                "manager": format!("m{number}"), "operation": "Update", "apiVersion": "v1",
                "time": "2027-01-15T08:00:00Z", "fieldsType": "FieldsV1",
                "fieldsV1": {"f:data": {format!("f:k{number}"): {}}},
            })
        })
        .collect();
    entries[9]["manager"] = "ancient-changes".into();
    entries.push(json!({
        "manager": "scaler", "operation": "Update", "apiVersion": "v1", "subresource": "scale",
        "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {}},
    }));
    let object_of = json!({"metadata": {"managedFields": entries}});
    let mut managers = Managers::of(object(&object_of)).expect("they can be read");
    let all = |managers: &Managers| managers.values().map(|owned| owned.fields.len()).sum::<usize>();
    assert_eq!(all(&managers), 11);
    managers.cap_updates();
    assert_eq!((managers.len(), all(&managers)), (10, 11));
}

#[test]
fn a_manager_without_a_name_has_that_of_its_program() {
    for (user_agent, name) in [
        ("kubectl/v1.37.0 (linux/amd64) kubernetes/abc", "kubectl"),
        ("/v1", ""),
        ("caf\u{e9}\u{200b}\n", "café"),
        ("e\u{301}", "e\u{301}"),
    ] {
        assert_eq!(manager_of_user_agent(user_agent), name);
    }
    assert_eq!(manager_of_user_agent(&"é".repeat(100)).len(), 128);
    assert_eq!(manager_of_user_agent(&format!("{}é", "x".repeat(127))).len(), 127);
    let mut web = Live::deployment();
    web.apply("", json!({"spec": {"paused": true}})).owned(&["unknown: .spec.paused"]);
}
