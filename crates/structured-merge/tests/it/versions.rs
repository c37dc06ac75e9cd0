//! Kinds of several versions, and schemas that change.

use klient_apimachinery::{Str, Time};
use klient_structured_merge::{
    Convert, ConvertError, Error, FieldManager, Filter, Managers, Map, Schema, Updater, Version,
};
use serde_json::{Value, json};

use crate::live::object;

const V1: &str = "example.com/v1";
const V2: &str = "example.com/v2";

fn gadgets(spec: Value) -> Schema {
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": spec}}});
    Schema::structural(object(&schema), false).expect("a schema")
}

fn version(spec: Value) -> Version {
    Version { schema: gadgets(spec), filter: Filter::All }
}

/// v1 calls `size` what v2 calls `length`.
fn convert(object: &Map, from: &str, to: &str) -> Result<Map, ConvertError> {
    let mut converted = object.clone();
    let (old, new) = if from == V1 { ("size", "length") } else { ("length", "size") };
    if let Some(Value::Object(spec)) = converted.get_mut("spec") {
        if spec.get("color") == Some(&json!("unspeakable")) {
            return Err(format!("no color in {to}").into());
        }
        if let Some(value) = spec.remove(old) {
            spec.insert(new.to_owned(), value);
        }
    }
    Ok(converted)
}

fn renaming<'a>(convert: &'a Convert<'a>) -> Updater<'a> {
    let color = json!({"type": "string"});
    let of = |name: &str| version(json!({name: {"type": "integer"}, "color": color}));
    let versions: [(Str, Version); 2] = [(V1.into(), of("size")), (V2.into(), of("length"))];
    Updater { versions: versions.into(), convert: Some(convert) }
}

fn apply(
    updater: &Updater<'_>,
    api_version: &str,
    live: &Map,
    config: Value,
    manager: &str,
) -> Result<Map, Error> {
    let fields = FieldManager { updater, api_version, ..FieldManager::default() };
    fields.apply(live, object(&config), manager, false, Time::from_unix(0))
}

fn owned(object: &Map) -> Vec<String> {
    let managers = Managers::of(object).expect("they can be read");
    let line = |(manager, owned): (&klient_structured_merge::Manager, &klient_structured_merge::Owned)| {
        format!("{} {}: {}", manager.name, owned.api_version, owned.fields.to_string().replace('\n', " "))
    };
    managers.iter().map(line).collect()
}

