//! [`Script`], a program of the user that is given a client: the controller, the setup or a step.

use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;

use klient_client::Client;

use crate::world;

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
    /// Begins it, with the state of the play outside of the cluster.
    fn begin(&self, client: Client, world: &dyn Any) -> Running<'_>;
}

/// A begun script, with the message of its error.
pub(crate) type Running<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + 'a>>;

/// Returns a function of a client as a script.
pub(crate) fn script<F, T>(function: F) -> Box<dyn Script>
where
    F: AsyncFn(Client) -> T + Send + Sync + 'static,
    T: Outcome + 'static,
{
    Box::new(Function(function, PhantomData))
}

/// Returns a function of a client and a world as a script.
pub(crate) fn script_in_world<F, T, W>(function: F) -> Box<dyn Script>
where
    F: AsyncFn(Client, W) -> T + Send + Sync + 'static,
    T: Outcome + 'static,
    W: Clone + 'static,
{
    Box::new(InWorld(function, PhantomData))
}

struct Function<F, T>(F, PhantomData<fn() -> T>);

impl<F, T> Script for Function<F, T>
where
    F: AsyncFn(Client) -> T + Send + Sync,
    T: Outcome,
{
    fn begin(&self, client: Client, _: &dyn Any) -> Running<'_> {
        Box::pin(async move { (self.0)(client).await.failure() })
    }
}

struct InWorld<F, T, W>(F, PhantomData<fn(W) -> T>);

impl<F, T, W> Script for InWorld<F, T, W>
where
    F: AsyncFn(Client, W) -> T + Send + Sync,
    T: Outcome,
    W: Clone + 'static,
{
    fn begin(&self, client: Client, world: &dyn Any) -> Running<'_> {
        let world = world::of::<W>(world).clone();
        Box::pin(async move { (self.0)(client, world).await.failure() })
    }
}
