//! The frames of the page with a table of 10,000 rows, in a Chromium: while it is scrolled, while its objects change, and
//! while it is searched. Prints one line of JSON.
//!
//! `cargo bench --package klient-gateway --bench frames`; part of `cargo xtask bench gateway`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and ends by a panic")]

#[path = "../tests/browser/browser.rs"]
mod browser;
#[path = "../tests/browser/objects.rs"]
#[expect(dead_code, reason = "the rest of it is for tests")]
mod objects;
#[path = "../tests/it/stage.rs"]
#[expect(dead_code, reason = "the rest of it is for tests")]
mod stage;
#[path = "../tests/browser/tab.rs"]
#[expect(dead_code, reason = "the rest of it is for tests")]
mod tab;

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use klient_gateway::Options;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::browser::Browser;
use crate::stage::{MAPS, Stage};
use crate::tab::Tab;

const ROWS: usize = 10_000;

/// The time for which the table is scrolled, and for which its objects change.
const TIME: Duration = Duration::from_secs(5);

/// The pixels of a turn of the wheel: some five rows.
const TURN: f64 = 180.0;

/// Measures the time between frames, the tasks that hold them up, and the frames without a row in the middle.
const METER: &str = "
globalThis.meter = {
  start() {
    this.times = [];
    this.tasks = [];
    this.blank = 0;
    this.isOn = true;
    this.observer = new PerformanceObserver((list) => this.tasks.push(...list.getEntries().map((it) => it.duration)));
    this.observer.observe({ entryTypes: ['longtask'] });
    let last;
    const frame = (now) => {
      if (last !== undefined) this.times.push(now - last);
      last = now;
      if (!document.elementFromPoint(innerWidth / 2, innerHeight * 0.6)?.closest('[role=row]')) this.blank += 1;
      if (this.isOn) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  },
  stop() {
    this.isOn = false;
    const tasks = [...this.tasks, ...this.observer.takeRecords().map((it) => it.duration)];
    this.observer.disconnect();
    const times = this.times.sort((one, other) => one - other);
    const at = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))];
    return {
      frames: times.length, p50_ms: at(0.5), p99_ms: at(0.99), longest_ms: times.at(-1), blank: this.blank,
      task_ms: Math.max(0, ...tasks),
    };
  },
};";

/// Turns the wheel once per frame.
async fn scroll(tab: &Tab) {
    let mut frames = interval(Duration::from_millis(16));
    let end = Instant::now() + TIME;
    while Instant::now() < end {
        frames.tick().await;
        tab.wheel(640.0, 500.0, TURN).await;
    }
}

/// 100 changes in a second, of the first rows and of all.
async fn change(stage: &Stage) {
    let mut turns = interval(Duration::from_millis(10));
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let end = Instant::now() + TIME;
    let mut turn = 0;
    while Instant::now() < end {
        turns.tick().await;
        turn += 1;
        let row = if turn % 2 == 0 { turn % 20 } else { turn * 7919 % ROWS };
        let data = json!({ "data": { "turn": turn.to_string(), (format!("key-{}", turn % 9)): "value" } });
        stage.change(&format!("{MAPS}/row-{row:05}"), data).await;
    }
}

/// Types a word letter by letter, and waits for what it finds.
async fn search(tab: &Tab) {
    tab.fill("textbox", "Search rows…", "row-0999").await;
    tab.until("the rows that are found", "driver.names().length === 10 && driver.names()[0] === 'row-09990'")
        .await;
}

async fn measured(tab: &Tab, of: &str, all: &mut Map<String, Value>, work: impl Future<Output = ()>) {
    tab.run("meter.start()").await;
    work.await;
    let figures: Map<String, Value> = tab.value("meter.stop()").await;
    all.extend(figures.into_iter().map(|(figure, value)| (format!("{of}_{figure}"), value)));
}

#[tokio::main]
async fn main() {
    let Some(browser) = Browser::start().await else { return };
    let stage = Stage::start(Options::default()).await;
    let create = |at: usize| {
        let stage = &stage;
        async move { stage.config_map(&format!("row-{at:05}"), json!({})).await }
    };
    stream::iter(0..ROWS).map(create).buffer_unordered(64).for_each(|_| async {}).await;
    let began = Instant::now();
    let tab = browser.open(&stage.page("#/k/core/v1/configmaps?ns=default")).await;
    tab.until("the first rows", "driver.names()[0] === 'row-00000'").await;
    let mut all = Map::from_iter([("open_ms".to_owned(), json!(began.elapsed().as_millis()))]);
    tab.run(METER).await;
    measured(&tab, "scroll", &mut all, scroll(&tab)).await;
    tab.press("Home").await;
    tab.until("the first row", "driver.names()[0] === 'row-00000'").await;
    measured(&tab, "change", &mut all, change(&stage)).await;
    measured(&tab, "search", &mut all, search(&tab)).await;
    println!("{}", Value::Object(all));
    tab.end().await;
}
