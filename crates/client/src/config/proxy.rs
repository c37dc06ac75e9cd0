//! [`Proxy`], the proxy between a client and its server.

use std::fmt;
use std::sync::Arc;

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use klient_apimachinery::go::quoted;

use super::masked_url::without_user;
use super::no_proxy::bypasses_proxy;
use crate::error::{Error, Problem};
use crate::port::port_of;

/// The proxy between a client and its server.
///
/// Proxies of HTTP, HTTP over TLS and SOCKS5 are supported. An `https` server is reached through a tunnel, so that the
/// proxy sees no request; requests to an `http` server are sent to an HTTP proxy as such.
///
/// ```
/// use klient_client::{Config, Proxy};
/// # fn f() -> Result<(), klient_client::Error> {
/// let mut config = Config::from_url("https://api.example:6443")?;
/// config.proxy = Proxy::url("http://user:password@proxy.example:3128")?;
/// assert!(!format!("{config:?}").contains("password"));
/// # Ok(()) }
/// # f().unwrap();
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Proxy {
    /// The proxy of the environment, as for kubectl: `HTTPS_PROXY` for an `https` server, `HTTP_PROXY` for an `http`
    /// server, and `ALL_PROXY` where that is not set. `NO_PROXY` lists the servers that are reached without it, by the
    /// rules of Go: domains with their subdomains, `.domain` for its subdomains only, IP addresses, networks
    /// (`10.0.0.0/8`), each but networks with or without a port, and `*`. `localhost` and loopback addresses never
    /// have a proxy. The names may also be in lower case.
    ///
    /// The variables are read by [`Client::new`](crate::Client::new).
    #[default]
    Environment,
    /// No proxy, whatever the environment says.
    None,
    /// A proxy for every server: see [`Proxy::url`].
    Url(ProxyUrl),
}

impl Proxy {
    /// A proxy at a URL with the scheme `http`, `https`, `socks5` or `socks5h`; the `proxy-url` of a kubeconfig may have
    /// the first three, as in client-go. User and password in it are for the proxy. A SOCKS proxy resolves the name of the
    /// server, as with client-go.
    ///
    /// # Errors
    ///
    /// If it is no such URL.
    pub fn url(url: &str) -> Result<Proxy, Error> {
        Proxy::parse(url).map_err(|problem| Error::config("proxy URL", problem))
    }

    pub(super) fn parse(url: &str) -> Result<Proxy, Problem> {
        ProxyUrl::parse(url).map(Proxy::Url)
    }

    /// The proxy for a server.
    ///
    /// # Errors
    ///
    /// If the variable of the environment for it is no URL of a proxy.
    pub(crate) fn for_server(&self, server: &Uri) -> Result<Option<ProxyUrl>, Error> {
        match self {
            Proxy::Environment => of_variables(&|name| std::env::var(name).ok(), server),
            Proxy::None => Ok(None),
            Proxy::Url(url) => Ok(Some(url.clone())),
        }
    }
}

/// The proxy that environment variables name for a server.
fn of_variables(variable: &dyn Fn(&str) -> Option<String>, server: &Uri) -> Result<Option<ProxyUrl>, Error> {
    // As in Go, the first that is not empty.
    let first = |names: &[&'static str]| {
        let mut values = names.iter().filter_map(|name| Some((*name, variable(name)?)));
        values.find(|(_, value)| !value.is_empty())
    };
    let is_https = server.scheme_str() == Some("https");
    let names = if is_https { ["HTTPS_PROXY", "https_proxy"] } else { ["HTTP_PROXY", "http_proxy"] };
    let named = first(&names);
    // A CGI program gets the header `Proxy` of a request as `HTTP_PROXY`.
    if !is_https && named.is_some() && first(&["REQUEST_METHOD"]).is_some() {
        let problem = "not used in a CGI program, where a request can set it: see golang.org/s/cgihttpproxy";
        return Err(Error::config("HTTP_PROXY", Problem(problem.to_owned())));
    }
    let Some((name, value)) = named.or_else(|| first(&["ALL_PROXY", "all_proxy"])) else { return Ok(None) };
    let list = first(&["NO_PROXY", "no_proxy"]).map(|(_, list)| list).unwrap_or_default();
    if bypasses_proxy(&list, server.host().unwrap_or_default(), port_of(server)) {
        return Ok(None);
    }
    let url = if value.contains("://") { value } else { format!("http://{value}") };
    ProxyUrl::parse(&url).map(Some).map_err(|problem| Error::config(name, problem))
}

/// The URL of a proxy, with user and password for it. `Display` and `Debug` leave these out.
#[derive(Clone)]
pub struct ProxyUrl {
    /// Scheme, host and port.
    uri: Uri,
    credentials: Arc<Intercept>,
}

