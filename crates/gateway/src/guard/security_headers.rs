//! Headers that tell browsers what a response may do.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderValue, Response};
use tower_http::set_header::HeaderMetadata;
use tower_http::set_header::response::SetMultipleResponseHeadersLayer;

/// The policy of the page: its own scripts and styles, no inline ones, and nothing of another server.
const PAGE: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
                    connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
                    frame-ancestors 'none'; require-trusted-types-for 'script'";

/// The policy of the page that signs browsers in: no scripts, and a form for the gateway.
pub(crate) const SIGN_IN: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
                                  form-action 'self'; frame-ancestors 'none'";

/// The policy of responses of the cluster: a page of a pod behind the proxy has no rights of the gateway's page.
const PROXIED: &str = "sandbox; default-src 'none'; frame-ancestors 'none'";

type Layer<B> = SetMultipleResponseHeadersLayer<Response<B>>;

/// The headers that all responses have, whatever they say themselves.
pub(crate) fn of_all<B: 'static>() -> Layer<B> {
    Layer::overriding(with([
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ]))
}

/// The headers of responses that have no others of the name.
pub(crate) fn own<B: 'static>() -> Layer<B> {
    Layer::if_not_present(with([
        (CONTENT_SECURITY_POLICY, PAGE),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ]))
}

/// The headers of responses of the cluster.
pub(crate) fn of_cluster<B: 'static>() -> Layer<B> {
    Layer::overriding(with([(CONTENT_SECURITY_POLICY, PROXIED), (REFERRER_POLICY, "no-referrer")]))
}

fn with<B: 'static, const N: usize>(
    headers: [(HeaderName, &'static str); N],
) -> Vec<HeaderMetadata<Response<B>>> {
    headers.map(|(name, value)| (name, HeaderValue::from_static(value)).into()).into()
}

/// Headers by which a response acts upon its whole origin, and not only upon itself: cookies and other data, the connections
/// and protocols of later requests, reports of them, service workers, sessions and dictionaries. The origin is the gateway's.
const OF_ORIGIN: [&str; 21] = [
    "accept-ch",
    "alt-svc",
    "clear-site-data",
    "content-security-policy-report-only",
    "critical-ch",
    "expect-ct",
    "nel",
    "public-key-pins",
    "public-key-pins-report-only",
    "report-to",
    "reporting-endpoints",
    "sec-session-challenge",
    "sec-session-registration",
    "secure-session-challenge",
    "secure-session-registration",
    "service-worker-allowed",
    "set-cookie",
    "set-cookie2",
    "set-login",
    "strict-transport-security",
    "use-as-dictionary",
];

/// Takes away the headers of a response of the cluster that act upon the origin of the gateway, and those that open it to other
/// origins.
pub(crate) fn without_origin<B>(mut response: Response<B>) -> Response<B> {
    let headers = response.headers_mut();
    OF_ORIGIN.iter().for_each(|name| {
        headers.remove(*name);
    });
    let is_shared = |name: &&HeaderName| name.as_str().starts_with("access-control-");
    let shared: Vec<HeaderName> = headers.keys().filter(is_shared).cloned().collect();
    shared.iter().for_each(|name| {
        headers.remove(name);
    });
    response
}
