//! Requests to the API's URLs, with client-go's rules for paths, errors and retries.

mod body_record;
mod format;
mod gunzip;
mod lines;
mod negotiate;
mod path;
mod response;
mod retry;
mod span;
mod stream;
mod upgrade;

use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Method, Uri, header};
use klient_apimachinery::codec::Wire;
use tokio::time::Instant;
use tracing::Instrument as _;

use body_record::BodyRecord;
pub use lines::Lines;
use path::Path;
pub use response::Response;
pub(crate) use response::failure_in;
pub use stream::ByteStream;
#[cfg(feature = "streams")]
pub(crate) use upgrade::NotSwitched;

use crate::call::Call;
use crate::connection::Connection;
use crate::error::{Error, ErrorKind, Problem};
use crate::metrics;
use crate::rate_limiter::throttle;
use crate::warning::WarningHandler;
use crate::write_log;

/// A request to the API, built part by part.
///
/// An invalid part is reported when the request would be sent; nothing is sent then.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use klient_client::{Client, Config};
/// # let server = klient_apiserver::TestServer::start().await?;
/// # let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
/// let response = client.request(http::Method::GET)
///     .group_version("", "v1")
///     .resource("namespaces")
///     .name("default")
///     .send()
///     .await?;
/// let namespace: klient_apimachinery::Unstructured = response.decode()?;
/// assert_eq!(namespace.kind(), "Namespace");
/// # Ok(()) }
/// ```
///
/// # Tracing
///
/// Each request has a `tracing` span with the target `klient::request` and the level `DEBUG`, from the wait for the
/// [`RateLimiter`](crate::RateLimiter) to the end of the response, or to its head if it is a list, a watch or another
/// stream; retries are in the span. Its fields are those of OpenTelemetry's HTTP clients: `http.request.method`,
/// `http.response.status_code`, `http.request.resend_count`, `http.request.body.size`, `url.full`, `url.template`,
/// `server.address`, `server.port`, `error.type`; `otel.name`, `otel.kind` and `otel.status_code` for
/// `tracing-opentelemetry`; and `k8s.api.verb`, `k8s.api.group`, `k8s.api.version`, `k8s.api.resource`,
/// `k8s.api.subresource`, `k8s.namespace.name` and `k8s.object.name`.
///
/// A subscriber that does not enable the target turns the spans off; a request then costs one check of the target. The
/// header `traceparent`, which passes a trace on to the server, is added by a layer: see
/// [`Client::with_layer`](crate::Client::with_layer).
#[derive(Clone)]
pub struct Request {
    connection: Connection,
    method: Method,
    path: Path,
    query: Vec<(String, String)>,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
    timeout: Option<Duration>,
    warnings: WarningHandler,
    problem: Option<String>,
    /// A streamed response is one in the trace and the metrics.
    is_whole: bool,
    /// A streamed response is read to its end within the time-out.
    is_limited: bool,
    /// The head of the response may come with its first data, such as a line of a log.
    is_open_ended: bool,
    /// Objects are put into it in protobuf.
    speaks_protobuf: bool,
    /// The transformation of the objects in responses.
    form: Option<Form>,
    /// Nothing is stored, by an option in the body.
    is_dry_run: bool,
}

/// Transformation of the objects in responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Their metadata.
    Metadata,
    /// A list of their metadata.
    MetadataList,
}

