//! The macros by which generated files define the types of configurations.

/// The configuration of a part of a kind.
macro_rules! part {
    ($name:ident: $api_version:literal, $schema:path) => {
        configuration! { $name: $api_version, false, $schema }

        impl $name {
            /// An empty configuration.
            pub fn new() -> Self {
                $name(crate::fields::Fields::default())
            }
        }

        impl ::std::default::Default for $name {
            fn default() -> Self {
                $name::new()
            }
        }

        impl crate::fields::IntoJson for $name {
            fn into_json(self) -> ::serde_json::Value {
                self.into_value()
            }
        }
    };
}

/// The configuration of a kind.
macro_rules! kind {
    ($name:ident: $scope:ident, $api_version:literal, $kind:literal, $schema:path, $object:path) => {
        configuration! { $name: $api_version, true, $schema }
        new! { $name: $scope, $api_version, $kind }

        impl $name {
            /// Parses JSON.
            ///
            /// # Errors
            ///
            /// [`is_syntax`](crate::Error::is_syntax) if it is not valid JSON; as [`from_value`](Self::from_value).
            pub fn from_json(json: &str) -> ::std::result::Result<Self, crate::Error> {
                crate::read::from_json(json, &Self::SUBJECT).map($name)
            }

            /// Parses YAML: one document, which may be JSON.
            ///
            /// # Errors
            ///
            /// [`is_syntax`](crate::Error::is_syntax) if it is not valid YAML; as [`from_value`](Self::from_value).
            pub fn from_yaml(yaml: &str) -> ::std::result::Result<Self, crate::Error> {
                crate::read::from_yaml(yaml, &Self::SUBJECT).map($name)
            }

            /// Validates a JSON value and converts it to a configuration.
            ///
            /// # Errors
            ///
            /// [`is_wrong_kind`](crate::Error::is_wrong_kind) if it is of another kind or version, or lacks
            /// `apiVersion` or `kind`; [`is_invalid`](crate::Error::is_invalid) if a field is not declared or has a
            /// value of another type.
            pub fn from_value(value: ::serde_json::Value) -> ::std::result::Result<Self, crate::Error> {
                crate::read::from_value(value, &Self::SUBJECT).map($name)
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
            /// [`is_wrong_kind`](crate::Error::is_wrong_kind) if the object is of another kind or version;
            /// [`is_managed_fields`](crate::Error::is_managed_fields) if its managed fields cannot be read;
            /// [`is_invalid`](crate::Error::is_invalid) if a field has a value of a type that its kind does not
            /// declare, or if a field unknown to this build was applied, which would be lost.
            pub fn extract<K>(object: &K, field_manager: &str) -> ::std::result::Result<Self, crate::Error>
            where
                K: ::klient_apimachinery::Object + ::klient_apimachinery::codec::Wire,
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
            ) -> ::std::result::Result<Self, crate::Error>
            where
                K: ::klient_apimachinery::Object + ::klient_apimachinery::codec::Wire,
            {
                let object = ::klient_apimachinery::Unstructured::from_typed(object);
                crate::extract::extract(object, &Self::SUBJECT, field_manager, subresource).map($name)
            }
        }

        impl crate::fields::IntoJson for $name {
            fn into_json(self) -> ::serde_json::Value {
                self.into_value()
            }
        }

        impl ::klient_apimachinery::ApplyConfiguration for $name {
            type Object = $object;
        }
    };
}

/// The constructor of a kind's configuration.
macro_rules! new {
    ($name:ident: Cluster, $api_version:literal, $kind:literal) => {
        impl $name {
            /// A configuration with only a name.
            pub fn new(name: impl ::std::convert::Into<String>) -> Self {
                $name(crate::fields::Fields::of_kind($api_version, $kind, name.into()))
            }
        }
    };
    ($name:ident: Namespaced, $api_version:literal, $kind:literal) => {
        impl $name {
            /// A configuration with only a name and namespace.
            pub fn new(
                name: impl ::std::convert::Into<String>,
                namespace: impl ::std::convert::Into<String>,
            ) -> Self {
                $name(crate::fields::Fields::of_kind($api_version, $kind, name.into())).namespace(namespace)
            }
        }
    };
}

