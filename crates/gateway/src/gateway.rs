//! [`Gateway`], the service.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response};
use http_body::Body;
use klient_apimachinery::BoxFuture;
use klient_client::{BoxError, Client, ResponseBody};
use klient_proxy::PeerAddress;
use tower_service::Service;

use crate::digest;
use crate::error::Error;
use crate::failure::Failure;
use crate::guard::{Admitted, Path, User, security_headers};
use crate::options::{Access, Options};
use crate::routes::{self, Route};
use crate::state::State;

/// A web service in front of the API server of a client: tables from informers, their changes as they come, a proxy, a page.
///
/// It is a `tower` service of HTTP requests, cheap to clone; [`serve`](Self::serve) is a server for it. The
/// [crate](crate) has its routes.
#[derive(Clone)]
pub struct Gateway(pub(crate) Arc<State>);

impl Gateway {
    /// A gateway to the cluster of a client. Nothing is sent before the first request.
    ///
    /// # Errors
    ///
    /// If a host or a header of the options is none, there are contexts for users of their own, a token is needed and empty, or the system has no random bits for one.
    pub fn new(client: Client, options: Options) -> Result<Self, Error> {
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
        Ok(Gateway(Arc::new(State::new(client, options, token)?)))
    }

    /// The path of the page, with the token if the page needs it: `/?token=…`. Append it to the address of the server.
    pub fn page(&self) -> String {
        match self.0.options.access {
            Access::Token => format!("/?token={}", self.0.token),
            _ => "/".to_owned(),
        }
    }

    /// The token of the gateway; `None` if users bring tokens of their own.
    pub fn token(&self) -> Option<&str> {
        (self.0.options.access != Access::Bearer).then_some(self.0.token.as_str())
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
        self.0.begin_to_tidy();
        let (head, body) = request.into_parts();
        let (route, response) = self.0.clone().respond(head, body).await;
        self.0.meters.request(route.name(), response.status());
        response
    }
}

impl State {
    async fn respond<B>(self: Arc<Self>, head: Parts, body: B) -> (Route, Response<ResponseBody>)
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let checked = self.guard.check_form(&head).and_then(|()| Path::parse(head.uri.path()));
        let path = match checked {
            Ok(path) => path,
            Err(failure) => return (Route::Refused, own(failure.into_response())),
        };
        let route = Route::of(&path);
        let response = match route {
            Route::Proxy => match self.pass_on(head, body, path).await {
                Ok(mut response) => {
                    security_headers::add_proxied(response.headers_mut());
                    return (route, response);
                }
                Err(failure) => Err(failure),
            },
            _ => self.own_route(route, head, body, path).await,
        };
        (route, own(response.unwrap_or_else(Failure::into_response)))
    }

    async fn pass_on<B>(
        self: Arc<Self>,
        head: Parts,
        body: B,
        path: Path,
    ) -> Result<Response<ResponseBody>, Failure>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        match self.admit(&head, &path)? {
            Err(signed_in) => Ok(signed_in),
            Ok((user, client)) => {
                let cluster = self.clusters.choose(&head, routes::has_own_query(&path))?.clone();
                let identity = cluster.identities()?.of(user).await?;
                routes::proxy(self, identity, client, head, body, path).await
            }
        }
    }

    async fn own_route<B>(
        self: Arc<Self>,
        route: Route,
        head: Parts,
        body: B,
        path: Path,
    ) -> Result<Response<ResponseBody>, Failure>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        if let Some(answer) = routes::health(&self, route).await {
            return Ok(answer);
        }
        let (user, client) = match self.admit(&head, &path) {
            Ok(Ok(admitted)) => admitted,
            Ok(Err(signed_in)) => return Ok(signed_in),
            // A browser shows it.
            Err(failure) if route == Route::Page => return Ok(routes::refused_page(&head, failure)),
            Err(failure) => return Err(failure),
        };
        let body = routes::RequestBody::new(body, self.options.limits.body_bytes);
        let cluster = self.clusters.choose(&head, true)?.clone();
        let identity = cluster.identities()?.of(user).await?;
        let allowed = route.methods();
        if !allowed.contains(&head.method) {
            let mut response = routes::not_allowed(&head.method, allowed).into_response();
            let names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
            if let Ok(names) = HeaderValue::from_str(&names.join(", ")) {
                response.headers_mut().insert(http::header::ALLOW, names);
            }
            return Ok(response);
        }
        let context = routes::Context { gateway: self, cluster, identity, client, head, path };
        routes::answer(route, context, body).await
    }

    /// The user of a request, and the name under which its streams are counted; or the response that signs it in.
    fn admit(
        &self,
        head: &Parts,
        path: &Path,
    ) -> Result<Result<(User, String), Response<ResponseBody>>, Failure> {
        self.guard.check_origin(head)?;
        let user = match self.guard.admit(head, path)? {
            Admitted::User(user) => user,
            Admitted::SignedIn(response) => return Ok(Err(response)),
        };
        let client = match &user {
            User::Own => {
                head.extensions.get::<PeerAddress>().map(|peer| peer.0.to_string()).unwrap_or_default()
            }
            User::Bearer(token) => digest::short(token.as_bytes()),
            User::Impersonated(user) => user.user.clone(),
        };
        Ok(Ok((user, client)))
    }
}

fn own(mut response: Response<ResponseBody>) -> Response<ResponseBody> {
    security_headers::add(response.headers_mut());
    response
}

impl<B> Service<Request<B>> for Gateway
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
        f.debug_struct("Gateway").field("options", &self.0.options).finish_non_exhaustive()
    }
}
