//! Objects that cannot be decoded: they are reported when they arrive, and the others are not affected.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use klient_api::core::v1::ConfigMap;
use klient_apimachinery::Object;
use klient_apimachinery::codec::Wire;
use klient_cache::{ErrorHandler, Informer, InformerOptions, Keep, ReflectorOptions};
use klient_client::{Client, Config, Encoding};

use crate::proxy::{Act, Answer, Proxy};
use crate::stage::{cluster, color, create, delete, listing, paints, quick, repaint, soon, words};

/// What a broken object holds, which the proxy makes something of that cannot be read.
const MARK: &str = "spoilt-object";

/// Breaks objects that are marked: in JSON, what should be a text is a number; in protobuf, it is no UTF-8.
fn spoil(piece: &Bytes) -> Act {
    let mut bytes = piece.to_vec();
    let (json, number) = (format!("\"{MARK}\""), "1".repeat(MARK.len() + 2));
    for (mark, instead) in
        [(json.as_bytes(), number.as_bytes()), (MARK.as_bytes(), [0xff; MARK.len()].as_slice())]
    {
        while let Some(at) = bytes.windows(mark.len()).position(|window| window == mark) {
            bytes[at..at + mark.len()].copy_from_slice(instead);
        }
    }
    Act::Instead(bytes.into())
}

fn keeping() -> (ErrorHandler, Arc<Mutex<Vec<klient_cache::Error>>>) {
    let errors = Arc::new(Mutex::new(Vec::new()));
    let told = errors.clone();
    (Arc::new(move |error| told.lock().unwrap().push(error.clone())), errors)
}

/// Every way in which typed objects come and are kept.
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
        soon("the first list", informer.store().wait_for(&last)).await.unwrap();
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
            assert!(errors.iter().all(|error| error.is_unreadable_object()), "{way}: {errors:?}");
            assert!(errors[0].to_string().starts_with("an object of configmaps is left out"), "{errors:?}");
        };
        told(1);

        create(&client, "watched", MARK).await;
        let last = create(&client, "third", "red").await;
        soon("the change", informer.store().wait_for(&last)).await.unwrap();
        assert_eq!(names(), ["good", "other", "third"], "{way}");
        told(2);
        // One that was there and cannot be read any more stays as it was last read.
        repaint(&client, "good", MARK).await;
        let last = repaint(&client, "other", "blue").await;
        soon("the change", informer.store().wait_for(&last)).await.unwrap();
        told(3);
        assert_eq!(color(&informer.store().get("default/other").unwrap()), "blue");
        assert_eq!(informer.metrics().lists, 1);
        // One that comes to be readable is there.
        let last = repaint(&client, "watched", "green").await;
        soon("the change", informer.store().wait_for(&last)).await.unwrap();
        assert_eq!(color(&informer.store().get("default/watched").unwrap()), "green");
        told(3);
        for name in ["good", "listed", "other", "watched", "third"] {
            delete(&client, name).await;
        }
    }
}

/// Of which object the end was told is not known: a list says which are there.
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

/// Whatever is put in the place of an object's bytes, what a store takes it can decode.
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
    use klient_apimachinery::Resource as _;
    use klient_apimachinery::codec::{Encoded, Format};
    let mut json = Vec::new();
    object.to_json(&mut json);
    let encoded = Encoded::of(object);
    let forms = [(Format::Json, json), (encoded.format(), encoded.bytes().to_vec())];
    let store = klient_cache::Store::<K>::new(ConfigMap::INFO, keep);
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
                // Looks into it, and so decodes it.
                let _ = K::uid(&object);
                store.remove(&object.key());
            }
        }
    }
    assert!(taken > 100, "{taken} were taken");
}
