//! The objects a new cluster has.

use std::sync::{Arc, OnceLock};

use klient_apimachinery::Time;
use klient_apimachinery::values::{Map, map_at, text_at};
use serde_json::{Value, json};

use crate::managed_fields::ManagedFields;
use crate::state::State;
use crate::storage::Write;

const OBJECTS: &str = include_str!("bootstrap.jsonl");

/// Stores the objects of a new cluster. Clients cannot have seen earlier versions, and watches from them expire as on
/// a server that was restarted.
///
/// `ca_pem` is the authority of client certificates.
pub(crate) async fn populate(state: &Arc<State>, ca_pem: &str) {
    // Tests start many servers: the objects are decoded, and their managed fields found, once for all of them.
    static PREPARED: OnceLock<Vec<Prepared>> = OnceLock::new();
    let time = Time::now().to_string();
    let prepared = PREPARED.get_or_init(|| {
        let objects = OBJECTS.lines().map(|line| match serde_json::from_str(line) {
            Ok(Value::Object(object)) => object,
            _ => unreachable!("the file holds a JSON object a line"),
        });
        objects.map(|object| Prepared::new(state, object)).collect()
    });
    for prepared in prepared {
        put(state, prepared.clone(), &time).await;
    }
    put(state, Prepared::new(state, extension_apiserver_authentication(ca_pem)), &time).await;
    state.store.compact();
}

/// An object as it is stored, without uid and time.
#[derive(Clone)]
struct Prepared {
    /// Its group, version and plural.
    resource: (&'static str, &'static str, &'static str),
    object: Map,
}

impl Prepared {
    fn new(state: &State, object: Map) -> Prepared {
        let (group, version) = text_at(&object, &["apiVersion"]).split_once('/').unwrap_or(("", "v1"));
        let kind = text_at(&object, &["kind"]);
        let resources = klient_schema::resources(group, version).unwrap_or_default();
        let schema = resources.iter().find(|resource| resource.kind == kind);
        let schema = schema.expect("the objects are of built-in kinds");
        let resource = state.registry.built_in(schema.group, schema.version, schema.plural);
        let mut object = resource.decode_changed(object).expect("the objects fit their types").object;
        ManagedFields::of(&resource, None).update(None, &mut object, manager(&resource.info.group));
        resource.strategy.prepare_for_create(&mut object);
        Prepared { resource: (schema.group, schema.version, schema.plural), object }
    }
}

/// The ConfigMap of the authorities that sign client certificates and the certificates of front proxies, read by
/// other components such as kube-controller-manager: on this server one authority signs both.
fn extension_apiserver_authentication(ca_pem: &str) -> Map {
    let object = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "extension-apiserver-authentication", "namespace": "kube-system"},
        "data": {
            "client-ca-file": ca_pem,
            "requestheader-allowed-names": r#"["front-proxy-client"]"#,
            "requestheader-client-ca-file": ca_pem,
            "requestheader-extra-headers-prefix": r#"["X-Remote-Extra-"]"#,
            "requestheader-group-headers": r#"["X-Remote-Group"]"#,
            "requestheader-uid-headers": r#"["X-Remote-Uid"]"#,
            "requestheader-username-headers": r#"["X-Remote-User"]"#,
        },
    });
    match object {
        Value::Object(object) => object,
        _ => unreachable!("it is written as an object"),
    }
}

async fn put(state: &Arc<State>, prepared: Prepared, time: &str) {
    let Prepared { resource: (group, version, plural), mut object } = prepared;
    let resource = state.registry.built_in(group, version, plural);
    let metadata = map_at(&mut object, "metadata");
    metadata.insert("uid".to_owned(), uuid::Uuid::new_v4().to_string().into());
    metadata.insert("creationTimestamp".to_owned(), time.into());
    let (namespace, name) = (text_at(metadata, &["namespace"]), text_at(metadata, &["name"]));
    let key = resource.key((!namespace.is_empty()).then_some(namespace), name);
    resource.strategy.occupy(&state.addresses, &object);
    let write = Write::Create { object: resource.draft(key, &mut object), needs: &[] };
    let created = state.store.commit(&resource.table, write).await;
    created.expect("the objects have names of their own");
}

/// The field manager with which kube-apiserver creates the objects of a group.
fn manager(group: &str) -> &'static str {
    match group {
        "flowcontrol.apiserver.k8s.io" => "api-priority-and-fairness-config-producer-v1",
        _ => "kube-apiserver",
    }
}
