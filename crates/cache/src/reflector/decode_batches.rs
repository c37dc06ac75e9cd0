//! [`DecodeBatches`], concurrent decoding of a list while it arrives.

use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::sync::Arc;

use klient_apimachinery::Object;
use klient_apimachinery::codec::{Encoded, Wire};
use tokio::task::{JoinError, JoinHandle};

use crate::entry::Entry;
use crate::error::Error;
use crate::malloc_hint;
use crate::store::Store;

/// The number of batches decoded at the same time; a further batch waits for the first.
const MAX_CONCURRENT_BATCHES: usize = 8;

/// Objects that are decoded for the store in tasks while others still arrive, returned in the order of
/// arrival, each with its tag.
pub(super) struct DecodeBatches<K, T> {
    store: Store<K>,
    tasks: VecDeque<JoinHandle<Vec<DecodedObject<K, T>>>>,
}

/// A decoded object, and its tag.
pub(super) type DecodedObject<K, T> = (Result<Arc<Entry<K>>, Error>, T);

impl<K: Wire + Object, T: Send + 'static> DecodeBatches<K, T> {
    pub(super) fn new(store: Store<K>) -> Self {
        DecodeBatches { store, tasks: VecDeque::new() }
    }

    /// Starts to decode objects; returns the first batch if as many are in progress as may be.
    pub(super) async fn push(&mut self, objects: Vec<(Encoded<K>, T)>) -> Vec<DecodedObject<K, T>> {
        if !objects.is_empty() {
            // The next batch may be as large, or larger.
            let bytes: usize = objects.iter().map(|(object, _)| object.bytes().len()).sum();
            malloc_hint::reserve(2 * bytes);
            let store = self.store.clone();
            self.tasks.push_back(tokio::spawn(async move {
                let size = |(object, _): &(Encoded<K>, T)| store.size_of(object);
                malloc_hint::reserve(objects.iter().map(size).sum());
                let decode = |(object, with)| (store.decode(object), with);
                objects.into_iter().map(decode).collect()
            }));
        }
        if self.tasks.len() < MAX_CONCURRENT_BATCHES {
            Vec::new()
        } else {
            self.next().await.unwrap_or_default()
        }
    }

    /// Waits for the batch started first; `None` when there are no more.
    pub(super) async fn next(&mut self) -> Option<Vec<DecodedObject<K, T>>> {
        let decoded = self.tasks.front_mut()?.await;
        self.tasks.pop_front();
        match decoded.map_err(JoinError::try_into_panic) {
            Ok(decoded) => Some(decoded),
            // A transform may panic.
            Err(Ok(panic)) => resume_unwind(panic),
            // The runtime is shutting down, and drops this future too.
            Err(Err(_)) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use klient_api::core::v1::Pod;
    use klient_apimachinery::Resource as _;
    use klient_apimachinery::codec::Format;

    use super::*;
    use crate::store::{Keep, StoreWriter};

    #[tokio::test]
    async fn objects_come_back_in_their_order_and_those_that_cannot_be_read_in_their_place() {
        let writer = StoreWriter::<Pod>::new(Pod::INFO, Keep::Packed);
        let mut batches = DecodeBatches::new(writer.store());
        let mut decoded = Vec::new();
        for batch in 0..100 {
            let pods = (0..batch % 4).map(|pod| {
                let name = if pod == 2 { String::new() } else { format!("web-{batch}-{pod}") };
                let json = format!(r#"{{"metadata":{{"name":"{name}"}}}}"#);
                (Encoded::new(Format::Json, json.into_bytes()), (batch, pod))
            });
            decoded.extend(batches.push(pods.collect()).await);
        }
        while let Some(rest) = batches.next().await {
            decoded.extend(rest);
        }
        let expected: Vec<_> =
            (0..100).flat_map(|batch| (0..batch % 4).map(move |pod| (batch, pod))).collect();
        assert_eq!(decoded.len(), expected.len());
        for ((decoded, with), (batch, pod)) in decoded.into_iter().zip(expected) {
            assert_eq!(with, (batch, pod));
            match decoded {
                Ok(entry) => assert_eq!(entry.name(), format!("web-{batch}-{pod}")),
                Err(error) => {
                    assert!(pod == 2 && format!("{error:?}").contains("it has no name"), "{error:?}")
                }
            }
        }
    }
}
