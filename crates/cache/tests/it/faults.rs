//! Caches behind a network and servers that fail at random: in the end each holds the server's objects, and
//! its handlers have received a consistent history.
//!
//! A failure prints its seed: `KLIENT_SEED` makes the same choices again. `KLIENT_SOAK_MINUTES` extends the
//! run, as `cargo xtask soak` does.

mod cluster;
mod follower;
mod ledger;
mod mischief;
mod story;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cluster::{Cluster, Painted};
use follower::{Follower, followers};
use mischief::Mischief;

use crate::proxy::Proxy;
use crate::stage::{cluster as plain, informer};
use crate::unreadable::MARK;

/// The seed of random tests: `KLIENT_SEED`, or a random one.
pub(crate) fn seed() -> u64 {
    let given = std::env::var("KLIENT_SEED").ok();
    let seed = given.and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    println!("KLIENT_SEED={seed}");
    seed
}

/// The number of mutations before the caches have to settle.
const MUTATIONS: usize = 3000;
const SHORTEST: Duration = Duration::from_secs(4);

/// The longest run, however slow the machine is.
const LONGEST: Duration = Duration::from_secs(8);

/// The time in which caches have to settle after the last fault: far longer than the longest pause and
/// timeout.
const SETTLE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 16)]
async fn every_cache_comes_to_what_the_server_holds() {
    let first = seed();
    let minutes = std::env::var("KLIENT_SOAK_MINUTES").ok().and_then(|minutes| minutes.parse().ok());
    let end = Instant::now() + Duration::from_secs_f64(minutes.unwrap_or(0.0) * 60.0);
    for seed in first.. {
        run(seed).await;
        if Instant::now() >= end {
            return;
        }
    }
}

async fn run(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let began = Instant::now();
    let cluster = Arc::new(Cluster::start(&mut random).await);
    let mischief = Arc::new(Mischief::new(random.fork()));
    let plan = mischief.clone();
    let proxy = Arc::new(Proxy::new(&cluster.server(), move |asked| plan.answer(asked)).await);
    let followers = Arc::new(followers(&proxy, &mut random));

    let is_over = Arc::new(AtomicBool::new(false));
    let time = began + SHORTEST..began + LONGEST;
    let writers: Vec<_> = (0..4)
        .map(|_| tokio::spawn(cluster.clone().write(random.fork(), MUTATIONS / 4, time.clone())))
        .collect();
    let others = [
        tokio::spawn(trouble(
            cluster.clone(),
            proxy.clone(),
            mischief.clone(),
            random.fork(),
            is_over.clone(),
        )),
        tokio::spawn(come_and_go(followers.clone(), random.fork(), is_over.clone())),
        tokio::spawn(watch_buffers(followers.clone(), is_over.clone())),
    ];
    let mut mutations = 0;
    for writer in writers {
        mutations += writer.await.unwrap_or_else(|error| panic!("seed {seed}: a writer: {error}"));
    }
    is_over.store(true, Ordering::Relaxed);
    for other in others {
        other.await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
    mischief.end();
    followers.iter().for_each(|follower| follower.hurry());
    proxy.listen_if_not().await;
    let faults = began.elapsed();

    let wanted = cluster.objects().await;
    settle(&followers, &wanted, seed).await;
    let settled = began.elapsed() - faults;
    for follower in followers.iter() {
        let problems = follower.problems(&cluster.ledger, &wanted);
        let servers = cluster.generation() + 1;
        assert!(problems.is_empty(), "seed {seed}: {servers} servers: {}: {problems:#?}", follower.name());
    }
    let undecodable = wanted.values().flat_map(BTreeMap::values).filter(|object| object.2 == MARK).count();
    let (lists, watches, events) = followers.iter().fold((0, 0, 0), |sums, follower| {
        let (lists, watches, events) = follower.counts();
        (sums.0 + lists, sums.1 + watches, sums.2 + events)
    });
    println!(
        "seed {seed}: {mutations} mutations on {} servers, {} faults, {lists} lists, {watches} watches, \
         {events} events told, {undecodable} undecodable at last, settled in {} ms",
        cluster.generation() + 1,
        mischief.faults(),
        settled.as_millis(),
    );
}

/// All objects, by kind and key: uid, version and color.
type Objects = BTreeMap<&'static str, BTreeMap<String, Painted>>;

/// Waits until all caches hold the server's objects.
async fn settle(followers: &[Box<dyn Follower>], wanted: &Objects, seed: u64) {
    let settled = tokio::time::timeout(SETTLE, async {
        while followers.iter().any(|follower| follower.difference(wanted).is_some()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    if settled.await.is_err() {
        let differences: Vec<_> =
            followers.iter().filter_map(|follower| follower.difference(wanted)).collect();
        panic!("seed {seed}: not settled: {differences:#?}");
    }
}

/// Faults that affect all connections.
async fn trouble(
    cluster: Arc<Cluster>,
    proxy: Arc<Proxy>,
    mischief: Arc<Mischief>,
    mut random: fastrand::Rng,
    is_over: Arc<AtomicBool>,
) {
    while !is_over.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(random.u64(20..300))).await;
        match random.u8(..10) {
            0..3 => proxy.cut().await,
            3..5 => {
                proxy.stop_listening().await;
                tokio::time::sleep(Duration::from_millis(random.u64(..150))).await;
                proxy.listen().await;
            }
            5..8 => cluster.server().compact(),
            8 => {
                // While the proxy switches to another server, no server answers.
                proxy.stop_listening().await;
                cluster.replace(&mut random).await;
                mischief.turn();
                proxy.turn_to(&cluster.server());
                proxy.listen().await;
            }
            _ => {}
        }
    }
}

/// Adds and removes handlers, and stops and starts informers.
async fn come_and_go(
    followers: Arc<Vec<Box<dyn Follower>>>,
    mut random: fastrand::Rng,
    is_over: Arc<AtomicBool>,
) {
    while !is_over.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(random.u64(10..100))).await;
        let follower = &followers[random.usize(..followers.len())];
        follower.swap_handler(&mut random).await;
        if random.u8(..10) == 0 {
            follower.restart().await;
        }
    }
}

async fn watch_buffers(followers: Arc<Vec<Box<dyn Follower>>>, is_over: Arc<AtomicBool>) {
    while !is_over.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(10)).await;
        followers.iter().for_each(|follower| follower.note_depths());
    }
}

/// Measures the CPU time of twenty idle informers.
#[tokio::test]
#[ignore = "takes its time, and says something on a quiet machine only: cargo xtask soak runs it"]
async fn idle_informers_take_no_time() {
    let (_server, client) = plain().await;
    let mut informers = Vec::new();
    for _ in 0..20 {
        let informer = informer(&client);
        informer.start();
        informer.wait_for_sync().await.unwrap();
        informers.push(informer);
    }
    let before = cpu_ticks();
    let time = Duration::from_secs(10);
    tokio::time::sleep(time).await;
    // The server is in the same process, and has as many watches.
    println!("20 idle informers: {} ms of CPU in {} s", (cpu_ticks() - before) * 10, time.as_secs());
}

/// The CPU time of this process, in hundredths of a second.
fn cpu_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let behind_name = &stat[stat.rfind(')').unwrap()..];
    // See proc(5): utime and stime.
    behind_name.split(' ').skip(12).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}
