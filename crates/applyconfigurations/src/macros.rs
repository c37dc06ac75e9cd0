//! The macros that define the types of configurations: those of built-in kinds, in generated files, and those that
//! `#[derive(ApplyConfiguration)]` makes.

/// The configuration of a part of a built-in kind.
macro_rules! part {
    ($name:ident: $api_version:literal, $schema:path, $object:path) => {
        part_configuration! {
            #[doc = concat!("Configuration of `", stringify!($name), "` of ", $api_version, ".")]
            pub $name
        }
        built_in! { $name: $api_version, false, $schema, $object }
    };
}

/// The configuration of a built-in kind.
macro_rules! kind {
    ($name:ident: $scope:ident, $api_version:literal, $kind:literal, $schema:path, $object:path) => {
        kind_configuration! {
            #[doc = concat!("Configuration of `", stringify!($name), "` of ", $api_version, ".")]
            pub $name: $scope, $object
        }
        built_in! { $name: $api_version, true, $schema, $object }
    };
}

/// The description of a built-in struct, by its table.
macro_rules! built_in {
    ($name:ident: $api_version:literal, $is_kind:literal, $schema:path, $object:path) => {
        impl crate::custom::Described for $name {
            fn subject() -> &'static crate::custom::Subject {
                static SUBJECT: crate::custom::Subject = crate::custom::Subject {
                    api_version: $api_version,
                    name: stringify!($name),
                    is_kind: $is_kind,
                    table: &$schema,
                };
                &SUBJECT
            }
        }

        impl crate::Configurable for $object {
            type Configuration = $name;

            fn value_type() -> crate::custom::Type {
                crate::custom::Type::Message(&$schema)
            }
        }
    };
}

