//! Objects that stay as they came: they are checked, cut and looked at as decoding would see them.

use std::borrow::Cow;
use std::fmt::Debug;
use std::hash::{BuildHasher, Hasher, RandomState};

use klient_api::core;
use klient_apimachinery::codec::{
    DecodeError, Encoded, EncodedMeta, EncodedOwner, FieldPath, Format, ListReader, ManagedFields,
    SchemaKind, Wire,
};
use klient_apimachinery::message::{Message, Ref};
use klient_apimachinery::schema::{Field, Schema, Type};
use klient_apimachinery::{Object, Resource, Unstructured, WatchEvent};
use serde_json::{Value, json};

use crate::every_kind::random::Random;
use crate::every_kind::{Check, generated};

/// Objects of each kind, and how many times each is bent.
const OBJECTS: usize = 6;
const BENT: usize = 40;

fn seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// The bytes of an item in both formats.
fn forms<T: Wire + SchemaKind>(value: &Value) -> Vec<(Format, Vec<u8>)> {
    let text = value.to_string();
    let object = T::from_json(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut forms = vec![(Format::Json, text.into_bytes())];
    if T::has_protobuf() {
        forms.push((Format::Protobuf, Encoded::of(&object).into_bytes().into_vec()));
    }
    forms
}

/// Something is changed, as a bad wire or a bad server would.
fn bend(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..=random.below(2) {
        if bytes.is_empty() {
            return;
        }
        let at = random.below(bytes.len());
        let other = random.below(bytes.len());
        let length = random.below(12).min(bytes.len() - at).min(bytes.len() - other);
        match random.below(9) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.next() as u8,
            2 => bytes.insert(at, random.next() as u8),
            3 => drop(bytes.drain(at..at + length)),
            4 => bytes.truncate(at),
            5 => bytes.copy_within(other..other + length, at),
            6 => drop(bytes.splice(at..at, bytes[other..other + length].to_vec())),
            7 => bytes[at] = b"\"{}[]:,\\0-ne"[random.below(12)],
            // What comes twice.
            _ => bytes.extend_from_within(..),
        }
    }
}

/// The fields of a struct's `metadata`.
fn meta_of(object: &dyn Message) -> EncodedMeta<'_> {
    let mut meta = EncodedMeta::default();
    let Some(Ref::Message(metadata)) = field(object, "metadata") else { return meta };
    if metadata.schema().name != "ObjectMeta" {
        return meta;
    }
    meta.name = text(metadata, "name");
    meta.namespace = text(metadata, "namespace");
    meta.uid = text(metadata, "uid");
    meta.resource_version = text(metadata, "resourceVersion");
    if let Some(Ref::Map(labels)) = field(metadata, "labels") {
        for index in 0..labels.len() {
            let (key, Ref::Str(value)) = labels.entry(index) else { panic!("a label is text") };
            meta.labels.push((key.into(), value.into()));
        }
    }
    if let Some(Ref::List(owners)) = field(metadata, "ownerReferences") {
        for index in 0..owners.len() {
            let Ref::Message(owner) = owners.item(index) else { panic!("an owner is a struct") };
            meta.owners.push(EncodedOwner {
                api_version: text(owner, "apiVersion"),
                kind: text(owner, "kind"),
                name: text(owner, "name"),
                uid: text(owner, "uid"),
                controller: field(owner, "controller") == Some(Ref::Bool(true)),
            });
        }
    }
    meta
}

fn field<'a>(message: &'a dyn Message, name: &str) -> Option<Ref<'a>> {
    Some(message.field(message.schema().position(name, 0)?))
}

fn text<'a>(message: &'a dyn Message, name: &str) -> Cow<'a, str> {
    match field(message, name) {
        Some(Ref::Str(text)) => text.into(),
        _ => "".into(),
    }
}

