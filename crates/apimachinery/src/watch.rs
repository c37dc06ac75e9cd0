//! [`WatchEvent`], one event of a watch.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::codec::{DecodeError, Format, Identity, ManagedFields, Wire, protobuf};
use crate::go::quoted;
use crate::meta::v1::{ObjectMeta, PartialObjectMetadata, Status};
use crate::{Object, Str};

/// The annotation on the bookmark that ends the initial events of a streamed list (KEP-3157).
pub const INITIAL_EVENTS_END: &str = "k8s.io/initial-events-end";

/// An event of a watch: a change to an object, a bookmark, or an error.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum WatchEvent<K> {
    /// The object was created, or now matches the selector.
    Added(K),
    /// The object was changed.
    Modified(K),
    /// The object was deleted, or no longer matches the selector; this is its last state.
    Deleted(K),
    /// All changes up to this resourceVersion have been sent.
    Bookmark(Bookmark),
    /// The watch has failed; nothing follows.
    Error(Box<Status>),
}

/// The progress of a watch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bookmark {
    /// The resourceVersion up to which everything has been sent.
    pub resource_version: Str,
    /// True if all objects that existed at the start have been sent.
    pub initial_events_end: bool,
}

impl<K: Wire> WatchEvent<K> {
    /// Reads one event of a JSON watch.
    ///
    /// # Errors
    ///
    /// If it is no event, or its object, which [`DecodeError::object`] names, is not of this type.
    pub fn from_json(bytes: &[u8], managed_fields: ManagedFields) -> Result<Self, DecodeError> {
        #[derive(Deserialize)]
        struct Raw<'a> {
            #[serde(rename = "type")]
            kind: &'a str,
            #[serde(borrow)]
            object: &'a RawValue,
        }
        let raw: Raw<'_> = serde_json::from_slice(bytes)
            .map_err(|error| DecodeError::new(String::new(), format_args!("not a watch event: {error}")))?;
        let bytes = raw.object.get().as_bytes();
        let object = || {
            let object = match K::item_from_json(bytes, managed_fields) {
                Ok(Some((object, _))) => Ok(object),
                Ok(None) => K::from_json(bytes),
                Err(error) => Err(error),
            };
            object.map_err(|error| error.of_object(Identity::read(Format::Json, bytes)))
        };
        Self::of(raw.kind, object, Format::Json, bytes)
    }

    /// Reads one event of a protobuf watch, without its length prefix.
    ///
    /// # Errors
    ///
    /// The same as those of [`from_json`](Self::from_json).
    pub fn from_protobuf(bytes: &[u8], managed_fields: ManagedFields) -> Result<Self, DecodeError> {
        let event = protobuf::Event::parse(bytes)?;
        let object = || {
            let envelope = protobuf::Envelope::parse(event.object)?;
            K::check_kind(envelope.api_version, envelope.kind)?;
            let object = K::item_from_protobuf(envelope.raw, managed_fields);
            object.map_err(|error| error.of_object(Identity::read(Format::Protobuf, envelope.raw)))
        };
        Self::of(event.kind, object, Format::Protobuf, event.object)
    }

    fn of(
        kind: &str,
        object: impl FnOnce() -> Result<K, DecodeError>,
        format: Format,
        bytes: &[u8],
    ) -> Result<Self, DecodeError> {
        Ok(match kind {
            "ADDED" => WatchEvent::Added(object()?),
            "MODIFIED" => WatchEvent::Modified(object()?),
            "DELETED" => WatchEvent::Deleted(object()?),
            "BOOKMARK" => WatchEvent::Bookmark(Bookmark::read(format, bytes)?),
            "ERROR" => WatchEvent::Error(Box::new(Status::decode(format, bytes)?)),
            other => {
                return Err(DecodeError::of_document(format_args!("unknown watch event {}", quoted(other))));
            }
        })
    }
}

impl<K> WatchEvent<K> {
    /// Converts the object of the event, if it has one.
    ///
    /// # Errors
    ///
    /// The error of the function.
    pub fn try_map<U, E>(self, make: impl FnOnce(K) -> Result<U, E>) -> Result<WatchEvent<U>, E> {
        Ok(match self {
            WatchEvent::Added(object) => WatchEvent::Added(make(object)?),
            WatchEvent::Modified(object) => WatchEvent::Modified(make(object)?),
            WatchEvent::Deleted(object) => WatchEvent::Deleted(make(object)?),
            WatchEvent::Bookmark(bookmark) => WatchEvent::Bookmark(bookmark),
            WatchEvent::Error(status) => WatchEvent::Error(status),
        })
    }
}

impl<K: Object> WatchEvent<K> {
    /// The resourceVersion of the event, up to which all changes have been sent; empty for errors.
    pub fn resource_version(&self) -> &str {
        match self {
            WatchEvent::Added(object) | WatchEvent::Modified(object) | WatchEvent::Deleted(object) => {
                object.resource_version()
            }
            WatchEvent::Bookmark(bookmark) => &bookmark.resource_version,
            WatchEvent::Error(_) => "",
        }
    }
}

impl Bookmark {
    /// Reads the object of a bookmark, which is of the watched kind and has only metadata.
    fn read(format: Format, object: &[u8]) -> Result<Self, DecodeError> {
        let mut bookmark = PartialObjectMetadata::default();
        match format {
            Format::Json => {
                #[derive(Deserialize)]
                struct Raw {
                    metadata: ObjectMeta,
                }
                let raw: Raw = serde_json::from_slice(object)
                    .map_err(|error| DecodeError::of_document(format_args!("not a bookmark: {error}")))?;
                bookmark.metadata = raw.metadata;
            }
            // Metadata is the first field of every object; the others are kept as unknown, unread.
            Format::Protobuf => {
                let raw = protobuf::Envelope::parse(object)?.raw;
                protobuf::decode(raw, &mut bookmark, ManagedFields::Skip)?;
            }
        }
        let initial_events_end =
            bookmark.annotations().any(|(key, value)| key == INITIAL_EVENTS_END && value == "true");
        Ok(Bookmark { resource_version: bookmark.resource_version().into(), initial_events_end })
    }
}
