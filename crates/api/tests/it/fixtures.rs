//! Objects of every field that Kubernetes v1.37 wrote in JSON, YAML and protobuf.

use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use klient_api::{apps, batch, core, policy};
use klient_apimachinery::codec::{Kind, Wire, protobuf};
use klient_apimachinery::message::Message;
use klient_apimachinery::yaml;
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
    T: Message + Kind + Wire + Default + Serialize + DeserializeOwned + PartialEq + Debug,
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
