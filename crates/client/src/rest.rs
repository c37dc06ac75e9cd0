//! Requests to the API's URLs, with client-go's rules for paths, errors and retries.

mod format;
mod gunzip;
mod negotiate;
mod path;
mod response;
mod retry;
mod stream;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Uri, header};
use klient_apimachinery::codec::Wire;
use path::Path;
pub use response::Response;
pub(crate) use response::failure_in;
pub use stream::ByteStream;

use crate::call::Call;
use crate::connection::Connection;
use crate::error::{Error, ErrorKind, Problem};

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
#[derive(Clone)]
pub struct Request {
    connection: Connection,
    method: Method,
    path: Path,
    query: Vec<(String, String)>,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
    timeout: Option<Duration>,
    problem: Option<String>,
    /// Objects are put into it in protobuf.
    speaks_protobuf: bool,
    /// The transformation of the objects in responses.
    form: Option<Form>,
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
        let mut headers = vec![(header::ACCEPT, HeaderValue::from_static("application/json"))];
        if connection.config().gzip {
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
            problem: None,
            speaks_protobuf: false,
            form: None,
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

    /// Accepted media types.
    pub fn accept(self, media_types: &str) -> Self {
        self.header(header::ACCEPT, media_types)
    }

    /// The body, and the form it is in.
    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header(header::CONTENT_TYPE, content_type)
    }

    /// The time-out of the request and its whole response; it is sent to the server.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self.query("timeout", format!("{}s", timeout.as_secs_f64()))
    }

    /// The request as it is sent.
    pub(crate) fn call(&self) -> Result<Call, Error> {
        let base = &self.connection.config().url;
        let shown = || format!("{} {}", self.method, self.path);
        if let Some(problem) = self.problem.clone().or_else(|| self.path.problem(&self.method)) {
            return Err(Error::request(shown(), problem));
        }
        let mut target = format!("{}{}", base.path().trim_end_matches('/'), self.path.encoded());
        for (index, (key, value)) in self.query.iter().enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            target.push_str(&path::encode_query(key));
            target.push('=');
            target.push_str(&path::encode_query(value));
        }
        let uri = Uri::builder()
            .scheme(base.scheme_str().unwrap_or("https"))
            .authority(base.authority().map_or("", http::uri::Authority::as_str))
            .path_and_query(target)
            .build()
            .map_err(|error| Error::new(ErrorKind::Request, shown(), error))?;
        Ok(Call {
            method: self.method.clone(),
            uri,
            headers: self.headers.iter().cloned().collect(),
            body: self.body.clone(),
        })
    }

    /// Sends the request and reads the whole answer. Where that is safe, a request that failed is sent again.
    ///
    /// # Errors
    ///
    /// If it could not be sent, was not answered, or was answered with a failure.
    pub async fn send(self) -> Result<Response, Error> {
        let call = self.call()?;
        let sending = retry::send(&self.connection, &call);
        let read = async { Response::read(&call, sending.await?).await };
        let Some(limit) = self.timeout else { return read.await };
        match tokio::time::timeout(limit, read).await {
            Ok(done) => done,
            Err(_) => Err(too_late(call.to_string(), limit)),
        }
    }

    /// Sends the request and returns the response as a stream.
    ///
    /// # Errors
    ///
    /// If it could not be sent, was not answered, or was answered with a failure.
    pub async fn stream(self) -> Result<ByteStream, Error> {
        let call = self.call()?;
        let response = retry::send(&self.connection, &call).await?;
        Ok(ByteStream::new(call.to_string(), response))
    }

    /// An object as the body, in JSON.
    pub fn object<T: Wire>(self, object: &T) -> Self {
        let mut json = Vec::new();
        object.to_json(&mut json);
        self.body("application/json", json)
    }
}

/// The error of an answer of which not all came in time.
pub(crate) fn too_late(what: String, limit: Duration) -> Error {
    let problem = format!("no whole answer within {} s", limit.as_secs_f64());
    Error::new(ErrorKind::Timeout, what, Problem(problem))
}
