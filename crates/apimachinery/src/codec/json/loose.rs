//! Metadata of a JSON object of any kind, whatever the types of its fields.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::check::Text;
use crate::codec::{EncodedMeta, EncodedOwner};

/// The metadata of an object; `None` if its bytes are not a JSON object as [`Unstructured`](crate::Unstructured) reads
/// it, or something follows.
pub(crate) fn check_any(bytes: &[u8]) -> Option<EncodedMeta<'_>> {
    // White space before it is not allowed either.
    if !bytes.starts_with(b"{") {
        return None;
    }
    read(bytes, &Reading { strict: true })
}

/// The metadata of an object that is known to be readable.
pub(crate) fn meta_of_any(bytes: &[u8]) -> Option<EncodedMeta<'_>> {
    read(bytes, &Reading { strict: false })
}

fn read<'a>(bytes: &'a [u8], reading: &Reading) -> Option<EncodedMeta<'a>> {
    let mut meta = EncodedMeta::default();
    let mut json = serde_json::Deserializer::from_str(std::str::from_utf8(bytes).ok()?);
    json.deserialize_map(Part { reading, place: Place::Object(&mut meta) }).ok()?;
    let is_whole = json.into_iter::<IgnoredAny>().byte_offset() == bytes.len();
    if !is_whole {
        return None;
    }
    meta.keep_last_labels();
    Some(meta)
}

/// The treatment of values that are not metadata.
struct Reading {
    /// True if they must be readable as [`serde_json::Value`]: numbers, for one, may overflow.
    strict: bool,
}

/// A value, with the metadata that it sets.
struct Part<'r, 'm, 'de> {
    reading: &'r Reading,
    place: Place<'m, 'de>,
}

enum Place<'m, 'de> {
    Object(&'m mut EncodedMeta<'de>),
    Metadata(&'m mut EncodedMeta<'de>),
    Text(&'m mut Cow<'de, str>),
    Labels(&'m mut Vec<(Cow<'de, str>, Cow<'de, str>)>),
    /// A label's value, if it is a string.
    Label(&'m mut Option<Cow<'de, str>>),
    Owners(&'m mut Vec<EncodedOwner<'de>>),
    Owner(&'m mut EncodedOwner<'de>),
    Flag(&'m mut bool),
    Other,
}

impl<'m, 'de> Place<'m, 'de> {
    /// The place of a key's value. Of duplicate keys only the last counts.
    fn under(&mut self, key: &str) -> Place<'_, 'de> {
        match (self, key) {
            (Place::Object(meta), "metadata") => {
                **meta = EncodedMeta::default();
                Place::Metadata(meta)
            }
            (Place::Metadata(meta), "name") => Place::text(&mut meta.name),
            (Place::Metadata(meta), "namespace") => Place::text(&mut meta.namespace),
            (Place::Metadata(meta), "uid") => Place::text(&mut meta.uid),
            (Place::Metadata(meta), "resourceVersion") => Place::text(&mut meta.resource_version),
            (Place::Metadata(meta), "labels") => {
                meta.labels.clear();
                Place::Labels(&mut meta.labels)
            }
            (Place::Metadata(meta), "ownerReferences") => {
                meta.owners.clear();
                Place::Owners(&mut meta.owners)
            }
            (Place::Owner(owner), "apiVersion") => Place::text(&mut owner.api_version),
            (Place::Owner(owner), "kind") => Place::text(&mut owner.kind),
            (Place::Owner(owner), "name") => Place::text(&mut owner.name),
            (Place::Owner(owner), "uid") => Place::text(&mut owner.uid),
            (Place::Owner(owner), "controller") => {
                owner.controller = false;
                Place::Flag(&mut owner.controller)
            }
            _ => Place::Other,
        }
    }

    fn text(text: &'m mut Cow<'de, str>) -> Self {
        *text = Cow::Borrowed("");
        Place::Text(text)
    }
}

impl<'de> DeserializeSeed<'de> for Part<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.place {
            Place::Other if !self.reading.strict => {
                deserializer.deserialize_ignored_any(IgnoredAny).map(drop)
            }
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Part<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        if let Place::Flag(flag) = self.place {
            *flag = value;
        }
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<(), E> {
        match self.place {
            Place::Text(place) => *place = Cow::Borrowed(text),
            Place::Label(place) => *place = Some(Cow::Borrowed(text)),
            _ => {}
        }
        Ok(())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        match self.place {
            Place::Text(place) => *place = Cow::Owned(text.to_owned()),
            Place::Label(place) => *place = Some(Cow::Owned(text.to_owned())),
            _ => {}
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let reading = self.reading;
        if let Place::Owners(owners) = self.place {
            loop {
                let mut owner = EncodedOwner::default();
                if seq.next_element_seed(Part { reading, place: Place::Owner(&mut owner) })?.is_none() {
                    return Ok(());
                }
                owners.push(owner);
            }
        }
        while seq.next_element_seed(Part { reading, place: Place::Other })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let reading = self.reading;
        let is_value = !matches!(self.place, Place::Object(_));
        let mut key = Cow::Borrowed("");
        let mut first = true;
        // Labels that a later duplicate of `labels` has replaced, with the index of the first label behind each.
        let mut gone = HashMap::new();
        while map.next_key_seed(Text(&mut key))?.is_some() {
            // serde_json takes an object that begins so for its own raw value, and parses the string in it.
            if std::mem::take(&mut first) && is_value && reading.strict && key.starts_with("$serde_json::") {
                return Err(de::Error::custom(""));
            }
            if let Place::Labels(labels) = &mut self.place {
                let mut value = None;
                map.next_value_seed(Part { reading, place: Place::Label(&mut value) })?;
                match value {
                    Some(value) => labels.push((std::mem::take(&mut key), value)),
                    None => drop(gone.insert(std::mem::take(&mut key), labels.len())),
                }
                continue;
            }
            map.next_value_seed(Part { reading, place: self.place.under(&key) })?;
        }
        if let (Place::Labels(labels), false) = (self.place, gone.is_empty()) {
            let mut at = 0..;
            labels.retain(|(key, _)| at.next() >= gone.get(key).copied());
        }
        Ok(())
    }
}
