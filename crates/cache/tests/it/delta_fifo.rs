//! The queue of the deltas of each key: client-go's own tests of its DeltaFIFO, as tables.
//!
//! An object is a name and a number: `foo5`. Steps are `+foo5` (add), `~foo5` (update), `-foo5` (delete),
//! `=foo5,bar6` (replace), `sync` (resync) and `pop`. What is taken is told as `foo[+5 ~6]`: `+` added, `~` updated,
//! `=` replaced, `s` to be looked at again, `-` deleted, `?` gone unseen.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::Resource as _;
use klient_cache::{
    Cached, DeltaFifo, DeltaFifoOptions, Keep, KeyDelta, KnownObjects, ObjectKey, StoreWriter,
};

use crate::cluster::config_map;

type Thing = (String, u32);
type Queue = DeltaFifo<String, Thing>;

fn thing(text: &str) -> Thing {
    let number = text.find(|letter: char| letter.is_ascii_digit()).unwrap();
    (text[..number].to_owned(), text[number..].parse().unwrap())
}

fn things(text: &str) -> Vec<Thing> {
    text.split(',').filter(|text| !text.is_empty()).map(thing).collect()
}

/// Known objects, in the order in which they are listed.
struct Known(Vec<Thing>);

impl KnownObjects<String, Thing> for Known {
    fn keys(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| name.clone()).collect()
    }

    fn get(&self, key: &String) -> Option<Thing> {
        self.0.iter().find(|(name, _)| name == key).cloned()
    }
}

fn queue(known: Option<&str>) -> Queue {
    let known_objects = known.map(|known| Arc::new(Known(things(known))) as Arc<dyn KnownObjects<_, _>>);
    DeltaFifo::new(|(name, _): &Thing| name.clone(), DeltaFifoOptions { known_objects, ..Default::default() })
}

fn told(delta: &KeyDelta<Thing>) -> String {
    let mark = match delta {
        KeyDelta::Added(_) => '+',
        KeyDelta::Updated(_) => '~',
        KeyDelta::Replaced(_) => '=',
        KeyDelta::Sync(_) => 's',
        KeyDelta::Deleted(_) => '-',
        KeyDelta::DeletedFinalStateUnknown(_) => '?',
        other => panic!("a delta that no test knows: {other:?}"),
    };
    delta.object().map_or(mark.to_string(), |(_, number)| format!("{mark}{number}"))
}

/// Pops a key, and formats its deltas.
async fn pop(queue: &Queue) -> String {
    let popped = queue.pop(|key, deltas, is_initial| {
        let deltas: Vec<_> = deltas.iter().map(told).collect();
        format!("{key}[{}]{}", deltas.join(" "), if is_initial { "!" } else { "" })
    });
    popped.await.unwrap()
}

async fn play(queue: &Queue, steps: &str) {
    for step in steps.split_whitespace() {
        match (&step[..1], &step[1..]) {
            ("+", object) => queue.add(thing(object)),
            ("~", object) => queue.update(thing(object)),
            ("-", object) => queue.delete(thing(object)),
            ("=", objects) => queue.replace(things(objects)),
            _ if step == "sync" => queue.resync(),
            _ => drop(pop(queue).await),
        }
    }
}

/// Runs steps, and compares everything that is popped afterwards. A key of the first list ends with `!`.
#[track_caller]
fn check(known: Option<&str>, steps: &str, expected: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let taken = runtime.block_on(async {
        let queue = queue(known);
        play(&queue, steps).await;
        let mut taken = Vec::new();
        while !queue.is_empty() {
            taken.push(pop(&queue).await);
        }
        taken.join(" ")
    });
    assert_eq!(taken, expected, "{steps}");
}

#[test]
fn a_key_comes_out_once_with_all_that_happened_to_it() {
    check(None, "+foo10 ~foo12 -foo15", "foo[+10 ~12 -15]");
    check(None, "+foo10 =foo15", "foo[+10 =15]");
    check(None, "+foo10 ~bar15 +qux17 -qux18 -baz20", "foo[+10] bar[~15] qux[+17 -18]");
    // foo does not jump the queue.
    check(None, "+foo10 +bar1 +foo11 +foo13 +zab30 pop +foo14", "bar[+1] zab[+30] foo[+14]");
}

