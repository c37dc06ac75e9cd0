//! Scalars: conversion from the tokens of a codec.

use super::{JsonSlot, Mut, Ref, Value};
use crate::{ByteString, Duration, IntOrString, Json, MicroTime, Quantity, Str, Time};

/// A scalar as a codec reads it.
#[derive(Clone, Copy, Debug)]
pub enum Token<'a> {
    /// Null or absent.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// A string.
    Str(&'a str),
    /// Bytes, in codecs that have them.
    Bytes(&'a [u8]),
    /// A time in seconds, in codecs that have a form for it.
    Time(Time),
    /// A time in microseconds.
    MicroTime(MicroTime),
    /// A duration.
    Duration(Duration),
}

/// A field with a scalar, for writing.
pub trait Scalar {
    /// Sets the value.
    ///
    /// # Errors
    ///
    /// The name of the expected type.
    fn set(&mut self, token: Token<'_>) -> Result<(), &'static str>;
}

macro_rules! scalar {
    ($type:ty: $view:expr, $expected:literal, $($token:pat $(if $guard:expr)? => $value:expr),+) => {
        scalar!($type as Scalar or Scalar: $view, $expected, $($token $(if $guard)? => $value),+);
    };
    ($type:ty as $place:ident or $optional:ident: $view:expr, $expected:literal,
        $($token:pat $(if $guard:expr)? => $value:expr),+) => {
        impl Value for $type {
            fn view(&self) -> Ref<'_> {
                let view: fn(&$type) -> Ref<'_> = $view;
                view(self)
            }

            fn view_mut(&mut self) -> Mut<'_> {
                Mut::$place(self)
            }
        }

        impl Scalar for $type {
            fn set(&mut self, token: Token<'_>) -> Result<(), &'static str> {
                let value: Option<$type> = match token {
                    Token::Null => Some(<$type>::default()),
                    $($token $(if $guard)? => $value,)+
                    #[allow(unreachable_patterns)]
                    _ => None,
                };
                *self = value.ok_or($expected)?;
                Ok(())
            }
        }

        impl Value for Option<$type> {
            fn view(&self) -> Ref<'_> {
                self.as_ref().map_or(Ref::Absent, Value::view)
            }

            fn view_mut(&mut self) -> Mut<'_> {
                Mut::$optional(self)
            }
        }

        impl Scalar for Option<$type> {
            fn set(&mut self, token: Token<'_>) -> Result<(), &'static str> {
                if let Token::Null = token {
                    *self = None;
                    return Ok(());
                }
                let mut value = <$type>::default();
                value.set(token)?;
                *self = Some(value);
                Ok(())
            }
        }
    };
}

scalar!(bool: |value| Ref::Bool(*value), "a boolean", Token::Bool(value) => Some(value));
scalar!(i32: |value| Ref::Int((*value).into()), "a 32-bit number",
    Token::Int(value) => value.try_into().ok());
scalar!(i64: |value| Ref::Int(*value), "a 64-bit number", Token::Int(value) => Some(value));
scalar!(f64: |value| Ref::Double(*value), "a number",
    Token::Double(value) => Some(value), Token::Int(value) => Some(value as f64));
scalar!(Str as Text or OptionalText: |value| Ref::Str(value), "a string", Token::Str(text) => Some(text.into()));
scalar!(ByteString: |value| Ref::Bytes(&value.0), "base64 text",
    Token::Str(text) => ByteString::from_base64(text).ok(),
    Token::Bytes(bytes) => Some(ByteString(bytes.to_vec())));
scalar!(Time: |value| Ref::Time(*value), "an RFC 3339 time",
    Token::Str(text) => text.parse().ok(), Token::Time(time) => Some(time));
scalar!(MicroTime: |value| Ref::MicroTime(*value), "an RFC 3339 time",
    Token::Str(text) => text.parse().ok(), Token::MicroTime(time) => Some(time));
scalar!(Duration: |value| Ref::Duration(*value), "a duration such as 1m30s",
    Token::Str(text) => text.parse().ok(), Token::Duration(span) => Some(span));
scalar!(Quantity as Quantity or Quantity: |value| Ref::Quantity(value.as_str()), "a quantity such as 500m or 2Gi",
    Token::Str(text) => Some(text.trim().into()),
    Token::Int(value) => Some(value.to_string().into()),
    // Go's notation of such numbers in JSON.
    Token::Double(value) if value != 0.0 && !(1e-6..1e21).contains(&value.abs()) => Some(format!("{value:e}").into()),
    Token::Double(value) => Some(value.to_string().into()));
scalar!(IntOrString: |value| match value {
        IntOrString::Int(number) => Ref::Int((*number).into()),
        IntOrString::String(text) => Ref::Str(text),
    }, "a 32-bit number or a string",
    Token::Int(value) => i32::try_from(value).ok().map(IntOrString::Int),
    Token::Str(text) => Some(text.into()));

impl Value for Json {
    fn view(&self) -> Ref<'_> {
        Ref::Json(self.as_str())
    }

    fn view_mut(&mut self) -> Mut<'_> {
        Mut::Json(self)
    }
}

impl JsonSlot for Json {
    fn set(&mut self, text: &str) -> Result<(), String> {
        *self = Json::from_checked(text);
        Ok(())
    }

    fn clear(&mut self) {
        *self = Json::default();
    }
}

impl Value for Option<Json> {
    fn view(&self) -> Ref<'_> {
        self.as_ref().map_or(Ref::Absent, Value::view)
    }

    fn view_mut(&mut self) -> Mut<'_> {
        Mut::Json(self)
    }
}

impl JsonSlot for Option<Json> {
    fn set(&mut self, text: &str) -> Result<(), String> {
        self.get_or_insert_default().set(text)
    }

    fn clear(&mut self) {
        *self = None;
    }
}
