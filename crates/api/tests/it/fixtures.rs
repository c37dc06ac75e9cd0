//! Objects of every field that Kubernetes v1.37 wrote in JSON, YAML and protobuf.

use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use klient_api::{apps, batch, core, policy};
use klient_apimachinery::codec::{
    DecodeError, Format, ListReader, ManagedFields, SchemaKind, Wire, protobuf,
};
use klient_apimachinery::message::Message;
use klient_apimachinery::meta::v1::ListMeta;
use klient_apimachinery::{List, WatchEvent, yaml};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Deserialize)]
struct Fixture {
    kind: String,
    json: Value,
    yaml: String,
    protobuf: String,
}

fn fixture(kind: &str) -> Fixture {
    let lines = include_str!("fixtures.jsonl").lines();
    let mut fixtures = lines.map(|line| serde_json::from_str::<Fixture>(line).unwrap());
    fixtures.find(|fixture| fixture.kind == kind).unwrap()
}

/// Reads an object from each form and writes it to each.
fn check<T>(kind: &str)
where
    T: Message + SchemaKind + Wire + Default + Serialize + DeserializeOwned + PartialEq + Debug,
{
    let fixture = fixture(kind);
    let bytes = STANDARD.decode(&fixture.protobuf).unwrap();
    let from_json = T::from_json(fixture.json.to_string().as_bytes()).unwrap();
    let from_protobuf: T = protobuf::from_slice(&bytes).unwrap();
    let from_yaml: T = serde_json::from_value(yaml::from_str(&fixture.yaml).unwrap()).unwrap();
    assert_eq!(from_protobuf, from_json, "{kind}");
    assert_eq!(from_yaml, from_json, "{kind}");

    let mut json = Vec::new();
    from_protobuf.to_json(&mut json);
    assert_eq!(serde_json::from_slice::<Value>(&json).unwrap(), fixture.json, "{kind}");
    let mut written = Vec::new();
    protobuf::to_vec(&from_json, &mut written);
    assert!(
        written == bytes,
        "{kind}: protobuf differs at byte {:?}",
        written.iter().zip(&bytes).position(|(a, b)| a != b)
    );
}

#[test]
fn each_form_of_an_object_holds_the_same() {
    check::<apps::v1::DaemonSet>("apps.v1.DaemonSet");
    check::<apps::v1::Deployment>("apps.v1.Deployment");
    check::<apps::v1::ReplicaSet>("apps.v1.ReplicaSet");
    check::<apps::v1::StatefulSet>("apps.v1.StatefulSet");
    check::<batch::v1::CronJob>("batch.v1.CronJob");
    check::<batch::v1::Job>("batch.v1.Job");
    check::<core::v1::ConfigMap>("core.v1.ConfigMap");
    check::<core::v1::Event>("core.v1.Event");
    check::<core::v1::Namespace>("core.v1.Namespace");
    check::<core::v1::Node>("core.v1.Node");
    check::<core::v1::Pod>("core.v1.Pod");
    check::<core::v1::Secret>("core.v1.Secret");
    check::<core::v1::Service>("core.v1.Service");
    check::<policy::v1::PodDisruptionBudget>("policy.v1.PodDisruptionBudget");
}

/// A list of pods, in both formats.
fn pods() -> (List<core::v1::Pod>, Vec<u8>, Vec<u8>) {
    let bytes = STANDARD.decode(fixture("core.v1.Pod").protobuf).unwrap();
    let pod: core::v1::Pod = protobuf::from_slice(&bytes).unwrap();
    let metadata = ListMeta { resource_version: Some("7".into()), ..ListMeta::default() };
    let mut other = pod.clone();
    other.metadata.name = Some("other".into());
    let list = List { metadata, items: vec![pod.clone(), other, pod] };
    let (mut json, mut protobuf) = (Vec::new(), Vec::new());
    list.to_json(&mut json);
    list.to_protobuf(&mut protobuf);
    (list, json, protobuf)
}

