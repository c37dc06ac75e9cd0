//! Structs within custom resources, whose fields [`custom_fields!`](crate::custom_fields) reads and writes.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::Map;

/// Implements serde's traits for a struct within a custom resource, by a line for each field with its name in JSON.
///
/// It does what serde's derives do with `#[serde(default)]`: fields that are absent have their default, others are passed
/// over; of a field that is there twice the last counts, though. The compiler needs a fraction of the time, which counts for generated code with thousands of fields. A field that is
/// `optional` is not written if it is `None` or an empty list or map; one that is `required` is always written. Fields
/// without a line go into the map behind the two dots, if there is one.
///
/// ```
/// use klient_apimachinery::{Map, Str};
///
/// #[derive(Debug, Default, PartialEq)]
/// struct Page {
///     path: Str,
///     page_title: Option<Str>,
///     other_fields: Map<serde_json::Value>,
/// }
///
/// klient_apimachinery::custom_fields! {
///     Page {
///         required path = "path";
///         optional page_title = "pageTitle";
///         ..other_fields
///     }
/// }
///
/// let page: Page = serde_json::from_str(r#"{"path": "/", "size": 3}"#)?;
/// assert_eq!((page.path.as_str(), &page.page_title), ("/", &None));
/// assert_eq!(serde_json::to_string(&page)?, r#"{"path":"/","size":3}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[macro_export]
macro_rules! custom_fields {
    ($name:ident { $($presence:ident $field:ident = $json:literal;)* $(..$others:ident)? }) => {
        impl $crate::custom::Fields for $name {
            const NAME: &'static str = ::std::stringify!($name);

            fn read<'de, A: $crate::serde::de::MapAccess<'de>>(
                &mut self,
                name: &str,
                map: &mut A,
            ) -> ::std::result::Result<(), A::Error> {
                match name {
                    $($json => $crate::custom::into_field(&mut self.$field, map),)*
                    _ => $crate::custom::read_other!(self, name, map $($others)?),
                }
            }

            fn settle(&mut self) {
                $($crate::custom::settle(&mut self.$others);)?
            }

            fn write<M: $crate::serde::ser::SerializeMap>(
                &self,
                map: &mut M,
            ) -> ::std::result::Result<(), M::Error> {
                $($crate::custom::$presence(map, $json, &self.$field)?;)*
                $($crate::custom::others(map, &self.$others)?;)?
                ::std::result::Result::Ok(())
            }
        }

        impl $crate::serde::Serialize for $name {
            fn serialize<S: $crate::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                $crate::custom::serialize_fields(self, serializer)
            }
        }

        impl<'de> $crate::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                $crate::custom::deserialize_fields(deserializer)
            }
        }
    };
}

/// Reads a field without a line: into a map of such fields, if there is one.
#[doc(hidden)]
#[macro_export]
macro_rules! custom_fields_read_other {
    ($this:ident, $name:ident, $map:ident) => {
        $crate::custom::ignore($map)
    };
    ($this:ident, $name:ident, $map:ident $others:ident) => {
        $crate::custom::other(&mut $this.$others, $name, $map)
    };
}

#[doc(hidden)]
pub use crate::custom_fields_read_other as read_other;

/// A struct whose fields [`custom_fields!`](crate::custom_fields) reads and writes.
#[doc(hidden)]
pub trait Fields: Default {
    /// The name of the struct.
    const NAME: &'static str;

    /// Reads the value of a field.
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error>;

    /// Ends the reading.
    fn settle(&mut self);

    /// Writes the fields.
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error>;
}

/// A value that may be absent.
#[doc(hidden)]
pub trait Absent {
    fn is_absent(&self) -> bool;
}

impl<T> Absent for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T> Absent for Vec<T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl<T> Absent for Map<T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

#[doc(hidden)]
pub fn required<M: SerializeMap, T: Serialize>(map: &mut M, name: &str, value: &T) -> Result<(), M::Error> {
    map.serialize_entry(name, value)
}

#[doc(hidden)]
pub fn optional<M: SerializeMap, T: Absent + Serialize>(
    map: &mut M,
    name: &str,
    value: &T,
) -> Result<(), M::Error> {
    if value.is_absent() { Ok(()) } else { map.serialize_entry(name, value) }
}

#[doc(hidden)]
pub fn others<M: SerializeMap, T: Serialize>(map: &mut M, others: &Map<T>) -> Result<(), M::Error> {
    others.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))
}

#[doc(hidden)]
pub fn into_field<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
    field: &mut T,
    map: &mut A,
) -> Result<(), A::Error> {
    *field = map.next_value()?;
    Ok(())
}

#[doc(hidden)]
pub fn ignore<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(drop)
}

#[doc(hidden)]
pub fn other<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
    others: &mut Map<T>,
    name: &str,
    map: &mut A,
) -> Result<(), A::Error> {
    others.append(name.into(), map.next_value()?);
    Ok(())
}

/// Sorts fields that [`other`] has read.
#[doc(hidden)]
pub fn settle<T>(others: &mut Map<T>) {
    others.settle();
}

#[doc(hidden)]
pub fn serialize_fields<T: Fields, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    value.write(&mut map)?;
    map.end()
}

#[doc(hidden)]
pub fn deserialize_fields<'de, T: Fields, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(FieldsVisitor(PhantomData))
}

struct FieldsVisitor<T>(PhantomData<T>);

impl<'de, T: Fields> Visitor<'de> for FieldsVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "struct {}", T::NAME)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut value = T::default();
        while let Some(Name(name)) = map.next_key()? {
            value.read(&name, &mut map)?;
        }
        value.settle();
        Ok(value)
    }
}

/// The name of a field.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Name<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Borrowed(name)))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Owned(name.to_owned())))
    }
}
