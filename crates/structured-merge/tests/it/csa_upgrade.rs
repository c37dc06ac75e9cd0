//! Migration from client-side apply to server-side apply. The expected results are those of client-go 0.37's
//! `csaupgrade`.

use klient_apimachinery::meta::v1::{ManagedFieldsEntry, ObjectMeta};
use klient_structured_merge::{
    FieldSet, Operation, Path, find_fields_owners, upgrade_managed_fields, upgrade_managed_fields_patch,
};
use serde_json::{Value, json};

/// An entry, as `MANAGER OPERATION VERSION[/SUBRESOURCE] FIELDS`.
fn entry(line: &str) -> Value {
    let mut words = line.split_whitespace();
    let mut word = || words.next().expect("an entry has four words");
    let (manager, operation, place, fields) = (word(), word(), word(), word());
    let (version, subresource) = place.split_once('/').unwrap_or((place, ""));
    let mut entry = json!({
        "manager": manager, "operation": operation, "apiVersion": version, "fieldsType": "FieldsV1",
    });
    if !subresource.is_empty() {
        entry["subresource"] = subresource.into();
    }
    if fields != "-" {
        entry["fieldsV1"] = serde_json::from_str(fields).expect("fields are JSON");
    }
    entry
}

fn metadata(lines: &[&str]) -> ObjectMeta {
    let entries: Vec<Value> = lines.iter().map(|line| entry(line)).collect();
    serde_json::from_value(json!({"name": "a", "resourceVersion": "7", "managedFields": entries}))
        .expect("it is metadata")
}

#[track_caller]
fn check(before: &[&str], managers: &[&str], subresource: &str, after: Option<&[&str]>) {
    let metadata = metadata(before);
    let patch = upgrade_managed_fields_patch(&metadata, managers, "ssa", subresource).expect("a patch");
    let expected = after.map(|lines| {
        let entries: Vec<Value> = lines.iter().map(|line| entry(line)).collect();
        json!([
            {"op": "replace", "path": "/metadata/managedFields", "value": entries},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"},
        ])
    });
    assert_eq!(patch, expected);

    let mut upgraded = metadata.clone();
    upgrade_managed_fields(&mut upgraded, managers, "ssa", subresource).expect("upgraded");
    match expected {
        Some(patch) => {
            assert_eq!(serde_json::to_value(&upgraded.managed_fields).ok().as_ref(), Some(&patch[0]["value"]))
        }
        None => assert_eq!(upgraded.managed_fields.len(), metadata.managed_fields.len()),
    }
    // Once is enough.
    assert_eq!(upgrade_managed_fields_patch(&upgraded, managers, "ssa", subresource).expect("a patch"), None);
}

#[test]
fn the_entry_of_who_updated_becomes_one_of_who_applies() {
    check(
        &[r#"csa Update v1 {"f:data":{".":{},"f:key":{}}}"#, r#"other Update v1 {"f:data":{"f:legacy":{}}}"#],
        &["csa"],
        "",
        Some(&[
            r#"ssa Apply v1 {"f:data":{".":{},"f:key":{}}}"#,
            r#"other Update v1 {"f:data":{"f:legacy":{}}}"#,
        ]),
    );
}

#[test]
fn it_is_added_to_what_has_been_applied() {
    check(
        &[r#"ssa Apply v1 {"f:data":{"f:key":{}}}"#, r#"csa Update v1 {"f:data":{".":{},"f:a":{}}}"#],
        &["csa"],
        "",
        Some(&[r#"ssa Apply v1 {"f:data":{".":{},"f:a":{},"f:key":{}}}"#]),
    );
}

#[test]
fn entries_in_other_versions_are_forgotten() {
    let (applied, other) =
        (r#"ssa Apply v5 {"f:data":{"f:key":{}}}"#, r#"csa Update v1 {"f:data":{".":{},"f:a":{}}}"#);
    check(&[applied, other], &["csa"], "", Some(&[applied]));
    check(
        &[applied, other, r#"csa Update v5 {"f:data":{"f:b":{}}}"#],
        &["csa"],
        "",
        Some(&[r#"ssa Apply v5 {"f:data":{"f:b":{},"f:key":{}}}"#]),
    );
}

#[test]
fn several_managers_become_one() {
    check(
        &[r#"csa Update v1 {"f:b":{},"f:a":{}}"#, r#"csa2 Update v1 {"f:data":{}}"#],
        &["csa", "csa2"],
        "",
        Some(&[r#"ssa Apply v1 {"f:a":{},"f:b":{},"f:data":{}}"#]),
    );
}

#[test]
fn each_subresource_is_upgraded_by_itself() {
    let (main, status) = (r#"csa Update v1 {"f:data":{}}"#, r#"csa Update v1/status {"f:status":{}}"#);
    check(&[status, main], &["csa"], "status", Some(&[r#"ssa Apply v1/status {"f:status":{}}"#, main]));
    check(&[status, main], &["csa"], "", Some(&[status, r#"ssa Apply v1 {"f:data":{}}"#]));
}

#[test]
fn where_nobody_updated_there_is_nothing_to_do() {
    check(&[], &["csa"], "", None);
    check(&[r#"ssa Apply v1 {"f:b":{},"f:a":{}}"#], &["csa"], "", None);
    check(&[r#"ssa Apply v1 {"f:a":{}}"#, r#"csa Apply v1 {"f:a":{}}"#], &["csa"], "", None);
    check(&[r#"other Update v1 {"f:a":{}}"#], &["csa"], "", None);
}

#[test]
fn fields_that_cannot_be_read_are_an_error_that_names_their_manager() {
    for (before, manager) in [
        (&["csa Update v1 -"][..], "csa"),
        (&[r#"ssa Apply v1 {"x":{}}"#], "ssa"),
        (&[r#"ssa Apply v1 {"f:a":{}}"#, r#"csa Update v1 {"x":{}}"#], "csa"),
    ] {
        let error =
            upgrade_managed_fields_patch(&metadata(before), &["csa"], "ssa", "").expect_err("an error");
        assert!(error.is_managed_fields());
        assert!(error.to_string().starts_with(&format!("managed fields of \"{manager}\": ")), "{error}");
        let mut unchanged = metadata(before);
        upgrade_managed_fields(&mut unchanged, &["csa"], "ssa", "").expect_err("an error");
        assert_eq!(unchanged, metadata(before));
    }
}

#[test]
fn owners_of_all_of_some_fields_are_found() {
    let metadata = metadata(&[
        r#"a Update v1 {"f:spec":{"f:replicas":{},"f:paused":{}}}"#,
        r#"b Update v1 {"f:spec":{"f:replicas":{}}}"#,
        r#"c Apply v1 {"f:spec":{"f:replicas":{}}}"#,
        r#"d Update v1 {"x":{}}"#,
    ]);
    let found = |operation, names: &[&str]| -> Vec<String> {
        let fields: FieldSet = names.iter().map(|name| Path::fields(["spec", name])).collect();
        let name = |entry: &ManagedFieldsEntry| entry.manager.as_deref().unwrap_or_default().to_owned();
        find_fields_owners(&metadata.managed_fields, operation, &fields).into_iter().map(name).collect()
    };
    assert_eq!(found(Operation::Update, &["replicas"]), ["a", "b"]);
    assert_eq!(found(Operation::Update, &["replicas", "paused"]), ["a"]);
    assert_eq!(found(Operation::Apply, &["replicas"]), ["c"]);
    assert_eq!(found(Operation::Apply, &["paused"]), [""; 0]);
}
