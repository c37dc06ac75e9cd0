//! Making an [`Entry`] of an object that arrives.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};

use klient_apimachinery::Object;
use klient_apimachinery::codec::{DecodeError, Encoded, Wire};

use super::{Keep, Store};
use crate::entry::{Entry, NameSpans, SharedMetadata};
use crate::error::Error;

/// The usual size of a decoded object, relative to its protobuf encoding.
const DECODED_SIZE_FACTOR: usize = 4;

impl<K: Wire + Object> Store<K> {
    /// The approximate number of bytes that are allocated to store an object.
    pub(crate) fn size_of(&self, encoded: &Encoded<K>) -> usize {
        let decoded = match self.0.keep {
            Keep::Packed => 0,
            Keep::Decoded => DECODED_SIZE_FACTOR * encoded.bytes().len(),
        };
        size_of::<Entry<K>>() + decoded
    }

    /// Makes a store entry of an object; an entry of the same version that the store has already is reused.
    pub(crate) fn decode(&self, encoded: Encoded<K>) -> Result<Arc<Entry<K>>, Error> {
        match &self.0.transform {
            None => self.decode_untransformed(encoded),
            Some(transform) => {
                let unreadable = |problem| Error::left_out(self.resource(), encoded.identity(), &problem);
                let mut object = encoded.decode_as(&self.0.resource).map_err(unreadable)?;
                // A panic of the transform must not end the informer.
                if catch_unwind(AssertUnwindSafe(|| transform(&mut object))).is_err() {
                    return Err(unreadable(DecodeError::of_document("the transform panicked")));
                }
                let decoded = self.decode_untransformed(Encoded::of(&object));
                decoded.map_err(|error| error.of_object(encoded.identity()))
            }
        }
    }

    fn decode_untransformed(&self, encoded: Encoded<K>) -> Result<Arc<Entry<K>>, Error> {
        let unreadable = |problem| Error::left_out(self.resource(), encoded.identity(), &problem);
        let meta = encoded.check().map_err(unreadable)?;
        if meta.name.is_empty() {
            return Err(unreadable(DecodeError::of_document("it has no name")));
        }
        if let Some(entry) = self.read().get(&meta.namespace, &meta.name)
            && !meta.resource_version.is_empty()
            && entry.version() == meta.resource_version
            && entry.uid() == meta.uid
            && entry.newer().is_none()
        {
            return Ok(entry.clone());
        }
        let shared = {
            let mut interner = self.0.interner.lock().unwrap_or_else(PoisonError::into_inner);
            SharedMetadata {
                resource: self.0.resource.clone(),
                namespace: interner.namespace(&meta.namespace),
                labels: interner.labels(&meta),
                owners: interner.owners(&meta),
            }
        };
        Ok(Arc::new(match self.0.keep {
            Keep::Decoded => {
                let object = encoded.decode_as(&self.0.resource);
                Entry::decoded(shared, object.map_err(unreadable)?)
            }
            Keep::Packed => {
                let names = NameSpans::locate(encoded.bytes(), &meta.name, &meta.uid, &meta.resource_version);
                drop(meta);
                Entry::packed(shared, encoded, names)
            }
        }))
    }
}
