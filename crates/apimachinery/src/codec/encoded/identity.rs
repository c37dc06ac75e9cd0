//! [`Identity`], the namespace, name, UID and version of an object whose bytes may be undecodable.

use std::collections::HashMap;
use std::fmt;

use serde_json::value::RawValue;

use crate::Str;
use crate::codec::protobuf::Envelope;
use crate::codec::protobuf::wire::Input;
use crate::codec::{Format, json};

/// The identity of an object, read from its metadata as far as possible. The rest of the object may be undecodable.
/// Fields are empty if the bytes do not have them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// `metadata.namespace`.
    pub namespace: Str,
    /// `metadata.name`.
    pub name: Str,
    /// `metadata.uid`.
    pub uid: Str,
    /// `metadata.resourceVersion`.
    pub resource_version: Str,
}

impl Identity {
    /// Reads the bytes of an object without an envelope, ignoring everything else in them.
    pub(crate) fn read(format: Format, bytes: &[u8]) -> Self {
        match format {
            Format::Json => Self::read_json(bytes).unwrap_or_default(),
            Format::Protobuf => Self::read_protobuf(bytes),
        }
    }

    /// Reads an object that came alone: in protobuf it has an envelope.
    pub fn of_document(format: Format, bytes: &[u8]) -> Self {
        match format {
            Format::Json => Self::read(format, bytes),
            Format::Protobuf => Envelope::parse(bytes)
                .map_or_else(|_| Self::default(), |envelope| Self::read(format, envelope.raw)),
        }
    }

    fn read_json(bytes: &[u8]) -> Option<Self> {
        // Servers append a newline.
        if let Some(meta) = json::meta_of_any(bytes.trim_ascii_end()) {
            return Some(Identity {
                namespace: (*meta.namespace).into(),
                name: (*meta.name).into(),
                uid: (*meta.uid).into(),
                resource_version: (*meta.resource_version).into(),
            });
        }
        type Members<'a> = HashMap<String, &'a RawValue>;
        // Any string may have invalid UTF-8.
        let text = String::from_utf8_lossy(bytes);
        let object: Members<'_> = serde_json::from_str(&text).ok()?;
        let metadata: Members<'_> = serde_json::from_str(object.get("metadata")?.get()).ok()?;
        let text = |field: &str| -> Str {
            let value =
                metadata.get(field).and_then(|value| serde_json::from_str::<String>(value.get()).ok());
            value.unwrap_or_default().into()
        };
        Some(Identity {
            namespace: text("namespace"),
            name: text("name"),
            uid: text("uid"),
            resource_version: text("resourceVersion"),
        })
    }

    /// Metadata is the first field of every object.
    fn read_protobuf(bytes: &[u8]) -> Self {
        let mut identity = Identity::default();
        for_each_field(bytes, |number, metadata| {
            if number == 1 {
                for_each_field(metadata, |number, text| {
                    let place = match number {
                        1 => &mut identity.name,
                        3 => &mut identity.namespace,
                        5 => &mut identity.uid,
                        6 => &mut identity.resource_version,
                        _ => return,
                    };
                    *place = std::str::from_utf8(text).unwrap_or_default().into();
                });
            }
        });
        identity
    }
}

/// Calls a function with each length-delimited field, up to the first invalid byte.
fn for_each_field(bytes: &[u8], mut visit: impl FnMut(u32, &[u8])) {
    let mut input = Input(bytes);
    while let Ok((number, wire)) = input.tag() {
        let value = input;
        if input.skip(wire).is_err() {
            return;
        }
        if let Ok(bytes) = { value }.length_delimited(wire) {
            visit(number, bytes);
        }
    }
}

/// `NAMESPACE/NAME`, or `NAME` for a cluster-scoped object.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(&self.name)
    }
}
