//! Objects that cannot be decoded: they are reported when they arrive, and the others are not affected.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use klient_api::core::v1::ConfigMap;
use klient_apimachinery::codec::{Encoded, Format, Wire};
use klient_apimachinery::meta::v1::PartialObjectMetadata;
use klient_apimachinery::{Object, Resource as _, Unstructured};
use klient_cache::{
    Informer, InformerOptions, Keep, Reflector, ReflectorOptions, StoreWriter, WatchErrorHandler,
};
use klient_client::{Client, Config, Encoding};

use crate::proxy::{Act, Answer, Kind, Proxy};
use crate::stage::{
    Told, cluster, color, create, delete, listing, paints, quick, reflect, repaint, soon, words,
};

/// The contents of a broken object, which the proxy makes undecodable.
pub(crate) const MARK: &str = "spoilt-object";

/// Breaks marked objects: in JSON by a number for a string, in protobuf by invalid UTF-8.
fn spoil(piece: &Bytes) -> Act {
    Act::Instead(spoilt(piece))
}

/// An event or a list whose marked objects are broken.
pub(crate) fn spoilt(piece: &Bytes) -> Bytes {
    let mut bytes = piece.to_vec();
    let (json, number) = (format!("\"{MARK}\""), "1".repeat(MARK.len() + 2));
    for (mark, instead) in
        [(json.as_bytes(), number.as_bytes()), (MARK.as_bytes(), [0xff; MARK.len()].as_slice())]
    {
        while let Some(at) = bytes.windows(mark.len()).position(|window| window == mark) {
            bytes[at..at + mark.len()].copy_from_slice(instead);
        }
    }
    bytes.into()
}

fn keeping() -> (WatchErrorHandler, Arc<Mutex<Vec<klient_cache::Error>>>) {
    let errors = Arc::new(Mutex::new(Vec::new()));
    let told = errors.clone();
    (Arc::new(move |error| told.lock().unwrap().push(error.clone())), errors)
}

/// Every encoding and form of typed objects.
fn ways() -> impl Iterator<Item = (Encoding, ReflectorOptions, Keep)> {
    [Encoding::Json, Encoding::Protobuf].into_iter().flat_map(|encoding| {
        [quick(), listing()].into_iter().flat_map(move |reflector| {
            [Keep::Packed, Keep::Decoded].map(|keep| (encoding, reflector.clone(), keep))
        })
    })
}

#[tokio::test]
async fn one_object_that_cannot_be_read_does_not_stop_the_others() {
    let (server, client) = cluster().await;
    let proxy = Proxy::new(&server, |_| Answer::Edit(Box::new(spoil))).await;
    for (encoding, reflector, keep) in ways() {
        let way = format!("{encoding:?}, streamed: {}, {keep:?}", reflector.watch_list);
        create(&client, "good", "red").await;
        create(&client, "listed", MARK).await;
        let last = create(&client, "other", "red").await;
        let (on_error, errors) = keeping();
        let through = Client::new(Config { encoding, ..proxy.config() }).unwrap();
        let reflector = ReflectorOptions { on_error: Some(on_error), ..reflector };
        let options = InformerOptions { reflector, keep, ..Default::default() };
        let informer = Informer::new(paints(&through), options);
        informer.start();
        soon("the first list", informer.wait_for_sync()).await.unwrap();
        soon("the first list", informer.store().wait_for_resource_version(&last)).await.unwrap();
        let names = || {
            let mut names: Vec<_> =
                informer.store().list().iter().map(|object| object.name().to_owned()).collect();
            names.sort();
            names
        };
        assert_eq!(names(), ["good", "other"], "{way}");
        let told = |count: usize| {
            let errors = errors.lock().unwrap();
            assert_eq!(errors.len(), count, "{way}: {errors:?}");
            assert!(errors.iter().all(|error| error.is_undecodable()), "{way}: {errors:?}");
            assert!(
                errors[0]
                    .to_string()
                    .starts_with("an object of configmaps cannot be decoded and is left out"),
                "{errors:?}"
            );
        };
        told(1);

        create(&client, "watched", MARK).await;
        let last = create(&client, "third", "red").await;
        soon("the change", informer.store().wait_for_resource_version(&last)).await.unwrap();
        assert_eq!(names(), ["good", "other", "third"], "{way}");
        told(2);
        // An object that becomes undecodable keeps its last state.
        repaint(&client, "good", MARK).await;
        let last = repaint(&client, "other", "blue").await;
        soon("the change", informer.store().wait_for_resource_version(&last)).await.unwrap();
        told(3);
        let last = errors.lock().unwrap()[2].to_string();
        let kept = "an object of configmaps cannot be decoded and is kept in its last state that could be, default/good at ";
        assert!(last.starts_with(kept), "{last}");
        assert_eq!(color(&informer.store().get("default/other").unwrap()), "blue");
        assert_eq!(informer.metrics().lists, 1);
        // An object that becomes decodable is added.
        let last = repaint(&client, "watched", "green").await;
        soon("the change", informer.store().wait_for_resource_version(&last)).await.unwrap();
        assert_eq!(color(&informer.store().get("default/watched").unwrap()), "green");
        told(3);
        for name in ["good", "listed", "other", "watched", "third"] {
            delete(&client, name).await;
        }
    }
}

