//! Stores by themselves: all reads agree with a simple model.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::Resource as _;
use klient_apimachinery::codec::{DecodeError, Encoded, Wire};
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_cache::{Cached, Indexer, Keep, NAMESPACE_INDEX, ObjectKey, Store, StoreWriter};

use crate::stage::{color, soon};

fn object(key: &ObjectKey, color: &str, version: u64) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(key.name().into()),
            namespace: key.namespace().map(Into::into),
            uid: Some(format!("uid-{key}").into()),
            resource_version: Some(version.to_string().into()),
            labels: [("color", color), ("place", key.namespace().unwrap_or("none"))].into(),
            ..Default::default()
        },
        data: [("color", color)].into(),
        ..Default::default()
    }
}

fn encoded(key: &ObjectKey, color: &str, version: u64) -> Encoded<ConfigMap> {
    Encoded::of(&object(key, color, version))
}

/// A store beside a map as its model.
#[test]
fn whatever_is_done_to_a_store_it_holds_what_a_map_would() {
    let seed = crate::faults::seed();
    let mut random = fastrand::Rng::with_seed(seed);
    for keep in [Keep::Packed, Keep::Decoded] {
        let store = StoreWriter::new(ConfigMap::INFO, keep);
        let mut model: BTreeMap<String, (String, u64)> = BTreeMap::new();
        store.add_indexer("before", by_color()).unwrap();
        let mut snapshots = Vec::new();
        for version in 1..3000 {
            let key = random_key(&mut random);
            let color = random.choice(["red", "blue", "green"]).unwrap();
            match random.u8(..100) {
                0..60 => {
                    store.put(encoded(&key, color, version)).unwrap();
                    model.insert(key.to_string(), (color.to_owned(), version));
                }
                60..95 => {
                    let was_there = model.remove(key.as_str()).is_some();
                    assert_eq!(store.remove(&key), was_there, "{key}, seed {seed}");
                }
                95..97 => {
                    let keys: Vec<_> = (0..random.usize(..60)).map(|_| random_key(&mut random)).collect();
                    let all = keys.iter().map(|key| encoded(key, color, version)).collect();
                    store.replace(all, &version.to_string()).unwrap();
                    model = keys.iter().map(|key| (key.to_string(), (color.to_owned(), version))).collect();
                }
                97 if version > 1000 && store.index_values("after").is_err() => {
                    store.add_indexer("after", by_color()).unwrap();
                }
                _ => snapshots.push((store.snapshot(), model.clone())),
            }
            if version % 50 == 0 {
                check(&store, &model, seed);
            }
        }
        for (snapshot, model) in &snapshots {
            let found = found(snapshot.iter());
            assert_eq!((snapshot.len(), &found), (model.len(), model), "seed {seed}");
        }
    }
}

fn by_color() -> Indexer<ConfigMap> {
    Indexer::new(|object: &Cached<ConfigMap>| Some(color(object).to_owned()))
}

fn random_key(random: &mut fastrand::Rng) -> ObjectKey {
    let namespace = random.choice([None, Some("a"), Some("b"), Some("c")]).unwrap();
    ObjectKey::new(namespace, &format!("n{}", random.u8(..40)))
}

fn found(objects: impl IntoIterator<Item = Cached<ConfigMap>>) -> BTreeMap<String, (String, u64)> {
    let state =
        |object: &Cached<ConfigMap>| (color(object).to_owned(), object.resource_version().parse().unwrap());
    objects.into_iter().map(|object| (object.key().to_string(), state(&object))).collect()
}

/// Compares the results of all reads.
#[track_caller]
fn check(store: &Store<ConfigMap>, model: &BTreeMap<String, (String, u64)>, seed: u64) {
    let those = |is: &dyn Fn(&str, &str) -> bool| -> BTreeMap<String, (String, u64)> {
        let those = model.iter().filter(|(key, (color, _))| is(key, color));
        those.map(|(key, state)| (key.clone(), state.clone())).collect()
    };
    assert_eq!((&found(store.list()), store.len()), (model, model.len()), "seed {seed}");
    let mut keys: Vec<_> = store.keys().iter().map(ToString::to_string).collect();
    keys.sort();
    assert!(keys.iter().eq(model.keys()), "seed {seed}");
    for (key, (color, version)) in model {
        let object = store.get(key).unwrap();
        assert_eq!(
            (object.data["color"].as_str(), object.resource_version()),
            (color.as_str(), &*version.to_string())
        );
        assert_eq!(object.metadata.uid.as_deref(), Some(object.uid()));
    }
    for namespace in ["", "a", "b", "c", "d"] {
        let is_there =
            |key: &str, _: &str| key.split_once('/').map_or("", |(namespace, _)| namespace) == namespace;
        let wanted = those(&is_there);
        assert_eq!(found(store.list_in(namespace)), wanted, "in {namespace:?}, seed {seed}");
        assert_eq!(found(store.by_index(NAMESPACE_INDEX, namespace).unwrap()), wanted);
        let selector = "color in (red,blue)".parse().unwrap();
        let wanted = those(&|key, color| is_there(key, color) && color != "green");
        assert_eq!(found(store.select_in(namespace, &selector)), wanted, "in {namespace:?}, seed {seed}");
    }
    for color in ["red", "blue", "green", "white"] {
        let wanted = those(&|_, other| other == color);
        for index in ["before", "after"] {
            if let Ok(objects) = store.by_index(index, color) {
                assert_eq!(found(objects), wanted, "{index} {color}, seed {seed}");
                assert_eq!(
                    store.index_values(index).unwrap().iter().any(|value| value == color),
                    !wanted.is_empty()
                );
                assert_eq!(store.index_keys(index, color).unwrap().len(), wanted.len());
            }
        }
        let is_color = |selector: &str| found(store.select(&selector.parse().unwrap()));
        assert_eq!(is_color(&format!("color={color}")), wanted, "seed {seed}");
        assert_eq!(is_color(&format!("color!={color}")), those(&|_, other| other != color), "seed {seed}");
        let here = those(&|key, other| other == color && key.starts_with("a/"));
        assert_eq!(is_color(&format!("place=a,color={color}")), here, "seed {seed}");
    }
}

