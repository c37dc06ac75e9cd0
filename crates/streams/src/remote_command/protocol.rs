//! [`Protocol`], the transport and version on which client and server agree.

use std::fmt;

/// The suffix of all versions.
const SUFFIX: &str = "channel.k8s.io";

/// The prefix of versions whose data is in base64.
const BASE64: &str = "base64.";

/// A version of `channel.k8s.io`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// `channel.k8s.io`: a failure is a string, and neither the end of standard input nor the exit code can be told.
    V1,
    /// `v2.channel.k8s.io`: standard input can end, over SPDY.
    V2,
    /// `v3.channel.k8s.io`: with sizes of the terminal.
    V3,
    /// `v4.channel.k8s.io`: with exit codes.
    V4,
    /// `v5.channel.k8s.io`: standard input can end over WebSocket too. Over SPDY it is version 4.
    V5,
}

impl Version {
    /// All versions, best first, as a client offers them over SPDY.
    pub const ALL: [Version; 5] = [Version::V5, Version::V4, Version::V3, Version::V2, Version::V1];

    /// The name, such as `v5.channel.k8s.io`: a value of `X-Stream-Protocol-Version` or `Sec-WebSocket-Protocol`.
    pub fn as_str(self) -> &'static str {
        match self {
            Version::V1 => "channel.k8s.io",
            Version::V2 => "v2.channel.k8s.io",
            Version::V3 => "v3.channel.k8s.io",
            Version::V4 => "v4.channel.k8s.io",
            Version::V5 => "v5.channel.k8s.io",
        }
    }

    /// The version with a name. A server that names none means version 1.
    pub fn parse(name: &str) -> Option<Self> {
        match name.trim() {
            "" => Some(Version::V1),
            name => Version::ALL.into_iter().find(|version| version.as_str() == name),
        }
    }

    /// Returns true if exit codes and failures are a JSON `Status`.
    pub(super) fn has_status(self) -> bool {
        self >= Version::V4
    }

    /// Returns true if terminals have sizes.
    pub(super) fn has_resize(self) -> bool {
        self >= Version::V3
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A subprotocol of WebSocket: a version, whose data may be in base64.
///
/// ```
/// use klient_streams::remote_command::{Subprotocol, Version};
///
/// let offered = "v9.channel.k8s.io, v4.base64.channel.k8s.io";
/// let chosen = offered.split(',').find_map(Subprotocol::parse).expect("the second is known");
/// assert_eq!(chosen, Subprotocol { version: Version::V4, base64: true });
/// assert_eq!(chosen.to_string(), "v4.base64.channel.k8s.io");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subprotocol {
    /// The version.
    pub version: Version,
    /// Data is in base64, for browsers. Version 5 has no such form.
    pub base64: bool,
}

impl Subprotocol {
    /// The subprotocol with a name, a value of `Sec-WebSocket-Protocol`. A client that names none means version 1.
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.trim();
        if let Some(version) = Version::parse(name) {
            return Some(Subprotocol { version, base64: false });
        }
        let version = Version::parse(&name.replacen(BASE64, "", 1))?;
        (name.ends_with("base64.channel.k8s.io") && version < Version::V5)
            .then_some(Subprotocol { version, base64: true })
    }
}

impl fmt::Display for Subprotocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.version.as_str();
        let prefix = name.strip_suffix(SUFFIX).unwrap_or_default();
        write!(f, "{prefix}{}{SUFFIX}", if self.base64 { BASE64 } else { "" })
    }
}

/// The transport and version of a remote command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Streams of SPDY/3.1; the version is that of `X-Stream-Protocol-Version`.
    Spdy(Version),
    /// Channels over WebSocket; the subprotocol is that of `Sec-WebSocket-Protocol`.
    WebSocket(Subprotocol),
}

impl Protocol {
    /// Version 5 over WebSocket, which current servers prefer.
    pub const WEBSOCKET_V5: Protocol =
        Protocol::WebSocket(Subprotocol { version: Version::V5, base64: false });

    /// The version.
    pub fn version(self) -> Version {
        match self {
            Protocol::Spdy(version) => version,
            Protocol::WebSocket(subprotocol) => subprotocol.version,
        }
    }

    /// Returns true if a client can end standard input while the command runs.
    pub fn has_half_close(self) -> bool {
        match self {
            Protocol::Spdy(version) => version >= Version::V2,
            Protocol::WebSocket(subprotocol) => subprotocol.version >= Version::V5,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Protocol::Spdy(version) => write!(f, "{version} over SPDY/3.1"),
            Protocol::WebSocket(subprotocol) => write!(f, "{subprotocol} over WebSocket"),
        }
    }
}