/// A deletion of an unknown object needs a list.
#[tokio::test]
async fn an_end_that_cannot_be_read_is_found_out_by_a_list() {
    let (server, client) = cluster().await;
    let proxy = Proxy::new(&server, |_| {
        Answer::Edit(Box::new(|piece| {
            let is_end = piece.windows(7).take(32).any(|word| word == b"DELETED");
            if is_end { spoil(piece) } else { Act::Pass }
        }))
    })
    .await;
    for (encoding, reflector, keep) in ways() {
        create(&client, "a", MARK).await;
        create(&client, "b", "red").await;
        let through = Client::new(Config { encoding, ..proxy.config() }).unwrap();
        let options = InformerOptions { reflector, keep, ..Default::default() };
        let informer = Informer::new(paints(&through), options);
        let mut events = informer.events();
        informer.start();
        soon("the first list", informer.wait_for_sync()).await.unwrap();
        delete(&client, "a").await;
        loop {
            let words = words(&soon("an event", events.next()).await.unwrap());
            if !words.starts_with('+') {
                assert_eq!(words, format!("-a {MARK} perhaps"));
                break;
            }
        }
        assert!(!informer.store().contains("default/a"));
        delete(&client, "b").await;
    }
}

/// Whatever bytes replace an object's, a store can decode what it accepts.
#[test]
fn what_is_taken_can_be_decoded() {
    let seed = crate::faults::seed();
    let mut random = fastrand::Rng::with_seed(seed);
    let object = crate::stage::paint("a", "red");
    for keep in [Keep::Packed, Keep::Decoded] {
        check_mutants::<ConfigMap>(&object, keep, &mut random);
        let mut json = Vec::new();
        object.to_json(&mut json);
        let any = klient_apimachinery::Unstructured::from_json(&json).unwrap();
        check_mutants(&any, keep, &mut random);
    }
}

fn check_mutants<K: Wire + Object + klient_apimachinery::Object>(
    object: &K,
    keep: Keep,
    random: &mut fastrand::Rng,
) {
    let mut json = Vec::new();
    object.to_json(&mut json);
    let encoded = Encoded::of(object);
    let forms = [(Format::Json, json), (encoded.format(), encoded.bytes().to_vec())];
    let store = StoreWriter::<K>::new(ConfigMap::INFO, keep);
    let mut taken = 0;
    for round in 0..4000 {
        let (format, mut bytes) = forms[round % 2].clone();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..bytes.len());
            match random.u8(..4) {
                0 => bytes[at] = random.u8(..),
                1 => bytes.truncate(at.max(1)),
                2 => bytes.insert(at, random.u8(..)),
                _ => bytes[at] ^= 1 << random.u8(..8),
            }
        }
        if store.put(Encoded::new(format, bytes)).is_ok() {
            taken += 1;
            for object in store.list() {
                // Reads, and so decodes, the object.
                let _ = K::uid(&object);
                store.remove(&object.key());
            }
        }
    }
    assert!(taken > 100, "{taken} were taken");
}

