//! [`Meters`], the figures of a gateway, and their text for Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use axum::extract::MatchedPath;
use http::StatusCode;

/// The figures of a gateway since its start.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    requests: Mutex<BTreeMap<(String, u16), u64>>,
    /// Events that were given to streams of changes.
    pub(crate) events: AtomicU64,
    /// Streams that have lost changes, and begun anew.
    pub(crate) resets: AtomicU64,
    /// Overviews that were computed.
    pub(crate) overviews: AtomicU64,
}

/// The numbers of what there is now.
pub(crate) struct Sizes {
    pub(crate) identities: usize,
    pub(crate) informers: usize,
    pub(crate) objects: usize,
    pub(crate) streams: usize,
}

impl Meters {
    /// Counts a request by its route, which is empty if it has none, as one that the guard has refused.
    pub(crate) fn request(&self, route: Option<&MatchedPath>, status: StatusCode) {
        let route = route.map_or_else(String::new, |route| route.as_str().to_owned());
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry((route, status.as_u16())).or_default() += 1;
    }

    /// The text of Prometheus (version 0.0.4).
    pub(crate) fn text(&self, sizes: &Sizes) -> String {
        let mut out = String::new();
        let mut describe = |name: &str, kind: &str, help: &str, values: &[(String, u64)]| {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, value) in values {
                let _ = writeln!(out, "{name}{labels} {value}");
            }
        };
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let requests: Vec<_> = requests
            .into_iter()
            .map(|((route, code), count)| (format!("{{route=\"{route}\",code=\"{code}\"}}"), count))
            .collect();
        describe("klient_gateway_requests_total", "counter", "Requests by route and status code.", &requests);
        let one = |value: u64| [(String::new(), value)];
        let read = |counter: &AtomicU64| one(counter.load(Ordering::Relaxed));
        let events = "Server-sent events of changes.";
        describe("klient_gateway_events_total", "counter", events, &read(&self.events));
        let resets = "Streams of changes that had to begin anew.";
        describe("klient_gateway_resets_total", "counter", resets, &read(&self.resets));
        let overviews = "Overviews that were computed.";
        describe("klient_gateway_overviews_total", "counter", overviews, &read(&self.overviews));
        for (name, help, value) in [
            ("klient_gateway_identities", "Users with caches.", sizes.identities),
            ("klient_gateway_informers", "Informers that run.", sizes.informers),
            ("klient_gateway_cached_objects", "Rows and objects in caches.", sizes.objects),
            ("klient_gateway_streams", "Open streams.", sizes.streams),
        ] {
            describe(name, "gauge", help, &one(value as u64));
        }
        out
    }
}
