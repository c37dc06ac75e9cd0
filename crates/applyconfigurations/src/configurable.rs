//! [`Configurable`], the types of fields that apply configurations can set.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, Hash};

use klient_apimachinery::meta::v1::ObjectMeta;
use klient_apimachinery::schema::Type;
use klient_apimachinery::{
    ByteString, Duration, IntOrString, Map, MicroTime, Quantity, Str, Time, Unstructured,
};
use serde_json::Value;

use crate::fields::{IntoJson, json_of};

/// A type of fields that an apply configuration can set: a scalar, a list or map of such types, a struct of Kubernetes' API,
/// or a type with `#[derive(ApplyConfiguration)]`.
///
/// ```
/// # #[cfg(feature = "core")] {
/// use klient_applyconfigurations::{Configurable, core};
///
/// // The configuration of a struct of the API is that of its name.
/// fn ports(configuration: <Vec<klient_api::core::v1::ContainerPort> as Configurable>::Configuration) -> usize {
///     configuration.len()
/// }
/// assert_eq!(ports(vec![core::v1::ContainerPort::new().container_port(80)]), 1);
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no apply configuration, which a field of this type is set to",
    label = "no apply configuration",
    note = "if the type is yours, a struct or an enum, add #[derive(klient::ApplyConfiguration)] to it",
    note = "or let the field be set as a whole, to a value of its type: add #[apply(value)] to the field"
)]
pub trait Configurable {
    /// The value that a field is set to: the configuration of a struct, and any other type itself.
    type Configuration: IntoJson;

    /// The type of the JSON.
    #[doc(hidden)]
    fn value_type() -> Type;
}

/// Types that are their own configuration.
macro_rules! own {
    ($($ty:ty: $value_type:ident,)*) => {
        $(impl Configurable for $ty {
            type Configuration = $ty;

            fn value_type() -> Type {
                Type::$value_type
            }
        })*
    };
}

own! {
    bool: Bool,
    i8: Int32, i16: Int32, i32: Int32, i64: Int64, isize: Int64,
    u8: Int32, u16: Int32, u32: Int64, u64: Int64, usize: Int64,
    f32: Double, f64: Double,
    String: String, Str: String,
    ByteString: Bytes,
    Duration: Duration, MicroTime: MicroTime, Time: Time,
    IntOrString: IntOrString, Quantity: Quantity,
    Value: Json, crate::Map: Json, Unstructured: Json,
}

/// The metadata of an embedded object, as a whole.
impl Configurable for ObjectMeta {
    type Configuration = ObjectMeta;

    fn value_type() -> Type {
        Type::Message(&klient_apimachinery::meta::v1::schema::OBJECT_META)
    }
}

impl IntoJson for ObjectMeta {
    fn into_json(self) -> Value {
        json_of(&self)
    }
}

macro_rules! transparent {
    ($($ty:ident)*) => {
        $(impl<T: Configurable> Configurable for $ty<T> {
            type Configuration = T::Configuration;

            fn value_type() -> Type {
                T::value_type()
            }
        })*
    };
}

transparent! { Option Box }

/// A type that lives as long as the program: types are asked for once per field.
fn of(ty: Type) -> &'static Type {
    Box::leak(Box::new(ty))
}

impl<T: Configurable> Configurable for Vec<T> {
    type Configuration = Vec<T::Configuration>;

    fn value_type() -> Type {
        Type::List(of(T::value_type()))
    }
}

impl<T: Configurable> Configurable for BTreeSet<T> {
    type Configuration = Vec<T::Configuration>;

    fn value_type() -> Type {
        Type::List(of(T::value_type()))
    }
}

impl<T: Configurable, S> Configurable for HashSet<T, S> {
    type Configuration = Vec<T::Configuration>;

    fn value_type() -> Type {
        Type::List(of(T::value_type()))
    }
}

impl<K: Ord + Into<String>, T: Configurable> Configurable for BTreeMap<K, T> {
    type Configuration = BTreeMap<K, T::Configuration>;

    fn value_type() -> Type {
        Type::Map(of(T::value_type()))
    }
}

impl<K: Eq + Hash + Into<String>, T: Configurable, S: BuildHasher> Configurable for HashMap<K, T, S> {
    type Configuration = HashMap<K, T::Configuration, S>;

    fn value_type() -> Type {
        Type::Map(of(T::value_type()))
    }
}

impl<T: Configurable> Configurable for Map<T> {
    type Configuration = BTreeMap<String, T::Configuration>;

    fn value_type() -> Type {
        Type::Map(of(T::value_type()))
    }
}