/// An existing object is never reported as deleted: its last state is kept, and marked.
#[tokio::test]
async fn an_object_that_stops_being_decodable_is_kept_and_marked_and_not_told_as_deleted() {
    let (server, client) = cluster().await;
    for (encoding, reflector, keep) in ways() {
        let way = format!("{encoding:?}, streamed: {}, {keep:?}", reflector.watch_list);
        let proxy = Proxy::new(&server, |_| Answer::Edit(Box::new(spoil))).await;
        create(&client, "good", "red").await;
        let (on_error, errors) = keeping();
        let through = Client::new(Config { encoding, ..proxy.config() }).unwrap();
        let reflector = ReflectorOptions { on_error: Some(on_error), ..reflector };
        let informer =
            Informer::new(paints(&through), InformerOptions { reflector, keep, ..Default::default() });
        let (mut told, _handler) = Told::of(&informer);
        informer.start();
        soon("the first list", informer.wait_for_sync()).await.unwrap();
        assert_eq!(told.next().await, ["+good red at first"], "{way}");
        let store = informer.store();
        let before = store.get("default/good").unwrap();

        let broken = repaint(&client, "good", MARK).await;
        let never = create(&client, "never", MARK).await;
        // A list repeats the state, and causes no event.
        for is_listed in [false, true] {
            let last = match is_listed {
                false => never.clone(),
                true => {
                    proxy.stop_listening().await;
                    let last = create(&client, "other", "red").await;
                    server.compact();
                    proxy.listen().await;
                    last
                }
            };
            soon("the change", store.wait_for_resource_version(&last)).await.unwrap();
            let good = store.get("default/good").unwrap();
            assert_eq!((color(&good), good.resource_version()), ("red", before.resource_version()), "{way}");
            assert_eq!(good.undecodable().unwrap().resource_version.as_ref(), broken, "{way}");
            assert!(before.undecodable().is_none(), "a handle is of one moment");
            assert!(store.get("default/never").is_none());
            for (name, version) in [("good", &broken), ("never", &never)] {
                let key = format!("default/{name}");
                let undecodable = store.undecodable(&key).unwrap();
                assert_eq!(undecodable.key.as_str(), key);
                assert_eq!(undecodable.resource_version.as_ref(), version);
                assert!(undecodable.error.field().ends_with("color"), "{undecodable:?}");
                let text = undecodable.error.to_string();
                assert!(text.contains(&format!("{key} at version {version}: ")), "{text}");
            }
            let mut metrics: Vec<_> =
                informer.metrics().undecodable.iter().map(|one| one.key.to_string()).collect();
            metrics.sort();
            assert_eq!(metrics, ["default/good", "default/never"]);
            assert!(informer.last_error().unwrap().is_undecodable());
            let options = Default::default();
            let check = store.check_against(paints(&through), &options);
            assert_eq!(soon("the check", check).await.unwrap().to_string(), format!("none at {last}"));
        }
        let said: Vec<_> = [told.next::<1>().await, told.next().await, told.next().await].concat();
        assert!(said[0].starts_with("?good red: ") && said[0].ends_with("color"), "{said:?}");
        assert!(said[1].starts_with("?never : ") && said[1].ends_with("color"), "{said:?}");
        assert_eq!(said[2], "+other red");
        assert_eq!(errors.lock().unwrap().iter().filter(|error| error.is_undecodable()).count(), 2);

        // A handler that joins late receives both.
        let (mut late, _late) = Told::of(&informer);
        let late: Vec<String> = late.sorted::<4>().await.into();
        assert!(late[0] == "+good red at first" && late[2].starts_with("?good red: "), "{late:?}");
        assert!(late[1] == "+other red at first" && late[3].starts_with("?never : "), "{late:?}");

        // A deletion needs no list, and neither does a repaired object.
        let lists = informer.metrics().lists;
        delete(&client, "never").await;
        delete(&client, "good").await;
        assert_eq!(told.next().await, ["-never  perhaps", "-good red perhaps"], "{way}");
        assert!(store.undecodables().is_empty() && !store.contains("default/good"));
        repaint(&client, "other", MARK).await;
        create(&client, "good", MARK).await;
        assert!(told.next::<2>().await.iter().all(|words| words.starts_with('?')));
        repaint(&client, "other", "blue").await;
        repaint(&client, "good", "green").await;
        assert_eq!(told.next().await, ["~other red to blue", "+good green"], "{way}");
        assert!(store.get("default/other").unwrap().undecodable().is_none());
        assert!(store.undecodables().is_empty() && informer.last_error().is_none());
        assert_eq!(informer.metrics().lists, lists, "{way}");
        assert!(told.is_empty());
        delete(&client, "good").await;
        delete(&client, "other").await;
    }
}

