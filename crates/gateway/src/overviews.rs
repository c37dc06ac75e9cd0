//! [`Overviews`], the overviews that were computed last.

use std::num::NonZeroUsize;
use std::time::Duration;

use bytes::Bytes;
use lru::LruCache;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::digest;
use crate::failure::Failure;
use crate::feed::Feed;

/// The shortest time between two overviews, and between two events that tell of them.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);

/// The limit of overviews that are kept.
const KEPT: NonZeroUsize = NonZeroUsize::new(16).expect("it is more than none");

/// The overviews of an identity that were computed last, by namespace: nobody gets one of another identity.
///
/// - *once*: an overview is computed for all who ask for it, and not again before an informer has changed;
/// - *seldom*: it is computed once in [`PAUSE`] at most, whatever changes;
/// - *by permission*: one of other informers, or of other failures of them, is computed at once.
pub(crate) struct Overviews(Mutex<LruCache<Option<String>, Kept>>);

/// An overview that was computed.
struct Kept {
    overview: Overview,
    at: Instant,
    sources: Vec<Source>,
}

/// The JSON of an overview, and the tag that changes with it.
#[derive(Clone)]
pub(crate) struct Overview {
    pub(crate) tag: String,
    pub(crate) body: Bytes,
}

/// An informer as an overview has seen it, or the reason for which its rows are not in the overview.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Informer { epoch: String, version: String },
    Failed(Failure),
}

impl Source {
    pub(crate) fn of(feed: &Feed) -> Self {
        Source::Informer { epoch: feed.ring().epoch().to_owned(), version: feed.version() }
    }

    /// Returns true if it is the same informer, whatever it has, or the same failure.
    fn is_same(&self, other: &Source) -> bool {
        match (self, other) {
            (Source::Informer { epoch: one, .. }, Source::Informer { epoch: other, .. }) => one == other,
            (one, other) => one == other,
        }
    }
}

impl Overviews {
    pub(crate) fn new() -> Self {
        Overviews(Mutex::new(LruCache::new(KEPT)))
    }

    /// The overview of a namespace, or of the cluster, which is computed if there is none of these sources, or an old one.
    pub(crate) async fn get(
        &self,
        namespace: Option<&str>,
        sources: Vec<Source>,
        compute: impl FnOnce() -> Vec<u8>,
    ) -> Overview {
        let mut kept = self.0.lock().await;
        let namespace = namespace.map(str::to_owned);
        if let Some(known) = kept.get(&namespace) {
            let is_of_same = || {
                let mut pairs = known.sources.iter().zip(&sources);
                known.sources.len() == sources.len() && pairs.all(|(one, other)| one.is_same(other))
            };
            if known.sources == sources || (known.at.elapsed() < PAUSE && is_of_same()) {
                return known.overview.clone();
            }
        }
        let body = compute();
        let overview = Overview { tag: digest::short(&body), body: body.into() };
        kept.put(namespace, Kept { overview: overview.clone(), at: Instant::now(), sources });
        overview
    }
}
