//! Answers of the proxy itself, in the words of Go's `net/http`.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, LOCATION};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use klient_client::ResponseBody;

/// A whole answer.
pub(super) fn whole(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Vec<u8>>,
) -> Response<ResponseBody> {
    let body: Vec<u8> = body.into();
    let mut response = Response::new(ResponseBody::new(Full::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Go's `http.Error`.
pub(super) fn error(status: StatusCode, message: &str) -> Response<ResponseBody> {
    let mut response = whole(status, "text/plain; charset=utf-8", format!("{message}\n"));
    let nosniff = HeaderValue::from_static("nosniff");
    response.headers_mut().insert(HeaderName::from_static("x-content-type-options"), nosniff);
    response
}

/// Go's `http.NotFound`.
pub(super) fn not_found() -> Response<ResponseBody> {
    error(StatusCode::NOT_FOUND, "404 page not found")
}

/// Go's `http.Redirect` to a path and query, which is shown to those who read it.
pub(super) fn redirect(method: &Method, status: StatusCode, location: &str) -> Response<ResponseBody> {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let text = match reads {
        true => format!(
            "<a href=\"{}\">{}</a>.\n\n",
            escaped(location),
            status.canonical_reason().unwrap_or_default()
        ),
        false => String::new(),
    };
    let mut response = whole(status, "text/html; charset=utf-8", text);
    if !reads {
        response.headers_mut().remove(CONTENT_TYPE);
    }
    match HeaderValue::from_str(location) {
        Ok(location) => {
            response.headers_mut().insert(LOCATION, location);
            response
        }
        Err(_) => error(StatusCode::BAD_REQUEST, "400 Bad Request"),
    }
}

/// A redirect to a path that is relative to that of the request, as Go's `localRedirect`.
pub(super) fn local_redirect(location: &str) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::new(Full::<Bytes>::default()));
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    let location = HeaderValue::from_str(location).expect("an escaped path has visible characters only");
    response.headers_mut().insert(LOCATION, location);
    response
}

/// Escapes a string for HTML, as Go's `html.EscapeString`.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
