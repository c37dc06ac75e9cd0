//! [`DebugFlags`], the handler of `/debug/flags/v`.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt as _, Limited};
use klient_apimachinery::go::quoted;
use tower_service::Service;

use crate::verbosity::Verbosity;

/// Bytes of a request body that are read: a value of a flag.
const MAX_BODY: usize = 64 * 1024;

/// A `tower` service that changes the verbosity while the program runs, as the debug handlers of Kubernetes' components do:
/// `PUT /debug/flags/v` with the verbosity as the body, and `PUT /debug/flags/vmodule` with the verbosities of files. The
/// last segment of the path selects the flag; other paths list the flags.
///
/// It does not authenticate: serve it to administrators only. In axum, the list and the flags are two routes:
///
/// ```
/// # let recorder = klient_klog::Recorder::start(0);
/// # let klog = &recorder;
/// let flags = klient_klog::DebugFlags::new(klog.verbosity());
/// let router = axum::Router::<()>::new()
///     .route_service("/debug/flags", flags.clone())
///     .route_service("/debug/flags/{flag}", flags);
/// # drop(router);
/// ```
///
/// Without a router:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_klog::{DebugFlags, Recorder};
/// use tower_service::Service as _;
///
/// let recorder = Recorder::start(0);
/// let mut flags = DebugFlags::new(recorder.verbosity());
/// let request = http::Request::put("/debug/flags/v").body("4".to_owned())?;
/// let response = flags.call(request).await?;
/// assert_eq!(response.body(), "successfully set klog.logging.verbosity to 4\n");
/// assert_eq!(recorder.verbosity().get(), 4);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct DebugFlags {
    verbosity: Verbosity,
}

impl DebugFlags {
    /// Returns the handler for the verbosity of a log.
    pub fn new(verbosity: Verbosity) -> Self {
        DebugFlags { verbosity }
    }

    async fn answer<B>(self, request: Request<B>) -> Response<String>
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        let set = match parts.uri.path().rsplit('/').next() {
            Some("v") => DebugFlags::set_v,
            Some("vmodule") => DebugFlags::set_vmodule,
            _ => return index(),
        };
        if parts.method != Method::PUT {
            return plain(StatusCode::NOT_ACCEPTABLE, "unsupported http method");
        }
        let problem = |problem: &dyn fmt::Display| {
            plain(StatusCode::BAD_REQUEST, &format!("error reading request body: {problem}"))
        };
        let body = match Limited::new(Box::pin(body), MAX_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => return problem(&error),
        };
        match std::str::from_utf8(&body) {
            Ok(value) => match set(&self, value) {
                Ok(done) => plain(StatusCode::OK, &done),
                Err(problem) => plain(StatusCode::BAD_REQUEST, &problem),
            },
            Err(error) => problem(&error),
        }
    }

    fn set_v(&self, value: &str) -> Result<String, String> {
        let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        let verbosity = value.parse::<i32>().ok().filter(|_| is_number).ok_or_else(|| {
            let problem = if is_number { "value out of range" } else { "invalid syntax" };
            format!("strconv.ParseUint: parsing {}: {problem}", quoted(value))
        })?;
        self.verbosity.set(verbosity);
        Ok(format!("successfully set klog.logging.verbosity to {value}"))
    }

    fn set_vmodule(&self, value: &str) -> Result<String, String> {
        self.verbosity.set_vmodule(value).map_err(|error| error.to_string())?;
        Ok(format!("successfully set klog.logging.vmodule to {value}"))
    }
}

impl fmt::Debug for DebugFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DebugFlags").field("verbosity", &self.verbosity).finish()
    }
}

impl<B> Service<Request<B>> for DebugFlags
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<String>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let flags = self.clone();
        Box::pin(async move { Ok(flags.answer(request).await) })
    }
}

fn plain(status: StatusCode, text: &str) -> Response<String> {
    let mut response = Response::new(format!("{text}\n"));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The list of the flags.
fn index() -> Response<String> {
    let body = "<html>\n<head>\n<title>/debug/flags/</title>\n</head>\n<body>\n/debug/flags/<br>\n<br>\nflags:<br>\n\
        <table>\n<tr>v<br>\n<tr>vmodule<br>\n</table>\n<br>\nfull flags configurable<br>\n</body>\n</html>\n";
    let mut response = Response::new(body.to_owned());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}
