//! [`Request::upgrade`], requests that switch their connection to another protocol.

use std::error::Error as StdError;
use std::fmt;
use std::pin::pin;

use http::header::{CONNECTION, UPGRADE};
use http::{Response, StatusCode};
use klient_apimachinery::go::quoted;
use tracing::Instrument as _;

use super::{Request, retry, span, within};
use crate::call::Call;
use crate::error::{Error, ErrorKind};
use crate::rate_limiter::throttle;
use crate::transport::{self, ResponseBody};
use crate::upgraded::Upgraded;

impl Request {
    /// Sends the request with the headers `Connection: Upgrade` and `Upgrade: PROTOCOL`, and returns the connection when
    /// the server has switched it to that protocol, such as `SPDY/3.1` or `websocket`; exec, attach and port-forward are
    /// such requests. Headers of the protocol are set by [`header`](Self::header).
    ///
    /// The connection speaks HTTP/1.1, whichever version other requests use, and is opened as theirs are: by the
    /// [`Dialer`](crate::Dialer), through the proxy, with the TLS settings and credentials of the client. Connections on
    /// which the server refused are kept for 90 s and used again. The [`timeout`](Self::timeout) is that for the
    /// response; the connection then has none.
    ///
    /// ```no_run
    /// # async fn f(client: klient_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use tokio::io::AsyncWriteExt as _;
    ///
    /// let request = client.request(http::Method::POST).group_version("", "v1").namespace("shop").resource("pods");
    /// let mut connection = request.name("web-0").subresource("portforward").upgrade("SPDY/3.1").await?;
    /// println!("{:?}", connection.headers().get("x-stream-protocol-version"));
    /// connection.write_all(b"\x80\x03").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The `Status` of the server if it refuses, as of any other request; of kind
    /// [`Connection`](crate::ErrorKind::Connection) if it answers without switching, or switches to another protocol. A
    /// request whose connection breaks is not sent again, whatever its method: the server may have acted on it.
    pub async fn upgrade(self, protocol: &str) -> Result<Upgraded, Error> {
        let request = self.header(CONNECTION, "Upgrade").header(UPGRADE, protocol);
        let call = request.call()?;
        let span = span::of(&request, &call);
        let sending = async {
            throttle(request.connection.config().rate_limiter.as_ref(), &call, None).await;
            let sent = retry::send(&request.connection, &call, &request.warnings, &span);
            within(request.deadline(), &call, pin!(sent)).await
        };
        let result = sending.instrument(span.clone()).await;
        span::end(&span, result.as_ref().map(Response::status));
        let response = result?;
        check(&call, protocol, &response)?;
        let upgraded = Upgraded::of(response).await;
        upgraded.map_err(|error| Error::new(transport::kind(&*error), call.to_string(), error))
    }
}

/// Checks that a server has switched to a protocol.
fn check(call: &Call, protocol: &str, response: &Response<ResponseBody>) -> Result<(), Error> {
    let answer = match response.headers().get(UPGRADE) {
        _ if response.status() != StatusCode::SWITCHING_PROTOCOLS => {
            format!("the server answered {} in place of 101 Switching Protocols", response.status())
        }
        Some(chosen) if chosen.as_bytes().eq_ignore_ascii_case(protocol.as_bytes()) => return Ok(()),
        Some(chosen) => {
            let chosen = quoted(String::from_utf8_lossy(chosen.as_bytes()));
            format!("the server switched to the protocol {chosen} in place of {}", quoted(protocol))
        }
        None => "the server did not name the protocol that it switched to".to_owned(),
    };
    Err(NotSwitched::error(call.to_string(), answer))
}

/// The cause of the error of a server that answered without a failure, and has not switched to the protocol either.
#[derive(Debug)]
pub(crate) struct NotSwitched(String);

impl NotSwitched {
    pub(crate) fn error(what: String, answer: impl Into<String>) -> Error {
        Error::new(ErrorKind::Connection, what, NotSwitched(answer.into()))
    }
}

impl fmt::Display for NotSwitched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unable to upgrade connection: {}", self.0)
    }
}

impl StdError for NotSwitched {}
