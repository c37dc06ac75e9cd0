//! `X-Forwarded-For`, and the headers and locations of a proxy that knows its own URL.

use std::net::IpAddr;

use http::Uri;
use http::header::{HeaderMap, HeaderName, HeaderValue, LOCATION};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_URI: HeaderName = HeaderName::from_static("x-forwarded-uri");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Appends the address of the client to those of the proxies before this one.
pub(crate) fn append_forwarded_for(headers: &mut HeaderMap, address: IpAddr) {
    let before = headers.get_all(&FORWARDED_FOR).into_iter().filter_map(|value| value.to_str().ok());
    let mut addresses: Vec<&str> = before.collect();
    let address = address.to_string();
    addresses.push(&address);
    let joined = HeaderValue::from_str(&addresses.join(", "));
    headers.insert(FORWARDED_FOR, joined.expect("parts of headers and an address"));
}

/// The URL at which clients reach the proxy (client-go's `proxy.Transport`).
#[derive(Clone, Debug)]
pub(crate) struct PublicUrl {
    scheme: Option<HeaderValue>,
    host: Option<HeaderValue>,
    /// `scheme://host`, or nothing.
    origin: String,
    /// The path, without a slash at the end.
    path: String,
}

impl PublicUrl {
    pub(crate) fn of(url: &Uri) -> Self {
        let value = |text: &str| HeaderValue::from_str(text).expect("a part of a URL");
        let origin = match (url.scheme_str(), url.authority()) {
            (Some(scheme), Some(host)) => format!("{scheme}://{host}"),
            _ => String::new(),
        };
        PublicUrl {
            scheme: url.scheme_str().map(value),
            host: url.authority().map(|host| value(host.as_str())),
            origin,
            path: url.path().trim_end_matches('/').to_owned(),
        }
    }

    /// Adds the headers about the URL that the client requested.
    pub(crate) fn add_headers(&self, headers: &mut HeaderMap, path: &str) {
        let uri = HeaderValue::from_str(&format!("{}{path}", self.path)).expect("parts of URLs");
        headers.insert(FORWARDED_URI, uri);
        for (name, value) in [(FORWARDED_HOST, &self.host), (FORWARDED_PROTO, &self.scheme)] {
            if let Some(value) = value {
                headers.insert(name, value.clone());
            }
        }
    }

    /// Rewrites the location of a redirect on the server to one below this URL. A location that is relative to the
    /// request, or on another host, stays.
    pub(crate) fn rewrite_location(&self, headers: &mut HeaderMap, server: &Uri, request: &Uri) {
        let Some(location) = headers.get(LOCATION).and_then(|location| location.to_str().ok()) else {
            return;
        };
        // `//host/path` has no scheme, but a host.
        let on_server = match location.starts_with("//") {
            true => None,
            false => location.parse::<Uri>().ok(),
        };
        let Some(location) = on_server else { return };
        let is_here = location.authority().is_none_or(|host| Some(host) == server.authority());
        if !is_here || !location.path().starts_with('/') {
            return;
        }
        let rest = location.path_and_query().map_or("/", |path| path.as_str());
        let has_prefix = rest.strip_prefix(&*self.path).is_some_and(|rest| rest.starts_with('/'));
        let prefix = if has_prefix { "" } else { &*self.path };
        match HeaderValue::from_str(&format!("{}{prefix}{rest}", self.origin)) {
            Ok(location) => {
                headers.insert(LOCATION, location);
            }
            Err(error) => tracing::debug!(%error, %request, "a location could not be rewritten"),
        }
    }
}
