//! [`Connection`], the way to a cluster: configuration, credentials and transport.

use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Request, Response, StatusCode, header};
use klient_apimachinery::Str;
use klient_apimachinery::go::quoted;
use tokio::time::error::Elapsed;

use crate::call::Call;
use crate::config::{Config, without_user};
use crate::error::{Error, ErrorKind, Problem, wrong_scheme};
use crate::http_trace::{ConnectTimes, Exchange};
use crate::json_only_groups::JsonOnlyGroups;
#[cfg(feature = "streams")]
use crate::stream_protocols::StreamProtocols;
use crate::transport::{self, RequestBody, ResponseBody, Transport};

/// The time after which a request that waits for the head of its response is logged.
const SLOW_RESPONSE: Duration = Duration::from_secs(10);

/// The way to a cluster, which a client and its handles and requests share.
#[derive(Clone)]
pub(crate) struct Connection(Arc<Inner>);

struct Inner {
    config: Config,
    /// The URL of the server, without user and password.
    server: Str,
    user_agent: HeaderValue,
    transport: Transport,
    json_only: JsonOnlyGroups,
    #[cfg(feature = "streams")]
    stream_protocols: StreamProtocols,
}

impl Connection {
    /// # Errors
    ///
    /// If the user agent is no value of a header.
    pub(crate) fn new(config: Config, transport: Transport) -> Result<Self, Error> {
        let user_agent = config.user_agent.parse().map_err(|_| {
            let problem = format!("{} has characters that no header can hold", quoted(&config.user_agent));
            Error::config("user agent", Problem(problem))
        })?;
        let json_only = JsonOnlyGroups::default();
        let server = without_user(&config.url.to_string()).into();
        Ok(Connection(Arc::new(Inner {
            config,
            server,
            user_agent,
            transport,
            json_only,
            #[cfg(feature = "streams")]
            stream_protocols: StreamProtocols::default(),
        })))
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    /// The URL of the server, without user and password.
    pub(crate) fn server(&self) -> &Str {
        &self.0.server
    }

    /// Protocols for exec, attach and port-forward.
    #[cfg(feature = "streams")]
    pub(crate) fn stream_protocols(&self) -> &StreamProtocols {
        &self.0.stream_protocols
    }

    /// Groups that are known to be served in JSON only.
    pub(crate) fn json_only(&self) -> &JsonOnlyGroups {
        &self.0.json_only
    }

    /// Sends one request and waits for the head of its response. Credentials that are refused and have others in their
    /// place are sent once more.
    pub(crate) async fn send(&self, call: &Call) -> Result<Response<ResponseBody>, Error> {
        self.send_body(call, call.body.clone().into()).await
    }

    /// Sends one request with a body that may be a stream, which is not sent once more.
    pub(crate) async fn send_body(
        &self,
        call: &Call,
        body: RequestBody,
    ) -> Result<Response<ResponseBody>, Error> {
        let (credentials, limit) = (&self.0.config.credentials, self.0.config.timeouts.auth);
        if call.headers.contains_key(header::AUTHORIZATION) {
            return self.send_as(call, body, None).await;
        }
        let authorization = credentials.authorization(call, limit).await?;
        let response = self.send_as(call, body.clone(), authorization.header.as_ref()).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        match credentials.refresh(&authorization, call, limit).await? {
            Some(fresh) if body.is_repeatable() => {
                // So that its connection can be used again.
                drop(response);
                self.send_as(call, body, fresh.header.as_ref()).await
            }
            _ => Ok(response),
        }
    }

    /// Sends one request with a credential.
    async fn send_as(
        &self,
        call: &Call,
        body: RequestBody,
        authorization: Option<&HeaderValue>,
    ) -> Result<Response<ResponseBody>, Error> {
        let request = self.http_request(call, body, authorization)?;
        let exchange = Exchange::begin(self.0.config.http_trace, call, request.headers());
        let times = exchange.as_ref().and_then(Exchange::connect_times);
        let sent = pin!(ConnectTimes::measured(times, self.0.transport.send(request)));
        let limit = call.first_byte.unwrap_or(Duration::MAX);
        let result = match self.head(call, limit, sent).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => {
                let (kind, error) = (transport::kind(&*error), wrong_scheme::explained(error, &call.uri));
                Err(Error::new(kind, call.to_string(), error))
            }
            Err(_) => {
                let problem = format!("no answer within {} s", limit.as_secs_f64());
                Err(Error::new(ErrorKind::Timeout, call.to_string(), Problem(problem)))
            }
        };
        if let Some(exchange) = exchange {
            exchange.end(result.as_ref().ok());
        }
        result
    }

    /// Waits for the head of a response, and logs a long wait. By reference, since a future has room for each of its
    /// arguments.
    async fn head<F: Future>(
        &self,
        call: &Call,
        limit: Duration,
        mut sent: Pin<&mut F>,
    ) -> Result<F::Output, Elapsed> {
        let rest = limit.saturating_sub(SLOW_RESPONSE);
        match tokio::time::timeout(limit.min(SLOW_RESPONSE), sent.as_mut()).await {
            Err(_) if !rest.is_zero() => {
                self.0.transport.log_slow(&call.method, &call.uri, SLOW_RESPONSE);
                tokio::time::timeout(rest, sent).await
            }
            result => result,
        }
    }

    fn http_request(
        &self,
        call: &Call,
        body: RequestBody,
        authorization: Option<&HeaderValue>,
    ) -> Result<Request<RequestBody>, Error> {
        let config = &self.0.config;
        let mut request = Request::new(body);
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = call.uri.clone();
        *request.headers_mut() = call.headers.clone();
        let headers = request.headers_mut();
        if let Some(value) = authorization {
            headers.insert(header::AUTHORIZATION, value.clone());
        }
        if let Some(impersonate) = &config.impersonate {
            impersonate.add_to(headers)?;
        }
        if !headers.contains_key(header::USER_AGENT) {
            headers.insert(header::USER_AGENT, self.0.user_agent.clone());
        }
        Ok(request)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.0.config.url).finish()
    }
}
