//! The definitions of the same structs by kube-derive and by klient's derive: they differ as the documentation of
//! `klient::definitions` says.
//!
//! `kube/definitions.json` is the output of `cargo run --manifest-path e2e/definitions/Cargo.toml`; `kube/differences.txt` has
//! each difference below the words of the documentation that explain it.

mod shapes;

use std::collections::BTreeSet;

use klient::api::apiextensions::v1::CustomResourceDefinition;
use klient::definitions::Defined;
use klient::{Condition, CustomResource, IntOrString, Quantity, ResourceSchema as Schema, Time};
use serde_json::Value;

use crate::cluster::TestCluster;

/// The definition of a kind.
fn definition<K: Defined>() -> Value {
    let mut definition = serde_json::to_value(K::definition().build().unwrap()).unwrap();
    // The server writes it.
    definition.as_object_mut().unwrap().remove("status");
    definition
}

#[test]
fn the_definitions_of_kube_derive_and_of_klient_differ_as_documented() {
    let of_kube: Value = serde_json::from_str(include_str!("kube/definitions.json")).unwrap();
    let mut found = BTreeSet::new();
    for (name, definition) in shapes::all() {
        differences(name, &of_kube[name], &definition(), &mut found);
    }
    let (explanations, explained): (Vec<_>, Vec<_>) = include_str!("kube/differences.txt")
        .lines()
        .filter(|line| !line.is_empty())
        .partition(|line| line.starts_with('#'));
    let explained: BTreeSet<_> = explained.into_iter().map(str::to_owned).collect();
    for difference in found.difference(&explained) {
        println!("not explained: {difference}");
    }
    for difference in explained.difference(&found) {
        println!("no more: {difference}");
    }
    assert!(found == explained, "the differences are not those of kube/differences.txt");
    let documentation = include_str!("../../../definitions/src/lib.rs");
    for explanation in explanations {
        let words = explanation.trim_start_matches("# ");
        assert!(documentation.contains(words), "the documentation does not say: {words}");
    }
}

/// Adds the differences below a path.
fn differences(path: &str, kube: &Value, klient: &Value, found: &mut BTreeSet<String>) {
    match (kube, klient) {
        (Value::String(_), Value::Object(_)) => {
            found.insert(format!("{path}: kube-derive panics"));
        }
        (Value::Array(_), Value::Array(_)) if path.ends_with(".required") => {
            let [kube, klient] =
                [kube, klient].map(|names| names.as_array().unwrap().iter().collect::<Vec<_>>());
            let is_same = kube.len() == klient.len() && kube.iter().all(|name| klient.contains(name));
            assert!(is_same, "{path}: kube {kube:?}, klient {klient:?}");
        }
        (Value::Object(kube), Value::Object(klient)) => {
            for name in kube.keys().chain(klient.keys()).collect::<BTreeSet<_>>() {
                let [kube, klient] = [kube, klient].map(|object| object.get(name).unwrap_or(&Value::Null));
                differences(&format!("{path}.{name}"), kube, klient, found);
            }
        }
        (Value::Array(kube), Value::Array(klient)) if kube.len() == klient.len() => {
            for (place, (kube, klient)) in kube.iter().zip(klient).enumerate() {
                differences(&format!("{path}[{place}]"), kube, klient, found);
            }
        }
        (Value::Number(kube), Value::Number(klient)) if kube.as_f64() == klient.as_f64() => {}
        (kube, klient) if kube == klient => {}
        (kube, klient) => {
            let of_every_shape = ["openAPIV3Schema.title", "openAPIV3Schema.description", "names.listKind"];
            if let Some(end) = of_every_shape.into_iter().find(|end| path.ends_with(end)) {
                found.insert(format!("every shape: {}", end.rsplit('.').next().unwrap_or_default()));
                return;
            }
            let path = path.replace(".spec.versions[0].schema.openAPIV3Schema.properties.spec", " spec");
            found.insert(format!("{path}: kube {kube}, klient {klient}"));
        }
    }
}

#[tokio::test]
async fn a_server_accepts_the_definition_of_every_shape() {
    let cluster = TestCluster::start().await;
    let definitions = cluster.client().api::<CustomResourceDefinition>();
    for (name, definition) in shapes::all() {
        let definition: CustomResourceDefinition = serde_json::from_value(definition()).unwrap();
        let created = definitions.create(&definition).await;
        assert!(created.is_ok(), "{name}: {}", created.unwrap_err());
    }
}
