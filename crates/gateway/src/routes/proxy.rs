//! The API of the cluster behind the rules of the gateway: [`klient_proxy::ReverseProxy`] with the client of the user.

mod rules;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::response::IntoResponse as _;
use axum::{Extension, extract};
use bytes::Bytes;
use http::Request;
use http::header::{HeaderMap, HeaderValue, LOCATION, UPGRADE};
use http_body::{Body, Frame, SizeHint};
use klient_client::{BoxError, RequestBody, ResponseBody};
use klient_proxy::ConnectionGuard;
use tower::Service as _;

use crate::admission::Caller;
use crate::clusters;
use crate::failure::Failure;
use crate::query::Query;
use crate::response::{IsStream, Response};
use crate::state::State;
use crate::streams::Stream;

/// Passes a request on, if the options allow it.
pub(super) async fn proxy(
    extract::State(gateway): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: extract::Request,
) -> Result<Response, Failure> {
    let upgrades = request.headers().contains_key(UPGRADE);
    let path = caller.path.parts();
    rules::check(request.method(), &path, upgrades, &gateway.options)?;
    let stream = match upgrades || rules::is_open_ended(&path, &Query::parse(request.uri().query())) {
        true => Some(Arc::new(gateway.streams.open(&caller.client)?)),
        false => None,
    };
    let (mut head, body) = request.into_parts();
    if let Some(stream) = &stream {
        head.extensions.insert(ConnectionGuard(stream.clone()));
    }
    gateway.guard.strip(&mut head.headers);
    clusters::strip(&mut head.uri, &mut head.headers, &caller.path);
    let request = Request::from_parts(head, RequestBody::stream(body));
    let mut response =
        caller.identity.proxy.clone().call(request).await.unwrap_or_else(|never| match never {});
    keep_context(response.headers_mut(), caller.path.context_prefix());
    Ok(match stream {
        None => response.into_response(),
        Some(stream) => {
            (Extension(IsStream), response.map(|body| Counted { body, _stream: stream })).into_response()
        }
    })
}

/// Keeps the context of a redirect on the server, which knows nothing of the prefix that chooses it.
fn keep_context(headers: &mut HeaderMap, prefix: &str) {
    let location = headers.get(LOCATION).and_then(|location| location.to_str().ok());
    let Some(location) = location.filter(|to| to.starts_with('/') && !to.starts_with("//")) else { return };
    if let Ok(location) = HeaderValue::from_str(&format!("{prefix}{location}")) {
        headers.insert(LOCATION, location);
    }
}

/// The body of a response that counts as a stream.
struct Counted {
    body: ResponseBody,
    _stream: Arc<Stream>,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
