//! Queues played from a line of text.

use std::collections::HashMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use klient_workqueue::{AddOptions, Queue, Work};

/// Plays a script on a queue, and compares what it gave.
///
/// `add a`, `add a 5` (with a priority), `after 20 a` (milliseconds), `after 20 a 5`, `limited a`, `forget a`, `done a`,
/// `pass 20`, `down`, `drain` say nothing; `get` gives the key, `-` if it would wait, `end` if all is over; `len`,
/// `requeues a` give numbers.
#[track_caller]
pub(crate) fn check(script: &str, expected: &str) {
    check_on(&Queue::new(), script, expected);
}

#[track_caller]
pub(crate) fn check_on(queue: &Queue<&'static str>, script: &str, expected: &str) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let given = runtime.block_on(play(queue, &script.replace('\n', " ")));
    assert_eq!(given.join(" "), expected, "{script}");
}

async fn play(queue: &Queue<&'static str>, script: &str) -> Vec<String> {
    let mut given = vec![];
    let mut works: HashMap<&str, Work<&str>> = HashMap::new();
    let ms = |text: &str| Duration::from_millis(text.parse().unwrap());
    for step in script.split(',') {
        let words: Vec<&str> = step.split_whitespace().collect();
        match words[..] {
            ["add", key] => queue.add(name(key)),
            ["add", key, priority] => {
                let options = AddOptions { priority: priority.parse().unwrap(), ..Default::default() };
                queue.add_with(name(key), &options);
            }
            ["after", after, key] => queue.add_after(name(key), ms(after)),
            ["after", after, key, priority] => {
                let priority = priority.parse().unwrap();
                queue.add_with(name(key), &AddOptions { priority, after: ms(after), ..Default::default() });
            }
            ["limited", key] => queue.add_rate_limited(name(key)),
            ["forget", key] => queue.forget(&name(key)),
            ["done", key] => drop(works.remove(key).unwrap()),
            ["pass", time] => tokio::time::advance(ms(time)).await,
            ["down"] => queue.shut_down(),
            ["drain"] => drop(queue.shut_down_with_drain()),
            ["len"] => given.push(queue.len().to_string()),
            ["requeues", key] => given.push(queue.requeues(&name(key)).to_string()),
            ["get"] => given.push(match poll(queue.get()) {
                Poll::Ready(Some(work)) => {
                    let key = *work;
                    assert!(works.insert(key, work).is_none(), "{key} was handed out twice");
                    key.to_owned()
                }
                Poll::Ready(None) => "end".to_owned(),
                Poll::Pending => "-".to_owned(),
            }),
            _ => panic!("what is {step:?}?"),
        }
    }
    given
}

/// Polls a future once, and drops it.
pub(crate) fn poll<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn name(key: &str) -> &'static str {
    ["a", "b", "c", "d", "e"].into_iter().find(|name| *name == key).unwrap()
}
