//! [`Outside`], the state of a play outside of the cluster.

use std::any::Any;
use std::marker::PhantomData;

use serde_json::Value;

/// The type parameter of a [`CrashTest`](crate::CrashTest) whose plays have a state outside of the cluster, of type `W`.
pub struct World<W>(PhantomData<fn() -> W>);

/// The state of plays outside of the cluster: its maker, and that of it which is compared.
pub(crate) struct Outside {
    pub(crate) make: Box<dyn Fn() -> Box<dyn Any> + Send + Sync>,
    pub(crate) compared: Option<Compared>,
}

/// A function that returns the part of a state that is compared.
pub(crate) type Compared = Box<dyn Fn(&dyn Any) -> Value + Send + Sync>;

impl Outside {
    /// No state.
    pub(crate) fn none() -> Outside {
        Outside { make: Box::new(|| Box::new(())), compared: None }
    }
}

/// The state of a play as its type.
pub(crate) fn of<W: 'static>(world: &dyn Any) -> &W {
    world.downcast_ref().expect("a test has worlds of one type")
}
