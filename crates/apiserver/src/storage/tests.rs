//! What the store promises, over plain objects.

use std::sync::Arc;

use bytes::Bytes;

use super::object::Selection;
use super::{ChangeKind, Key, Object, Page, Store, StoreError, TableId, Unchanged};

fn table() -> TableId {
    TableId("pods".into())
}

fn object(name: &str, label: &'static str) -> impl FnMut(u64) -> Object {
    let key = Key::new(Some("ns"), name);
    move |version| Object {
        key: key.clone(),
        version,
        uid: "u".into(),
        form: 0,
        json: Bytes::new(),
        protobuf: Default::default(),
        labels: [("l".into(), label.into())].into(),
        fields: Box::default(),
    }
}

fn key(name: &str) -> Key {
    Key::new(Some("ns"), name)
}

/// Runs `create a`, `update a`, `delete a` …, and gives the version after each step.
fn run(store: &Store, script: &str) -> Vec<u64> {
    let mut versions = Vec::new();
    for step in script.split(", ") {
        let mut words = step.split(' ');
        let (verb, name, label) = (words.next().unwrap(), words.next().unwrap(), words.next());
        let label = if label == Some("y") { "y" } else { "x" };
        let from = store.get(&table(), &key(name)).map(|object| object.version).unwrap_or_default();
        let done = match verb {
            "create" => store.create(&table(), key(name), &[], &mut object(name, label)),
            "update" => store.update(&table(), &key(name), from, &mut object(name, label)),
            _ => store.delete(&table(), &key(name), from, &mut object(name, label)),
        };
        done.unwrap();
        versions.push(store.version());
    }
    versions
}

fn names(
    store: &Store,
    at: Option<u64>,
    limit: Option<usize>,
    start: Option<&str>,
) -> Result<(String, Option<String>, usize), StoreError> {
    let selection = Selection::default();
    let listed =
        store.list(&table(), at, &Page { namespace: Some("ns"), selection: &selection, start, limit })?;
    let names: Vec<&str> = listed.objects.iter().map(|object| object.key.name()).collect();
    Ok((names.join(" "), listed.next, listed.remaining))
}

#[test]
fn every_change_has_the_next_version() {
    let store = Store::new(100);
    assert_eq!(run(&store, "create a, create b, update a, delete a"), [2, 3, 4, 5]);
    assert_eq!(store.create(&table(), key("b"), &[], &mut object("b", "x")).unwrap_err(), StoreError::Exists);
    assert_eq!(store.update(&table(), &key("b"), 2, &mut object("b", "x")).unwrap_err(), StoreError::Changed);
    assert_eq!(store.delete(&table(), &key("a"), 4, &mut object("a", "x")).unwrap_err(), StoreError::Changed);
    assert_eq!(store.version(), 5);
}

#[test]
fn lists_read_what_was_true_at_a_version() {
    let store = Store::new(100);
    run(&store, "create a, create c, create b, update a, delete c, create d");
    let at = |version| names(&store, Some(version), None, None).unwrap().0;
    assert_eq!(at(1), "");
    assert_eq!(at(3), "a c");
    assert_eq!(at(5), "a b c");
    assert_eq!(at(6), "a b");
    assert_eq!(at(7), "a b d");
    assert_eq!(names(&store, Some(8), None, None).unwrap_err(), StoreError::Future { latest: 7 });
}

#[test]
fn pages_join_to_the_list_of_their_version() {
    let store = Store::new(100);
    run(&store, "create a, create b, create c, create d");
    let (first, next, remaining) = names(&store, Some(5), Some(2), None).unwrap();
    assert_eq!((first.as_str(), next.as_deref(), remaining), ("a b", Some("ns/b\0"), 2));
    run(&store, "delete c, create b2, create e");
    let (second, next, _) = names(&store, Some(5), Some(2), next.as_deref()).unwrap();
    assert_eq!((second.as_str(), next), ("c d", None));
}

#[test]
fn namespaces_are_apart() {
    let store = Store::new(100);
    run(&store, "create a");
    for other in ["n", "ns-2", "nsx"] {
        store.create(&table(), Key::new(Some(other), "z"), &[], &mut object("z", "x")).unwrap();
    }
    assert_eq!(names(&store, None, None, None).unwrap().0, "a");
}

#[test]
fn what_is_forgotten_is_refused() {
    let store = Store::new(2);
    run(&store, "create a, create b, create c, create d");
    assert_eq!(names(&store, Some(2), None, None).unwrap_err(), StoreError::Compacted { oldest: 3 });
    assert_eq!(names(&store, Some(3), None, None).unwrap().0, "a b");
    assert_eq!(store.watch_from(&table(), 2).unwrap_err(), StoreError::Compacted { oldest: 3 });
    let mut cursor = store.watch_from(&table(), 3).unwrap();
    run(&store, "create e");
    assert_eq!(store.read_changes(&table(), &mut cursor).unwrap_err(), StoreError::Compacted { oldest: 4 });
    store.compact();
    assert_eq!(names(&store, Some(5), None, None).unwrap_err(), StoreError::Compacted { oldest: 6 });
    assert_eq!(names(&store, Some(6), None, None).unwrap().0, "a b c d e");
}

