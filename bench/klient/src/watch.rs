//! The case `watch`: how many changes an informer takes and hands to a handler.

use std::time::Duration;

use klient_api::core::v1::Pod;
use klient_cache::{Event, HandlerOptions, Informer, Overflow, ResourceEventHandlerRegistration};
use measure::{Args, Clock};
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

use crate::informer::of_pods;

/// From the first change that the handler is told of to the last.
pub(crate) async fn events(
    args: &Args,
    out: &mut Map<String, Value>,
) -> (Informer<Pod>, ResourceEventHandlerRegistration<Pod>) {
    let (m, decode) = (args.num("m", 20_000), args.flag("decode"));
    let (done, last) = oneshot::channel();
    let mut done = Some(done);
    let (mut first, mut told, mut length) = (None, 0, 0);
    let informer = of_pods(args);
    // Every change counts, so that none may be left out for a later one of the same object.
    let options = HandlerOptions { overflow: Overflow::Block, ..HandlerOptions::default() };
    let handler = informer.add_event_handler_with(options, move |event: Event<Pod>| {
        let Event::Updated { new, .. } = event else { return };
        let first = *first.get_or_insert_with(Clock::start);
        told += 1;
        length += new.key().as_str().len();
        if decode {
            length += new.spec.containers.len();
        }
        if told == m {
            let mut figures = Map::new();
            let wall = first.stop(&mut figures);
            done.take().expect("it is told once").send((figures, wall, length)).unwrap();
        }
    });
    informer.start();
    let told = tokio::time::timeout(Duration::from_secs(300), last).await;
    let (mut figures, wall, length) = told.expect("all come in time").expect("the handler stays");
    assert!(length > m);
    out.append(&mut figures);
    let cpu = out["cpu_ms"].as_f64().unwrap();
    out.insert("events_per_s".into(), json!((m - 1) as f64 / wall * 1e3));
    out.insert("cpu_us_per_event".into(), json!(cpu * 1e3 / (m - 1) as f64));
    (informer, handler)
}
