//! [`ServiceAddress`], the address at which a service of the cluster is reached.

use std::fmt;
use std::str::FromStr;

/// The address at which the server reaches a port of a service for its webhooks. The server has no cluster network: a
/// webhook that is configured by its service is called at this address, by the name `NAME.NAMESPACE.svc`.
///
/// ```
/// let address: klient_apiserver::ServiceAddress = "shop/webhook:443=127.0.0.1:9443".parse()?;
/// assert_eq!((&*address.name, address.port, &*address.address), ("webhook", 443, "127.0.0.1:9443"));
/// # Ok::<(), klient_apiserver::InvalidServiceAddress>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAddress {
    /// The namespace of the service.
    pub namespace: String,
    /// The name of the service.
    pub name: String,
    /// The port of the service.
    pub port: u16,
    /// `HOST:PORT` to which connections are opened.
    pub address: String,
}

/// The error of a text that is no [`ServiceAddress`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidServiceAddress(());

impl fmt::Display for InvalidServiceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be NAMESPACE/NAME:PORT=HOST:PORT, such as shop/webhook:443=127.0.0.1:9443")
    }
}

impl std::error::Error for InvalidServiceAddress {}

impl FromStr for ServiceAddress {
    type Err = InvalidServiceAddress;

    /// Parses `NAMESPACE/NAME:PORT=HOST:PORT`; the first `:PORT` may be left out, and is 443 then.
    fn from_str(text: &str) -> Result<Self, InvalidServiceAddress> {
        let parsed = || {
            let (service, address) = text.split_once('=')?;
            let (namespace, name) = service.split_once('/')?;
            let (name, port) = name.split_once(':').unwrap_or((name, "443"));
            let (host, target) = address.rsplit_once(':')?;
            target.parse::<u16>().ok()?;
            let is_whole = [namespace, name, host].iter().all(|part| !part.is_empty());
            is_whole.then_some(ServiceAddress {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
                port: port.parse().ok()?,
                address: address.to_owned(),
            })
        };
        parsed().ok_or(InvalidServiceAddress(()))
    }
}
