//! [`InformerOptions`], the options of an informer.

use std::fmt;
use std::time::Duration;

use crate::reflector::ReflectorOptions;
use crate::store::{Keep, Transform};

/// Options of an informer.
pub struct InformerOptions<K> {
    /// Selectors, timeouts and backoff of list and watch.
    pub reflector: ReflectorOptions,
    /// The form in which the store keeps objects.
    pub keep: Keep,
    /// A function that changes objects before they are stored.
    pub transform: Option<Transform<K>>,
    /// The period after which handlers receive all objects again as updates, unless they have a period of
    /// their own; none by default.
    pub resync: Option<Duration>,
}

impl<K> Default for InformerOptions<K> {
    fn default() -> Self {
        InformerOptions {
            reflector: ReflectorOptions::default(),
            keep: Keep::default(),
            transform: None,
            resync: None,
        }
    }
}

impl<K> Clone for InformerOptions<K> {
    fn clone(&self) -> Self {
        InformerOptions {
            reflector: self.reflector.clone(),
            keep: self.keep,
            transform: self.transform.clone(),
            resync: self.resync,
        }
    }
}

impl<K> fmt::Debug for InformerOptions<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InformerOptions")
            .field("reflector", &self.reflector)
            .field("keep", &self.keep)
            .field("transform", &self.transform.is_some())
            .field("resync", &self.resync)
            .finish()
    }
}