fn read(format: Format, bytes: &[u8], chunk: usize) -> Result<(Vec<core::v1::Pod>, ListMeta), DecodeError> {
    let mut reader = ListReader::new(format, ManagedFields::Keep);
    let mut items = Vec::new();
    let mut chunks = bytes.chunks(chunk);
    loop {
        let chunk = chunks.next();
        match chunk {
            Some(chunk) => reader.push(chunk),
            None => reader.end(),
        }
        while let Some(item) = reader.next_item()? {
            items.push(item);
        }
        if chunk.is_none() {
            break;
        }
    }
    Ok((items, reader.finish()?))
}

#[test]
fn lists_are_read_as_they_arrive() {
    let (list, json, protobuf) = pods();
    for (format, bytes) in [(Format::Json, json), (Format::Protobuf, protobuf)] {
        assert_eq!(List::<core::v1::Pod>::decode(format, &bytes).unwrap(), list);
        for chunk in [1, 7, 1000, bytes.len()] {
            let (items, metadata) = read(format, &bytes, chunk).unwrap();
            assert!(items == list.items && metadata == list.metadata, "{format:?} in chunks of {chunk}");
        }
        for end in (0..bytes.len() - 4).step_by(1997) {
            assert!(read(format, &bytes[..end], 500).is_err(), "{format:?} cut at {end}");
        }
    }
}

#[test]
fn lists_with_commas_in_the_wrong_place_are_refused() {
    for items in ["[,]", "[{},]", "[{}{}]", "[{},,{}]", "[{} {}]", "[3]", "[{}]]"] {
        let json = format!(r#"{{"kind":"PodList","apiVersion":"v1","items":{items}}}"#);
        assert!(read(Format::Json, json.as_bytes(), 5).is_err(), "{items}");
    }
    for json in ["{,}", "{\"a\":1,}", "{\"a\":1 \"b\":2}", "{\"a\":1\u{c},\"b\":2}", "[]", "{\"items\":3}"] {
        assert!(read(Format::Json, json.as_bytes(), 3).is_err(), "{json:?}");
    }
}

#[test]
fn numbers_may_be_cut_between_two_pieces() {
    let bytes = br#"{"kind":"PodList","apiVersion":"v1","other":-12.5e+3,"metadata":{"x":-1e3},
        "items":[{"metadata":{"generation":-17,"newer":[-1.5e-9]}}]}"#;
    for chunk in 1..bytes.len() {
        assert!(read(Format::Json, bytes, chunk).is_ok(), "in pieces of {chunk}");
    }
}

#[test]
fn managed_fields_are_passed_over_where_nobody_wants_them() {
    let (list, json, protobuf) = pods();
    for (format, bytes) in [(Format::Json, json), (Format::Protobuf, protobuf)] {
        let mut reader = ListReader::new(format, ManagedFields::Skip);
        reader.push(&bytes);
        reader.end();
        let items: Vec<core::v1::Pod> = std::iter::from_fn(|| reader.next_item().unwrap()).collect();
        assert_eq!(items.len(), list.items.len());
        for (item, pod) in items.iter().zip(&list.items) {
            assert!(format!("{pod:?}").contains("managedFields"));
            assert!(!format!("{item:?}").contains("managedFields"), "{format:?}");
            assert_eq!((&item.metadata.name, &item.status), (&pod.metadata.name, &pod.status), "{format:?}");
        }
    }
}

#[test]
fn lists_of_another_kind_are_refused() {
    for (format, bytes) in [(Format::Json, pods().1), (Format::Protobuf, pods().2)] {
        let mut reader = ListReader::<core::v1::Node>::new(format, ManagedFields::Keep);
        reader.push(&bytes);
        reader.end();
        let error = loop {
            match reader.next_item() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("{format:?}: pods are taken for nodes"),
                Err(error) => break error.to_string(),
            }
        };
        assert!(
            error.contains("expected v1 NodeList, found v1 PodList") || format == Format::Json,
            "{error}"
        );
    }
}

