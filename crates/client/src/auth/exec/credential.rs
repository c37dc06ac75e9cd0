//! [`Credential`], the output of a plugin, and the input that it gets: `ExecCredential` of client.authentication.k8s.io.

use std::time::{Duration, SystemTime};

use http::HeaderValue;
use klient_apimachinery::{Time, yaml};
use serde::Serialize;
use serde_json::Value;

use super::validation::GROUP;
use super::{ExecCluster, ExecConfig};
use crate::auth::Identity;
use crate::auth::header::authorization;
use crate::error::Problem;
use crate::transport::tls::{self, Validity};

/// A token, a client certificate, or both.
pub(in crate::auth) struct Credential {
    pub(in crate::auth) header: Option<HeaderValue>,
    pub(super) identity: Option<Identity>,
    /// The times between which the client certificate is valid, if they can be read.
    pub(super) validity: Option<Validity>,
    expires: Option<SystemTime>,
    /// The time from which on another one is fetched, while this one is used.
    renew: Option<SystemTime>,
}

impl Credential {
    /// Reads the output of a plugin.
    ///
    /// # Errors
    ///
    /// If there is no credential in it. The error does not repeat any of it but its version.
    pub(super) fn decode(output: &[u8], api_version: &str) -> Result<Self, Problem> {
        if output.iter().all(u8::is_ascii_whitespace) {
            return Err(Problem("it printed nothing: expected an ExecCredential".to_owned()));
        }
        // The parser's message may quote.
        let value = yaml::from_slice(output).ok().filter(Value::is_object).ok_or_else(|| {
            Problem(format!("its output is no ExecCredential of {api_version} in JSON or YAML"))
        })?;
        match value["apiVersion"].as_str() {
            Some(version) if version == api_version => {}
            Some(version) if version.starts_with(GROUP) => {
                return Err(Problem(format!(
                    "exec plugin is configured to use API version {api_version}, plugin returned version {}: \
                     change the apiVersion in the kubeconfig to it",
                    version.chars().take(64).filter(|c| !c.is_control()).collect::<String>()
                )));
            }
            _ => return Err(Problem(format!("the apiVersion of its output is not {api_version}"))),
        }
        if value["kind"] != "ExecCredential" {
            return Err(Problem("the kind of its output is not ExecCredential".to_owned()));
        }
        let status = &value["status"];
        if status.is_null() {
            return Err(Problem("exec plugin didn't return a status field".to_owned()));
        }
        let field = |name: &str| match &status[name] {
            Value::Null => Ok(""),
            Value::String(text) => Ok(text.trim()),
            _ => Err(Problem(format!("status.{name} of its output is no string"))),
        };
        let token = field("token")?;
        let (certificate, key) = (field("clientCertificateData")?, field("clientKeyData")?);
        let expires = match field("expirationTimestamp")? {
            "" => None,
            text => Some(expiry(text)?),
        };
        let header = (!token.is_empty()).then(|| header(token)).transpose()?;
        let identity = match (certificate, key) {
            ("", "") if header.is_none() => {
                return Err(Problem("exec plugin didn't return a token or cert/key pair".to_owned()));
            }
            ("", "") => None,
            ("", _) | (_, "") => {
                return Err(Problem("exec plugin returned only certificate or key, not both".to_owned()));
            }
            (certificate, key) => Some(identity(certificate, key)?),
        };
        let now = SystemTime::now();
        // A server may refuse the connection of an expired certificate, so that there is no 401 by which to notice.
        let validity = identity.as_ref().and_then(|identity| tls::validity(&identity[0]));
        let expires = expires.or(validity.map(|validity| validity.not_after));
        let renew = expires.and_then(|expires| renew(now, expires));
        Ok(Credential { header, identity, validity, expires, renew })
    }

    pub(super) fn is_expired(&self) -> bool {
        self.expires.is_some_and(|expires| SystemTime::now() > expires)
    }

    pub(super) fn is_due(&self) -> bool {
        self.renew.is_some_and(|renew| SystemTime::now() > renew)
    }

    /// Returns true if the server cannot tell it from another.
    pub(super) fn is_same(&self, other: &Credential) -> bool {
        self.header == other.header && self.identity == other.identity
    }
}

/// The time at which another credential is fetched: when a fifth of the time is left, and a minute at most. Since a
/// plugin that has a cache of its own may give the same credential again, the time shrinks with each.
fn renew(now: SystemTime, expires: SystemTime) -> Option<SystemTime> {
    let life = expires.duration_since(now).ok()?;
    expires.checked_sub((life / 5).min(Duration::from_secs(60)))
}

fn expiry(text: &str) -> Result<SystemTime, Problem> {
    let time: Time = text
        .parse()
        .map_err(|_| Problem("status.expirationTimestamp of its output is no RFC 3339 time".to_owned()))?;
    let since = Duration::from_secs(u64::try_from(time.unix()).unwrap_or_default());
    Ok(SystemTime::UNIX_EPOCH + since)
}

fn header(token: &str) -> Result<HeaderValue, Problem> {
    authorization("Bearer", token)
        .ok_or_else(|| Problem("the token in its output has characters that no header can hold".to_owned()))
}

fn identity(certificate: &str, key: &str) -> Result<Identity, Problem> {
    let (certificate, key) = (certificate.as_bytes(), key.as_bytes());
    tls::check_pair(certificate, key)
        .map_err(|problem| Problem(format!("failed parsing client key/certificate: {problem}")))?;
    Ok([certificate.into(), key.into()])
}

/// The value of `KUBERNETES_EXEC_INFO`.
pub(super) fn exec_info(config: &ExecConfig, interactive: bool) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Info<'a> {
        kind: &'a str,
        api_version: &'a str,
        spec: Spec<'a>,
    }

    #[derive(Serialize)]
    struct Spec<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        cluster: Option<&'a ExecCluster>,
        interactive: bool,
    }

    let cluster = config.cluster.as_ref().filter(|_| config.provide_cluster_info);
    let spec = Spec { cluster, interactive };
    let info = Info { kind: "ExecCredential", api_version: &config.api_version, spec };
    serde_json::to_string(&info).expect("strings, booleans and a JSON value can be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_renewed_when_a_fifth_of_its_time_is_left_and_a_minute_at_most() {
        let now = SystemTime::now();
        let seconds = Duration::from_secs;
        for (life, ahead) in [(10, 2), (100, 20), (300, 60), (900, 60), (86_400, 60)] {
            assert_eq!(renew(now, now + seconds(life)), Some(now + seconds(life - ahead)));
        }
        assert_eq!(renew(now, now - seconds(1)), None);
    }
}
