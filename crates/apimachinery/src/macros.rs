//! Macros with which generated files declare the fields, kinds and verbs of API structs.

/// Implements [`Message`](crate::message::Message) and what follows from it for a struct, its fields by position.
#[doc(hidden)]
#[macro_export]
macro_rules! message {
    (
        $name:ident: $schema:path { $($index:literal $field:ident)* }
        $(one_of $union:ident $from:literal .. $to:literal;)?
    ) => {
        impl $crate::message::Message for $name {
            fn schema(&self) -> &'static $crate::schema::Schema {
                &$schema
            }

            fn field(&self, index: usize) -> $crate::message::Ref<'_> {
                match index {
                    $($index => $crate::message::Value::view(&self.$field),)*
                    $($from..$to => $crate::message::union_member(&self.$union, index - $from),)?
                    _ => $crate::message::Ref::Absent,
                }
            }

            fn field_mut(&mut self, index: usize) -> $crate::message::Mut<'_> {
                match index {
                    $($index => $crate::message::Value::view_mut(&mut self.$field),)*
                    $($from..$to => $crate::message::Mut::OneOf(&mut self.$union, index - $from),)?
                    _ => unreachable!("positions come from the schema"),
                }
            }

            fn unknown(&self) -> &$crate::message::Unknown {
                &self.unknown
            }

            fn unknown_mut(&mut self) -> &mut $crate::message::Unknown {
                &mut self.unknown
            }
        }

        impl ::std::cmp::PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                $crate::message::equal(self, other)
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                $crate::message::debug(self, f)
            }
        }

        $crate::json_schema! { $name: $schema }
    };
}

/// Implements `schemars::JsonSchema` for a struct.
#[cfg(feature = "schemars")]
#[doc(hidden)]
#[macro_export]
macro_rules! json_schema {
    ($name:ident: $schema:path) => {
        impl $crate::schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                ::std::stringify!($name).into()
            }

            fn json_schema(_: &mut $crate::schemars::SchemaGenerator) -> $crate::schemars::Schema {
                $crate::json_schema::of_struct(&$schema)
            }
        }
    };
}

/// Without the feature `schemars` a struct has no JSON schema.
#[cfg(not(feature = "schemars"))]
#[doc(hidden)]
#[macro_export]
macro_rules! json_schema {
    ($name:ident: $schema:path) => {};
}

/// Implements serde's traits for a struct without `apiVersion` and `kind`.
#[doc(hidden)]
#[macro_export]
macro_rules! serde {
    ($name:ident) => {
        impl $crate::serde::Serialize for $name {
            fn serialize<S: $crate::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                $crate::codec::json::serialize(self, serializer)
            }
        }

        impl<'de> $crate::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                $crate::codec::json::deserialize(deserializer)
            }
        }
    };
}

/// Implements [`SchemaKind`](crate::codec::SchemaKind), [`Wire`](crate::codec::Wire) and serde's traits for a struct
/// with `apiVersion` and `kind`.
#[doc(hidden)]
#[macro_export]
macro_rules! kind {
    ($name:ident: $api_version:literal, $kind:literal, $schema:path) => {
        impl $crate::codec::SchemaKind for $name {
            const API_VERSION: &'static str = $api_version;
            const KIND: &'static str = $kind;
            const SCHEMA: &'static $crate::schema::Schema = &$schema;
        }

        impl $crate::codec::Wire for $name {
            fn from_json(bytes: &[u8]) -> ::std::result::Result<Self, $crate::codec::DecodeError> {
                $crate::codec::json::from_slice(bytes)
            }

            fn to_json(&self, out: &mut ::std::vec::Vec<u8>) {
                $crate::codec::json::to_vec(self, out)
            }

            $crate::kind_in_protobuf!();
        }

        impl $crate::serde::Serialize for $name {
            fn serialize<S: $crate::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                $crate::codec::json::serialize_kind(self, serializer)
            }
        }

        impl<'de> $crate::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                $crate::codec::json::deserialize_kind(deserializer)
            }
        }
    };
}