#[test]
fn what_is_cut_or_bent_is_refused_and_nothing_worse() {
    let bytes = STANDARD.decode(fixture("apps.v1.Deployment").protobuf).unwrap();
    for end in (0..bytes.len() - 4).step_by(3) {
        // What is cut between two fields of the envelope is an envelope.
        let _ = apps::v1::Deployment::from_protobuf(&bytes[..end]);
    }
    for at in (4..bytes.len()).step_by(3) {
        let mut bent = bytes.clone();
        bent[at] ^= 1 << (at % 8);
        let _ = apps::v1::Deployment::from_protobuf(&bent);
    }
}

#[test]
fn amounts_are_written_as_go_writes_them() {
    let json =
        br#"{"spec":{"containers":[{"name":"a","resources":{"limits":{"cpu":0.5,"memory":"1024Mi"}}}]}}"#;
    let pod = core::v1::Pod::from_json(json).unwrap();
    let (mut json, mut bytes) = (Vec::new(), Vec::new());
    pod.to_json(&mut json);
    let value: Value = serde_json::from_slice(&json).unwrap();
    let limits = serde_json::json!({"cpu": "500m", "memory": "1Gi"});
    assert_eq!(value["spec"]["containers"][0]["resources"]["limits"], limits);
    pod.to_protobuf(&mut bytes);
    assert!(
        bytes.windows(4).any(|window| window == b"500m") && bytes.windows(3).any(|window| window == b"1Gi")
    );
}

#[test]
fn what_a_newer_server_sent_survives() {
    // A field 999 of the spec, and a volume whose source is of a kind 999.
    let spec = [0x0a, 9, 0x0a, 1, b'v', 0x12, 4, 0xba, 0x3e, 1, b'x', 0xba, 0x3e, 1, b'y'];
    let mut raw = vec![0x12, spec.len() as u8];
    raw.extend(spec);
    let mut pod = core::v1::Pod::default();
    protobuf::decode(&raw, &mut pod, ManagedFields::Keep).unwrap();
    pod.metadata.name = Some("changed".into());
    let mut written = Vec::new();
    pod.to_protobuf(&mut written);
    let read = core::v1::Pod::from_protobuf(&written).unwrap();
    let (volume, spec) = (&read.spec.volumes[0], &read.spec);
    assert_eq!(volume.unknown.protobuf(), [0x12, 4, 0xba, 0x3e, 1, b'x']);
    assert_eq!(spec.unknown.protobuf(), [0xba, 0x3e, 1, b'y']);

    let json =
        br#"{"spec":{"newer":{"a":[1]},"restartPolicy":"Sometimes","containers":[{"name":"c","new":true}]}}"#;
    let pod = core::v1::Pod::from_json(json).unwrap();
    let mut written = Vec::new();
    pod.to_json(&mut written);
    let value: Value = serde_json::from_slice(&written).unwrap();
    assert_eq!(value["spec"], serde_json::from_slice::<Value>(json).unwrap()["spec"]);
}

#[test]
fn an_empty_quantity_is_zero() {
    // spec.limits[0].max holds an empty message under an empty name.
    let raw = [0x12, 8, 0x0a, 6, 0x12, 4, 0x0a, 0, 0x12, 0];
    let mut range = core::v1::LimitRange::default();
    protobuf::decode(&raw, &mut range, ManagedFields::Keep).unwrap();
    assert_eq!(range.spec.limits[0].max[""].as_str(), "0");
}

#[test]
fn watch_events_are_read_from_both_formats() {
    let fixture = fixture("core.v1.ConfigMap");
    let object = STANDARD.decode(fixture.protobuf).unwrap();
    let mut frame = Vec::new();
    protobuf::Event { kind: "MODIFIED", object: &object }.write(&mut frame);
    let (length, event) = frame.split_at(4);
    assert_eq!(length, u32::try_from(event.len()).unwrap().to_be_bytes());
    let json = serde_json::json!({"type": "MODIFIED", "object": fixture.json}).to_string();
    let from_protobuf = WatchEvent::<core::v1::ConfigMap>::from_protobuf(event, ManagedFields::Keep).unwrap();
    assert_eq!(from_protobuf, WatchEvent::from_json(json.as_bytes(), ManagedFields::Keep).unwrap());
}
