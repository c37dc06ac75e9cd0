//! Calls of webhooks over HTTPS, as kube-apiserver makes them: admission and conversion webhooks are called in the same
//! way.
//!
//! A call ends at its deadline, however the webhook behaves, and reads 16 MiB of a response at most; few calls read more
//! than 3 MiB at the same time. Connections are kept for later calls. Nothing is locked while a call waits.

mod body;
pub(crate) mod ca_bundle;
mod client_config;
mod connection;
mod response;
mod service_address;
mod services;

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, ErrorKind::UnexpectedEof};
use std::iter::successors;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, USER_AGENT};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use klient_apimachinery::go::quoted;
use klient_apimachinery::values::Map;
use tokio::runtime::{self, Handle};
use tokio::time::{Instant, sleep, timeout_at};

use body::{Bodies, Problem};
pub(crate) use client_config::ClientConfig;
use client_config::Host;
pub(crate) use response::{Review, printed_kind};
pub use service_address::{InvalidServiceAddress, ServiceAddress};
pub(crate) use services::Services;

/// The number of retries of a call, as of client-go.
const MAX_RETRIES: usize = 10;

/// The number of requests of which each redirects to the next, as of Go.
const MAX_REQUESTS: usize = 10;

/// The error of a call at its deadline, in Go's words.
const LATE: &str = "context deadline exceeded";

/// The number of idle connections to a webhook, as in Go.
const MAX_IDLE: usize = 25;

/// The time for which an idle connection is kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// The number of webhooks with kept connections, as upstream.
const MAX_CLIENTS: usize = 200;

type Sender = SendRequest<Full<Bytes>>;

/// Calls webhooks.
pub(crate) struct WebhookClients {
    services: Services,
    bodies: Bodies,
    clients: Mutex<HashMap<ClientConfig, Arc<Client>>>,
}

/// The connections to a webhook.
struct Client {
    tls: Arc<rustls::ClientConfig>,
    /// Those without a request.
    idle: Mutex<Vec<Idle>>,
}

/// A connection without a request.
struct Idle {
    sender: Sender,
    /// The runtime that drives it: on another it would wait for one that perhaps does nothing.
    runtime: runtime::Id,
    since: Instant,
}

impl WebhookClients {
    pub(crate) fn new(services: Services) -> Self {
        WebhookClients { services, bodies: Bodies::new(), clients: Mutex::default() }
    }

    /// Sends a review to a webhook and returns the review of the response. `query` is that of the URL, if it is not empty
    /// with the question mark. A webhook that says when to try again is called again, as client-go does.
    ///
    /// # Errors
    ///
    /// In the words of Go's packages, if there is no valid response until the deadline.
    pub(crate) async fn call(
        &self,
        config: &ClientConfig,
        query: &str,
        body: Bytes,
        review: Review,
        deadline: Instant,
    ) -> Result<Map, String> {
        let posted = |problem: String| format!("Post {}: {problem}", quoted(config.url(query)));
        let late = || posted(LATE.to_owned());
        let mut retries = 0;
        loop {
            let exchanged = timeout_at(deadline, self.exchange(config, query, body.clone())).await;
            let Exchange { client, sender, response } = exchanged.map_err(|_| late())??;
            let (parts, body) = response.into_parts();
            if let Some(seconds) = response::retry_after(&parts).filter(|_| retries < MAX_RETRIES) {
                retries += 1;
                timeout_at(deadline, sleep(Duration::from_secs(seconds))).await.map_err(|_| late())?;
                continue;
            }
            let problem = match timeout_at(deadline, self.bodies.read(body)).await {
                Ok(Ok(body)) => {
                    client.keep(sender);
                    return response::decode(&parts, &body.bytes, review);
                }
                Ok(Err(Problem::TooLarge)) => {
                    return Err(posted(format!("the response is larger than {} bytes", body::MAX)));
                }
                Ok(Err(Problem::Broken(error))) => read_problem(&error),
                Err(_) => LATE.to_owned(),
            };
            return Err(format!(
                "unexpected error when reading response body. Please retry. Original error: {problem}"
            ));
        }
    }

