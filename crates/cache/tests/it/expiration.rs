//! Caches whose objects expire: client-go's own tests, with paused time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use klient_cache::{ExpirationCache, ttl_policy};
use tokio::time::advance;

type Pair = (&'static str, &'static str);
type Cache = ExpirationCache<&'static str, Pair>;

const LIMIT: Duration = Duration::from_secs(30);

fn timed(limit: Duration) -> Cache {
    ExpirationCache::new(|(key, _): &Pair| *key, ttl_policy(limit))
}

/// A cache in which all objects but those of some keys have expired.
fn forgetful(kept: &'static [&'static str]) -> Cache {
    ExpirationCache::new(|(key, _): &Pair| *key, Box::new(|(key, _), _| !kept.contains(key)))
}

#[tokio::test(start_paused = true)]
async fn what_is_older_than_the_limit_is_forgotten() {
    for (limit, age, is_there) in [
        (LIMIT, Duration::ZERO, true),
        (LIMIT, LIMIT, true),
        (LIMIT, LIMIT + Duration::from_nanos(1_000_000), false),
        (Duration::ZERO, Duration::from_secs(1_000_000), true),
    ] {
        let cache = timed(limit);
        cache.put(("foo", "bar"));
        advance(age).await;
        assert_eq!(cache.get(&"foo").is_some(), is_there, "{limit:?} {age:?}");
        assert_eq!(cache.keys().len(), usize::from(is_there));
    }
}

#[test]
fn an_object_is_forgotten_when_it_is_looked_for() {
    let cache = forgetful(&[]);
    cache.put(("foo", "bar"));
    assert_eq!(cache.keys(), ["foo"]);
    assert_eq!(cache.get(&"foo"), None);
    assert!(cache.keys().is_empty());
}

#[test]
fn what_was_forgotten_may_come_again() {
    let kept = Arc::new(Mutex::new(false));
    let keep = kept.clone();
    let cache: Cache =
        ExpirationCache::new(|(key, _): &Pair| *key, Box::new(move |_, _| !*keep.lock().unwrap()));
    cache.put(("foo", "bar"));
    assert_eq!(cache.get(&"foo"), None);
    cache.put(("foo", "different"));
    *kept.lock().unwrap() = true;
    assert_eq!(cache.get(&"foo"), Some(("foo", "different")));
}

#[test]
fn a_list_forgets_all_that_is_too_old() {
    let cache = forgetful(&["foo1"]);
    cache.replace(vec![("foo", "bar"), ("foo1", "bar1"), ("foo2", "bar2")]);
    assert_eq!(cache.keys().len(), 3);
    assert_eq!(cache.list(), [("foo1", "bar1")]);
    assert_eq!(cache.keys(), ["foo1"]);
}

#[tokio::test(start_paused = true)]
async fn putting_an_object_again_makes_it_new() {
    let cache = timed(LIMIT);
    cache.put(("a", "1"));
    cache.put(("b", "1"));
    advance(LIMIT).await;
    cache.put(("a", "1"));
    advance(Duration::from_secs(1)).await;
    assert_eq!(cache.list(), [("a", "1")]);
    assert_eq!(cache.remove(&"a"), Some(("a", "1")));
    assert_eq!(cache.remove(&"a"), None);

    cache.put(("c", "1"));
    advance(2 * LIMIT).await;
    assert_eq!(cache.remove(&"c"), None);
}
