//! The metrics of a queue with a name.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use klient_workqueue::{Histogram, Observation, Queue, prometheus_text};
use tokio::time::advance;

const US: Duration = Duration::from_micros(1);

#[tokio::test(start_paused = true)]
async fn an_item_is_followed_on_its_way() {
    let queue = Queue::builder().name("test").build();
    let now = || queue.metrics().unwrap();
    queue.add("foo");
    assert_eq!((now().adds, now().depth), (1, 1));

    advance(50 * US).await;
    let work = queue.try_get().unwrap();
    assert_eq!((now().queue_duration.count, now().queue_duration.sum, now().depth), (1, 50 * US, 0));

    (0..5).for_each(|_| queue.add("foo"));
    assert_eq!((now().adds, now().depth, queue.len()), (2, 1, 0));

    advance(25 * US).await;
    drop(work);
    assert_eq!((now().work_duration.count, now().work_duration.sum, now().depth), (1, 25 * US, 1));

    let work = queue.try_get().unwrap();
    assert_eq!((now().queue_duration.count, now().queue_duration.sum), (2, 75 * US));

    queue.add("bar");
    let other = queue.try_get().unwrap();
    advance(1000 * US).await;
    drop(other);
    queue.add("bar");
    let other = queue.try_get().unwrap();
    advance(1000 * US).await;
    assert_eq!((now().unfinished_work, now().longest_running_processor), (3000 * US, 2000 * US));

    drop((work, other));
    assert_eq!((now().unfinished_work, now().longest_running_processor), (Duration::ZERO, Duration::ZERO));
    assert_eq!((now().work_duration.count, now().work_duration.sum), (4, 4025 * US));
}

#[tokio::test(start_paused = true)]
async fn a_delayed_item_is_counted_from_its_time_on() {
    let queue = Queue::builder().name("test").build();
    let now = || queue.metrics().unwrap();
    queue.add_after("foo", 10 * US);
    queue.add_rate_limited("bar");
    queue.add_after("baz", Duration::ZERO);
    assert_eq!((now().retries, now().adds, now().depth), (3, 1, 1));
    advance(10_000 * US).await;
    assert_eq!((now().retries, now().adds, now().depth), (3, 3, 3));
    drop(queue.get().await);
    drop(queue.get().await);
    assert_eq!(now().queue_duration.sum, 10_000 * US + 9_990 * US);
}

#[test]
fn durations_fall_into_buckets_of_ten() {
    assert_eq!(
        Histogram::BOUNDS.map(|bound| bound.as_secs_f64()),
        [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0]
    );
}

#[tokio::test(start_paused = true)]
async fn prometheus_reads_them_under_the_names_of_client_go() {
    let queue = Queue::builder().name("a \"b\"").build();
    for millis in [0, 1, 20_000] {
        queue.add("foo");
        advance(Duration::from_millis(millis)).await;
        drop(queue.try_get());
    }
    queue.add_after("foo", US);
    let other: Queue<u8> = Queue::builder().name("other").build();
    let text = prometheus_text(&[queue.metrics().unwrap(), other.metrics().unwrap()]);
    let expected = r#"
# HELP workqueue_adds_total Total number of adds handled by workqueue
# TYPE workqueue_adds_total counter
workqueue_adds_total{name="a \"b\""} 3
workqueue_adds_total{name="other"} 0
# HELP workqueue_retries_total Total number of retries handled by workqueue
# TYPE workqueue_retries_total counter
workqueue_retries_total{name="a \"b\""} 1
workqueue_retries_total{name="other"} 0
"#;
    assert!(text.contains(expected.trim_start()), "{text}");
    for line in [
        r#"workqueue_depth{name="a \"b\""} 0"#,
        r#"workqueue_unfinished_work_seconds{name="a \"b\""} 0"#,
        r#"workqueue_longest_running_processor_seconds{name="a \"b\""} 0"#,
        r#"workqueue_work_duration_seconds_count{name="a \"b\""} 3"#,
        "# TYPE workqueue_queue_duration_seconds histogram",
        r#"workqueue_queue_duration_seconds_bucket{name="a \"b\"",le="0.00000001"} 1"#,
        r#"workqueue_queue_duration_seconds_bucket{name="a \"b\"",le="0.001"} 2"#,
        r#"workqueue_queue_duration_seconds_bucket{name="a \"b\"",le="10"} 2"#,
        r#"workqueue_queue_duration_seconds_bucket{name="a \"b\"",le="+Inf"} 3"#,
        r#"workqueue_queue_duration_seconds_sum{name="a \"b\""} 20.001"#,
    ] {
        assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sink_hears_of_everything_in_turn() {
    let heard = Arc::new(Mutex::new(vec![]));
    let hears = heard.clone();
    let sink = move |queue: &str, observation: Observation| {
        hears.lock().unwrap().push((queue.to_owned(), observation));
    };
    let queue = Queue::builder().name("test").metrics(sink).build();
    queue.add("foo");
    queue.add("foo");
    advance(US).await;
    let work = queue.try_get().unwrap();
    queue.add_after("foo", US);
    advance(2 * US).await;
    drop(work);
    drop(queue.try_get());
    use Observation::{Added, Done, Retried, Taken};
    let expected = [Added, Taken(US), Retried, Done(2 * US), Added, Taken(US), Done(Duration::ZERO)];
    let expected: Vec<_> = expected.into_iter().map(|one| ("test".to_owned(), one)).collect();
    assert_eq!(*heard.lock().unwrap(), expected);
}

#[test]
fn of_a_queue_without_a_name_nothing_is_recorded() {
    let queue = Queue::builder().metrics(|_: &str, _: Observation| panic!("it has no name")).build();
    queue.add("foo");
    drop(queue.try_get());
    assert_eq!(queue.metrics(), None);
}
