//! Rows of whole objects, as sent in requests.

use klient_apimachinery::Time;
use klient_apimachinery::schema::{ResourceSchema, Type};
use klient_apimachinery::values::{Map, decode, empty};
use klient_schema::RESOURCES;
use serde_json::{Value, json};

use super::{cells, row_conditions};

/// Noon, to which ages are relative.
pub(super) const NOW: Time = Time::from_unix(1_768_046_400);

/// Checks the cells of an object of a resource such as `apps/v1/deployments`. Unless the object sets them, its name
/// is `a` and its age 22 seconds.
#[track_caller]
pub(super) fn check(resource: &str, object: Value, expected: Value) {
    let resource = find(resource);
    let object = object_of(resource, object);
    assert_eq!(Value::Array(cells(resource, &object, NOW)), expected);
}

#[track_caller]
fn find(resource: &str) -> &'static ResourceSchema {
    let mut parts = resource.rsplitn(3, '/');
    let (plural, version) = (parts.next().expect("a plural"), parts.next().expect("a version"));
    klient_schema::resource(parts.next().unwrap_or_default(), version, plural).expect("a resource")
}

#[track_caller]
fn object_of(resource: &ResourceSchema, mut object: Value) -> Map {
    for (field, value) in [("name", "a"), ("creationTimestamp", "2026-01-10T11:59:38Z")] {
        if object["metadata"][field].is_null() {
            object["metadata"][field] = value.into();
        }
    }
    let object = object.as_object().expect("an object").clone();
    let decoded = decode(object, resource.schema).expect("it decodes");
    assert_eq!(decoded.unknown, Vec::<String>::new());
    decoded.object
}

fn with_columns() -> impl Iterator<Item = &'static ResourceSchema> {
    RESOURCES.iter().copied().flatten().filter(|resource| !resource.columns.is_empty())
}

#[track_caller]
fn check_form(resource: &ResourceSchema, object: &Map) -> Vec<Value> {
    let cells = cells(resource, object, NOW);
    assert_eq!(cells.len(), resource.columns.len(), "{} {cells:?}", resource.plural);
    for (column, cell) in resource.columns.iter().zip(&cells) {
        let fits = match column.ty {
            "integer" => cell.is_i64() || cell.is_u64(),
            // The printer of `Suspend` of cron jobs prints True, False or <unset>.
            "boolean" => cell.is_boolean() || cell.is_string(),
            _ => !cell.is_null(),
        };
        assert!(fits, "{} {} {cell}", resource.plural, column.name);
    }
    cells
}

#[test]
fn every_resource_fills_its_columns() {
    assert!(with_columns().count() > 50);
    for resource in with_columns() {
        check_form(resource, &empty(resource.schema));
        let object = object_of(resource, json!({"metadata": {"name": "named", "labels": {"a": "b"}}}));
        let cells = check_form(resource, &object);
        for (column, cell) in resource.columns.iter().zip(&cells) {
            match column.name {
                "Name" => assert_eq!(cell, "named", "{}", resource.plural),
                "Age" => assert_eq!(cell, "22s", "{}", resource.plural),
                "Created At" => assert_eq!(cell, "2026-01-10T11:59:38Z", "{}", resource.plural),
                _ => {}
            }
        }
    }
}

#[test]
fn fields_of_other_types_do_no_harm() {
    for odd in [json!(null), json!(-1), json!(""), json!([null, [], 1, "x", {}]), json!({"a": {}, "b": [{}]})]
    {
        for resource in with_columns() {
            let fields = resource.schema.fields.iter().map(|field| (field.json.to_owned(), odd.clone()));
            check_form(resource, &fields.collect());
            for outer in ["metadata", "spec", "status"] {
                check_form(resource, &filled(resource, outer, &odd));
            }
        }
    }
}

/// An object with the same value in all fields of `outer`: metadata, spec or status.
fn filled(resource: &ResourceSchema, outer: &str, value: &Value) -> Map {
    let mut object = empty(resource.schema);
    if let Some(Type::Message(schema)) = resource.schema.field(outer).map(|field| field.ty) {
        let fields = schema.fields.iter().map(|field| (field.json.to_owned(), value.clone()));
        object.insert(outer.to_owned(), Value::Object(fields.collect()));
    }
    object
}

#[test]
fn resources_without_columns_have_no_cells() {
    let bare = RESOURCES.iter().copied().flatten().filter(|resource| resource.columns.is_empty());
    for resource in bare {
        assert_eq!(cells(resource, &empty(resource.schema), NOW), Vec::<Value>::new());
    }
}

#[test]
fn kinds_without_more_to_show_show_name_and_date_or_age() {
    for resource in
        ["v1/limitranges", "rbac.authorization.k8s.io/v1/roles", "storage.k8s.io/v1/csistoragecapacities"]
    {
        check(resource, json!({}), json!(["a", "2026-01-10T11:59:38Z"]));
    }
    for resource in ["v1/serviceaccounts", "resource.k8s.io/v1/deviceclasses"] {
        check(resource, json!({}), json!(["a", "22s"]));
    }
}

#[test]
fn rows_of_ended_pods_are_completed() {
    let completed = |reason: &str, message: &str| {
        let condition = json!({"type": "Completed", "status": "True", "reason": reason, "message": message});
        json!([condition])
    };
    for (resource, phase, expected) in [
        ("v1/pods", "Succeeded", completed("Succeeded", "The pod has completed successfully.")),
        ("v1/pods", "Failed", completed("Failed", "The pod failed.")),
        ("v1/pods", "Running", json!([])),
        ("v1/pods", "", json!([])),
        ("v1/persistentvolumes", "Failed", json!([])),
    ] {
        let resource = find(resource);
        let object = object_of(resource, json!({"status": {"phase": phase}}));
        assert_eq!(Value::Array(row_conditions(resource, &object)), expected);
    }
}