#[test]
fn an_object_that_is_known_nowhere_is_not_deleted() {
    check(None, "-baz20", "");
    check(Some(""), "-baz20", "");
    check(Some("foo5,bar6,baz7"), "+foo10 ~bar15 -baz20", "foo[+10] bar[~15] baz[-20]");
    check(Some(""), "+foo5 -foo6", "foo[+5 -6]");
}

#[test]
fn what_waits_and_is_not_in_a_list_is_gone() {
    for known in [None, Some("")] {
        check(known, "+foo2 =", "foo[+2 ?2]");
        check(known, "+foo2 =foo2 =", "foo[+2 =2 ?2]");
        check(known, "+foo2 -foo2 =", "foo[+2 -2]");
        check(known, "+foo2 =foo2 =foo2 =", "foo[+2 =2 =2 ?2]");
        check(known, "+foo2 = =", "foo[+2 ?2]");
        check(known, "+foo2 -foo2 +foo3 =", "foo[+2 -2 +3 ?3]");
    }
    check(None, "+baz10 =foo5", "baz[+10 ?10] foo[=5]");
}

#[test]
fn what_is_known_and_not_in_a_list_is_gone() {
    let known = Some("foo5,bar6,baz7");
    check(known, "-baz10 =foo5", "baz[-10] foo[=5] bar[?6]");
    check(known, "+baz10 =foo5", "baz[+10 ?10] foo[=5] bar[?6]");
    check(known, "-bar6 +bar100 =foo5", "bar[-6 +100 ?100] foo[=5] baz[?7]");
    check(known, "=bar100,foo5 =foo5", "bar[=100 ?100]! foo[=5 =5]! baz[?7]!");
    check(Some("foo1"), "-foo1 =foo2", "foo[-1 =2]");
}

#[test]
fn of_deletions_in_a_row_the_one_that_was_seen_is_kept() {
    check(None, "+foo1 -foo2 -foo3", "foo[+1 -2]");
    check(None, "+foo1 = -foo2", "foo[+1 -2]");
    check(None, "+foo1 -foo2 =", "foo[+1 -2]");
    check(None, "+foo1 -foo2 +foo3 -foo4", "foo[+1 -2 +3 -4]");
}

#[test]
fn only_what_does_not_wait_is_looked_at_again() {
    check(None, "sync", "");
    check(Some("foo5"), "sync", "foo[s5]!");
    check(Some("foo5"), "sync sync", "foo[s5]!");
    check(Some("foo5"), "-foo10 sync", "foo[-10]");
    check(Some("foo5"), "~foo6 sync", "foo[~6]");
    check(Some("foo5,bar6"), "~foo6 sync", "foo[~6] bar[s6]");
}

#[test]
fn the_first_list_is_done_when_all_its_keys_were_taken() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for (known, steps, has_synced) in [
        (None, "", false),
        (None, "+a1", true),
        (None, "~a1", true),
        (None, "-a1", true),
        (None, "sync", false),
        (None, "=", true),
        (None, "=a1,b2", false),
        (None, "=a1,b2 pop", false),
        (None, "=a1,b2 pop pop", true),
        (None, "=a1,a2 pop", true),
        (None, "+a1 =a1,b2", true),
        (Some("foo5,bar6,baz7"), "=foo5 pop pop", false),
        (Some("foo5,bar6,baz7"), "=foo5 pop pop pop", true),
    ] {
        let queue = queue(known);
        runtime.block_on(play(&queue, steps));
        assert_eq!(queue.has_synced(), has_synced, "{steps}");
    }
    check(Some("foo5,bar6,baz7"), "=foo5", "foo[=5]! bar[?6]! baz[?7]!");
}

