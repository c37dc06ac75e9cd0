//! Complete lists from changes: client-go's own tests.

use klient_cache::UndeltaStore;

/// The lists that are passed on after some changes.
fn pushed(
    change: impl FnOnce(
        &mut UndeltaStore<&'static str, (&'static str, u32), &mut dyn FnMut(Vec<(&'static str, u32)>)>,
    ),
) -> Vec<Vec<(&'static str, u32)>> {
    let mut pushed = Vec::new();
    let mut push = |all| pushed.push(all);
    let mut store: UndeltaStore<_, _, &mut dyn FnMut(_)> =
        UndeltaStore::new(|(name, _): &(&'static str, u32)| *name, &mut push);
    change(&mut store);
    drop(store);
    pushed
}

#[test]
fn every_change_hands_on_all_there_is() {
    let all = pushed(|store| {
        store.put(("a", 2));
        store.put(("a", 1));
        store.put(("b", 7));
        store.remove(&"a");
        store.remove(&"never");
        store.replace(vec![("d", 2), ("c", 1)]);
    });
    assert_eq!(
        all,
        [
            vec![("a", 2)],
            vec![("a", 1)],
            vec![("a", 1), ("b", 7)],
            vec![("b", 7)],
            vec![("b", 7)],
            vec![("c", 1), ("d", 2)],
        ]
    );
}

#[test]
fn reading_hands_nothing_on() {
    let all = pushed(|store| {
        assert!(store.get(&"a").is_none());
        assert_eq!(store.iter().count(), 0);
    });
    assert!(all.is_empty());
}