/// The type of a configuration and its common methods.
macro_rules! configuration {
    ($name:ident: $api_version:literal, $is_kind:literal, $schema:path) => {
        #[doc = concat!("Configuration of `", stringify!($name), "` of ", $api_version, ".")]
        #[derive(Clone, PartialEq)]
        pub struct $name(crate::fields::Fields);

        impl $name {
            const SUBJECT: crate::subject::Subject = crate::subject::Subject {
                api_version: $api_version,
                name: stringify!($name),
                is_kind: $is_kind,
                table: &$schema,
            };

            /// The fields that are set.
            pub fn as_map(&self) -> &crate::Map {
                &self.0.0
            }

            /// The configuration as JSON.
            pub fn into_value(self) -> ::serde_json::Value {
                ::serde_json::Value::Object(self.0.0)
            }
        }

        impl ::std::convert::From<$name> for ::serde_json::Value {
            fn from(configuration: $name) -> Self {
                configuration.into_value()
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                crate::show::debug(self.as_map(), &Self::SUBJECT, f)
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                crate::show::display(&self.0, f)
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                crate::read::deserialize(deserializer, &Self::SUBJECT).map($name)
            }
        }
    };
}

/// Setters for the metadata of types that have it.
macro_rules! metadata {
    ($name:ident) => {
        impl $name {
            /// `metadata.name`.
            pub fn name(self, value: impl ::std::convert::Into<String>) -> Self {
                Self(self.0.within("metadata", |metadata| metadata.set::<String>("name", value)))
            }

            /// `metadata.generateName`.
            pub fn generate_name(self, value: impl ::std::convert::Into<String>) -> Self {
                Self(self.0.within("metadata", |metadata| metadata.set::<String>("generateName", value)))
            }

            /// `metadata.namespace`.
            pub fn namespace(self, value: impl ::std::convert::Into<String>) -> Self {
                Self(self.0.within("metadata", |metadata| metadata.set::<String>("namespace", value)))
            }

            /// `metadata.uid`: the apply fails if the object has another.
            pub fn uid(self, value: impl ::std::convert::Into<String>) -> Self {
                Self(self.0.within("metadata", |metadata| metadata.set::<String>("uid", value)))
            }

            /// `metadata.resourceVersion`: the apply fails if the object has changed since.
            pub fn resource_version(self, value: impl ::std::convert::Into<String>) -> Self {
                Self(self.0.within("metadata", |metadata| metadata.set::<String>("resourceVersion", value)))
            }

            /// `metadata.labels`.
            pub fn labels(
                self,
                entries: impl ::std::iter::IntoIterator<
                    Item = (impl ::std::convert::Into<String>, impl ::std::convert::Into<String>),
                >,
            ) -> Self {
                Self(self.0.within("metadata", |metadata| metadata.merge::<String>("labels", entries)))
            }

            /// `metadata.annotations`.
            pub fn annotations(
                self,
                entries: impl ::std::iter::IntoIterator<
                    Item = (impl ::std::convert::Into<String>, impl ::std::convert::Into<String>),
                >,
            ) -> Self {
                Self(self.0.within("metadata", |metadata| metadata.merge::<String>("annotations", entries)))
            }

            /// `metadata.ownerReferences`; items told apart by `uid`. A reference to an object is
            /// [`OwnerReference::of`](::klient_apimachinery::meta::v1::OwnerReference::of) or
            /// [`controller_of`](::klient_apimachinery::meta::v1::OwnerReference::controller_of).
            pub fn owner_references(
                self,
                items: impl ::std::iter::IntoIterator<
                    Item = impl ::std::convert::Into<crate::meta::v1::OwnerReference>,
                >,
            ) -> Self {
                Self(self.0.within("metadata", |metadata| {
                    metadata.append::<crate::meta::v1::OwnerReference>("ownerReferences", items)
                }))
            }

            /// `metadata.finalizers`.
            pub fn finalizers(
                self,
                items: impl ::std::iter::IntoIterator<Item = impl ::std::convert::Into<String>>,
            ) -> Self {
                Self(self.0.within("metadata", |metadata| metadata.append::<String>("finalizers", items)))
            }
        }
    };
}
