//! The HTTP trace of klient's client while nobody reads it: what each of its three checks in a request costs.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark fails as a test does")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use klient_client::HttpTrace;
use klient_klog::Options;

fn http_trace(criterion: &mut Criterion) {
    let mut check = |name: &str| {
        let name = format!("check of the HTTP trace, {name}");
        criterion.bench_function(&name, |bencher| {
            bencher.iter(|| HttpTrace::asked_for(black_box(HttpTrace::Timing)));
        });
    };
    check("without a subscriber");
    let klog = klient_klog::init(Options::default()).unwrap();
    check("-v=0");
    klog.verbosity().set_vmodule("other=9").unwrap();
    check("-v=0 --vmodule=other=9");
    klog.verbosity().set(6);
    check("-v=6");
}

criterion_group!(benches, http_trace);
criterion_main!(benches);