#[test]
fn a_list_with_one_object_that_cannot_be_read_changes_nothing() {
    let store = StoreWriter::new(ConfigMap::INFO, Keep::Packed);
    let key: ObjectKey = "a/one".parse().unwrap();
    store.put(encoded(&key, "red", 1)).unwrap();
    let nameless = Encoded::of(&ConfigMap::default());
    let error = store.replace(vec![encoded(&key, "blue", 2), nameless], "2").unwrap_err();
    assert_eq!(
        error.to_string(),
        "an object of configmaps cannot be decoded and is left out: it has no name"
    );
    assert_eq!(color(&store.get("a/one").unwrap()), "red");
    let error = store.by_index("unknown", "red").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the store of configmaps has no index \"unknown\": add it with add_indexer()"
    );
}

#[tokio::test]
async fn a_version_is_waited_for_by_as_many_as_like() {
    let store = StoreWriter::<ConfigMap>::new(ConfigMap::INFO, Keep::Packed);
    let waiting: Vec<_> = (1..=20_u64)
        .map(|version| {
            let store = store.clone();
            tokio::spawn(async move {
                store.wait_for_resource_version(&version.to_string()).await.unwrap();
                store.get("a/one").unwrap().resource_version().parse::<u64>().unwrap() >= version
            })
        })
        .collect();
    let key: ObjectKey = "a/one".parse().unwrap();
    for version in 1..=20 {
        store.put(encoded(&key, "red", version)).unwrap();
        tokio::task::yield_now().await;
    }
    for one in waiting {
        assert!(soon("a version", one).await.unwrap());
    }
}

/// Counted per thread, so that other tests do not count.
static DECODED: AtomicUsize = AtomicUsize::new(0);

struct Counted(ConfigMap);

impl Drop for Counted {
    fn drop(&mut self) {
        DECODED.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Wire for Counted {
    fn from_json(bytes: &[u8]) -> Result<Self, DecodeError> {
        let object = ConfigMap::from_json(bytes)?;
        DECODED.fetch_add(1, Ordering::Relaxed);
        Ok(Counted(object))
    }

    fn to_json(&self, out: &mut Vec<u8>) {
        self.0.to_json(out);
    }
}

klient_apimachinery::object!(Counted, 0);

#[test]
fn what_is_decoded_is_shared_by_all_who_hold_it_and_then_freed() {
    let store = StoreWriter::<Counted>::new(ConfigMap::INFO, Keep::Packed);
    let key: ObjectKey = "a/one".parse().unwrap();
    let mut json = Vec::new();
    object(&key, "red", 1).to_json(&mut json);
    store.put(Encoded::new(klient_apimachinery::codec::Format::Json, json)).unwrap();
    let decoded = || DECODED.load(Ordering::Relaxed);
    assert_eq!(decoded(), 0);
    let (one, two) = (store.get("a/one").unwrap(), store.get("a/one").unwrap());
    assert_eq!((one.name(), decoded()), ("one", 0));
    assert_eq!(color(&one.0), "red");
    let three = one.clone();
    let four = store.snapshot().iter().next().unwrap();
    assert!(std::ptr::eq(&**one, &**two) && std::ptr::eq(&**two, &**three) && std::ptr::eq(&**two, &**four));
    assert!(one.is_same(&four));
    assert_eq!(decoded(), 1);
    drop((one, two));
    // Handles stay valid after the store has removed the object.
    assert!(store.remove(&key));
    assert_eq!((color(&three.0), decoded()), ("red", 1));
    drop((three, four));
    assert_eq!(decoded(), 0);
}

impl std::ops::Deref for Counted {
    type Target = ConfigMap;

    fn deref(&self) -> &ConfigMap {
        &self.0
    }
}

#[test]
fn the_version_of_a_store_goes_back_only_with_a_list() {
    let store = StoreWriter::<ConfigMap>::new(ConfigMap::INFO, Keep::Packed);
    let key = ObjectKey::new(Some("shop"), "a");
    store.put(encoded(&key, "red", 9)).unwrap();
    store.put(encoded(&key, "blue", 7)).unwrap();
    assert_eq!(&*store.resource_version(), "9");
    store.put(encoded(&key, "blue", 10)).unwrap();
    assert_eq!(&*store.resource_version(), "10");
    store.replace(vec![encoded(&key, "blue", 2)], "3").unwrap();
    assert_eq!(&*store.resource_version(), "3");
}