/// The part of `Wire` that all kinds with a schema share.
#[doc(hidden)]
#[macro_export]
macro_rules! kind_in_protobuf {
    () => {
        fn has_protobuf() -> bool {
            <Self as $crate::codec::SchemaKind>::SCHEMA.has_protobuf()
        }

        fn from_protobuf(bytes: &[u8]) -> ::std::result::Result<Self, $crate::codec::DecodeError> {
            $crate::codec::protobuf::from_slice(bytes)
        }

        fn to_protobuf(&self, out: &mut ::std::vec::Vec<u8>) {
            $crate::codec::protobuf::to_vec(self, out)
        }

        fn item_from_json(
            bytes: &[u8],
            managed_fields: $crate::codec::ManagedFields,
        ) -> ::std::result::Result<::std::option::Option<(Self, usize)>, $crate::codec::DecodeError> {
            $crate::codec::json::item(bytes, managed_fields)
        }

        fn item_from_protobuf(
            bytes: &[u8],
            managed_fields: $crate::codec::ManagedFields,
        ) -> ::std::result::Result<Self, $crate::codec::DecodeError> {
            let mut item = <Self as ::std::default::Default>::default();
            $crate::codec::protobuf::decode(bytes, &mut item, managed_fields)?;
            ::std::result::Result::Ok(item)
        }

        fn table() -> ::std::option::Option<$crate::codec::KindTable> {
            ::std::option::Option::Some($crate::codec::KindTable::of::<Self>())
        }

        fn check_item(
            format: $crate::codec::Format,
            bytes: &[u8],
        ) -> ::std::result::Result<$crate::codec::EncodedMeta<'_>, $crate::codec::DecodeError> {
            $crate::codec::check_item::<Self>(format, bytes)
        }

        fn text_at<'a>(
            &'a self,
            path: &$crate::codec::FieldPath<Self>,
        ) -> ::std::option::Option<::std::borrow::Cow<'a, str>> {
            path.text_in_message(self)
        }

        fn is_partial() -> bool {
            <Self as $crate::codec::SchemaKind>::KIND == "PartialObjectMetadata"
        }

        fn check_kind(
            api_version: &str,
            kind: &str,
        ) -> ::std::result::Result<(), $crate::codec::DecodeError> {
            $crate::codec::check_kind::<Self>(api_version, kind)
        }

        fn list_type(_: &[Self]) -> (::std::string::String, ::std::string::String) {
            $crate::codec::list_type::<Self>()
        }

        fn list_to_protobuf(list: &$crate::List<Self>, out: &mut ::std::vec::Vec<u8>) {
            $crate::codec::protobuf::list_to_vec(list, out)
        }

        fn check_list(
            api_version: &str,
            kind: &str,
        ) -> ::std::result::Result<(), $crate::codec::DecodeError> {
            $crate::codec::check_list::<Self>(api_version, kind)
        }
    };
}