/// The configuration of a part of a kind.
#[doc(hidden)]
#[macro_export]
macro_rules! part_configuration {
    ($(#[$attribute:meta])* $visibility:vis $name:ident) => {
        $crate::configuration! { $(#[$attribute])* $visibility $name }

        impl $name {
            /// An empty configuration.
            #[allow(dead_code, reason = "a program makes the configurations that it applies")]
            pub fn new() -> Self {
                $name($crate::custom::Fields::default())
            }
        }

        impl ::std::default::Default for $name {
            fn default() -> Self {
                $name::new()
            }
        }
    };
}

/// The configuration of a kind.
#[doc(hidden)]
#[macro_export]
macro_rules! kind_configuration {
    ($(#[$attribute:meta])* $visibility:vis $name:ident: $scope:ident, $object:path) => {
        $crate::configuration! { $(#[$attribute])* $visibility $name }
        $crate::new_configuration! { $name: $scope }

        #[allow(dead_code, reason = "a program reads configurations in the ways that it has")]
        impl $name {
            /// Parses JSON.
            ///
            /// # Errors
            ///
            /// `Error::is_syntax` if it is not valid JSON; as [`from_value`](Self::from_value).
            pub fn from_json(json: &str) -> ::std::result::Result<Self, $crate::Error> {
                $crate::custom::from_json(json, <Self as $crate::custom::Described>::subject()).map($name)
            }

            /// Parses YAML: one document, which may be JSON.
            ///
            /// # Errors
            ///
            /// `Error::is_syntax` if it is not valid YAML; as [`from_value`](Self::from_value).
            pub fn from_yaml(yaml: &str) -> ::std::result::Result<Self, $crate::Error> {
                $crate::custom::from_yaml(yaml, <Self as $crate::custom::Described>::subject()).map($name)
            }

            /// Validates a JSON value and converts it to a configuration.
            ///
            /// # Errors
            ///
            /// `Error::is_wrong_kind` if it is of another kind or version, or lacks `apiVersion` or `kind`;
            /// `Error::is_invalid` if a field is not declared or has a value of another type.
            pub fn from_value(
                value: $crate::custom::Value,
            ) -> ::std::result::Result<Self, $crate::Error> {
                $crate::custom::from_value(value, <Self as $crate::custom::Described>::subject()).map($name)
            }

            /// The fields that a field manager has applied to an object, with the object's current values. If there
            /// are none, the configuration has the object's name and namespace only, as in client-go.
            ///
            /// The object must have its `managedFields`, as returned by a server; caches drop them unless configured
            /// to keep them. Without them no field seems to have been applied, and applying the result removes all
            /// the manager's fields.
            ///
            /// # Errors
            ///
            /// `Error::is_wrong_kind` if the object is of another kind or version; `Error::is_managed_fields` if its
            /// managed fields cannot be read; `Error::is_invalid` if a field has a value of a type that its kind does
            /// not declare, or if a field unknown to this build was applied, which would be lost.
            pub fn extract<K>(
                object: &K,
                field_manager: &str,
            ) -> ::std::result::Result<Self, $crate::Error>
            where
                K: $crate::custom::Object + $crate::custom::Wire,
            {
                Self::extract_subresource(object, field_manager, "")
            }

            /// The fields that a field manager has applied to a subresource of an object, such as `status`.
            ///
            /// # Errors
            ///
            /// As [`extract`](Self::extract).
            pub fn extract_subresource<K>(
                object: &K,
                field_manager: &str,
                subresource: &str,
            ) -> ::std::result::Result<Self, $crate::Error>
            where
                K: $crate::custom::Object + $crate::custom::Wire,
            {
                $crate::custom::extract(object, <Self as $crate::custom::Described>::subject(), field_manager, subresource).map($name)
            }
        }

        impl $crate::custom::ApplyConfiguration for $name {
            type Object = $object;
        }
    };
}

/// The constructor of a kind's configuration.
#[doc(hidden)]
#[macro_export]
macro_rules! new_configuration {
    ($name:ident: Cluster) => {
        impl $name {
            /// A configuration with only a name.
            #[allow(dead_code, reason = "a program makes the configurations that it applies")]
            pub fn new(name: impl ::std::convert::Into<::std::string::String>) -> Self {
                $name($crate::custom::Fields::of_kind(
                    <Self as $crate::custom::Described>::subject(),
                    name.into(),
                ))
            }
        }
    };
    ($name:ident: Namespaced) => {
        impl $name {
            /// A configuration with only a name and namespace.
            #[allow(dead_code, reason = "a program makes the configurations that it applies")]
            pub fn new(
                name: impl ::std::convert::Into<::std::string::String>,
                namespace: impl ::std::convert::Into<::std::string::String>,
            ) -> Self {
                $name($crate::custom::Fields::of_kind(
                    <Self as $crate::custom::Described>::subject(),
                    name.into(),
                ))
                .namespace(namespace)
            }
        }
    };
}

/// The type of a configuration and its common methods.
#[doc(hidden)]
#[macro_export]
macro_rules! configuration {
    ($(#[$attribute:meta])* $visibility:vis $name:ident) => {
        $(#[$attribute])*
        #[derive(Clone, PartialEq)]
        $visibility struct $name($crate::custom::Fields);

        #[allow(dead_code, reason = "a program reads configurations in the ways that it has")]
        impl $name {
            /// The fields that are set.
            pub fn as_map(&self) -> &$crate::Map {
                self.0.as_map()
            }

            /// The configuration as JSON.
            pub fn into_value(self) -> $crate::custom::Value {
                self.0.into_value()
            }
        }

        impl $crate::custom::IntoJson for $name {
            fn into_json(self) -> $crate::custom::Value {
                self.0.into_value()
            }
        }

        impl ::std::convert::From<$name> for $crate::custom::Value {
            fn from(configuration: $name) -> Self {
                configuration.0.into_value()
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                $crate::custom::debug(&self.0, <Self as $crate::custom::Described>::subject(), f)
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                $crate::custom::display(&self.0, f)
            }
        }

        impl $crate::custom::serde::Serialize for $name {
            fn serialize<S: $crate::custom::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                $crate::custom::serde::Serialize::serialize(&self.0, serializer)
            }
        }

        impl<'de> $crate::custom::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::custom::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                $crate::custom::deserialize(deserializer, <Self as $crate::custom::Described>::subject()).map($name)
            }
        }
    };
}

/// Setters for the metadata of types that have it.
#[doc(hidden)]
#[macro_export]
macro_rules! metadata {
    ($name:ident) => {
        #[allow(dead_code, reason = "a program sets the metadata that it has")]
        impl $name {
            /// `metadata.name`.
            pub fn name(self, value: impl ::std::convert::Into<::std::string::String>) -> Self {
                Self(self.0.set_metadata("name", value))
            }

            /// `metadata.generateName`.
            pub fn generate_name(self, value: impl ::std::convert::Into<::std::string::String>) -> Self {
                Self(self.0.set_metadata("generateName", value))
            }

            /// `metadata.namespace`.
            pub fn namespace(self, value: impl ::std::convert::Into<::std::string::String>) -> Self {
                Self(self.0.set_metadata("namespace", value))
            }

            /// `metadata.uid`: the apply fails if the object has another.
            pub fn uid(self, value: impl ::std::convert::Into<::std::string::String>) -> Self {
                Self(self.0.set_metadata("uid", value))
            }

            /// `metadata.resourceVersion`: the apply fails if the object has changed since.
            pub fn resource_version(self, value: impl ::std::convert::Into<::std::string::String>) -> Self {
                Self(self.0.set_metadata("resourceVersion", value))
            }

            /// `metadata.labels`.
            pub fn labels(
                self,
                entries: impl ::std::iter::IntoIterator<
                    Item = (
                        impl ::std::convert::Into<::std::string::String>,
                        impl ::std::convert::Into<::std::string::String>,
                    ),
                >,
            ) -> Self {
                Self(self.0.merge_metadata("labels", entries))
            }

            /// `metadata.annotations`.
            pub fn annotations(
                self,
                entries: impl ::std::iter::IntoIterator<
                    Item = (
                        impl ::std::convert::Into<::std::string::String>,
                        impl ::std::convert::Into<::std::string::String>,
                    ),
                >,
            ) -> Self {
                Self(self.0.merge_metadata("annotations", entries))
            }

            /// `metadata.ownerReferences`; items told apart by `uid`. A reference to an object is
            /// `OwnerReference::of` or `OwnerReference::controller_of`.
            pub fn owner_references(
                self,
                items: impl ::std::iter::IntoIterator<
                    Item = impl ::std::convert::Into<$crate::meta::v1::OwnerReference>,
                >,
            ) -> Self {
                Self(self.0.append_metadata::<$crate::meta::v1::OwnerReference>("ownerReferences", items))
            }

            /// `metadata.finalizers`.
            pub fn finalizers(
                self,
                items: impl ::std::iter::IntoIterator<
                    Item = impl ::std::convert::Into<::std::string::String>,
                >,
            ) -> Self {
                Self(self.0.append_metadata::<::std::string::String>("finalizers", items))
            }
        }
    };
}