/// Shows the verb and the path, and neither headers nor body, which may be secret.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl Request {
    pub(crate) fn new(connection: Connection, method: Method) -> Self {
        let timeout = connection.config().timeouts.whole;
        let warnings = connection.config().warnings.clone();
        let mut headers = vec![(header::ACCEPT, HeaderValue::from_static("application/json"))];
        if !connection.config().disable_compression {
            headers.push((header::ACCEPT_ENCODING, HeaderValue::from_static("gzip")));
        }
        Request {
            connection,
            method,
            path: Path::default(),
            query: Vec::new(),
            headers,
            body: Bytes::new(),
            timeout,
            warnings,
            problem: None,
            is_whole: false,
            is_limited: false,
            is_open_ended: false,
            speaks_protobuf: false,
            form: None,
            is_dry_run: false,
        }
    }

    fn check(mut self, checked: Result<(), String>) -> Self {
        if let Err(problem) = checked {
            self.problem.get_or_insert(problem);
        }
        self
    }

    /// The group and version; the core group is `""`.
    pub fn group_version(mut self, group: &str, version: &str) -> Self {
        let checked = self.path.set_group_version(group, version);
        self.check(checked)
    }

    /// The namespace.
    pub fn namespace(mut self, namespace: &str) -> Self {
        let checked = self.path.set_namespace(namespace);
        self.check(checked)
    }

    /// The resource, by its plural.
    pub fn resource(mut self, plural: &str) -> Self {
        let checked = self.path.set_resource(plural);
        self.check(checked)
    }

    /// The name of one object.
    pub fn name(mut self, name: &str) -> Self {
        let checked = self.path.set_name(name);
        self.check(checked)
    }

    /// A subresource of the object.
    pub fn subresource(mut self, name: &str) -> Self {
        let checked = self.path.set_subresource(name);
        self.check(checked)
    }

    /// A path in place of group, resource and name, such as `/healthz`.
    pub fn absolute_path(mut self, path: &str) -> Self {
        let checked = self.path.set_absolute(path);
        self.check(checked)
    }

    /// A path with query, such as `/api/v1/pods?limit=1`, in place of group, resource and name. Malformed parameters
    /// are skipped, as in client-go.
    pub fn request_uri(mut self, uri: &str) -> Self {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        for parameter in
            query.split('&').filter(|parameter| !parameter.is_empty() && !parameter.contains(';'))
        {
            let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let [key, value] = [key, value].map(|text| path::decode(&text.replace('+', " ")));
            if let (Some(key), Some(value)) = (key, value) {
                self.query.push((key, value));
            }
        }
        let checked = self.path.set_uri(path);
        self.check(checked)
    }

    /// A parameter behind the question mark.
    pub fn query(mut self, key: &str, value: impl Into<String>) -> Self {
        self.query.push((key.to_owned(), value.into()));
        self
    }

    /// A header, in place of one of that name.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => {
                self.headers.retain(|(other, _)| *other != name);
                self.headers.push((name, value));
                self
            }
            Err(_) => self.check(Err(format!("header {name} cannot hold its value"))),
        }
    }

    /// The value of a header, if it has been set.
    pub(crate) fn header_value(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    /// The transformation of the objects in responses.
    pub(crate) fn form(self, form: Option<Form>) -> Self {
        Request { form, ..self }
    }

    /// Marks a request whose body says that nothing is to be stored.
    pub(crate) fn dry_run(self, is_dry_run: bool) -> Self {
        Request { is_dry_run, ..self }
    }

    /// Accepted media types.
    pub fn accept(self, media_types: &str) -> Self {
        self.header(header::ACCEPT, media_types)
    }

    /// The body, and the form it is in.
    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header(header::CONTENT_TYPE, content_type)
    }

    /// The time-out of the request and its whole response, in place of [`Timeouts::whole`](crate::Timeouts::whole). It is
    /// sent to the server as the parameter `timeout`. Retries are part of it, the wait for a
    /// [`RateLimiter`](crate::RateLimiter) is not.
    pub fn timeout(self, timeout: Duration) -> Self {
        Request { timeout: Some(timeout), ..self }
    }

    /// Takes the warnings of the response, in place of [`Config::warnings`](crate::Config::warnings).
    pub fn warning_handler(self, warnings: WarningHandler) -> Self {
        Request { warnings, ..self }
    }

    /// Applies the time-out to a [`stream`](Self::stream), too, which is to end within it.
    pub fn limit_stream(self) -> Self {
        Request { is_limited: true, ..self }
    }

    /// Marks a stream that is one response and is read to its end within the time-out, such as a list.
    pub(crate) fn whole(self) -> Self {
        Request { is_whole: true, is_limited: true, ..self }
    }

    /// The method and path, for messages.
    #[cfg(feature = "streams")]
    pub(crate) fn shown(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The request as it is sent.
    pub(crate) fn call(&self) -> Result<Arc<Call>, Error> {
        let base = &self.connection.config().url;
        let shown = || format!("{} {}", self.method, self.path);
        if let Some(problem) = self.problem.clone().or_else(|| self.path.problem(&self.method)) {
            return Err(Error::request(shown(), problem));
        }
        let mut target = base.path().trim_end_matches('/').to_owned();
        self.path.encode_to(&mut target);
        let timeout = self.timeout.map(|timeout| klient_apimachinery::Duration::from(timeout).to_string());
        let query = self.query.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        for (index, (key, value)) in query.chain(timeout.iter().map(|time| ("timeout", &**time))).enumerate()
        {
            target.push(if index == 0 { '?' } else { '&' });
            path::encode_query(&mut target, key);
            target.push('=');
            path::encode_query(&mut target, value);
        }
        let target = PathAndQuery::from_maybe_shared(Bytes::from(target));
        let mut parts = base.clone().into_parts();
        parts.path_and_query = Some(target.map_err(|error| Error::new(ErrorKind::Request, shown(), error))?);
        let uri = Uri::from_parts(parts).map_err(|error| Error::new(ErrorKind::Request, shown(), error))?;
        Ok(Arc::new(Call {
            method: self.method.clone(),
            uri,
            headers: self.headers.iter().cloned().collect(),
            body: self.body.clone(),
            first_byte: self.first_byte(),
        }))
    }

    /// Sends the request and reads the whole response. Where that is safe, a request that failed is sent again.
    ///
    /// # Errors
    ///
    /// If it could not be sent, was not answered, or was answered with a failure.
    pub async fn send(self) -> Result<Response, Error> {
        self.response().await
    }

    /// Sends the request as it is now, which may change before it is sent again.
    async fn response(&self) -> Result<Response, Error> {
        let call = self.call()?;
        let span = span::of(self, &call);
        let _latency = metrics::Latency::begin(&call.method, &call.uri);
        let sending = async {
            throttle(self.connection.config().rate_limiter.as_ref(), &call, None).await;
            let read = async {
                let response = retry::send(&self.connection, &call, &self.warnings, &span).await?;
                let record = BodyRecord::begin(self.connection.config().http_trace, &call, None);
                Response::read(&call, response, record).await
            };
            within(self.deadline(), &call, pin!(read)).await
        };
        let result = sending.instrument(span.clone()).await;
        span::end(&span, result.as_ref().map(Response::status));
        if let Ok(response) = &result {
            self.log_write(response);
        }
        result
    }

    /// Logs the write that the response answers, for those who read their own writes.
    fn log_write(&self, response: &Response) {
        if self.method.is_safe() || self.is_dry_run || self.query.iter().any(|(key, _)| key == "dryRun") {
            return;
        }
        // The answer of a proxy is that of another server.
        let is_proxied = self.path.subresource().is_some_and(|name| name.split('/').next() == Some("proxy"));
        let deletes_other = self.method == Method::DELETE
            && (self.path.name().is_none() || self.path.subresource().is_some());
        if let (Some(group), Some(resource)) = (self.path.group(), self.path.resource())
            && !is_proxied
            && !deletes_other
        {
            let (namespace, name) = (self.path.namespace(), self.path.name());
            let target = write_log::Target {
                server: self.connection.server(),
                group,
                resource,
                subresource: self.path.subresource(),
                namespace,
                name,
            };
            write_log::log(&self.method, target, response.format(), response.bytes());
        }
    }

    /// The limit of the wait for the head of the response: not less than the request's own time-out.
    fn first_byte(&self) -> Option<Duration> {
        let limit = self.connection.config().timeouts.first_byte.filter(|_| !self.is_open_ended)?;
        Some(self.timeout.map_or(limit, |timeout| limit.max(timeout)))
    }

    /// Sends the request and returns the response as a stream, which has no time-out unless
    /// [`limit_stream`](Self::limit_stream) sets one, not even for its head
    /// ([`Timeouts::first_byte`](crate::Timeouts::first_byte)): the kubelet may send that with the first line of a log.
    ///
    /// # Errors
    ///
    /// If it could not be sent, was not answered, or was answered with a failure.
    pub async fn stream(self) -> Result<ByteStream, Error> {
        Request { is_open_ended: !self.is_limited, ..self }.response_stream().await
    }

    /// Sends the request of a list or a watch, whose head comes at once, as it is now, as [`response`](Self::response).
    async fn response_stream(&self) -> Result<ByteStream, Error> {
        let call = self.call()?;
        let span = span::of(self, &call);
        let latency = self.is_whole.then(|| metrics::Latency::begin(&call.method, &call.uri));
        let sending = async {
            throttle(self.connection.config().rate_limiter.as_ref(), &call, None).await;
            let deadline = self.deadline().filter(|_| self.is_limited);
            let sent = retry::send(&self.connection, &call, &self.warnings, &span);
            Ok::<_, Error>((within(deadline, &call, pin!(sent)).await?, deadline))
        };
        let result = sending.instrument(span.clone()).await;
        span::end(&span, result.as_ref().map(|(response, _)| response.status()));
        let (response, deadline) = result?;
        let (head, body) = response.into_parts();
        let stream = ByteStream::new(call.clone(), &head.headers, body).until(deadline);
        if !self.is_whole {
            return Ok(stream);
        }
        let record = BodyRecord::begin(self.connection.config().http_trace, &call, latency);
        Ok(stream.recorded(record))
    }

    /// The end of the time-out, which begins now.
    fn deadline(&self) -> Option<Deadline> {
        let limit = self.timeout?;
        Some(Deadline { at: Instant::now().checked_add(limit)?, limit })
    }

    /// An object as the body, in JSON.
    pub fn object<T: Wire>(self, object: &T) -> Self {
        let mut json = Vec::new();
        object.to_json(&mut json);
        self.body("application/json", json)
    }
}

/// The end of a time-out.
#[derive(Clone, Copy, Debug)]
struct Deadline {
    at: Instant,
    limit: Duration,
}

/// Awaits a part of a request. By reference, since a future has room for each of its arguments.
async fn within<T>(
    deadline: Option<Deadline>,
    call: &Call,
    part: Pin<&mut impl Future<Output = Result<T, Error>>>,
) -> Result<T, Error> {
    let Some(Deadline { at, limit }) = deadline else { return part.await };
    match tokio::time::timeout_at(at, part).await {
        Ok(done) => done,
        Err(_) => {
            let problem = Problem(format!("no whole answer within {} s", limit.as_secs_f64()));
            Err(Error::new(ErrorKind::Timeout, call.to_string(), problem))
        }
    }
}
