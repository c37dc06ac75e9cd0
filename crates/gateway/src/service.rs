//! [`Service`], the layers that a request passes, and the routes behind them.

use std::any::Any;
use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use http::HeaderName;
use tower::ServiceBuilder;
use tower::util::BoxCloneSyncService;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tower_http::trace::TraceLayer;
use tracing::Span;

use crate::admission::Admission;
use crate::failure::{Code, Failure};
use crate::guard::security_headers;
use crate::routes;
use crate::state::State;

/// The layers and routes of a gateway.
pub(crate) type Service = BoxCloneSyncService<Request, Response, Infallible>;

/// The header with the number of a request, which is that of a proxy in front, or a random one; it is in the log, and in the
/// response.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The layers, the first one outermost. The guard is in front of the routes: no path is looked at before it.
pub(crate) fn service(state: Arc<State>) -> Service {
    let guard = middleware::from_fn_with_state(state.clone(), guard);
    let layers = ServiceBuilder::new()
        .map_response(|response: http::Response<_>| response.map(Body::new))
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
        .layer(TraceLayer::new_for_http().make_span_with(span).on_failure(()))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(security_headers::own())
        .layer(security_headers::of_all())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(guard);
    BoxCloneSyncService::new(layers.service(routes::router(state)))
}

/// Lets a request pass that is admitted, with its caller as an extension.
async fn guard(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    match state.admit(&head).await {
        Ok(Admission::Caller(caller)) => {
            head.extensions.insert(caller);
        }
        Ok(Admission::Open) => {}
        Ok(Admission::SignedIn(response)) => return response,
        // A browser shows it.
        Err(failure) if head.uri.path() == "/" => return routes::refused_page(&state, &head, failure),
        Err(failure) => return failure.into_response(),
    }
    next.run(Request::from_parts(head, body)).await
}

/// The span of a request. The query is not in it: it may have the token.
fn span<B>(request: &http::Request<B>) -> Span {
    let id = request.extensions().get::<RequestId>().map(RequestId::header_value);
    tracing::debug_span!(
        target: "klient::gateway",
        "request",
        method = %request.method(),
        path = request.uri().path(),
        id = id.and_then(|id| id.to_str().ok()),
    )
}

/// The response in place of one that a panic has ended.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    // The panic hook has printed the message.
    tracing::error!("a request has ended in a panic");
    Failure::new(Code::Internal, "the gateway has a fault, which its log names").into_response()
}
