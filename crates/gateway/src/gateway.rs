//! [`Gateway`], the service.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::MatchedPath;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use klient_apimachinery::BoxFuture;
use klient_client::{BoxError, Client, ResponseBody};
use tower::ServiceExt as _;

use crate::digest;
use crate::error::Error;
use crate::options::{Access, Options};
use crate::service::{self, Service};
use crate::state::State;

/// A web service in front of the API server of a client: tables from informers, their changes as they come, a proxy, a page.
///
/// It is a `tower` service of HTTP requests, cheap to clone; [`serve`](Self::serve) is a server for it. The
/// [crate](crate) has its routes. Clones share informers, streams and limits, and these end with the last of them.
///
/// Within a router, such as that of axum, it is the fallback: the links of its page begin at `/`. Below a path that the router takes
/// away it has all routes for programs. The request has the address of the client as [`PeerAddress`](crate::PeerAddress), if the
/// server tells it; without, clients that have no user of their own count as one.
#[derive(Clone)]
pub struct Gateway {
    pub(crate) state: Arc<State>,
    service: Service,
}

impl Gateway {
    /// A gateway to the cluster of a client. Nothing is sent before the first request.
    ///
    /// # Errors
    ///
    /// If a host or a header of the options is none, there are contexts or a token for users of their own, the token is too short,
    /// or the system has no random bits for one.
    pub fn new(client: Client, options: Options) -> Result<Self, Error> {
        if options.token.is_some() && options.access == Access::Bearer {
            let problem = "a token has no effect on users with bearer tokens of their own: leave it out, or choose another access";
            return Err(Error::new(problem));
        }
        let token = match &options.token {
            Some(token) if token.len() < 16 || !token.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                return Err(Error::new(
                    "the token must have at least 16 characters, all of them letters or digits",
                ));
            }
            Some(token) => token.clone(),
            None => digest::random_token()
                .ok_or_else(|| Error::new("the system has no random bits: give the gateway a token"))?,
        };
        if !options.contexts.is_empty() && options.access != Access::Token {
            let problem =
                "contexts are for the access by the gateway's token: the credentials are the gateway's";
            return Err(Error::new(problem));
        }
        let state = Arc::new(State::new(client, options, token)?);
        Ok(Gateway { service: service::service(state.clone()), state })
    }

    /// The path of the page, with the token if the page needs it: `/?token=…`. Append it to the address of the server.
    pub fn page(&self) -> String {
        match self.state.options.access {
            Access::Token => format!("/?token={}", self.state.token),
            _ => "/".to_owned(),
        }
    }

    /// The token of the gateway; `None` if users bring tokens of their own.
    pub fn token(&self) -> Option<&str> {
        (self.state.options.access != Access::Bearer).then_some(self.state.token.as_str())
    }

    /// Ends the streams of changes, and those that begin later at once, for a server of others that waits for the end of its
    /// responses. [`serve`](Self::serve) does so itself. Requests to the cluster go on, also those that follow something; what
    /// is switched to another protocol ends with the last clone of the gateway.
    pub fn shut_down(&self) {
        self.state.shutdown.send_replace(true);
    }

    /// Answers a request, whose failures are responses.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn answer<B>(&self, request: Request<B>) -> Response<ResponseBody>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.state.begin_to_tidy();
        let answered = self.service.clone().oneshot(request.map(axum::body::Body::new)).await;
        let response = answered.unwrap_or_else(|never| match never {});
        self.state.meters.request(response.extensions().get::<MatchedPath>(), response.status());
        response.map(ResponseBody::new)
    }
}

impl<B> tower::Service<Request<B>> for Gateway
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let gateway = self.clone();
        Box::pin(async move { Ok(gateway.answer(request).await) })
    }
}

/// Shows no token.
impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("options", &self.state.options).finish_non_exhaustive()
    }
}
