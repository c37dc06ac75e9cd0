//! [`Script`], a program of the user that is given a client: the controller, the setup or a step.

use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;

use klient_client::Client;

/// The result of a controller or of a step: `()`, or a `Result` of any error.
pub trait Outcome {
    /// The message of the error, if it is one.
    fn failure(self) -> Result<(), String>;
}

impl Outcome for () {
    fn failure(self) -> Result<(), String> {
        Ok(())
    }
}

impl Outcome for Infallible {
    fn failure(self) -> Result<(), String> {
        match self {}
    }
}

impl<T, E: fmt::Display> Outcome for Result<T, E> {
    fn failure(self) -> Result<(), String> {
        self.map(drop).map_err(|error| error.to_string())
    }
}

/// A program of the user, which each play begins anew, on a thread of its own.
pub(crate) trait Script: Send + Sync {
    fn begin(&self, client: Client) -> Running<'_>;
}

/// A begun script, with the message of its error.
pub(crate) type Running<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + 'a>>;

/// Returns a function as a script.
pub(crate) fn script<F, T>(function: F) -> Box<dyn Script>
where
    F: AsyncFn(Client) -> T + Send + Sync + 'static,
    T: Outcome + 'static,
{
    Box::new(Function(function, PhantomData))
}

struct Function<F, T>(F, PhantomData<fn() -> T>);

impl<F, T> Script for Function<F, T>
where
    F: AsyncFn(Client) -> T + Send + Sync,
    T: Outcome,
{
    fn begin(&self, client: Client) -> Running<'_> {
        Box::pin(async move { (self.0)(client).await.failure() })
    }
}
