//! Evaluation of the expressions of policies and match conditions: on the thread of the request, or on another if they take
//! long.

use klient_apimachinery::values::Map;
use klient_cel::Effort;
use serde_json::Value;

use super::RequestContext;
use super::conditions::{Input, UserAuthorizer};
use crate::offload::offload;
use crate::status::Result;

/// Evaluates expressions on values for a request, and lets other requests go on meanwhile or afterwards.
///
/// # Errors
///
/// 504 at the deadline of the request.
pub(super) async fn evaluate<T: Send + 'static>(
    request: RequestContext<'_>,
    input: Input<'_>,
    run: impl Fn(Input<'_>) -> T + Send + 'static,
) -> Result<T> {
    if let Ok(done) = Effort::LITTLE.spend(|| run(input)) {
        request.pause().await?;
        return Ok(done);
    }
    let input = Owned::of(input);
    offload(request.deadline, move || run(input.borrow())).await
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
        }
    }
}
