//! Items of the macros' expansions. Nothing here is for programs.

use std::error::Error;
use std::fmt::Display;
use std::ops::Deref;

use tracing::callsite::Callsite as _;
use tracing::dispatcher::get_default;
use tracing::field::{DisplayValue, display};

use crate::layer::Layer;

pub use tracing::callsite::DefaultCallsite;
pub use tracing::field::Empty;
pub use tracing::metadata::Kind;
pub use tracing::{Level, Metadata, event, info_span};
pub use tracing_core::metadata;

pub use crate::call::level;
pub use crate::flush::exit_after_line;
pub use crate::value::{Causes, causes};
pub use crate::{__error as error, __printed as printed, __structured as structured};

/// The decision about a call site that logs nothing itself.
#[inline]
pub fn is_enabled(callsite: &'static DefaultCallsite) -> bool {
    let interest = callsite.interest();
    !interest.is_never() && (interest.is_always() || is_enabled_here(callsite.metadata()))
}

/// The decision of the log of the present subscriber, beside which there are other layers or subscribers.
fn is_enabled_here(metadata: &Metadata<'_>) -> bool {
    get_default(|dispatch| dispatch.downcast_ref::<Layer>().is_some_and(|layer| layer.is_enabled(metadata)))
}

/// The traits of [`ErrorValue`], without names that could hide those of the caller.
pub mod error_traits {
    pub use super::{
        BoxedError as _, DisplayedError as _, ErrorWithCauses as _, OptionalBoxedError as _,
        OptionalDisplayedError as _, OptionalErrorWithCauses as _,
    };
}

/// An error of a call. Its type selects the trait by which it is formatted.
#[derive(Debug)]
pub struct ErrorValue<'a, E: ?Sized>(pub &'a E);

/// Errors of the standard library's trait.
pub trait ErrorWithCauses<'a> {
    /// The error with its causes.
    fn klog_error(&self) -> DisplayValue<Causes<'a>>;
}

impl<'a, E: Error> ErrorWithCauses<'a> for &&ErrorValue<'a, E> {
    fn klog_error(&self) -> DisplayValue<Causes<'a>> {
        display(causes(self.0))
    }
}

/// Errors of the standard library's trait in options, of which `None` is no value.
pub trait OptionalErrorWithCauses<'a> {
    /// The error with its causes.
    fn klog_error(&self) -> Option<DisplayValue<Causes<'a>>>;
}

impl<'a, E: Error> OptionalErrorWithCauses<'a> for &&ErrorValue<'a, Option<E>> {
    fn klog_error(&self) -> Option<DisplayValue<Causes<'a>>> {
        self.0.as_ref().map(|error| display(causes(error)))
    }
}

/// Errors in boxes, which do not implement that trait.
pub trait BoxedError<'a> {
    /// The error with its causes.
    fn klog_error(&self) -> DisplayValue<Causes<'a>>;
}

impl<'a, B: DynError + ?Sized> BoxedError<'a> for &ErrorValue<'a, B> {
    fn klog_error(&self) -> DisplayValue<Causes<'a>> {
        display(causes(self.0.as_error()))
    }
}

/// Errors in boxes in options.
pub trait OptionalBoxedError<'a> {
    /// The error with its causes.
    fn klog_error(&self) -> Option<DisplayValue<Causes<'a>>>;
}

impl<'a, B: DynError> OptionalBoxedError<'a> for &ErrorValue<'a, Option<B>> {
    fn klog_error(&self) -> Option<DisplayValue<Causes<'a>>> {
        self.0.as_ref().map(|error| display(causes(error.as_error())))
    }
}

/// Errors as trait objects, and what leads to them: boxes, references, and references to boxes.
pub trait DynError {
    /// The error.
    fn as_error(&self) -> &(dyn Error + 'static);
}

impl DynError for dyn Error {
    fn as_error(&self) -> &(dyn Error + 'static) {
        self
    }
}

impl DynError for dyn Error + Send {
    fn as_error(&self) -> &(dyn Error + 'static) {
        self
    }
}

impl DynError for dyn Error + Send + Sync {
    fn as_error(&self) -> &(dyn Error + 'static) {
        self
    }
}

impl<B: Deref<Target: DynError>> DynError for B {
    fn as_error(&self) -> &(dyn Error + 'static) {
        self.deref().as_error()
    }
}

/// Errors of other types, such as strings.
pub trait DisplayedError<'a> {
    /// The error's text.
    type Text: Display + ?Sized + 'a;

    /// The error's text.
    fn klog_error(&self) -> DisplayValue<&'a Self::Text>;
}

impl<'a, E: Display + ?Sized> DisplayedError<'a> for ErrorValue<'a, E> {
    type Text = E;

    fn klog_error(&self) -> DisplayValue<&'a E> {
        display(self.0)
    }
}

/// Errors of other types in options.
pub trait OptionalDisplayedError<'a> {
    /// The error's text.
    type Text: Display + 'a;

    /// The error's text.
    fn klog_error(&self) -> Option<DisplayValue<&'a Self::Text>>;
}

impl<'a, E: Display> OptionalDisplayedError<'a> for ErrorValue<'a, Option<E>> {
    type Text = E;

    fn klog_error(&self) -> Option<DisplayValue<&'a E>> {
        self.0.as_ref().map(display)
    }
}
