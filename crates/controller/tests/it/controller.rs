//! The reconcile loop.

mod failures;
mod mapping;
#[cfg(feature = "metrics")]
mod metrics;
mod own_writes;
mod predicates;
mod runs;
mod workers;

use std::sync::Arc;

use klient_controller::{Controller, ControllerHandle, Error};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::cluster::soon;

/// A controller that runs until it is told to stop.
struct Running {
    handle: ControllerHandle,
    stop: oneshot::Sender<()>,
    task: JoinHandle<(Controller, Result<(), Error>)>,
}

impl Running {
    fn start(mut controller: Controller) -> Self {
        let handle = controller.handle();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let shutdown = async {
                let _ = stopped.await;
            };
            let result = controller.run(shutdown).await;
            (controller, result)
        });
        Running { handle, stop, task }
    }

    async fn stop(self) -> (Controller, Result<(), Error>) {
        let _ = self.stop.send(());
        soon("the end of the run", self.task).await.unwrap()
    }
}

/// The context of reconcilers that tell of their calls.
struct Calls(UnboundedSender<String>);

impl Calls {
    fn tell(&self, call: impl Into<String>) {
        let _ = self.0.send(call.into());
    }
}

/// A context, and the calls that it was told of.
fn calls() -> (Arc<Calls>, UnboundedReceiver<String>) {
    let (sender, receiver) = unbounded_channel();
    (Arc::new(Calls(sender)), receiver)
}

async fn next(calls: &mut UnboundedReceiver<String>) -> String {
    soon("a reconcile", calls.recv()).await.expect("the controller holds the context")
}