    /// Posts a body, and follows redirects as Go's client does: some repeat the request, others are read with GET.
    async fn exchange(&self, config: &ClientConfig, query: &str, body: Bytes) -> Result<Exchange, String> {
        let mut target = Target { config: config.clone(), query: query.to_owned(), body: Some(body) };
        let mut location = String::new();
        for _ in 0..MAX_REQUESTS {
            let failed =
                |problem: String| format!("Post {}: {problem}", quoted(target.config.url(&target.query)));
            let client = self.client(&target.config).map_err(failed)?;
            let (sender, response) = self.send(&client, &target).await.map_err(failed)?;
            match response::location(&response) {
                Some(next) => location = next.to_owned(),
                None => return Ok(Exchange { client, sender, response }),
            }
            target = target.redirected(response.status(), &location).map_err(failed)?;
        }
        Err(format!("Post {}: stopped after {MAX_REQUESTS} redirects", quoted(&location)))
    }

    fn client(&self, config: &ClientConfig) -> Result<Arc<Client>, String> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(config) {
            return Ok(client.clone());
        }
        let tls = connection::tls_config(&config.ca_bundle)?;
        if clients.len() >= MAX_CLIENTS {
            clients.clear();
        }
        let client = Arc::new(Client { tls, idle: Mutex::default() });
        clients.insert(config.clone(), client.clone());
        Ok(client)
    }

    /// Sends a request over an idle connection, or a new one. A request that an idle connection did not take, since the
    /// webhook has closed it, is sent over the next.
    async fn send(&self, client: &Client, target: &Target) -> Result<(Sender, Response<Incoming>), String> {
        let Target { config, .. } = target;
        let mut request = target.request()?;
        while let Some(mut sender) = client.idle() {
            if sender.ready().await.is_err() {
                continue;
            }
            match sender.try_send_request(request).await {
                Ok(response) => return Ok((sender, response)),
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(sent_problem(&error.into_error())),
                },
            }
        }
        let address = match &config.host {
            Host::Named { name, port } if name.contains(':') => format!("[{name}]:{port}"),
            Host::Named { name, port } => format!("{name}:{port}"),
            Host::Service { namespace, name, port } => self.services.resolve(namespace, name, *port)?,
        };
        let name = config.host.server_name();
        let mut sender = connection::connect(&address, &name, client.tls.clone()).await?;
        let response = sender.send_request(request).await.map_err(|error| sent_problem(&error))?;
        Ok((sender, response))
    }
}

/// A response, and the connection on which it comes.
struct Exchange {
    client: Arc<Client>,
    sender: Sender,
    response: Response<Incoming>,
}

/// The place that a request is sent to.
struct Target {
    config: ClientConfig,
    query: String,
    /// `None` for GET.
    body: Option<Bytes>,
}

impl Target {
    fn request(&self) -> Result<Request<Full<Bytes>>, String> {
        let method = if self.body.is_some() { Method::POST } else { Method::GET };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{}", self.config.path, self.query))
            .header(HOST, &self.config.authority)
            .header(ACCEPT, "application/json, */*")
            .header(USER_AGENT, "kube-apiserver-admission");
        if self.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = self.body.clone().unwrap_or_default();
        request.body(Full::new(body)).map_err(|error| error.to_string())
    }

    /// The place to which a response with a code redirects.
    fn redirected(&self, code: StatusCode, location: &str) -> Result<Target, String> {
        let repeats = matches!(code, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
        let (config, query) = self.config.redirected(location)?;
        Ok(Target { config, query, body: self.body.clone().filter(|_| repeats) })
    }
}

impl Client {
    fn idle(&self) -> Option<Sender> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|idle| idle.since.elapsed() <= IDLE_TIMEOUT);
        let here = Handle::current().id();
        let last = idle.iter().rposition(|idle| idle.runtime == here)?;
        Some(idle.remove(last).sender)
    }

    fn keep(&self, sender: Sender) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if !sender.is_closed() && idle.len() < MAX_IDLE {
            idle.push(Idle { sender, runtime: Handle::current().id(), since: Instant::now() });
        }
    }
}

fn sent_problem(error: &hyper::Error) -> String {
    if error.is_parse() {
        return "net/http: HTTP/1.x transport connection broken: malformed HTTP response".to_owned();
    }
    // A connection that is closed before the response.
    "EOF".to_owned()
}

/// The error of a body in Go's words: it ends before its end, or its connection does.
fn read_problem(error: &(dyn Error + 'static)) -> String {
    let mut causes = successors(Some(error), |&error| error.source());
    let is_cut = causes.any(|error| {
        error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message)
            || error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == UnexpectedEof)
    });
    if is_cut { "unexpected EOF".to_owned() } else { error.to_string() }
}
