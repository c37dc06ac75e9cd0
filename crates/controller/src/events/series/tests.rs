//! Tables of events and the writes that they lead to.

use klient_api::core::v1::ObjectReference;
use klient_apimachinery::MicroTime;

use super::*;
use crate::events::event::Event as Recorded;

fn event(pod: &str, reason: &str, note: &str, at: u64) -> Arc<RecordedEvent> {
    let regarding = ObjectReference {
        name: Some(pod.into()),
        namespace: Some("shop".into()),
        // Not the same from one event to the next.
        resource_version: Some(at.to_string().into()),
        ..Default::default()
    };
    let event = Recorded { reason: reason.into(), note: note.into(), ..Default::default() };
    Arc::new(RecordedEvent {
        event,
        regarding,
        reporter: crate::events::Reporter { controller: "kubelet".into(), ..Default::default() },
        time: MicroTime::from_unix_micros(i64::try_from(at).unwrap() * 1_000_000),
        name: format!("{pod}.{at}").into(),
        namespace: "shop".into(),
    })
}

/// `NAME`, or `NAME xCOUNT @LAST`, of each write.
fn shown(writes: &[SeriesWrite]) -> String {
    let one = |write: &SeriesWrite| {
        let name = write.object.metadata.name.as_deref().unwrap();
        match &write.object.series {
            None => name.to_owned(),
            Some(series) => {
                format!("{name} x{} @{}", series.count, series.last_observed_time.unix_micros() / 1_000_000)
            }
        }
    };
    let mut writes: Vec<_> = writes.iter().map(one).collect();
    writes.sort();
    writes.join(", ")
}

#[test]
fn the_second_event_begins_a_series_and_later_ones_are_counted() {
    let mut cache = SeriesCache::new(SeriesOptions::default());
    for (at, pod, reason, note, expected) in [
        (1, "a", "Pulled", "x", "a.1"),
        // The note makes no difference.
        (2, "a", "Pulled", "y", "a.1 x2 @2"),
        (3, "a", "Pulled", "x", ""),
        (4, "b", "Pulled", "x", "b.4"),
        (5, "a", "Pulling", "x", "a.5"),
        (6, "a", "Pulled", "x", ""),
    ] {
        let writes = cache.observe(event(pod, reason, note, at), Duration::from_secs(at));
        assert_eq!(shown(&writes), expected, "at {at}");
    }
    assert_eq!(shown(&cache.flush()), "a.1 x4 @6");
    assert_eq!(shown(&cache.flush()), "");
}

#[test]
fn a_series_is_written_every_30_minutes_and_ends_after_6_idle_ones() {
    let mut cache = SeriesCache::new(SeriesOptions::default());
    let mut tick = |minute: u64| {
        let at = minute * 60;
        let mut events = String::new();
        if minute <= 40 {
            events = shown(&cache.observe(event("a", "Pulled", "x", at), Duration::from_secs(at)));
        }
        (events, shown(&cache.tick(Duration::from_secs(at))))
    };
    for minute in 0..60 {
        let (observed, ticked) = tick(minute);
        let expected = match minute {
            0 => ("a.0", ""),
            1 => ("a.0 x2 @60", ""),
            31 => ("", "a.0 x32 @1860"),
            46 => ("", "a.0 x41 @2400"),
            _ => ("", ""),
        };
        assert_eq!((observed.as_str(), ticked.as_str()), expected, "minute {minute}");
    }
    // The next is a new event.
    assert_eq!(shown(&cache.observe(event("a", "Pulled", "x", 3600), Duration::from_secs(3600))), "a.3600");
}

#[test]
fn a_series_that_is_forgotten_is_written() {
    let lru_cache_size = NonZeroUsize::MIN;
    let mut cache = SeriesCache::new(SeriesOptions { lru_cache_size, ..Default::default() });
    for (at, pod, expected) in
        [(1, "a", "a.1"), (2, "a", "a.1 x2 @2"), (3, "a", ""), (4, "b", "a.1 x3 @3, b.4"), (5, "c", "c.5")]
    {
        let writes = cache.observe(event(pod, "Pulled", "x", at), Duration::from_secs(at));
        assert_eq!(shown(&writes), expected, "at {at}");
    }
}
