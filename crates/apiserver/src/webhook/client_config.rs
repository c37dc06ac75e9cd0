//! [`ClientConfig`], the address and the certificate authority of a webhook.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Uri;
use klient_apimachinery::go::quoted;
use klient_apimachinery::values::{Map, at, text_at};
use serde_json::Value;

/// The address and the certificate authority of a webhook, as its configuration has them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ClientConfig {
    pub(super) host: Host,
    /// `HOST:PORT` as in the URL of a request.
    pub(super) authority: String,
    pub(super) path: String,
    /// PEM; empty for the roots of the machine.
    pub(super) ca_bundle: Vec<u8>,
}

/// The host of a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Host {
    /// That of a URL.
    Named {
        name: String,
        port: u16,
    },
    Service {
        namespace: String,
        name: String,
        port: u16,
    },
}

impl Host {
    /// The host of a URL, and its authority.
    fn named(url: &Uri) -> (Host, String) {
        let authority = url.authority().map(|authority| authority.as_str().to_owned());
        let name = url.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        (Host::Named { name, port: url.port_u16().unwrap_or(443) }, authority.unwrap_or_default())
    }

    /// The name in the certificate of the webhook.
    pub(super) fn server_name(&self) -> String {
        match self {
            Host::Named { name, .. } => name.clone(),
            Host::Service { namespace, name, .. } => format!("{name}.{namespace}.svc"),
        }
    }
}

impl ClientConfig {
    /// Reads the `clientConfig` of a webhook in the stored form, which is defaulted and valid.
    ///
    /// # Errors
    ///
    /// If the URL is none after all.
    pub(crate) fn parse(config: &Map) -> Result<ClientConfig, String> {
        let ca_bundle = BASE64.decode(text_at(config, &["caBundle"])).unwrap_or_default();
        let ca_bundle = if ca_bundle.trim_ascii().is_empty() { Vec::new() } else { ca_bundle };
        if let Some(Value::Object(service)) = config.get("service") {
            let text = |name: &str| text_at(service, &[name]).to_owned();
            let port = at(service, &["port"]).and_then(Value::as_u64).and_then(|port| port.try_into().ok());
            let host = Host::Service {
                namespace: text("namespace"),
                name: text("name"),
                port: port.filter(|port| *port != 0).unwrap_or(443),
            };
            let Host::Service { port, .. } = &host else { unreachable!("it is one") };
            let authority = format!("{}:{port}", host.server_name());
            return Ok(ClientConfig { authority, path: clean(&text("path")), host, ca_bundle });
        }
        let url = text_at(config, &["url"]);
        if url.is_empty() {
            return Err("webhook configuration must have either service or URL".to_owned());
        }
        let url: Uri = url.parse().map_err(|error| format!("Unparsable URL: {error}"))?;
        let (host, authority) = Host::named(&url);
        Ok(ClientConfig { host, authority, path: clean(url.path()), ca_bundle })
    }

    /// The webhook and the query of a `Location` to which this one redirects.
    ///
    /// # Errors
    ///
    /// If it is not one of HTTPS.
    pub(super) fn redirected(&self, location: &str) -> Result<(ClientConfig, String), String> {
        let location = location.split('#').next().unwrap_or_default();
        let (place, query) = location.find('?').map_or((location, ""), |at| location.split_at(at));
        let absolute = match place.split_once("://") {
            Some(("https", _)) => place.to_owned(),
            Some((scheme, _)) => return Err(format!("unsupported protocol scheme {}", quoted(scheme))),
            None if place.starts_with("//") => format!("https:{place}"),
            None if place.starts_with('/') => format!("https://{}{place}", self.authority),
            None => {
                let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                format!("https://{}{folder}/{place}", self.authority)
            }
        };
        let url: Uri =
            absolute.parse().map_err(|_| format!("failed to parse Location header {}", quoted(location)))?;
        let (host, authority) = Host::named(&url);
        // A service stays one.
        let host = if authority == self.authority { self.host.clone() } else { host };
        let path = url.path().to_owned();
        Ok((ClientConfig { host, authority, path, ca_bundle: self.ca_bundle.clone() }, query.to_owned()))
    }

    /// The URL of a request.
    pub(super) fn url(&self, query: &str) -> String {
        format!("https://{}{}{query}", self.authority, self.path)
    }
}

/// A path as Go's `path.Join` leaves it.
fn clean(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            other => segments.push(other),
        }
    }
    format!("/{}", segments.join("/"))
}