impl ProxyUrl {
    fn parse(url: &str) -> Result<ProxyUrl, Problem> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let scheme = scheme.to_ascii_lowercase();
        let refuse = |problem: String| Problem(format!("{}: {problem}", quoted(without_user(url))));
        let port = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            "socks5" | "socks5h" => 1080,
            _ => {
                let scheme = quoted(&scheme);
                return Err(refuse(format!(
                    "unsupported scheme {scheme}, must be http, https, socks5 or socks5h"
                )));
            }
        };
        let matcher = Matcher::builder().all(format!("{scheme}://{rest}")).build();
        let credentials = matcher.intercept(&Uri::from_static("http://server"));
        let credentials = credentials.filter(|proxy| proxy.uri().host().is_some_and(|host| !host.is_empty()));
        let Some(credentials) = credentials else { return Err(refuse("it is no URL of a host".to_owned())) };
        let (given, host) = (credentials.uri().port_u16(), credentials.uri().host().unwrap_or_default());
        let uri = format!("{scheme}://{host}:{}/", given.unwrap_or(port)).parse();
        let uri = uri.map_err(|error: http::uri::InvalidUri| refuse(error.to_string()))?;
        Ok(ProxyUrl { uri, credentials: credentials.into() })
    }

    /// Scheme, host and port.
    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Returns true for a SOCKS proxy.
    pub(crate) fn is_socks(&self) -> bool {
        self.uri.scheme_str().is_some_and(|scheme| scheme.starts_with("socks5"))
    }

    /// The header `Proxy-Authorization` for an HTTP proxy.
    pub(crate) fn authorization(&self) -> Option<&HeaderValue> {
        self.credentials.basic_auth()
    }

    /// User and password for a SOCKS proxy.
    pub(crate) fn user(&self) -> Option<(&str, &str)> {
        self.credentials.raw_auth()
    }
}

/// Scheme, host and port, without user and password.
impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.uri.to_string().trim_end_matches('/'))
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The proxy for a server, with variables in the environment.
    #[track_caller]
    fn check(variables: &[(&str, &str)], server: &str, expected: &str) {
        let variable = |name: &str| {
            let found = variables.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let proxy = match of_variables(&variable, &server.parse().unwrap()) {
            Ok(proxy) => proxy.map_or("none".to_owned(), |proxy| proxy.to_string()),
            Err(error) => error.to_string(),
        };
        assert_eq!(proxy, expected, "{variables:?} {server}");
    }

    #[test]
    fn the_scheme_of_the_server_decides_on_the_variable() {
        let all = [("HTTPS_PROXY", "http://s:1"), ("HTTP_PROXY", "http://p:2"), ("ALL_PROXY", "socks5://a")];
        check(&all, "https://api.example", "http://s:1");
        check(&all, "http://api.example", "http://p:2");
        check(&all[2..], "https://api.example", "socks5://a:1080");
        check(&all[2..], "http://api.example", "socks5://a:1080");
        check(&all[1..2], "https://api.example", "none");
        check(&[], "https://api.example", "none");
        check(&all, "https://127.0.0.1:6443", "none");
    }

    #[test]
    fn variables_in_upper_case_come_first_and_empty_ones_are_not_set() {
        check(&[("HTTPS_PROXY", "http://u"), ("https_proxy", "http://l")], "https://a", "http://u:80");
        check(&[("HTTPS_PROXY", ""), ("https_proxy", "https://l")], "https://a", "https://l:443");
        check(&[("http_proxy", "http://l")], "http://a", "http://l:80");
        check(&[("HTTPS_PROXY", ""), ("all_proxy", "socks5h://l:9")], "https://a", "socks5h://l:9");
        let list = [("https_proxy", "http://p"), ("NO_PROXY", ""), ("no_proxy", "a:6443,10.0.0.0/8")];
        check(&list, "https://a:6443", "none");
        check(&list, "https://a", "http://p:80");
        check(&list, "https://10.9.9.9", "none");
    }

    #[test]
    fn a_variable_may_leave_out_the_scheme() {
        check(&[("HTTPS_PROXY", "proxy:3128")], "https://a", "http://proxy:3128");
        check(&[("HTTPS_PROXY", "u:secret@proxy")], "https://a", "http://proxy:80");
        check(&[("HTTPS_PROXY", "http://[fd00::1]:3128/path")], "https://a", "http://[fd00::1]:3128");
    }

    #[test]
    fn a_variable_that_cannot_be_used_is_named_without_its_password() {
        let scheme = "must be http, https, socks5 or socks5h";
        check(
            &[("HTTPS_PROXY", "ftp://u:secret@p")],
            "https://a",
            &format!(r#"HTTPS_PROXY: cannot be used: "ftp://***@p": unsupported scheme "ftp", {scheme}"#),
        );
        check(
            &[("all_proxy", "http://")],
            "https://a",
            r#"all_proxy: cannot be used: "http://": it is no URL of a host"#,
        );
        check(
            &[("https_proxy", "u:sec ret@p")],
            "https://a",
            r#"https_proxy: cannot be used: "http://***@p": it is no URL of a host"#,
        );
        // Not for this server.
        check(&[("HTTP_PROXY", "ftp://p")], "https://a", "none");
        check(&[("HTTPS_PROXY", "ftp://p"), ("NO_PROXY", "*")], "https://a", "none");
        check(
            &[("HTTP_PROXY", "http://p"), ("REQUEST_METHOD", "GET")],
            "http://a",
            "HTTP_PROXY: cannot be used: not used in a CGI program, where a request can set it: see \
             golang.org/s/cgihttpproxy",
        );
    }

    #[test]
    fn user_and_password_are_decoded_and_not_shown() {
        let http = ProxyUrl::parse("HTTP://u%40x:p%3Aw@proxy:3128").unwrap();
        assert_eq!(http.authorization().unwrap(), "Basic dUB4OnA6dw==");
        assert!(http.authorization().unwrap().is_sensitive());
        let socks = ProxyUrl::parse("SOCKS5://u:p%20w@proxy").unwrap();
        assert_eq!(socks.user(), Some(("u", "p w")));
        assert_eq!(format!("{http} {socks:?}"), "http://proxy:3128 socks5://proxy:1080");
        let problem = ProxyUrl::parse("u:secret@proxy").unwrap_err().to_string();
        assert!(problem.starts_with(r#""***@proxy": unsupported scheme """#), "{problem}");
    }
}