/// Implements [`Object`](crate::Object) and [`Metadata`](crate::Metadata) for a struct with a field
/// `metadata: ObjectMeta`, and [`Object`](crate::Object) alone for a struct around another object: `object!(Gadget, 0)`.
///
/// [`custom_resource!`](crate::custom_resource) does this and more.
///
/// ```
/// use klient_apimachinery::meta::v1::ObjectMeta;
/// use klient_apimachinery::{Object as _, Unstructured, object};
///
/// struct Gadget {
///     metadata: ObjectMeta,
/// }
///
/// object!(Gadget);
/// assert_eq!(Gadget { metadata: ObjectMeta::named("a") }.name(), "a");
///
/// struct Checked(Unstructured);
///
/// object!(Checked, 0);
/// assert_eq!(Checked(Unstructured::new("v1", "ConfigMap", "b")).name(), "b");
/// ```
#[macro_export]
macro_rules! object {
    ($name:ident) => {
        $crate::object!($name, metadata);

        impl $crate::Metadata for $name {
            fn metadata(&self) -> &$crate::meta::v1::ObjectMeta {
                &self.metadata
            }

            fn metadata_mut(&mut self) -> &mut $crate::meta::v1::ObjectMeta {
                &mut self.metadata
            }
        }
    };
    ($name:ident, $within:tt) => {
        impl $crate::Object for $name {
            fn name(&self) -> &str {
                $crate::Object::name(&self.$within)
            }

            fn namespace(&self) -> ::std::option::Option<&str> {
                $crate::Object::namespace(&self.$within)
            }

            fn uid(&self) -> &str {
                $crate::Object::uid(&self.$within)
            }

            fn resource_version(&self) -> &str {
                $crate::Object::resource_version(&self.$within)
            }

            fn labels(&self) -> impl ::std::iter::Iterator<Item = (&str, &str)> {
                $crate::Object::labels(&self.$within)
            }

            fn annotations(&self) -> impl ::std::iter::Iterator<Item = (&str, &str)> {
                $crate::Object::annotations(&self.$within)
            }

            fn finalizers(&self) -> impl ::std::iter::Iterator<Item = &str> {
                $crate::Object::finalizers(&self.$within)
            }

            fn owner_references(&self) -> ::std::borrow::Cow<'_, [$crate::meta::v1::OwnerReference]> {
                $crate::Object::owner_references(&self.$within)
            }

            fn generation(&self) -> ::std::option::Option<i64> {
                $crate::Object::generation(&self.$within)
            }

            fn deletion_timestamp(&self) -> ::std::option::Option<$crate::Time> {
                $crate::Object::deletion_timestamp(&self.$within)
            }
        }
    };
}

/// Implements [`Resource`](crate::Resource) and the verbs for a kind.
#[doc(hidden)]
#[macro_export]
macro_rules! resource {
    (
        $name:ident: $scope:ident, $group:literal, $version:literal, $kind:literal, $plural:literal
        { $($verb:ident)* }
    ) => {
        impl $crate::Resource for $name {
            type Scope = $crate::$scope;
            const INFO: $crate::ResourceInfo =
                $crate::ResourceInfo::from_static($group, $version, $kind, $plural, $crate::$scope::NAMESPACED);
        }
        $(impl $crate::verbs::$verb for $name {})*
    };
}

/// An enum of boxed structs of which at most one should be set.
#[doc(hidden)]
#[macro_export]
macro_rules! one_of {
    (
        $(#[$attribute:meta])*
        pub enum $name:ident { $($(#[$doc:meta])* $index:literal $variant:ident($type:ident),)* }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, Default, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            /// None is set, or one that this build does not know.
            #[default]
            None,
            $($(#[$doc])* $variant(::std::boxed::Box<$type>),)*
            /// More than one is set, which the API server rejects; kept so that the object can be written back
            /// unchanged.
            Several(::std::boxed::Box<::std::vec::Vec<$name>>),
        }

        impl $crate::message::OneOf for $name {
            fn member(&self, index: usize) -> ::std::option::Option<&dyn $crate::message::Message> {
                match self {
                    $name::None => ::std::option::Option::None,
                    $name::Several(all) => all.iter().find_map(|one| one.member(index)),
                    $($name::$variant(member) if index == $index => ::std::option::Option::Some(&**member),)*
                    _ => ::std::option::Option::None,
                }
            }

            fn clear(&mut self, index: usize) {
                match self {
                    $name::Several(all) => all.retain(|one| one.member(index).is_none()),
                    one if one.member(index).is_some() => *one = $name::None,
                    _ => {}
                }
            }

            fn make(&mut self, index: usize) -> &mut dyn $crate::message::Message {
                if self.member(index).is_none() {
                    let member = match index {
                        $($index => $name::$variant(::std::boxed::Box::default()),)*
                        _ => unreachable!("positions come from the schema"),
                    };
                    *self = match ::std::mem::take(self) {
                        $name::None => member,
                        $name::Several(mut all) => {
                            all.push(member);
                            $name::Several(all)
                        }
                        one => $name::Several(::std::boxed::Box::new(::std::vec![one, member])),
                    };
                }
                match self {
                    $name::None => unreachable!("it was set above"),
                    $name::Several(all) => {
                        let one = all.iter_mut().find(|one| one.member(index).is_some());
                        one.expect("it was put there above").make(index)
                    }
                    $($name::$variant(member) => &mut **member,)*
                }
            }
        }
    };
}
