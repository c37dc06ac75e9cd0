//! Calls of webhooks over HTTPS, as kube-apiserver makes them: admission and conversion webhooks are called in the same
//! way.
//!
//! A call ends at its deadline, however the webhook behaves, and reads 3 MiB of a response at most. Connections are kept
//! for later calls. Nothing is locked while a call waits.

pub(crate) mod ca_bundle;
mod client_config;
mod connection;
mod response;
mod service_address;
mod services;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, USER_AGENT};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use klient_apimachinery::go::quoted;
use klient_apimachinery::values::Map;
use tokio::runtime::{self, Handle};
use tokio::time::{Instant, timeout_at};

pub(crate) use client_config::ClientConfig;
use client_config::Host;
pub(crate) use response::{Review, printed_kind};
pub use service_address::{InvalidServiceAddress, ServiceAddress};
pub(crate) use services::Services;

/// The size limit of a response, in bytes: that of requests to the server itself.
const MAX_RESPONSE: usize = 3 * 1024 * 1024;

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
        WebhookClients { services, clients: Mutex::default() }
    }

    /// Sends a review to a webhook and returns the review of the response. `query` is that of the URL, if it is not empty
    /// with the question mark.
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
        let url = config.url(query);
        let posted = |problem: String| format!("Post {}: {problem}", quoted(&url));
        let client = self.client(config).map_err(posted)?;
        let called = async {
            let response = self.send(&client, config, query, body).await.map_err(posted)?;
            let (sender, (parts, body)) = (response.0, response.1.into_parts());
            let read = Limited::new(body, MAX_RESPONSE).collect().await;
            let body = read.map_err(|error| {
                if error.is::<LengthLimitError>() {
                    return posted(format!("the response is larger than {MAX_RESPONSE} bytes"));
                }
                let problem = read_problem(&*error);
                format!(
                    "unexpected error when reading response body. Please retry. Original error: {problem}"
                )
            })?;
            client.keep(sender);
            let body = body.to_bytes();
            if !parts.status.is_success() {
                return Err(response::refused(parts.status, &parts.headers, &body));
            }
            if body.is_empty() {
                let media = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
                let (code, media) = (parts.status.as_u16(), media.unwrap_or("application/json"));
                return Err(format!("0-length response with status code: {code} and content type: {media}"));
            }
            response::decode(&body, review)
        };
        match timeout_at(deadline, called).await {
            Ok(answered) => answered,
            Err(_) => Err(posted("context deadline exceeded".to_owned())),
        }
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
    async fn send(
        &self,
        client: &Client,
        config: &ClientConfig,
        query: &str,
        body: Bytes,
    ) -> Result<(Sender, Response<Incoming>), String> {
        let request = Request::post(format!("{}{query}", config.path))
            .header(HOST, &config.authority)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json, */*")
            .header(USER_AGENT, "kube-apiserver-admission")
            .body(Full::new(body));
        let mut request = request.map_err(|error| error.to_string())?;
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

fn read_problem(error: &(dyn std::error::Error + 'static)) -> String {
    let is_incomplete = error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message);
    if is_incomplete { "unexpected EOF".to_owned() } else { error.to_string() }
}