#[test]
fn objects_are_transformed_once_before_they_are_added() {
    let runs = Arc::new(AtomicUsize::new(0));
    let counting = runs.clone();
    let options = DeltaFifoOptions {
        known_objects: Some(Arc::new(Known(things("known7"))) as Arc<dyn KnownObjects<_, _>>),
        transform: Some(Arc::new(move |object: &mut Thing| {
            counting.fetch_add(1, Ordering::Relaxed);
            object.1 += 100;
        })),
    };
    let queue = DeltaFifo::new(|(name, _): &Thing| name.clone(), options);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let taken = runtime.block_on(async {
        play(&queue, "sync +foo1 +bar2 ~foo3 -foo4 =qux5").await;
        let mut taken = Vec::new();
        while !queue.is_empty() {
            taken.push(pop(&queue).await);
        }
        taken
    });
    // Tombstones and known objects have been transformed already.
    assert_eq!(taken, ["known[s7 ?7]", "foo[+101 ~103 -104]", "bar[+102 ?102]", "qux[=105]"]);
    assert_eq!(runs.load(Ordering::Relaxed), 5);
}

#[tokio::test]
async fn those_who_wait_are_told_when_the_queue_is_closed() {
    let queue = Arc::new(queue(None));
    let waiting: Vec<_> = (0..10)
        .map(|_| {
            let queue = queue.clone();
            tokio::spawn(async move { queue.pop(|key, _, _| key.clone()).await })
        })
        .collect();
    tokio::task::yield_now().await;
    queue.add(thing("foo1"));
    queue.close();
    assert!(queue.is_closed());
    let mut taken = Vec::new();
    for one in waiting {
        taken.extend(one.await.unwrap());
    }
    assert_eq!(taken, ["foo"]);
}

#[tokio::test]
async fn many_add_and_each_keeps_its_order() {
    let queue = Arc::new(queue(None));
    for source in ["a", "b"] {
        let queue = queue.clone();
        tokio::spawn(async move {
            for number in 0..500 {
                queue.add((format!("{source}-{number}"), number));
                tokio::task::yield_now().await;
            }
        });
    }
    let mut last: HashMap<String, u32> = HashMap::new();
    for _ in 0..1000 {
        let taken = queue.pop(|key, deltas, _| (key.clone(), deltas[0].object().unwrap().1)).await;
        let (key, number) = taken.unwrap();
        let source = key.split('-').next().unwrap().to_owned();
        if let Some(before) = last.insert(source, number) {
            assert_eq!(before + 1, number);
        }
    }
}

#[tokio::test]
async fn what_is_known_may_change_while_a_key_is_in_hand() {
    let known = Arc::new(Mutex::new(HashMap::new()));
    let options = DeltaFifoOptions {
        known_objects: Some(known.clone() as Arc<dyn KnownObjects<_, _>>),
        ..Default::default()
    };
    let queue = DeltaFifo::new(|(name, _): &Thing| name.clone(), options);
    queue.replace(things("a1,b1"));
    for _ in 0..2 {
        queue
            .pop(|key, mut deltas, _| {
                if let Some(KeyDelta::Replaced(object)) = deltas.pop() {
                    known.lock().unwrap().insert(key.clone(), object);
                }
            })
            .await;
    }
    queue.wait_for_sync().await;
    queue.replace(things("a2"));
    assert_eq!(pop(&queue).await, "a[=2]");
    assert_eq!(pop(&queue).await, "b[?1]");
}

#[tokio::test]
async fn a_store_can_be_what_is_known() {
    let store = StoreWriter::new(ConfigMap::INFO, Keep::Packed);
    store.put_object(&config_map("a", "red")).unwrap();
    let options = DeltaFifoOptions {
        known_objects: Some(Arc::new(store.store()) as Arc<dyn KnownObjects<_, _>>),
        ..Default::default()
    };
    let queue: DeltaFifo<ObjectKey, Cached<ConfigMap>> = DeltaFifo::new(Cached::key, options);
    queue.replace(Vec::new());
    let gone = queue.pop(|key, deltas, _| (key.to_string(), deltas[0].object().is_some())).await;
    assert_eq!(gone, Some(("a".to_owned(), true)));
}
