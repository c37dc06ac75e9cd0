//! The layer beside other layers.

use std::io;
use std::sync::{Arc, Mutex};

use klient_klog::{Options, info_s, v};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

/// A writer of another layer.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn each_layer_gets_what_is_enabled_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.log");
    let options = Options {
        verbosity: 2,
        logtostderr: false,
        log_file: Some(file.clone()),
        skip_log_headers: true,
        skip_headers: true,
        ..Options::default()
    };
    let (layer, klog) = klient_klog::layer(options).unwrap();
    let others = Lines::default();
    let writer = others.clone();
    let other = tracing_subscriber::fmt::layer()
        .with_writer(move || writer.clone())
        .without_time()
        .with_target(false)
        .with_ansi(false)
        .with_filter(LevelFilter::DEBUG);
    let subscriber = tracing_subscriber::registry().with(layer).with(other);
    tracing::subscriber::with_default(subscriber, || {
        info_s!("both", pod = %klient_klog::kref("shop", "web-0"));
        v!(4, "the other's", n = 1);
        tracing::trace!(v = 1, "klog's");
    });
    klog.flush();
    let lines = std::fs::read_to_string(file).unwrap();
    assert_eq!(lines, "\"both\" pod=\"shop/web-0\"\nklog's\n");
    assert_eq!(others.text(), " INFO both pod=shop/web-0\nDEBUG the other's n=1\n");
}
