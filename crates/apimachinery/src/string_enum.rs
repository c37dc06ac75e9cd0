//! [`string_enum!`](crate::string_enum), enums of strings that keep values they do not know.

/// Declares an enum whose values are strings in JSON. The last variant is for all other strings, so that an object with a
/// value that is newer than the program can be read, and is written as it was. It is also the default, as the empty string.
///
/// The enum gets `as_str`, `From` of strings, `Display`, `Default`, comparison and serde's traits.
///
/// ```
/// klient_apimachinery::string_enum! {
///     /// The algorithm of a key.
///     pub enum Algorithm {
///         Rsa = "RSA",
///         Ed25519 = "Ed25519",
///         ..Other
///     }
/// }
///
/// assert_eq!(Algorithm::from("RSA"), Algorithm::Rsa);
/// assert_eq!(Algorithm::Other("ML-DSA".into()).as_str(), "ML-DSA");
/// assert_eq!(serde_json::to_string(&Algorithm::Rsa)?, r#""RSA""#);
/// assert_eq!(serde_json::from_str::<Algorithm>(r#""DSA""#)?.to_string(), "DSA");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[macro_export]
macro_rules! string_enum {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $name:ident {
            $($(#[$variant_attribute:meta])* $variant:ident = $value:literal,)*
            ..$other:ident $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $visibility enum $name {
            $(
                #[doc = ::std::concat!("`", $value, "`")]
                $(#[$variant_attribute])*
                $variant,
            )*
            /// Another value.
            $other($crate::Str),
        }

        impl $name {
            /// The value as it is in JSON.
            $visibility fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $value,)*
                    Self::$other(value) => value,
                }
            }
        }

        impl ::std::default::Default for $name {
            fn default() -> Self {
                Self::$other(::std::default::Default::default())
            }
        }

        impl ::std::convert::From<&str> for $name {
            fn from(value: &str) -> Self {
                match value {
                    $($value => Self::$variant,)*
                    other => Self::$other(other.into()),
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::serde::Serialize for $name {
            fn serialize<S: $crate::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let value = <$crate::Str as $crate::serde::Deserialize>::deserialize(deserializer)?;
                ::std::result::Result::Ok(Self::from(value.as_str()))
            }
        }
    };
}
