//! The promises of the queue under every interleaving of a few threads, by loom: two minutes, after a build of its own.
//!
//! ```sh
//! RUSTFLAGS="--cfg loom" cargo test -p klient-workqueue --test loom --release --target-dir target/loom
//! ```

#![cfg(loom)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use klient_workqueue::{AddOptions, Queue};
use loom::future::block_on;
use loom::thread;

/// Tries all interleavings with up to so many switches where a thread could have gone on.
fn model(preemptions: usize, run: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(run);
}

/// The objects of two keys, and the versions of them that workers saw.
#[derive(Default)]
struct Seen {
    wanted: [AtomicUsize; 2],
    seen: [AtomicUsize; 2],
    in_hand: [AtomicBool; 2],
    times: AtomicUsize,
}

impl Seen {
    /// Something changes, and its key is added.
    fn change(&self, queue: &Queue<usize>, key: usize) {
        self.wanted[key].fetch_add(1, Ordering::SeqCst);
        queue.add(key);
    }

    /// Works until the queue is shut down and empty.
    fn work(&self, queue: &Queue<usize>) {
        while let Some(key) = block_on(queue.get()) {
            assert!(!self.in_hand[*key].swap(true, Ordering::SeqCst), "{key:?} is in two workers' hands");
            self.seen[*key].store(self.wanted[*key].load(Ordering::SeqCst), Ordering::SeqCst);
            self.times.fetch_add(1, Ordering::SeqCst);
            thread::yield_now();
            self.in_hand[*key].store(false, Ordering::SeqCst);
        }
    }

    /// All that was wanted was seen, in at most so many turns.
    fn check(&self, at_most: usize) {
        for (wanted, seen) in self.wanted.iter().zip(&self.seen) {
            assert_eq!(seen.load(Ordering::SeqCst), wanted.load(Ordering::SeqCst), "a change was lost");
        }
        let times = self.times.load(Ordering::SeqCst);
        assert!(times <= at_most, "handed out {times} times for {at_most} adds");
    }
}

#[test]
fn no_change_is_lost_and_no_key_is_in_two_hands() {
    model(3, || {
        let (queue, seen) = (Queue::new(), Arc::new(Seen::default()));
        let workers = [(); 2].map(|()| {
            let (queue, seen) = (queue.clone(), seen.clone());
            thread::spawn(move || seen.work(&queue))
        });
        seen.change(&queue, 0);
        seen.change(&queue, 0);
        seen.change(&queue, 1);
        queue.shut_down();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        seen.check(3);
    });
}

#[test]
fn adds_from_two_sides_while_it_is_waiting_count() {
    model(3, || {
        let (queue, seen) = (Queue::new(), Arc::new(Seen::default()));
        // The second makes it known as a duplicate, so that the others may go past the lock.
        seen.change(&queue, 0);
        seen.change(&queue, 0);
        let adder = {
            let (queue, seen) = (queue.clone(), seen.clone());
            thread::spawn(move || {
                seen.change(&queue, 0);
                seen.change(&queue, 0);
            })
        };
        let worker = {
            let (queue, seen) = (queue.clone(), seen.clone());
            thread::spawn(move || seen.work(&queue))
        };
        seen.change(&queue, 0);
        adder.join().unwrap();
        queue.shut_down();
        worker.join().unwrap();
        seen.check(5);
    });
}

#[test]
fn a_drain_ends_when_nothing_is_in_hand() {
    model(3, || {
        let (queue, seen) = (Queue::new(), Arc::new(Seen::default()));
        seen.change(&queue, 0);
        seen.change(&queue, 1);
        let workers = [(); 2].map(|()| {
            let (queue, seen) = (queue.clone(), seen.clone());
            thread::spawn(move || seen.work(&queue))
        });
        block_on(queue.shut_down_with_drain());
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        seen.check(2);
    });
}

#[test]
fn shutting_down_ends_a_drain() {
    model(3, || {
        let queue = Queue::new();
        queue.add(0);
        let work = queue.try_get();
        let other = queue.clone();
        let drain = thread::spawn(move || block_on(other.shut_down_with_drain()));
        while !queue.is_shutting_down() {
            thread::yield_now();
        }
        queue.shut_down();
        drain.join().unwrap();
        drop(work);
    });
}

#[test]
fn who_gives_up_waiting_leaves_the_item_to_the_next() {
    model(3, || {
        let queue = Queue::new();
        let other = queue.clone();
        let patient = thread::spawn(move || block_on(other.get()).map(|key| *key));
        let other = queue.clone();
        let impatient = thread::spawn(move || {
            let mut get = Box::pin(other.get());
            let polled = get.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            thread::yield_now();
            drop(get);
            if let Poll::Ready(Some(key)) = polled {
                other.add(*key);
            }
        });
        queue.add(0);
        assert_eq!(patient.join().unwrap(), Some(0));
        impatient.join().unwrap();
    });
}

#[test]
fn what_waits_for_its_time_comes_to_those_who_wait() {
    model(2, || {
        let queue = Queue::new();
        let workers = [(); 2].map(|()| {
            let queue = queue.clone();
            thread::spawn(move || block_on(queue.get()).map(|key| *key))
        });
        queue.add_after(0, Duration::from_secs(2));
        queue.add_with(1, &AddOptions { after: Duration::from_secs(1), priority: 1, ..Default::default() });
        let mut keys = workers.map(|worker| worker.join().unwrap());
        keys.sort_unstable();
        assert_eq!(keys, [Some(0), Some(1)]);
    });
}

/// Nobody else wakes those who wait: neither a shutdown nor an add to come.
#[test]
fn each_add_is_handed_out_though_no_other_follows() {
    model(3, || {
        let queue = Queue::new();
        let workers = [(); 2].map(|()| {
            let queue = queue.clone();
            // Kept, as by a worker that is busy for long.
            thread::spawn(move || block_on(queue.get()))
        });
        let adder = {
            let queue = queue.clone();
            thread::spawn(move || queue.add(0))
        };
        queue.add(1);
        adder.join().unwrap();
        let kept = workers.map(|worker| worker.join().unwrap());
        let mut keys = kept.each_ref().map(|work| work.as_ref().map(|key| **key));
        keys.sort_unstable();
        assert_eq!(keys, [Some(0), Some(1)]);
    });
}

#[test]
fn a_worker_that_goes_on_finds_what_was_added_meanwhile() {
    model(3, || {
        let queue = Queue::new();
        let worker = {
            let queue = queue.clone();
            thread::spawn(move || [(); 4].map(|()| block_on(queue.get()).map(|key| *key)))
        };
        let adder = {
            let queue = queue.clone();
            thread::spawn(move || [0, 1].into_iter().for_each(|key| queue.add(key)))
        };
        [2, 3].into_iter().for_each(|key| queue.add(key));
        adder.join().unwrap();
        let mut keys = worker.join().unwrap();
        keys.sort_unstable();
        assert_eq!(keys, [Some(0), Some(1), Some(2), Some(3)]);
    });
}

#[test]
fn an_add_counts_for_all_who_know_of_it() {
    model(3, || {
        let queue = Queue::new();
        let worker = {
            let queue = queue.clone();
            thread::spawn(move || block_on(queue.get()).map(|key| *key))
        };
        let adder = {
            let queue = queue.clone();
            thread::spawn(move || queue.add(0))
        };
        adder.join().unwrap();
        queue.add(0);
        let found = queue.try_get().map(|key| *key);
        if found.is_some() {
            queue.add(0);
        }
        assert_eq!(worker.join().unwrap(), Some(0));
        // Added twice at most since it was handed out last.
        assert!(queue.len() <= 1);
    });
}
