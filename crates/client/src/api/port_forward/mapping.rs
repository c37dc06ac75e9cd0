//! [`PortMapping`], a local port and the remote one that it leads to.

use std::fmt;
use std::str::FromStr;

use klient_apimachinery::go::quoted;

use super::RemotePort;
use crate::error::Error;

/// A local port and the port of the pod or service that it leads to, as kubectl writes them: `8080:80`, `80` for the same
/// at both ends, `:80` for any free local port; the remote port may be a name.
///
/// ```
/// use klient_client::{PortMapping, RemotePort};
///
/// let mapping: PortMapping = "8080:http".parse()?;
/// assert_eq!(mapping, PortMapping { local: Some(8080), remote: RemotePort::from("http") });
/// assert_eq!("80".parse::<PortMapping>()?.local, None);
/// assert_eq!(":80".parse::<PortMapping>()?.local, Some(0));
/// # Ok::<(), klient_client::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PortMapping {
    /// The local port; 0 for any that is free, none for the number of the remote port.
    pub local: Option<u16>,
    /// The remote port.
    pub remote: RemotePort,
}

impl FromStr for PortMapping {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid = |problem: String| Error::invalid(format!("port {}", quoted(text)), problem);
        let (local, remote) = match text.split_once(':') {
            None => (None, text),
            Some(("", remote)) => (Some(0), remote),
            Some((local, remote)) => {
                let number = local.parse();
                let problem = |_| format!("{local} is no port from 0 to 65535");
                (Some(number.map_err(|error| invalid(problem(error)))?), remote)
            }
        };
        let remote = RemotePort::from(remote);
        match &remote {
            RemotePort::Number(0) => Err(invalid("remote port must be > 0".to_owned())),
            RemotePort::Name(name) if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) => {
                Err(invalid(format!("{name} is no port from 1 to 65535")))
            }
            // Empty, or more than two ports.
            RemotePort::Name(name) if name.is_empty() || name.contains(':') => {
                Err(invalid("it is not of the form [LOCAL_PORT:]REMOTE_PORT".to_owned()))
            }
            _ => Ok(PortMapping { local, remote }),
        }
    }
}

impl fmt::Display for PortMapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.local {
            Some(0) => write!(f, ":{}", self.remote),
            Some(local) => write!(f, "{local}:{}", self.remote),
            None => self.remote.fmt(f),
        }
    }
}
