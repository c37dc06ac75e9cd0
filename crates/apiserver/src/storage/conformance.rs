//! Conformance tests of storages, over plain objects.

use std::sync::Arc;

use bytes::Bytes;

use super::memory::HISTORY_BYTES;
use super::object::Selection;
use super::{
    ChangeKind, Draft, Key, Memory, Object, Page, Storage, StorageError, TableId, Unchanged,
    VERSION_PLACEHOLDER, Write,
};

/// One storage of each kind, with a history of `history` changes.
fn storages(history: usize) -> [Arc<dyn Storage>; 1] {
    [Arc::new(Memory::after(1, history))]
}

fn table() -> TableId {
    TableId("pods".into())
}

fn object(name: &str, label: &'static str) -> Draft {
    sized(name, label, 0)
}

/// An object with so many bytes beside its version.
fn sized(name: &str, label: &'static str, bytes: usize) -> Draft {
    draft(key(name), label, bytes)
}

fn in_namespace(namespace: &str, name: &str) -> Draft {
    draft(Key::new(Some(namespace), name), "x", 0)
}

fn draft(key: Key, label: &'static str, bytes: usize) -> Draft {
    let object = Object {
        key,
        version: 0,
        uid: "u".into(),
        schema_hash: 0,
        version_name: "".into(),
        is_terminating: false,
        json: Bytes::new(),
        protobuf: Default::default(),
        labels: [("l".into(), label.into())].into(),
        fields: Box::default(),
    };
    Draft::new(object, [VERSION_PLACEHOLDER.as_bytes(), &vec![b' '; bytes]].concat())
}

async fn create(
    store: &dyn Storage,
    object: Draft,
    needs: &[Unchanged],
) -> Result<Arc<Object>, StorageError> {
    store.commit(&table(), Write::Create { object, needs }).await
}

async fn update(store: &dyn Storage, object: Draft, from: u64) -> Result<Arc<Object>, StorageError> {
    store.commit(&table(), Write::Update { object, from }).await
}

async fn delete(store: &dyn Storage, last: Draft, from: u64) -> Result<Arc<Object>, StorageError> {
    store.commit(&table(), Write::Delete { last, from }).await
}

fn key(name: &str) -> Key {
    Key::new(Some("ns"), name)
}

/// Runs `create a`, `update a`, `delete a` …, and returns the version after each step.
async fn run(store: &dyn Storage, script: &str) -> Vec<u64> {
    let mut versions = Vec::new();
    for step in script.split(", ") {
        let mut words = step.split(' ');
        let (verb, name, label) = (words.next().unwrap(), words.next().unwrap(), words.next());
        let label = if label == Some("y") { "y" } else { "x" };
        let from = store.get(&table(), &key(name)).map(|object| object.version).unwrap_or_default();
        let done = match verb {
            "create" => create(store, object(name, label), &[]).await,
            "update" => update(store, object(name, label), from).await,
            _ => delete(store, object(name, label), from).await,
        };
        assert_eq!(done.unwrap().json, store.version().to_string());
        versions.push(store.version());
    }
    versions
}

fn names(
    store: &dyn Storage,
    at: Option<u64>,
    limit: Option<usize>,
    start: Option<&str>,
) -> Result<(String, Option<String>, usize), StorageError> {
    let selection = Selection::default();
    let listed =
        store.list(&table(), at, &Page { namespace: Some("ns"), selection: &selection, start, limit })?;
    let names: Vec<&str> = listed.objects.iter().map(|object| object.key.name()).collect();
    Ok((names.join(" "), listed.next, listed.remaining))
}

#[tokio::test]
async fn every_change_has_the_next_version() {
    for store in storages(100) {
        assert_eq!(run(&*store, "create a, create b, update a, delete a").await, [2, 3, 4, 5]);
        assert_eq!(create(&*store, object("b", "x"), &[]).await.unwrap_err(), StorageError::Exists);
        assert_eq!(update(&*store, object("b", "x"), 2).await.unwrap_err(), StorageError::Changed);
        assert_eq!(delete(&*store, object("a", "x"), 4).await.unwrap_err(), StorageError::Changed);
        assert_eq!(store.version(), 5);
    }
}

#[tokio::test]
async fn lists_read_what_was_true_at_a_version() {
    for store in storages(100) {
        run(&*store, "create a, create c, create b, update a, delete c, create d").await;
        let at = |version| names(&*store, Some(version), None, None).unwrap().0;
        assert_eq!(at(1), "");
        assert_eq!(at(3), "a c");
        assert_eq!(at(5), "a b c");
        assert_eq!(at(6), "a b");
        assert_eq!(at(7), "a b d");
        assert_eq!(names(&*store, Some(8), None, None).unwrap_err(), StorageError::Future { latest: 7 });
    }
}

#[tokio::test]
async fn pages_join_to_the_list_of_their_version() {
    for store in storages(100) {
        run(&*store, "create a, create b, create c, create d").await;
        let (first, next, remaining) = names(&*store, Some(5), Some(2), None).unwrap();
        assert_eq!((first.as_str(), next.as_deref(), remaining), ("a b", Some("ns/b\0"), 2));
        run(&*store, "delete c, create b2, create e").await;
        let (second, next, _) = names(&*store, Some(5), Some(2), next.as_deref()).unwrap();
        assert_eq!((second.as_str(), next), ("c d", None));
    }
}