#[test]
fn fields_are_owned_in_the_version_they_were_applied_in() {
    let updater = renaming(&convert);
    let live = apply(&updater, V1, &Map::new(), json!({"spec": {"size": 1, "color": "red"}}), "alice")
        .expect("it applies");
    let live = convert(&live, V1, V2).expect("it converts");
    let live = apply(&updater, V2, &live, json!({"spec": {"color": "red"}}), "bob").expect("it applies");
    assert_eq!(
        owned(&live),
        ["alice example.com/v1: .spec.color .spec.size", "bob example.com/v2: .spec.color"]
    );
    let error = apply(&updater, V2, &live, json!({"spec": {"length": 2}}), "bob").expect_err("it is Alice's");
    // A conflict has the path of the version it was applied in.
    assert_eq!(error.to_string(), r#"Apply failed with 1 conflict: conflict with "alice": .spec.size"#);
    // Alice goes on in the other version, where the same field has another name.
    let live = apply(&updater, V2, &live, json!({"spec": {"color": "red"}}), "alice").expect("it applies");
    assert_eq!(live["spec"], json!({"color": "red"}));
    assert_eq!(owned(&live), ["alice example.com/v2: .spec.color", "bob example.com/v2: .spec.color"]);
}

#[test]
fn what_others_own_in_another_version_stays() {
    let updater = renaming(&convert);
    let live = apply(&updater, V1, &Map::new(), json!({"spec": {"size": 1}}), "alice").expect("it applies");
    let in_v2 = convert(&live, V1, V2).expect("it converts");
    let live = apply(&updater, V2, &in_v2, json!({"spec": {"length": 1, "color": "red"}}), "bob")
        .expect("it applies");
    let live = apply(&updater, V2, &live, json!({}), "alice").expect("it applies");
    assert_eq!(live["spec"], json!({"length": 1, "color": "red"}));
    let in_v1 = convert(&live, V2, V1).expect("it converts");
    let live = apply(&updater, V1, &in_v1, json!({"spec": {"color": "red"}}), "bob").expect("it applies");
    assert_eq!(live["spec"], json!({"color": "red"}));
}

/// As kube-apiserver 1.37: what a conversion does not bring back is taken for removed.
#[test]
fn what_is_lost_in_the_version_of_another_manager_is_pruned_by_every_apply() {
    let convert = |object: &Map, from: &str, _: &str| -> Result<Map, ConvertError> {
        let mut converted = object.clone();
        let Some(Value::Object(spec)) = converted.get_mut("spec") else { return Ok(converted) };
        if from == V1 {
            if let Some(unit) = spec.remove("unit") {
                spec.insert("measure".to_owned(), json!({"unit": unit}));
            }
        } else if let Some(Value::Object(mut measure)) = spec.remove("measure") {
            // An empty measure is lost.
            spec.extend(measure.remove("unit").map(|unit| ("unit".to_owned(), unit)));
        }
        Ok(converted)
    };
    let text = || json!({"type": "string"});
    let second = json!({"measure": {"type": "object", "properties": {"unit": text()}}, "room": text()});
    let versions: [(Str, Version); 2] =
        [(V1.into(), version(json!({"unit": text(), "room": text()}))), (V2.into(), version(second))];
    let updater = Updater { versions: versions.into(), convert: Some(&convert) };
    let config = || json!({"spec": {"measure": {}}});
    let mut live = apply(&updater, V2, &Map::new(), config(), "bob").expect("it applies");
    // A default, which nobody owns.
    live["spec"]["measure"] = json!({"unit": "m"});
    let again = apply(&updater, V2, &live, config(), "bob").expect("it applies");
    assert_eq!(again["spec"], json!({"measure": {"unit": "m"}}));
    let in_v1 = convert(&live, V2, V1).expect("it converts");
    let live = apply(&updater, V1, &in_v1, json!({"spec": {"room": "hall"}}), "alice").expect("it applies");
    let in_v2 = convert(&live, V1, V2).expect("it converts");
    let again = apply(&updater, V2, &in_v2, config(), "bob").expect("it applies");
    assert_eq!(again["spec"], json!({"room": "hall"}));
}

#[test]
fn versions_may_be_alike() {
    let of = || version(json!({"size": {"type": "integer"}}));
    let versions: [(Str, Version); 2] = [(V1.into(), of()), (V2.into(), of())];
    let updater = Updater { versions: versions.into(), convert: None };
    let config = || json!({"spec": {"size": 1}});
    let live = apply(&updater, V1, &Map::new(), config(), "alice").expect("it applies");
    let error = apply(&updater, V2, &live, json!({"spec": {"size": 2}}), "bob").expect_err("it is Alice's");
    assert_eq!(error.conflicts()[0].path.to_string(), ".spec.size");
    let live = apply(&updater, V2, &live, config(), "bob").expect("it applies");
    assert_eq!(owned(&live).len(), 2);
}

#[test]
fn who_owns_fields_in_a_version_that_is_gone_loses_them() {
    let mut updater = renaming(&convert);
    let live = apply(&updater, V1, &Map::new(), json!({"spec": {"size": 1}}), "alice").expect("it applies");
    updater.versions.remove(V1);
    let live = convert(&live, V1, V2).expect("it converts");
    let live = apply(&updater, V2, &live, json!({"spec": {"length": 2}}), "bob").expect("nobody owns it");
    assert_eq!(owned(&live), ["bob example.com/v2: .spec.length"]);
    let error = apply(&updater, V1, &live, json!({}), "bob").expect_err("there is none");
    assert!(error.is_conversion());
    assert_eq!(error.to_string(), "request to convert CR to an invalid group/version: example.com/v1");
}

#[test]
fn what_cannot_be_converted_is_an_error() {
    let updater = renaming(&convert);
    let live = apply(&updater, V1, &Map::new(), json!({"spec": {"size": 1}}), "alice").expect("it applies");
    let live = convert(&live, V1, V2).expect("it converts");
    let error = apply(&updater, V2, &live, json!({"spec": {"color": "unspeakable"}}), "bob").expect_err("no");
    assert!(error.is_conversion());
    assert_eq!(error.to_string(), "failed to convert new object: no color in example.com/v1");
}

/// Applies with one schema, and says who owns what after the next write with another.
fn changed(before: Value, after: Value, config: Value) -> Vec<String> {
    let updater = |spec: Value| Updater::of_one(V1, gadgets(spec));
    let live = apply(&updater(before), V1, &Map::new(), config, "alice").expect("it applies");
    let updater = updater(after);
    let fields = FieldManager { updater: &updater, api_version: V1, ..FieldManager::default() };
    let mut new = live.clone();
    new["spec"]["flag"] = true.into();
    fields.update(&live, &mut new, "bob", Time::from_unix(0)).expect("it is written");
    owned(&new)
}

#[test]
fn who_owned_fields_of_what_is_one_value_now_owns_the_whole() {
    let flag = json!({"type": "boolean"});
    let map = |ty: &str| json!({"flag": flag, "map": {"type": "object", "x-kubernetes-map-type": ty, "additionalProperties": {"type": "integer"}}});
    let list = |ty: &str| {
        json!({"flag": flag, "list": {
            "type": "array", "x-kubernetes-list-type": ty, "x-kubernetes-list-map-keys": ["name"],
            "items": {"type": "object", "properties": {"name": {"type": "string"}}},
        }})
    };
    let of_map = || json!({"spec": {"map": {"a": 1, "b": 2}}});
    let of_list = || json!({"spec": {"list": [{"name": "a"}]}});
    let bob = "bob example.com/v1: .spec.flag";
    assert_eq!(changed(map("granular"), map("atomic"), of_map()), ["alice example.com/v1: .spec.map", bob]);
    assert_eq!(changed(list("map"), list("atomic"), of_list()), ["alice example.com/v1: .spec.list", bob]);
    // The other way round it stays as it is until the next apply.
    assert_eq!(changed(map("atomic"), map("granular"), of_map()), ["alice example.com/v1: .spec.map", bob]);
    let other = changed(list("map"), list("map"), of_list());
    assert_eq!(other[0], r#"alice example.com/v1: .spec.list[name="a"] .spec.list[name="a"].name"#);
}
