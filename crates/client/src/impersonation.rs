//! [`Impersonation`], another user to act as.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::{Error, Problem};

/// Another user to act as. The server must allow it: see [user impersonation].
///
/// [user impersonation]: https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/
///
/// ```no_run
/// use klient_client::{Client, Config, Impersonation};
/// # fn f() -> Result<(), klient_client::Error> {
/// let mut config = Config::infer()?;
/// config.impersonate = Some(Impersonation { user: "bob".into(), ..Default::default() });
/// let client = Client::new(config)?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Impersonation {
    /// The name of the user.
    pub user: String,
    /// The uid of the user; none is sent if it is empty.
    pub uid: String,
    /// The groups of the user.
    pub groups: Vec<String>,
    /// Extra attributes of the user: values by key.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl Impersonation {
    /// Adds the `Impersonate-…` headers. A request that names a user itself keeps its own.
    ///
    /// # Errors
    ///
    /// If a value or key is not valid in a header.
    pub(crate) fn add_to(&self, headers: &mut HeaderMap) -> Result<(), Error> {
        const USER: HeaderName = HeaderName::from_static("impersonate-user");
        if headers.contains_key(&USER) {
            return Ok(());
        }
        let value = |what: &str, text: &str| {
            HeaderValue::from_str(text).map_err(|_| refuse(&format!("the {what} has characters")))
        };
        headers.insert(USER, value("user", &self.user)?);
        if !self.uid.is_empty() {
            headers.insert(HeaderName::from_static("impersonate-uid"), value("uid", &self.uid)?);
        }
        for group in &self.groups {
            headers.append(HeaderName::from_static("impersonate-group"), value("group", group)?);
        }
        for (key, values) in &self.extra {
            let name = format!("impersonate-extra-{}", encode_key(key));
            let name = HeaderName::try_from(name).map_err(|_| refuse("a key has characters"))?;
            for text in values {
                headers.append(name.clone(), value("extra value", text)?);
            }
        }
        Ok(())
    }
}

fn refuse(problem: &str) -> Error {
    Error::config("impersonation", Problem(format!("{problem} that no header can hold")))
}

/// A key as a part of a header's name: characters that are not allowed there, and `%`, are percent-encoded.
fn encode_key(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b'!' | b'#' | b'$' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|'
            | b'~' => {
                out.push(char::from(byte));
            }
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
