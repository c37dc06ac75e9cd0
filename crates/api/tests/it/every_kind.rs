//! Every kind goes through both codecs with nothing lost, whatever it holds.

pub(crate) mod generated;
pub(crate) mod random;

use std::fmt::Debug;
use std::hash::{BuildHasher, Hasher, RandomState};

use klient_apimachinery::codec::{ManagedFields, SchemaKind, Wire, json, protobuf};
use klient_apimachinery::message::{Dynamic, Message};
use serde_json::Value;

use random::Random;

/// Objects of each kind.
const OBJECTS: usize = 8;

/// A check of each kind.
pub(crate) trait Check {
    fn kind<T: Message + SchemaKind + Wire + Default + PartialEq + Debug>(&mut self);
}

struct RoundTrips {
    random: Random,
    kinds: usize,
}

impl Check for RoundTrips {
    fn kind<T: Message + SchemaKind + Wire + Default + PartialEq + Debug>(&mut self) {
        self.kinds += 1;
        for _ in 0..OBJECTS {
            let mut value = self.random.message(T::SCHEMA, 0);
            value["apiVersion"] = T::API_VERSION.into();
            value["kind"] = T::KIND.into();
            let text = value.to_string();
            let object = T::from_json(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"));
            let mut written = Vec::new();
            object.to_json(&mut written);
            assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), value);
            if T::SCHEMA.has_protobuf() {
                through_protobuf(&object, &value);
            }
        }
    }
}

fn through_protobuf<T: Message + SchemaKind + Default + PartialEq + Debug>(object: &T, value: &Value) {
    let mut bytes = Vec::new();
    protobuf::to_vec(object, &mut bytes);
    let read: T = protobuf::from_slice(&bytes).unwrap();
    assert_eq!(&read, object, "{value}");
    let mut again = Vec::new();
    protobuf::to_vec(&read, &mut again);
    assert_eq!(again, bytes, "{value}");

    // The same, with the type found out at run time.
    let mut fields = value.clone();
    let without_kind = fields.as_object_mut().unwrap();
    without_kind.retain(|name, _| name != "apiVersion" && name != "kind");
    let mut dynamic = Dynamic::new(T::SCHEMA);
    json::decode(fields.to_string().as_bytes(), &mut dynamic).unwrap();
    let mut raw = Vec::new();
    protobuf::encode(&dynamic, &mut raw);
    assert_eq!(protobuf::Envelope::parse(&bytes).unwrap().raw, raw, "{value}");
    let mut read = Dynamic::new(T::SCHEMA);
    protobuf::decode(&raw, &mut read, ManagedFields::Keep).unwrap();
    assert_eq!(read, dynamic, "{value}");
}

#[test]
fn every_kind_survives_both_codecs() {
    let seed = RandomState::new().build_hasher().finish();
    println!("seed {seed}");
    let mut check = RoundTrips { random: Random::new(seed), kinds: 0 };
    generated::each(&mut check);
    assert!(check.kinds > 100, "{} kinds", check.kinds);
}