/// Labels in the order of their keys.
fn sorted(mut meta: EncodedMeta<'_>) -> EncodedMeta<'_> {
    meta.labels.sort();
    meta
}

/// An object as most are, without text that is not ASCII, or one with such text.
fn object(random: &mut Random, schema: &Schema) -> Value {
    let value = random.message(schema, 0);
    if random.chance(2) {
        return value;
    }
    let ascii: String = value.to_string().chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
    serde_json::from_str(&ascii).unwrap()
}

struct SameVerdict {
    random: Random,
    kept: usize,
    refused: usize,
}

impl SameVerdict {
    fn check<T: Message + Wire>(&mut self, format: Format, bytes: &[u8]) {
        let encoded = Encoded::<T>::new(format, bytes);
        match (encoded.check(), encoded.decode()) {
            (Ok(meta), Ok(object)) => {
                self.kept += 1;
                assert_eq!(sorted(meta), meta_of(&object), "{format:?} {}", shown(format, bytes));
            }
            (Err(check), Err(decode)) => {
                self.refused += 1;
                assert_eq!(check.to_string(), decode.to_string());
            }
            (check, decode) => panic!(
                "check {:?}, decode {:?} of {} in {format:?} {}",
                check.err(),
                decode.err(),
                std::any::type_name::<T>(),
                shown(format, bytes)
            ),
        }
    }
}

fn shown(format: Format, bytes: &[u8]) -> String {
    match format {
        Format::Json => String::from_utf8_lossy(bytes).into_owned(),
        Format::Protobuf => format!("{bytes:?}"),
    }
}

impl Check for SameVerdict {
    fn kind<T: Message + SchemaKind + Wire + Default + PartialEq + Debug>(&mut self) {
        for _ in 0..OBJECTS {
            let value = object(&mut self.random, T::SCHEMA);
            for (format, bytes) in forms::<T>(&value) {
                Encoded::<T>::new(format, &*bytes).check().unwrap();
                self.check::<T>(format, &bytes);
                for _ in 0..BENT {
                    let mut bent = bytes.clone();
                    bend(&mut self.random, &mut bent);
                    self.check::<T>(format, &bent);
                }
            }
        }
        for _ in 0..BENT {
            let noise: Vec<u8> = (0..self.random.below(40)).map(|_| self.random.next() as u8).collect();
            self.check::<T>(Format::Protobuf, &noise);
        }
    }
}

#[test]
fn checking_says_what_decoding_says_of_every_kind_whatever_the_bytes() {
    let seed = seed();
    println!("seed {seed}");
    let mut check = SameVerdict { random: Random::new(seed), kept: 0, refused: 0 };
    generated::each(&mut check);
    assert!(check.kept > 1000 && check.refused > 1000, "{} and {}", check.kept, check.refused);
}

#[test]
fn checking_sees_every_byte_that_is_not_what_it_was() {
    let seed = seed();
    println!("seed {seed}");
    let mut check = SameVerdict { random: Random::new(seed), kept: 0, refused: 0 };
    let mut ascii = pod();
    ascii["metadata"]["labels"].as_object_mut().unwrap().remove("ü");
    for (format, bytes) in forms::<core::v1::Pod>(&ascii).into_iter().chain(forms::<core::v1::Pod>(&pod())) {
        for at in 0..bytes.len() {
            for other in [0x80, 0xff, 0xc3, b'"', 0, check.random.next() as u8, bytes[at] ^ 1] {
                let mut bent = bytes.clone();
                bent[at] = other;
                check.check::<core::v1::Pod>(format, &bent);
            }
        }
    }
    assert!(check.kept > 1000 && check.refused > 1000, "{} and {}", check.kept, check.refused);
}

/// Bytes as a field of this number.
fn within(number: u32, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for mut rest in [u64::from(number) << 3 | 2, bytes.len() as u64] {
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }
    out.extend_from_slice(bytes);
    out
}

#[test]
fn what_is_nested_too_deep_for_decoding_is_too_deep_for_checking() {
    use klient_api::apiextensions::v1::CustomResourceDefinition;
    use klient_schema::apiextensions_v1 as schema;

    let number = |schema: &Schema, name: &str| schema.field(name).unwrap().number;
    let props = &schema::JSON_SCHEMA_PROPS;
    let way = [
        number(&schema::CUSTOM_RESOURCE_VALIDATION, "openAPIV3Schema"),
        number(&schema::CUSTOM_RESOURCE_DEFINITION_VERSION, "schema"),
        number(&schema::CUSTOM_RESOURCE_DEFINITION_SPEC, "versions"),
        number(&schema::CUSTOM_RESOURCE_DEFINITION, "spec"),
    ];
    let seed = seed();
    println!("seed {seed}");
    let mut check = SameVerdict { random: Random::new(seed), kept: 0, refused: 0 };
    // A schema in a schema, and one behind what may be a boolean or a list.
    type Step<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;
    let steps: [Step<'_>; 3] = [
        &|bytes| within(number(props, "not"), bytes),
        &|bytes| within(number(props, "additionalProperties"), &within(2, bytes)),
        &|bytes| within(number(props, "items"), &within(2, bytes)),
    ];
    for step in steps {
        let mut bytes = Vec::new();
        for _ in 0..210 {
            bytes = step(&bytes);
            let whole = way.iter().fold(bytes.clone(), |bytes, number| within(*number, &bytes));
            check.check::<CustomResourceDefinition>(Format::Protobuf, &whole);
        }
    }
    assert!(check.kept > 300 && check.refused > 20, "{} and {}", check.kept, check.refused);

    for (begin, end) in [(r#"{"not":"#, "}"), (r#"{"items":["#, "]}"), (r#"{"enum":["#, "]}")] {
        for depth in 100..135 {
            let schema = format!("{}{{}}{}", begin.repeat(depth), end.repeat(depth));
            let json = format!(r#"{{"spec":{{"versions":[{{"schema":{{"openAPIV3Schema":{schema}}}}}]}}}}"#);
            check.check::<CustomResourceDefinition>(Format::Json, json.as_bytes());
            let json = format!(r#"{{"a":{schema}}}"#);
            let encoded = Encoded::<Unstructured>::new(Format::Json, json.into_bytes());
            assert_eq!(encoded.check().is_ok(), encoded.decode().is_ok(), "{depth}");
        }
    }
}

#[test]
fn checking_says_what_decoding_says_of_objects_of_unknown_kind() {
    let seed = seed();
    println!("seed {seed}");
    let mut random = Random::new(seed);
    let odd = [
        r#"{"metadata":{"name":"a","name":3}}"#,
        r#"{"metadata":{"name":"a"},"metadata":null}"#,
        r#"{"metadata":{"labels":{"a":"b","c":"d","a":7,"e":"f","c":"g"}}}"#,
        r#"{"metadata":{"labels":{"a":7,"a":"b"},"uid":"\u0041"}}"#,
        r#"{"metadata":{"labels":[1],"ownerReferences":{"a":1}}}"#,
        r#"{"a":1e999}"#,
        r#"{"a":{"$serde_json::private::RawValue":"3"}}"#,
        r#"{"a":{"$serde_json::private::RawValue":"{"}}"#,
        r#"{"$serde_json::private::RawValue":"{"}"#,
        "null",
        "[]",
        "{}x",
        " {}",
        "{} ",
    ];
    let check = |bytes: &[u8]| {
        let encoded = Encoded::<Unstructured>::new(Format::Json, bytes);
        match (encoded.check(), encoded.decode()) {
            (Ok(meta), Ok(object)) => {
                assert_eq!(meta.name, object.name());
                assert_eq!(meta.namespace, object.namespace().unwrap_or_default());
                assert_eq!((&*meta.uid, &*meta.resource_version), (object.uid(), object.resource_version()));
                let labels: Vec<_> = object.labels().map(|(key, value)| (key.into(), value.into())).collect();
                assert_eq!(sorted(meta).labels, labels);
            }
            (Err(_), Err(_)) => {}
            (check, decode) => {
                panic!("{:?} and {:?}: {}", check.err(), decode.err(), shown(Format::Json, bytes))
            }
        }
    };
    odd.iter().for_each(|json| check(json.as_bytes()));
    for _ in 0..300 {
        let json = random.message(core::v1::Pod::SCHEMA, 2).to_string().into_bytes();
        check(&json);
        for _ in 0..20 {
            let mut bent = json.clone();
            bend(&mut random, &mut bent);
            check(&bent);
        }
    }
}

/// A type that says no more of itself than how its JSON is read.
struct Plain(Value);

impl Wire for Plain {
    fn from_json(bytes: &[u8]) -> Result<Self, DecodeError> {
        let value: Value = serde_json::from_slice(bytes).map_err(DecodeError::of_document)?;
        if value["spec"].is_object() { Ok(Plain(value)) } else { Err(DecodeError::of_document("no spec")) }
    }

    fn to_json(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.to_string().as_bytes());
    }
}

#[test]
fn objects_of_other_types_are_checked_by_decoding_them() {
    let encoded = |json: &str| Encoded::<Plain>::new(Format::Json, json.as_bytes());
    let pod = encoded(&pod().to_string());
    let meta = pod.check().unwrap();
    assert!(matches!(meta.name, Cow::Borrowed("web-0")));
    assert_eq!((meta.labels.len(), meta.owners.len()), (3, 2));
    assert_eq!(encoded(r#"{"metadata":{}}"#).check().unwrap_err().to_string(), "no spec");
    let node = FieldPath::of("spec.nodeName").unwrap();
    assert_eq!(pod.text_at(&node).as_deref(), Some("n1"));
    assert_eq!(node.text_in(&pod.decode().unwrap()).as_deref(), Some("n1"));
    assert!(Encoded::<Plain>::new(Format::Protobuf, []).check().is_err());
}

/// A pod as servers send it, with all that the tests ask for.
fn pod() -> Value {
    json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {
            "name": "web-0", "namespace": "shop", "uid": "u-1", "resourceVersion": "42",
            "labels": {"app": "web", "shop.example/tier": "front", "ü": "\u{1f600}"},
            "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u-2", "controller": true,
                 "blockOwnerDeletion": true},
                {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "u-3"},
            ],
            "managedFields": [
                {"manager": "a", "operation": "Update", "fieldsV1": {"f:spec": {"f:\"]},": {}}}},
                {"manager": "b", "operation": "Apply", "fieldsV1": {}},
            ],
        },
        "spec": {
            "nodeName": "n1", "hostNetwork": true, "priority": 0,
            "containers": [{"name": "c"}], "nodeSelector": {"zone": "a"},
            "overhead": {"cpu": "250m"},
        },
        "status": {"phase": "Running", "startTime": "2026-11-21T09:04:03Z"},
    })
}

#[test]
fn metadata_is_borrowed_from_the_bytes() {
    for (format, bytes) in forms::<core::v1::Pod>(&pod()) {
        let encoded = Encoded::<core::v1::Pod>::new(format, bytes);
        let meta = encoded.check().unwrap();
        let range = encoded.bytes().as_ptr_range();
        let texts = [(&meta.name, "web-0"), (&meta.namespace, "shop"), (&meta.uid, "u-1")];
        for (found, expected) in texts.into_iter().chain([(&meta.resource_version, "42")]) {
            let Cow::Borrowed(text) = found else { panic!("{found} is not borrowed") };
            assert_eq!(*text, expected);
            assert!(range.contains(&text.as_ptr()));
        }
        let owners: Vec<_> = meta.owners.iter().map(|owner| (&*owner.name, owner.controller)).collect();
        assert_eq!(owners, [("web", true), ("n1", false)]);
        assert_eq!(meta.labels.len(), 3);
    }
}

#[test]
fn a_fault_is_named_as_decoding_names_it() {
    let json = br#"{"spec":{"containers":[{"name":"a"},{"name":3}]}}"#;
    let error = Encoded::<core::v1::Pod>::new(Format::Json, &json[..]).check().unwrap_err();
    assert_eq!(error.path(), "spec.containers[1].name");
    let raw = [0x12, 4, 0x12, 2, 0x0a, 9];
    let error = Encoded::<core::v1::Pod>::new(Format::Protobuf, raw).check().unwrap_err();
    assert_eq!(error.path(), "spec.containers[0].name");
}

fn skipped<T: Wire>(format: Format, bytes: &[u8]) -> Encoded<T> {
    match format {
        Format::Protobuf => Encoded::item_from_protobuf(bytes, ManagedFields::Skip).unwrap(),
        Format::Json => {
            let (item, length) = Encoded::item_from_json(bytes, ManagedFields::Skip).unwrap().unwrap();
            assert_eq!(length, bytes.len());
            item
        }
    }
}

struct Cuts {
    random: Random,
}

impl Check for Cuts {
    fn kind<T: Message + SchemaKind + Wire + Default + PartialEq + Debug>(&mut self) {
        for _ in 0..OBJECTS {
            let mut value = self.random.message(T::SCHEMA, 0);
            let with = forms::<T>(&value);
            if let Some(Value::Object(metadata)) = value.get_mut("metadata") {
                metadata.remove("managedFields");
            }
            for ((format, with), (_, without)) in with.into_iter().zip(forms::<T>(&value)) {
                let cut = skipped::<T>(format, &with);
                assert_eq!(cut.decode().unwrap(), Encoded::<T>::new(format, &*without).decode().unwrap());
                if format == Format::Protobuf {
                    assert_eq!(cut.bytes(), without, "{value}");
                }
                for _ in 0..BENT {
                    let mut bent = with.clone();
                    bend(&mut self.random, &mut bent);
                    self.bent::<T>(format, &bent);
                }
            }
        }
    }
}

impl Cuts {
    /// An object that can be read can be read without its managed fields too, and has the same metadata then.
    fn bent<T: Message + Wire>(&mut self, format: Format, bytes: &[u8]) {
        let whole = Encoded::<T>::new(format, bytes);
        let Ok(meta) = whole.check() else { return };
        let cut = skipped::<T>(format, bytes);
        assert_eq!(cut.check().unwrap(), meta, "{}", shown(format, bytes));
    }
}

#[test]
fn managed_fields_are_cut_out_of_every_kind_and_nothing_else_is() {
    let seed = seed();
    println!("seed {seed}");
    generated::each(&mut Cuts { random: Random::new(seed) });
}

#[test]
fn managed_fields_are_cut_out_with_one_comma() {
    let check = |json: &str, expected: &str| {
        let (item, length) =
            Encoded::<core::v1::Pod>::item_from_json(json.as_bytes(), ManagedFields::Skip).unwrap().unwrap();
        assert_eq!(str::from_utf8(item.bytes()).unwrap(), expected);
        assert_eq!(length, json.trim_end_matches([',', ' ']).len());
    };
    let all = r#"{"metadata":{"name":"a","managedFields":[{"a":"]}"}]},"spec":{}},"#;
    check(all, r#"{"metadata":{"name":"a"},"spec":{}}"#);
    check(r#" {"metadata" : { "managedFields" : [ ] , "name":"a"}}"#, r#"{"metadata" : {  "name":"a"}}"#);
    check(r#"{"metadata":{"managedFields":null}}"#, r#"{"metadata":{}}"#);
    check(r#"{"metadata":{"a":1 , "managedFields":[],"b":2}}"#, r#"{"metadata":{"a":1 ,"b":2}}"#);
    for odd in [
        r#"{"metadata":{"managed\u0046ields":[]}}"#,
        r#"{"metadata":{"managedFields":[],"managedFields":[1]}}"#,
        r#"{"metadata":["managedFields"]}"#,
        r#"{"metadata":1e999}"#,
        r#"{"managedFields":[]}"#,
        "{}",
    ] {
        check(odd, odd);
    }
    let item = |json: &str| Encoded::<core::v1::Pod>::item_from_json(json.as_bytes(), ManagedFields::Skip);
    for end in 0..all.len() - 1 {
        assert!(item(&all[..end]).unwrap().is_none(), "{end}");
    }
    assert!(item(r#"{"metadata":{"managedFields":[}}"#).is_err());
    assert!(Encoded::<core::v1::Pod>::item_from_json(b"{\"a\":\"\xff\"}", ManagedFields::Skip).is_err());
}

#[test]
fn odd_protobuf_is_kept_as_it_is() {
    let check = |bytes: &[u8], expected: &[u8]| {
        let item = Encoded::<core::v1::Pod>::item_from_protobuf(bytes, ManagedFields::Skip).unwrap();
        assert_eq!(item.bytes(), expected);
    };
    // 8a 01 begins field 17.
    check(&[0x0a, 7, 0x8a, 1, 1, 7, 0x0a, 1, b'a'], &[0x0a, 3, 0x0a, 1, b'a']);
    check(&[0x0a, 0x87, 0, 0x8a, 1, 1, 7, 0x0a, 1, b'a', 0x12, 0], &[0x0a, 3, 0x0a, 1, b'a', 0x12, 0]);
    let odd: [&[u8]; 7] = [
        &[],
        &[0x12, 0],
        &[0x0a, 0],
        &[0x0a, 3, 0x8a, 1, 0, 0x0a, 3, 0x8a, 1, 0],
        &[0x0a, 9, 0x8a, 1, 0, 0x0a, 1, b'a', 0x8a, 1, 0],
        &[0x0a, 3, 0x88, 1, 0],
        &[0x0a, 3, 0x8a, 1, 9],
    ];
    odd.into_iter().for_each(|bytes| check(bytes, bytes));
}

#[test]
fn whole_objects_come_with_what_stands_around_them() {
    let pod = core::v1::Pod::from_json(pod().to_string().as_bytes()).unwrap();
    // With the empty structs that Go always writes.
    let pod = Encoded::of(&pod).decode().unwrap();
    let (mut json, mut protobuf) = (Vec::new(), Vec::new());
    pod.to_json(&mut json);
    pod.to_protobuf(&mut protobuf);
    json.insert(0, b'\n');
    json.push(b'\n');
    for (format, bytes) in [(Format::Json, json), (Format::Protobuf, protobuf)] {
        let encoded: Encoded<core::v1::Pod> = Wire::decode(format, &bytes).unwrap();
        assert_eq!((encoded.format(), encoded.check().unwrap().name), (format, "web-0".into()));
        assert_eq!(encoded.decode().unwrap(), pod);
    }
    for wrong in ["{}{}", "{", ""] {
        assert!(Encoded::<core::v1::Pod>::from_json(wrong.as_bytes()).is_err(), "{wrong}");
    }
    assert_eq!(Encoded::of(&pod).format(), Format::Protobuf);
    assert_eq!(Encoded::of(&pod).decode().unwrap(), pod);
    assert_eq!(Encoded::of(&Unstructured::from_typed(&pod)).format(), Format::Json);
}

#[test]
fn objects_of_lists_and_watches_lose_their_managed_fields_on_arrival() {
    let typed = core::v1::Pod::from_json(pod().to_string().as_bytes()).unwrap();
    let list = klient_apimachinery::List { items: vec![typed.clone(), typed.clone()], ..Default::default() };
    let (mut json, mut protobuf) = (Vec::new(), Vec::new());
    list.to_json(&mut json);
    list.to_protobuf(&mut protobuf);
    for (format, bytes) in [(Format::Json, json), (Format::Protobuf, protobuf)] {
        for chunk in [100, bytes.len()] {
            let mut reader = ListReader::<Encoded<core::v1::Pod>>::new(format, ManagedFields::Skip);
            let mut items = Vec::new();
            for chunk in bytes.chunks(chunk) {
                reader.push(chunk);
                while let Some(item) = reader.next_item().unwrap() {
                    items.push(item.decode().unwrap());
                }
            }
            assert_eq!(items.len(), 2, "{format:?}");
            assert!(
                items
                    .iter()
                    .all(|item| item.metadata.managed_fields.is_empty() && item.status == typed.status)
            );
        }
    }
    let event = json!({"type": "ADDED", "object": pod()}).to_string();
    let event =
        WatchEvent::<Encoded<core::v1::Pod>>::from_json(event.as_bytes(), ManagedFields::Skip).unwrap();
    let WatchEvent::Added(item) = event else { panic!("{event:?}") };
    assert!(item.decode().unwrap().metadata.managed_fields.is_empty());
}

#[test]
fn items_of_built_in_lists_learn_their_kind() {
    let mut bare = pod();
    bare.as_object_mut().unwrap().retain(|name, _| name != "kind" && name != "apiVersion");
    let info = core::v1::Pod::INFO;
    let as_unstructured = |value: &Value| {
        Encoded::<Unstructured>::new(Format::Json, value.to_string().into_bytes()).decode_as(&info).unwrap()
    };
    assert_eq!(as_unstructured(&bare).0, *pod().as_object().unwrap());
    let other = json!({"apiVersion": "shop.example/v1", "kind": "Gadget"});
    assert_eq!(as_unstructured(&other).kind(), "Gadget");
    let typed = Encoded::<core::v1::Pod>::new(Format::Json, bare.to_string().into_bytes());
    assert_eq!(typed.decode_as(&info).unwrap().name(), "web-0");
}

#[test]
fn a_field_is_read_from_the_bytes_and_from_the_object() {
    let object = core::v1::Pod::from_json(pod().to_string().as_bytes()).unwrap();
    let unstructured = Unstructured::from_typed(&object);
    for (path, expected) in [
        ("spec.nodeName", Some("n1")),
        (".metadata.name", Some("web-0")),
        ("metadata.labels.app", Some("web")),
        ("metadata.labels['shop.example/tier']", Some("front")),
        (r#"metadata.labels["shop.example/tier"]"#, Some("front")),
        ("metadata.labels[shop.example/tier]", Some("front")),
        (r".metadata.labels.shop\.example/tier", Some("front")),
        ("metadata.labels.ü", Some("\u{1f600}")),
        ("metadata.labels.nope", None),
        ("metadata.annotations.nope", None),
        ("metadata.generateName", None),
        ("spec.hostNetwork", Some("true")),
        ("spec.hostPID", None),
        ("spec.priority", Some("0")),
        ("spec.nodeSelector.zone", Some("a")),
        ("spec.overhead.cpu", Some("250m")),
        ("spec.securityContext.runAsUser", None),
        ("status.phase", Some("Running")),
        ("status.startTime", Some("2026-11-21T09:04:03Z")),
    ] {
        let typed = FieldPath::<core::v1::Pod>::of(path).unwrap();
        for (format, bytes) in forms::<core::v1::Pod>(&pod()) {
            let encoded = Encoded::new(format, bytes);
            let found = encoded.text_at(&typed);
            assert_eq!(found.as_deref(), expected, "{path} in {format:?}");
            let is_owned = matches!(found, Some(Cow::Owned(_)));
            assert!(!is_owned || (format == Format::Protobuf && path != "spec.nodeName"), "{path}");
        }
        assert_eq!(typed.text_in(&object).as_deref(), expected, "{path}");
        let any = FieldPath::<Unstructured>::of(path).unwrap();
        assert_eq!(Encoded::of(&unstructured).text_at(&any).as_deref(), expected, "{path}");
        assert_eq!(any.text_in(&unstructured).as_deref(), expected, "{path}");
    }
    let any = FieldPath::<Unstructured>::of("spec.containers.name").unwrap();
    assert_eq!((any.text_in(&unstructured), Encoded::of(&unstructured).text_at(&any)), (None, None));
}

#[test]
fn a_wrong_path_is_an_error_that_says_what_is_there() {
    let check = |path: &str, expected: &str| {
        let error = FieldPath::<core::v1::Pod>::of(path).unwrap_err().to_string();
        assert!(error.starts_with(&format!("field path {path:?}: {expected}")), "{error}");
    };
    check("spec.nodename", r#"PodSpec has no field "nodename", but volumes, initContainers, "#);
    check("specs", r#"Pod has no field "specs", but metadata, spec, status"#);
    check("spec", "spec holds an object, and no plain value");
    check("metadata.labels", "metadata.labels holds a map, and no plain value");
    check("spec.containers.name", "spec.containers holds a list, which has no fields");
    check("spec.nodeName.x", "spec.nodeName holds a plain value, which has no fields");
    check("", "a name is missing");
    check("spec.", "a name is missing");
    check("spec..nodeName", "a name is missing");
    check("metadata.labels[", "a name is missing");
    check("metadata.labels['a", "the quote before");
    check("metadata.labels[a", "the bracket before");
    check("metadata.labels[a]b", "expected a dot or an end before");
    check("metadata\\", "it ends with a backslash");
}

/// Every path of a plain field that leads through structs and maps, and one that an object has.
fn paths(schema: &'static Schema, prefix: &str, depth: usize, out: &mut Vec<String>) {
    for Field { json, ty, .. } in schema.fields {
        let path = format!("{prefix}['{json}']");
        match ty {
            Type::Message(inner) if depth < 4 => paths(inner, &path, depth + 1, out),
            Type::Map(Type::String | Type::Quantity | Type::Bool) => {
                out.push(format!("{path}['shop.example/name']"));
                out.push(format!("{path}['a']"));
            }
            _ => out.push(path),
        }
    }
}

struct SameText {
    random: Random,
    found: usize,
}

impl Check for SameText {
    fn kind<T: Message + SchemaKind + Wire + Default + PartialEq + Debug>(&mut self) {
        let mut all = Vec::new();
        paths(T::SCHEMA, "", 0, &mut all);
        let paths: Vec<FieldPath<T>> = all.iter().filter_map(|path| FieldPath::of(path).ok()).collect();
        for _ in 0..2 {
            let value = self.random.message(T::SCHEMA, 0);
            for (format, mut bytes) in forms::<T>(&value) {
                // In protobuf what comes twice is put together.
                if format == Format::Protobuf && self.random.chance(2) {
                    bytes.extend_from_within(..);
                }
                let encoded = Encoded::<T>::new(format, bytes);
                let object = encoded.decode().unwrap();
                for path in &paths {
                    let (found, expected) = (encoded.text_at(path), path.text_in(&object));
                    self.found += usize::from(found.is_some());
                    assert_eq!(found, expected, "{path} in {format:?} of {value}");
                }
            }
        }
    }
}

#[test]
fn bytes_and_objects_hold_the_same_text_in_every_kind() {
    let seed = seed();
    println!("seed {seed}");
    let mut check = SameText { random: Random::new(seed), found: 0 };
    generated::each(&mut check);
    assert!(check.found > 1000, "{}", check.found);
}