/// A reflector's store, metadata only, and objects of a kind known at run time.
#[tokio::test]
async fn every_sort_of_store_keeps_and_marks_what_stops_being_decodable() {
    let (server, client) = cluster().await;
    let proxy = Proxy::new(&server, |_| Answer::Edit(Box::new(spoil))).await;
    create(&client, "good", "red").await;
    let through = proxy.client();
    let typed_writer = StoreWriter::<ConfigMap>::new(ConfigMap::INFO, Keep::Packed);
    let typed = typed_writer.store();
    let _typed = reflect(Reflector::new(paints(&through), typed_writer, quick()));
    let metadata_writer = StoreWriter::<PartialObjectMetadata>::new(ConfigMap::INFO, Keep::Decoded);
    let metadata = metadata_writer.store();
    let source = through.metadata(ConfigMap::INFO).namespace("default");
    let _metadata = reflect(Reflector::new(source, metadata_writer, listing()));
    // Objects without a type of their own fail by their transform.
    let options = InformerOptions::<Unstructured> {
        reflector: quick(),
        transform: Some(Arc::new(|object| {
            let is_spoilt = object.at(&["data", "color"]).is_none_or(|color| !color.is_string());
            assert!(!is_spoilt, "a panic that the test is about");
        })),
        ..Default::default()
    };
    let dynamic = Informer::new(through.dynamic(ConfigMap::INFO).namespace("default"), options);
    dynamic.start();
    soon("the first list", typed.wait_for_resource_version("1")).await.unwrap();
    soon("the first list", metadata.wait_for_resource_version("1")).await.unwrap();
    soon("the first list", dynamic.wait_for_sync()).await.unwrap();
    let known = typed.get("default/good").unwrap().resource_version().to_owned();
    let broken = repaint(&client, "good", MARK).await;
    soon("the change", typed.wait_for_resource_version(&broken)).await.unwrap();
    soon("the change", metadata.wait_for_resource_version(&broken)).await.unwrap();
    soon("the change", dynamic.store().wait_for_resource_version(&broken)).await.unwrap();
    let marks = [
        typed.get("default/good").map(|object| (object.resource_version().to_owned(), typed.undecodables())),
        metadata
            .get("default/good")
            .map(|object| (object.resource_version().to_owned(), metadata.undecodables())),
        (dynamic.store().get("default/good"))
            .map(|object| (object.resource_version().to_owned(), dynamic.store().undecodables())),
    ];
    for mark in marks {
        let (version, undecodables) = mark.unwrap();
        assert_eq!(version, known);
        assert_eq!(undecodables.len(), 1);
        assert_eq!(undecodables[0].resource_version.as_ref(), broken);
    }
    assert_eq!(dynamic.store().get("default/good").unwrap()["data"]["color"], "red");
    let last = repaint(&client, "good", "blue").await;
    soon("the change", typed.wait_for_resource_version(&last)).await.unwrap();
    soon("the change", dynamic.store().wait_for_resource_version(&last)).await.unwrap();
    assert!(typed.undecodables().is_empty() && dynamic.store().undecodables().is_empty());
    assert_eq!(dynamic.store().get("default/good").unwrap()["data"]["color"], "blue");
}

#[test]
fn an_object_is_named_as_far_as_it_can_be_read() {
    let text = |kind: &str| format!("{{\"metadata\":{{\"name\":{kind},\"namespace\":\"default\"}}}}");
    let encoded = |text: String| Encoded::<ConfigMap>::new(Format::Json, text.into_bytes());
    let identity = encoded(text("7")).identity();
    assert_eq!((identity.name.as_str(), identity.namespace.as_str()), ("", "default"));
    let store = StoreWriter::<ConfigMap>::new(ConfigMap::INFO, Keep::Packed);
    let error = store.put(encoded(text("7"))).unwrap_err();
    assert!(error.is_undecodable() && error.undecodable_object().unwrap().name.is_empty());
    let bad =
        "{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"5\",\"labels\":7,\"uid\":\"u\"},\"data\":[]}";
    let identity = encoded(bad.to_owned()).identity();
    assert_eq!((identity.to_string().as_str(), identity.uid.as_str()), ("a", "u"));
    assert_eq!(identity.resource_version.as_str(), "5");
}

/// It may be any of the objects that the list leaves out.
#[tokio::test]
async fn a_list_with_an_object_that_has_no_name_takes_nothing_away() {
    let (server, client) = cluster().await;
    create(&client, "a", "red").await;
    create(&client, "b", "red").await;
    let list = r#"{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"1000"},"items":[
        {"metadata":{"name":7,"namespace":"default","resourceVersion":"999"}}]}"#;
    let proxy = Proxy::new(&server, move |asked| match (asked.kind(), asked.number) {
        (Kind::List, 1) => Answer::Text(list.to_owned()),
        (Kind::List, 2) => Answer::Text(list.replace('7', "\"b\"")),
        (Kind::Watch, 0 | 1) => Answer::Failure(410, "Expired"),
        (Kind::Watch, _) => Answer::Silence,
        _ => Answer::Pass,
    })
    .await;
    let options = InformerOptions { reflector: listing(), ..Default::default() };
    let config = Config { encoding: Encoding::Json, ..proxy.config() };
    let informer = Informer::new(paints(&Client::new(config).unwrap()), options);
    let (mut told, _handler) = Told::of(&informer);
    informer.start();
    assert_eq!(told.sorted().await, ["+a red at first", "+b red at first"]);
    // The second list removes nothing; the third can be decoded in full.
    assert_eq!(told.sorted().await, ["-a red perhaps", "~b red to another "]);
}