#[tokio::test]
async fn namespaces_are_apart() {
    for store in storages(100) {
        run(&*store, "create a").await;
        for other in ["n", "ns-2", "nsx"] {
            create(&*store, in_namespace(other, "z"), &[]).await.unwrap();
        }
        assert_eq!(names(&*store, None, None, None).unwrap().0, "a");
    }
}

#[tokio::test]
async fn what_is_forgotten_is_refused() {
    for store in storages(2) {
        run(&*store, "create a, create b, create c, create d").await;
        assert_eq!(names(&*store, Some(2), None, None).unwrap_err(), StorageError::Compacted { oldest: 3 });
        assert_eq!(names(&*store, Some(3), None, None).unwrap().0, "a b");
        assert_eq!(store.watch_from(&table(), 2).unwrap_err(), StorageError::Compacted { oldest: 3 });
        let mut cursor = store.watch_from(&table(), 3).unwrap();
        run(&*store, "create e").await;
        assert_eq!(
            store.read_changes(&table(), &mut cursor).unwrap_err(),
            StorageError::Compacted { oldest: 4 }
        );
        store.compact();
        assert_eq!(names(&*store, Some(5), None, None).unwrap_err(), StorageError::Compacted { oldest: 6 });
        assert_eq!(names(&*store, Some(6), None, None).unwrap().0, "a b c d e");
    }
}

#[tokio::test]
async fn a_selector_sees_objects_come_and_go() {
    for store in storages(100) {
        let mut cursor = store.watch_from(&table(), 1).unwrap();
        run(&*store, "create a y, update a x, update a y, update a y, delete a y, create b x, delete b x")
            .await;
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
}

#[tokio::test]
async fn a_version_to_come_is_waited_for() {
    for store in storages(100) {
        let soon = std::time::Duration::from_millis(10);
        assert_eq!(store.wait_for(2, soon).await, Err(StorageError::Future { latest: 1 }));
        let waiting = tokio::spawn({
            let store = store.clone();
            async move { store.wait_for(2, std::time::Duration::from_secs(60)).await }
        });
        run(&*store, "create a").await;
        assert_eq!(waiting.await.unwrap(), Ok(()));
    }
}

#[tokio::test]
async fn one_who_follows_is_woken_by_changes_to_their_table_alone() {
    for store in storages(10_000) {
        let mut cursor = store.watch_from(&table(), 1).unwrap();
        let object = object("a", "x");
        store.commit(&TableId("others".into()), Write::Create { object, needs: &[] }).await.unwrap();
        let soon = std::time::Duration::from_millis(10);
        assert!(tokio::time::timeout(soon, cursor.changed()).await.is_err());
        let script: Vec<String> = (0..600).map(|i| format!("create n{i}")).collect();
        run(&*store, &script.join(", ")).await;
        let mut seen = 0;
        while seen < 600 {
            cursor.changed().await;
            seen += store.read_changes(&table(), &mut cursor).unwrap().changes.len();
        }
        assert!(tokio::time::timeout(soon, cursor.changed()).await.is_err());
    }
}

#[tokio::test]
async fn a_cursor_is_told_when_it_is_overtaken() {
    for store in storages(2) {
        run(&*store, "create a").await;
        let cursor = store.watch_from(&table(), 1).unwrap();
        let overtaken = async {
            store.overtakes(&table(), &cursor).await;
            store.version()
        };
        let changes = async {
            for _ in 0..4 {
                run(&*store, "update a").await;
                // Gives the waiting task time to check.
                tokio::task::yield_now().await;
                tokio::task::yield_now().await;
            }
        };
        let (at, ()) = tokio::join!(overtaken, changes);
        assert_eq!(at, 4, "the first of three changes is forgotten");
    }
}

#[tokio::test]
async fn earlier_states_are_forgotten_when_they_take_too_much() {
    for store in storages(1000) {
        // Four of them fit, with their versions.
        let large = || sized("a", "x", HISTORY_BYTES / 4 - 8);
        let mut last = create(&*store, large(), &[]).await.unwrap().version;
        let first = last;
        for _ in 0..6 {
            assert!(store.list(&table(), Some(last), &everything(&Selection::default())).is_ok());
            last = update(&*store, large(), last).await.unwrap().version;
        }
        let oldest = (first..=last)
            .find(|version| store.list(&table(), Some(*version), &everything(&Selection::default())).is_ok());
        assert_eq!(oldest, Some(last - 4));
    }
}

#[tokio::test]
async fn an_object_is_put_only_beside_what_it_needs() {
    for store in storages(100) {
        run(&*store, "create home").await;
        let home = store.get(&table(), &key("home")).unwrap();
        let needs = [Unchanged { table: table(), key: key("home"), version: home.version }];
        create(&*store, object("a", "x"), &needs).await.unwrap();
        run(&*store, "update home").await;
        let refused = create(&*store, object("b", "x"), &needs).await;
        assert_eq!(refused.unwrap_err(), StorageError::Changed);
        run(&*store, "delete home").await;
        let refused = create(&*store, object("b", "x"), &needs).await;
        assert_eq!(refused.unwrap_err(), StorageError::Changed);
        assert!(store.get(&table(), &key("b")).is_none());
    }
}

fn everything(selection: &Selection) -> Page<'_> {
    Page { namespace: None, selection, start: None, limit: None }
}
