//! Objects that cannot be decoded, in lists and watches: they are named, and those behind them come.

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::codec::{DecodeError, Format, ListReader, ManagedFields, Wire};
use klient_apimachinery::meta::v1::ListMeta;
use klient_apimachinery::{List, Namespaced, Object, Resource, ResourceInfo, Unstructured, verbs};
use klient_client::{ListOptions, Patch, WatchOptions};
use serde_json::json;

use crate::cluster::{cluster, config_map, create_gadgets, soon, told};
use crate::front::Front;

/// A gadget, of which this program believes that its status has a count.
#[derive(Debug)]
struct Gadget(Unstructured);

klient_apimachinery::object!(Gadget, 0);

impl Wire for Gadget {
    fn from_json(bytes: &[u8]) -> Result<Self, DecodeError> {
        let gadget = Gadget(Unstructured::from_json(bytes)?);
        match gadget.0.at(&["status", "count"]) {
            Some(count) if !count.is_number() => {
                Err(DecodeError::of_document("status.count is not a number"))
            }
            _ => Ok(gadget),
        }
    }

    fn to_json(&self, out: &mut Vec<u8>) {
        self.0.to_json(out);
    }
}

impl Resource for Gadget {
    type Scope = Namespaced;
    const INFO: ResourceInfo = ResourceInfo::from_static("shop.example", "v1", "Gadget", "gadgets", true);
}

impl verbs::List for Gadget {}
impl verbs::Watch for Gadget {}

#[tokio::test]
async fn a_list_names_what_cannot_be_decoded_and_goes_on_behind_it() {
    let (_server, client) = cluster().await;
    create_gadgets(&client).await;
    let dynamic = client.dynamic(Gadget::INFO).namespace("default");
    for name in ["a", "b", "c"] {
        let gadget = Unstructured::new("shop.example/v1", "Gadget", name);
        soon("the kind", async { while dynamic.create(&gadget).await.is_err() {} }).await;
    }
    // Another program has another idea of it.
    let broken =
        dynamic.patch_status("b", &Patch::Merge(json!({"status": {"count": "three"}}))).await.unwrap();
    let gadgets = client.api::<Gadget>();
    let check = |error: &klient_client::Error| {
        let object = error.undecodable_object().unwrap();
        assert_eq!((&*object.namespace, &*object.name), ("default", "b"));
        assert_eq!((&*object.uid, &*object.resource_version), (broken.uid(), broken.resource_version()));
        let text = error.to_string();
        assert!(
            text.ends_with(": cannot decode the response: default/b: items[1]: status.count is not a number"),
            "{text}"
        );
    };
    check(&gadgets.list(&ListOptions::default()).await.unwrap_err());
    let (list, undecodable) = gadgets.list_decodable(&ListOptions::default()).await.unwrap();
    let names: Vec<_> = list.items.iter().map(|gadget| gadget.name()).collect();
    assert_eq!(names, ["a", "c"]);
    assert!(!list.resource_version().is_empty());
    assert_eq!(undecodable.len(), 1);
    check(&undecodable[0]);
    let mut items = gadgets.items(&ListOptions::default()).await.unwrap();
    let mut listed = Vec::new();
    loop {
        match items.next().await {
            Ok(Some(gadget)) => listed.push(gadget.name().to_owned()),
            Ok(None) => break,
            Err(error) => {
                check(&error);
                listed.push("?".to_owned());
            }
        }
    }
    assert_eq!(listed, ["a", "?", "c"]);

    let mut watch = gadgets.watch(&WatchOptions::default()).await.unwrap();
    for expected in ["a", "?", "c"] {
        match soon("an event", watch.next()).await.unwrap() {
            Ok(event) => assert_eq!(told(&event), format!("+{expected}")),
            Err(error) => {
                assert_eq!(expected, "?");
                assert_eq!(error.undecodable_object().unwrap().to_string(), "default/b");
            }
        }
    }
}

/// In both formats, and in what a write gives back.
#[tokio::test]
async fn an_object_that_came_alone_and_cannot_be_decoded_is_named() {
    let metadata = r#""metadata":{"name":"b","namespace":"default","uid":"u1","resourceVersion":"7"}"#;
    let json = format!(r#"{{"kind":"ConfigMap","apiVersion":"v1",{metadata},"data":{{"size":3}}}}"#);
    let front = Front::saying(&[&format!("HTTP/1.1 200 OK\r\n\r\n{json}")]).await;
    let config_maps = front.client().api::<ConfigMap>().namespace("default");
    for error in [
        config_maps.get("b").await.unwrap_err(),
        config_maps.update(&config_map("b", "red")).await.unwrap_err(),
        config_maps.patch("b", &Patch::Merge(json!({}))).await.unwrap_err(),
    ] {
        let object = error.undecodable_object().unwrap();
        assert_eq!((&*object.namespace, &*object.name), ("default", "b"));
        assert_eq!((&*object.uid, &*object.resource_version), ("u1", "7"));
        assert_eq!(error.as_decode().unwrap().path(), "data.size");
        let text = error.to_string();
        assert!(
            text.ends_with(
                "/configmaps/b: cannot decode the response: default/b: data.size: expected a string, found a number at line 1 column 133"
            ),
            "{text}"
        );
    }
}

/// An error of the list itself ends it.
#[tokio::test]
async fn a_list_that_is_no_json_behind_an_item_is_not_gone_on_with() {
    let list = r#"{"kind":"ConfigMapList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"a"}},{"metadata":{{}}]}"#;
    let front = Front::saying(&[&format!("HTTP/1.1 200 OK\r\n\r\n{list}")]).await;
    let config_maps = front.client().api::<ConfigMap>();
    let error = config_maps.list_decodable(&ListOptions::default()).await.unwrap_err();
    assert!(error.undecodable_object().is_none() && error.as_decode().is_some(), "{error:?}");
}

/// In both formats, however the bytes arrive.
#[test]
fn a_reader_of_a_list_goes_on_behind_an_item_in_every_format() {
    let items: Vec<_> = ["a", "spoilt", "c"].map(|color| config_map("x", color)).into();
    let list = List { items, metadata: ListMeta::default() };
    let (mut json, mut protobuf) = (Vec::new(), Vec::new());
    list.to_json(&mut json);
    list.to_protobuf(&mut protobuf);
    for (format, mut bytes, instead) in
        [(Format::Json, json, &b"11111111"[..]), (Format::Protobuf, protobuf, &[0xff; 6])]
    {
        let mark = if format == Format::Json { &b"\"spoilt\""[..] } else { b"spoilt" };
        while let Some(at) = bytes.windows(mark.len()).position(|window| window == mark) {
            bytes[at..at + mark.len()].copy_from_slice(instead);
        }
        for size in [1, 7, bytes.len()] {
            let mut reader = ListReader::<ConfigMap>::new(format, ManagedFields::Keep);
            let mut told = Vec::new();
            let mut take = |reader: &mut ListReader<'_, ConfigMap>| loop {
                match reader.next_item() {
                    Ok(Some(item)) => told.push(item.data.values().next().unwrap().to_string()),
                    Ok(None) => break,
                    Err(error) => {
                        assert_eq!(&*error.object().unwrap().name, "x", "{error}");
                        assert!(error.path().starts_with("items[1]."), "{error}");
                        told.push("?".to_owned());
                    }
                }
            };
            for piece in bytes.chunks(size) {
                reader.push(piece);
                take(&mut reader);
            }
            reader.end();
            take(&mut reader);
            assert_eq!(told, ["a", "?", "c"], "{format:?} in pieces of {size}");
            reader.finish().unwrap();
        }
    }
}
