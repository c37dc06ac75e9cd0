//! Evaluations that hold up nobody: a costly one is made on a thread for it.

use std::sync::Arc;

use klient_apimachinery::values::Map;
use serde_json::Value;

use super::{Input, UserAuthorizer};

/// The cost up to which an evaluation is made at once: some milliseconds. Nearly all cost less.
const CHEAP: u64 = 50_000;

/// An evaluation that is limited costs more, and is to be made again without a limit.
#[derive(Debug)]
pub(crate) struct Costly;

/// Makes an evaluation of a subject, such as a policy. Other requests go on while it is costly. `run` must not fail
/// without a limit.
pub(crate) async fn evaluate<P, T>(
    subject: &Arc<P>,
    input: Input<'_>,
    run: impl Fn(&P, Input<'_>) -> Result<T, Costly> + Send + 'static,
) -> T
where
    P: Send + Sync + 'static,
    T: Send + 'static,
{
    if let Ok(done) = run(subject, Input { limit: Some(CHEAP), ..input }) {
        return done;
    }
    let (subject, input) = (subject.clone(), Owned::of(input));
    let evaluated = tokio::task::spawn_blocking(move || run(&subject, input.borrow()));
    match evaluated.await {
        Ok(Ok(done)) => done,
        Ok(Err(Costly)) => unreachable!("an evaluation without a limit comes to its end"),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends, and this task with it.
            Err(_) => std::future::pending().await,
        },
    }
}

/// An [`Input`] for another thread.
struct Owned {
    object: Option<Map>,
    old_object: Option<Map>,
    request: Value,
    params: Option<Map>,
    namespace: Option<Map>,
    authorizer: UserAuthorizer<'static>,
}

impl Owned {
    fn of(input: Input<'_>) -> Owned {
        Owned {
            object: input.object.cloned(),
            old_object: input.old_object.cloned(),
            request: input.request.clone(),
            params: input.params.cloned(),
            namespace: input.namespace.cloned(),
            authorizer: input.authorizer.owned(),
        }
    }

    fn borrow(&self) -> Input<'_> {
        Input {
            object: self.object.as_ref(),
            old_object: self.old_object.as_ref(),
            request: &self.request,
            params: self.params.as_ref(),
            namespace: self.namespace.as_ref(),
            authorizer: &self.authorizer,
            limit: None,
        }
    }
}
