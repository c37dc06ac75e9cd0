//! [`Guard`], the checks that every request passes before anything else looks at it.
//!
//! - *path*: one that two programs could read differently is refused ([`Path`]);
//! - *host*: a name that is not the gateway's own is refused, against DNS rebinding;
//! - *origin*: requests of other web sites are refused, also those of another port of the same machine, but for links to the page;
//! - *user*: the gateway's token, a bearer token of the cluster, or a user whom a proxy in front has signed in.

mod authority;
mod path;
pub(crate) mod security_headers;
mod user;

use std::net::IpAddr;

use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderName, Method, Version};

use authority::{Authority, Origin};
pub(crate) use path::{Path, is_watch, resource_of};
pub(crate) use user::User;

use crate::digest::{Digest, sha256};
use crate::error::Error;
use crate::failure::{Code, Failure};
use crate::options::{Access, Options};
use crate::response::Response;

/// The connection of a request, as an extension of the request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connection {
    /// The address of the gateway's end.
    pub(crate) local: IpAddr,
    pub(crate) is_tls: bool,
}

/// The checks of requests.
#[derive(Debug)]
pub(crate) struct Guard {
    hosts: Vec<String>,
    access: Access,
    token: Digest,
    /// The headers by which a proxy in front names the user.
    user_headers: Vec<HeaderName>,
    header_bytes: usize,
}

/// A request that may go on.
#[derive(Debug)]
pub(crate) enum Admitted {
    User(User),
    /// The response to an address with the token.
    SignedIn(Response),
}

impl Guard {
    /// # Errors
    ///
    /// If a name of a host or of a header is none.
    pub(crate) fn new(options: &Options, token: &str) -> Result<Self, Error> {
        let mut hosts: Vec<String> =
            ["localhost", "127.0.0.1", "[::1]"].into_iter().map(str::to_owned).collect();
        if !options.address.is_unspecified() {
            hosts.push(authority::shown(options.address));
        }
        for host in &options.hosts {
            let name = Authority::parse(host).filter(|name| name.host.eq_ignore_ascii_case(host));
            let name = name.ok_or_else(|| {
                Error::new(format!("{} is no name of a host: give it without scheme and port", shown(host)))
            })?;
            hosts.push(name.host);
        }
        let names = match &options.access {
            Access::Impersonate { user_header, group_header } => {
                [Some(user_header), group_header.as_ref()].into_iter().flatten().collect()
            }
            _ => Vec::new(),
        };
        let header = |name: &&String| {
            let parsed = HeaderName::from_bytes(name.as_bytes()).ok();
            parsed.ok_or_else(|| Error::new(format!("{} is no name of a header", shown(name))))
        };
        Ok(Guard {
            hosts,
            user_headers: names.iter().map(header).collect::<Result<_, _>>()?,
            access: options.access.clone(),
            token: sha256(token.as_bytes()),
            header_bytes: options.limits.header_bytes,
        })
    }

    /// Checks the form of a request, before its path is looked at.
    pub(crate) fn check_form(&self, head: &Parts) -> Result<(), Failure> {
        if head.method == Method::CONNECT || head.method == Method::TRACE {
            let problem = format!("{} is not answered here", head.method);
            return Err(Failure::new(Code::MethodNotAllowed, problem));
        }
        let size: usize = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if size + head.uri.path_and_query().map_or(0, |path| path.as_str().len()) > self.header_bytes {
            let problem = format!("the headers are longer than {} bytes", self.header_bytes);
            return Err(Failure::new(Code::HeadersTooLarge, problem));
        }
        Ok(())
    }

    /// Checks host and origin of a request.
    pub(crate) fn check_origin(&self, head: &Parts) -> Result<(), Failure> {
        let (host, is_secure) = (self.host(head)?, is_secure(head));
        for origin in head.headers.get_all(ORIGIN) {
            let origin = origin.to_str().ok().and_then(Origin::parse);
            if !origin.is_some_and(|origin| origin.is_of(&host, is_secure)) {
                let problem = "the request comes from another web site (see its header Origin)";
                return Err(Failure::new(Code::OriginRefused, problem));
            }
        }
        let header = |name: &str| head.headers.get(name).map(|value| value.as_bytes());
        let is_foreign = matches!(header("sec-fetch-site"), Some(b"cross-site" | b"same-site"));
        let is_link_to_page = header("sec-fetch-mode") == Some(b"navigate") && head.uri.path() == "/";
        if is_foreign && !is_link_to_page {
            let problem = "the request comes from another web site (see its header Sec-Fetch-Site), which can link to the \
                           page alone";
            return Err(Failure::new(Code::OriginRefused, problem));
        }
        Ok(())
    }

    /// The name by which the client reached the gateway, if it is one of the gateway's.
    fn host(&self, head: &Parts) -> Result<Authority, Failure> {
        let refused = |problem: String| Failure::new(Code::HostRefused, problem);
        let mut names = head.headers.get_all(HOST).into_iter();
        let header = names.next().map(|name| name.to_str().unwrap_or_default());
        if names.next().is_some() {
            return Err(Failure::new(Code::BadRequest, "the request has several headers Host"));
        }
        let in_uri = head.uri.authority().map(http::uri::Authority::as_str);
        let name = match (in_uri, header) {
            // A URL with a host is for a proxy; HTTP/2 has the host of each request in its URL.
            (Some(_), _) if head.version < Version::HTTP_2 => {
                return Err(Failure::new(Code::BadPath, "the request is for another server: it names a URL"));
            }
            (Some(name), Some(header)) if name != header => {
                return Err(Failure::new(Code::BadRequest, "the request names two hosts"));
            }
            (Some(name), _) | (None, Some(name)) => name,
            (None, None) => return Err(refused("the request names no host".to_owned())),
        };
        let Some(authority) = Authority::parse(name) else {
            return Err(refused(format!("{} is no name of a host", shown(name))));
        };
        let local = head.extensions.get::<Connection>().map(|connection| authority::shown(connection.local));
        if !self.hosts.contains(&authority.host) && local.as_ref() != Some(&authority.host) {
            return Err(refused(format!(
                "{} is not a name of this gateway: start it with --host {}, if it is to be",
                shown(name),
                authority.host
            )));
        }
        Ok(authority)
    }
}

/// Returns true if the client uses HTTPS, as far as that is known: a proxy in front may have its TLS.
fn is_secure(head: &Parts) -> Option<bool> {
    if head.extensions.get::<Connection>().is_some_and(|connection| connection.is_tls) {
        return Some(true);
    }
    head.headers.get("x-forwarded-proto").map(|scheme| scheme == "https")
}

/// A part of a request in quotes, cut off if it is long.
pub(crate) fn shown(text: &str) -> String {
    let cut: String = text.chars().take(100).collect();
    klient_apimachinery::go::quoted(&cut)
}
