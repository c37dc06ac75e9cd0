//! Tables of events and what becomes of them.

use klient_api::core::v1::{EventSource, ObjectReference};

use super::*;

/// An event of a pod: `REASON MESSAGE`, by the time it comes.
fn event(pod: &str, type_: &str, reason: &str, message: &str, at: u64) -> Event {
    let text = |text: &str| Some(Str::from(text));
    let time = Time::from_unix(i64::try_from(at).unwrap());
    Event {
        metadata: ObjectMeta::named(format!("{pod}.{at}")).in_namespace("shop"),
        involved_object: ObjectReference { name: text(pod), namespace: text("shop"), ..Default::default() },
        reason: text(reason),
        message: text(message),
        source: Some(Box::new(EventSource { component: text("kubelet"), ..Default::default() })),
        first_timestamp: Some(time),
        last_timestamp: Some(time),
        count: Some(1),
        type_: text(type_),
        ..Default::default()
    }
}

/// `create NAME`, `patch NAME to COUNT` or `skip`, and the message.
fn outcome(correlator: &mut Correlator, event: Event, at: u64) -> String {
    match correlator.correlate(event, Duration::from_secs(at)) {
        Correlation::Skip => "skip".to_owned(),
        Correlation::Write { object, patch } => {
            let (name, message) = (object.metadata.name.unwrap(), object.message.unwrap());
            match patch {
                None => format!("create {name}: {message}"),
                Some(patch) => {
                    assert_eq!(patch["message"], message.as_str());
                    let last = patch["lastTimestamp"].as_str().unwrap().parse::<Time>().unwrap();
                    assert_eq!(Some(last), object.last_timestamp);
                    format!("patch {name} to {}: {message}", patch["count"])
                }
            }
        }
    }
}

fn generous() -> CorrelatorOptions {
    CorrelatorOptions { burst_size: 1000, ..Default::default() }
}

#[test]
fn identical_events_are_counted_in_one_object() {
    let mut correlator = Correlator::new(CorrelatorOptions::default());
    for (at, pod, type_, reason, message, expected) in [
        (1, "a", "Normal", "Pulled", "x", "create a.1: x"),
        (2, "a", "Normal", "Pulled", "x", "patch a.1 to 2: x"),
        // Another object, type, reason or message is another event.
        (3, "b", "Normal", "Pulled", "x", "create b.3: x"),
        (4, "a", "Warning", "Pulled", "x", "create a.4: x"),
        (5, "a", "Normal", "Pulling", "x", "create a.5: x"),
        (6, "a", "Normal", "Pulled", "y", "create a.6: y"),
        (9000, "a", "Normal", "Pulled", "x", "patch a.1 to 3: x"),
    ] {
        let got = outcome(&mut correlator, event(pod, type_, reason, message, at), at);
        assert_eq!(got, expected, "at {at}");
    }
}

#[test]
fn ten_distinct_messages_within_ten_minutes_are_combined() {
    let mut correlator = Correlator::new(generous());
    let mut warn =
        |message: &str, at| outcome(&mut correlator, event("a", "Warning", "BackOff", message, at), at);
    for at in 1..10 {
        assert_eq!(warn(&format!("m{at}"), at), format!("create a.{at}: m{at}"));
    }
    for (at, message, expected) in [
        (10, "m1", "patch a.1 to 2: m1"),
        (11, "m10", "create a.11: (combined from similar events): m10"),
        (12, "m11", "patch a.11 to 2: (combined from similar events): m11"),
        // Those that had an object are combined too.
        (13, "m1", "patch a.11 to 3: (combined from similar events): m1"),
        // Each event prolongs the time.
        (613, "m12", "patch a.11 to 4: (combined from similar events): m12"),
        (1214, "m13", "create a.1214: m13"),
        (1215, "m1", "patch a.1 to 3: m1"),
    ] {
        assert_eq!(warn(message, at), expected, "at {at}");
    }
}

#[test]
fn a_component_has_25_events_of_an_object_and_one_more_in_five_minutes() {
    let mut correlator = Correlator::new(CorrelatorOptions::default());
    let mut accepted = |pod: &str, type_: &str, count: usize, at: u64| {
        let one = |_| outcome(&mut correlator, event(pod, type_, "Pulled", "x", at), at);
        (0..count).map(one).filter(|outcome| outcome != "skip").count()
    };
    for (at, pod, type_, count, expected) in [
        (0, "a", "Normal", 30, 25),
        (0, "a", "Warning", 30, 25),
        (0, "b", "Normal", 1, 1),
        (299, "a", "Normal", 3, 0),
        (300, "a", "Normal", 3, 1),
        (900, "a", "Normal", 3, 2),
        (100_000, "a", "Normal", 30, 25),
    ] {
        assert_eq!(accepted(pod, type_, count, at), expected, "{count} events of {pod} at {at}");
    }
    // Those that were not written are counted.
    let next = outcome(&mut correlator, event("a", "Normal", "Pulled", "x", 200_000), 200_000);
    assert!(next.ends_with("to 70: x"), "{next}");
}

#[test]
fn a_spam_key_of_ones_own_separates_reasons() {
    let by_reason =
        CorrelatorOptions { spam_key: Arc::new(CorrelatorOptions::spam_key_by_reason), ..Default::default() };
    for (options, expected) in [(CorrelatorOptions::default(), 25), (by_reason, 26)] {
        let mut correlator = Correlator::new(options);
        let reasons = std::iter::repeat_n("Noisy", 30).chain(["Important"]);
        let outcomes =
            reasons.map(|reason| outcome(&mut correlator, event("a", "Normal", reason, "x", 0), 0));
        assert_eq!(outcomes.filter(|outcome| outcome != "skip").count(), expected);
    }
}

#[test]
fn the_least_recent_are_forgotten() {
    let lru_cache_size = NonZeroUsize::new(2).unwrap();
    let mut correlator = Correlator::new(CorrelatorOptions { lru_cache_size, ..Default::default() });
    for (at, pod, expected) in [
        (1, "a", "create a.1: x"),
        (2, "b", "create b.2: x"),
        (3, "a", "patch a.1 to 2: x"),
        (4, "c", "create c.4: x"),
        (5, "b", "create b.5: x"),
        (6, "c", "patch c.4 to 2: x"),
    ] {
        let got = outcome(&mut correlator, event(pod, "Normal", "Pulled", "x", at), at);
        assert_eq!(got, expected, "at {at}");
    }
}
