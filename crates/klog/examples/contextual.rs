//! A contextual logger: a name and values that its lines have in common.

use klient_klog::{Logger, Options, info_s, with_values};

fn main() {
    run();
}

pub(crate) fn run() {
    let _klog = klient_klog::init(Options::default()).expect("no subscriber is set before");
    let logger = Logger::current().with_name("foo");
    for attempt in 0..3 {
        info_s!(logger: with_values!(logger, attempt), "Trying");
    }
}
