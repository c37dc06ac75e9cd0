//! Every kind's configuration is of that kind, can be read, and comes out of its objects as it was applied.

mod generated;
mod sample;

use std::fmt::Debug;

use klient_apimachinery::ApplyConfiguration;
use klient_apimachinery::codec::{SchemaKind, Wire};
use klient_applyconfigurations::Error;
use klient_structured_merge::{Duplicates, FieldSet, Manager, Managers, Owned, Path, Schema, Typed};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A check run for each kind.
pub(crate) trait Check {
    fn kind<C>(&mut self, named: C, extract: fn(&C::Object, &str) -> Result<C, Error>)
    where
        C: ApplyConfiguration<Object: Wire + SchemaKind> + DeserializeOwned + PartialEq + Debug;
}

#[derive(Default)]
struct Applied {
    kinds: usize,
}

impl Check for Applied {
    fn kind<C>(&mut self, named: C, extract: fn(&C::Object, &str) -> Result<C, Error>)
    where
        C: ApplyConfiguration<Object: Wire + SchemaKind> + DeserializeOwned + PartialEq + Debug,
    {
        self.kinds += 1;
        let table = <C::Object as SchemaKind>::SCHEMA;
        let named = serde_json::to_value(named).unwrap();
        assert_eq!(named["apiVersion"], <C::Object as SchemaKind>::API_VERSION);
        assert_eq!(named["kind"], <C::Object as SchemaKind>::KIND);
        assert_eq!(named["metadata"]["name"], "name");

        let mut full = sample::object(table);
        for (name, value) in named.as_object().unwrap() {
            full[name] = value.clone();
        }
        let configuration: C = serde_json::from_value(full.clone()).unwrap();
        assert_same(&configuration, &full);

        let object = object(&full, &Schema::builtin(table));
        assert_same(&extract(&object, "me").unwrap(), &full);
        assert_same(&extract(&object, "somebody else").unwrap(), &named);
    }
}

/// Says where the first difference is: whole objects are too large to look at.
#[track_caller]
fn assert_same(configuration: &impl ApplyConfiguration, wanted: &Value) {
    let configuration = serde_json::to_value(configuration).unwrap();
    if let Some(at) = difference(&configuration, wanted) {
        panic!("{} {}: {at}", wanted["apiVersion"], wanted["kind"]);
    }
}

fn difference(left: &Value, right: &Value) -> Option<String> {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            left.keys().chain(right.keys()).find_map(|name| match (left.get(name), right.get(name)) {
                (Some(left), Some(right)) => Some(format!(".{name}{}", difference(left, right)?)),
                _ => Some(format!(".{name} is on one side only")),
            })
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            let mut items = left.iter().zip(right).enumerate();
            items.find_map(|(at, (left, right))| Some(format!("[{at}]{}", difference(left, right)?)))
        }
        _ => (left != right).then(|| format!(": {left} is not {right}")),
    }
}

/// The object that holds nothing but what was applied.
fn object<K: Wire>(applied: &Value, schema: &Schema) -> K {
    let mut object = applied.as_object().unwrap().clone();
    let fields = Typed::new(&object, schema, Duplicates::Refuse).unwrap().field_set();
    // The server records no owner of the fields that identify an object.
    let identity: FieldSet = [
        Path::fields(["apiVersion"]),
        Path::fields(["kind"]),
        Path::fields(["metadata", "name"]),
        Path::fields(["metadata", "namespace"]),
    ]
    .into_iter()
    .collect();
    let owned = Owned { fields: fields.difference(&identity), api_version: "v1".into(), time: None };
    Managers::from_iter([(Manager::apply("me", ""), owned)]).write_to(&mut object);
    object["metadata"]["uid"] = json!("2b1c4e3a");
    K::from_json(Value::Object(object).to_string().as_bytes()).unwrap()
}

#[test]
fn each_is_read_and_extracted_as_it_was_applied() {
    let mut applied = Applied::default();
    generated::each(&mut applied);
    assert!(applied.kinds > 90, "{}", applied.kinds);
}
