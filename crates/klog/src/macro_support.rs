//! Items of the macros' expansions. Nothing here is for programs.

use std::error::Error;
use std::fmt::Display;
use std::ops::Deref;

use tracing::callsite::Callsite as _;
use tracing::dispatcher::get_default;

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

/// An error of a call. Its type selects the trait by which it is formatted.
#[derive(Debug)]
pub struct ErrorValue<'a, E: ?Sized>(pub &'a E);

/// Errors of the standard library's trait.
pub trait ErrorWithCauses<'a> {
    /// The error with its causes.
    fn klog_error(&self) -> Causes<'a>;
}

impl<'a, E: Error> ErrorWithCauses<'a> for &&ErrorValue<'a, E> {
    fn klog_error(&self) -> Causes<'a> {
        causes(self.0)
    }
}

/// Errors in boxes, which do not implement that trait.
pub trait BoxedError<'a> {
    /// The error with its causes.
    fn klog_error(&self) -> Causes<'a>;
}

impl<'a, B: Deref<Target: DynError + 'a>> BoxedError<'a> for &ErrorValue<'a, B> {
    fn klog_error(&self) -> Causes<'a> {
        causes(self.0.deref().as_error())
    }
}

/// The errors that boxes hold.
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

/// Errors of other types, such as strings.
pub trait DisplayedError<'a> {
    /// The error's text.
    type Text: ?Sized + 'a;

    /// The error's text.
    fn klog_error(&self) -> &'a Self::Text;
}

impl<'a, E: Display + ?Sized> DisplayedError<'a> for ErrorValue<'a, E> {
    type Text = E;

    fn klog_error(&self) -> &'a E {
        self.0
    }
}