#[test]
fn a_selector_sees_objects_come_and_go() {
    let store = Store::new(100);
    let mut cursor = store.watch_from(&table(), 1).unwrap();
    run(&store, "create a y, update a x, update a y, update a y, delete a y, create b x, delete b x");
    let selection = Selection { labels: "l=y".parse().unwrap(), ..Selection::default() };
    let tail = store.read_changes(&table(), &mut cursor).unwrap();
    let seen: Vec<(ChangeKind, u64)> = tail
        .changes
        .iter()
        .filter_map(|change| change.seen_by(None, &selection))
        .map(|(kind, object)| (kind, object.version))
        .collect();
    use ChangeKind::{Added, Deleted, Modified};
    assert_eq!(seen, [(Added, 2), (Deleted, 2), (Added, 4), (Modified, 5), (Deleted, 6)]);
    assert_eq!(tail.version, 8);
    assert!(store.read_changes(&table(), &mut cursor).unwrap().changes.is_empty());
}

#[tokio::test]
async fn a_version_to_come_is_waited_for() {
    let store = Arc::new(Store::new(100));
    let soon = std::time::Duration::from_millis(10);
    assert_eq!(store.wait_for(2, soon).await, Err(StoreError::Future { latest: 1 }));
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.wait_for(2, std::time::Duration::from_secs(60)).await }
    });
    run(&store, "create a");
    assert_eq!(waiting.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn one_who_follows_is_woken_by_changes_to_their_table_alone() {
    let store = Store::new(10_000);
    let mut cursor = store.watch_from(&table(), 1).unwrap();
    store.create(&TableId("others".into()), key("a"), &[], &mut object("a", "x")).unwrap();
    let soon = std::time::Duration::from_millis(10);
    assert!(tokio::time::timeout(soon, cursor.changed()).await.is_err());
    let script: Vec<String> = (0..600).map(|i| format!("create n{i}")).collect();
    run(&store, &script.join(", "));
    let mut seen = 0;
    while seen < 600 {
        cursor.changed().await;
        seen += store.read_changes(&table(), &mut cursor).unwrap().changes.len();
    }
    assert!(tokio::time::timeout(soon, cursor.changed()).await.is_err());
}

#[tokio::test]
async fn a_cursor_is_told_when_it_is_overtaken() {
    let store = Store::new(2);
    run(&store, "create a");
    let cursor = store.watch_from(&table(), 1).unwrap();
    let overtaken = async {
        store.overtakes(&table(), &cursor).await;
        store.version()
    };
    let changes = async {
        for _ in 0..4 {
            run(&store, "update a");
            // Who waits has time to look.
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        }
    };
    let (at, ()) = tokio::join!(overtaken, changes);
    assert_eq!(at, 4, "the first of three changes is forgotten");
}

#[test]
fn earlier_states_are_forgotten_when_they_take_too_much() {
    let store = Store::new(1000);
    let large = Bytes::from(vec![b' '; super::HISTORY_BYTES / 4]);
    let put = |from: Option<u64>| {
        let mut encode = |version| Object { json: large.clone(), ..object("a", "x")(version) };
        match from {
            None => store.create(&table(), key("a"), &[], &mut encode),
            Some(from) => store.update(&table(), &key("a"), from, &mut encode),
        }
    };
    let mut last = put(None).unwrap().version;
    let first = last;
    for _ in 0..6 {
        assert!(store.list(&table(), Some(last), &everything(&Selection::default())).is_ok());
        last = put(Some(last)).unwrap().version;
    }
    let oldest = (first..=last)
        .find(|version| store.list(&table(), Some(*version), &everything(&Selection::default())).is_ok());
    assert_eq!(oldest, Some(last - 4));
}

#[test]
fn an_object_is_put_only_beside_what_it_needs() {
    let store = Store::new(100);
    run(&store, "create home");
    let home = store.get(&table(), &key("home")).unwrap();
    let needs = [Unchanged { table: table(), key: key("home"), version: home.version }];
    store.create(&table(), key("a"), &needs, &mut object("a", "x")).unwrap();
    run(&store, "update home");
    let refused = store.create(&table(), key("b"), &needs, &mut object("b", "x"));
    assert_eq!(refused.unwrap_err(), StoreError::Changed);
    run(&store, "delete home");
    let refused = store.create(&table(), key("b"), &needs, &mut object("b", "x"));
    assert_eq!(refused.unwrap_err(), StoreError::Changed);
    assert!(store.get(&table(), &key("b")).is_none());
}

fn everything(selection: &Selection) -> Page<'_> {
    Page { namespace: None, selection, start: None, limit: None }
}
