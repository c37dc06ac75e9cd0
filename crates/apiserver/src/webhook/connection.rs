//! Connections to webhooks: TCP, TLS and HTTP/1.1, with the errors of Go's packages.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use klient_apimachinery::Time;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig as TlsConfig, InvalidMessage, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::ca_bundle;

/// TLS settings that trust a bundle of certificates, or the roots of the machine if it is empty.
pub(super) fn tls_config(bundle: &[u8]) -> Result<Arc<TlsConfig>, String> {
    let mut roots = RootCertStore::empty();
    if bundle.is_empty() {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    } else {
        roots.add_parsable_certificates(ca_bundle::certificates(bundle)?);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = TlsConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Opens a connection.
///
/// # Errors
///
/// In the words of Go's packages.
pub(super) async fn connect(
    address: &str,
    server_name: &str,
    tls: Arc<TlsConfig>,
) -> Result<SendRequest<Full<Bytes>>, String> {
    let stream = TcpStream::connect(address).await.map_err(|error| not_dialed(address, &error))?;
    // Requests are written at once.
    let _ = stream.set_nodelay(true);
    let name = ServerName::try_from(server_name.to_owned());
    let name = name.map_err(|_| format!("tls: invalid server name {server_name}"))?;
    let stream = TlsConnector::from(tls).connect(name, stream).await;
    let stream = stream.map_err(|error| not_secured(server_name, &error))?;
    let connected = http1::handshake(TokioIo::new(stream)).await;
    let (sender, connection) = connected.map_err(|error| error.to_string())?;
    // It ends with its sender; what goes wrong is told to the request.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

fn not_dialed(address: &str, error: &io::Error) -> String {
    let problem = match error.kind() {
        io::ErrorKind::ConnectionRefused => "connect: connection refused".to_owned(),
        io::ErrorKind::TimedOut => "i/o timeout".to_owned(),
        io::ErrorKind::NetworkUnreachable => "connect: network is unreachable".to_owned(),
        io::ErrorKind::HostUnreachable => "connect: no route to host".to_owned(),
        _ if error.raw_os_error().is_none() => {
            let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
            return format!("dial tcp: lookup {host}: no such host");
        }
        _ => error.to_string(),
    };
    format!("dial tcp {address}: {problem}")
}

fn not_secured(server_name: &str, error: &io::Error) -> String {
    let Some(error) = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>()) else {
        let is_closed = matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset);
        return if is_closed { "EOF".to_owned() } else { error.to_string() };
    };
    let problem = match error {
        rustls::Error::InvalidCertificate(problem) => untrusted(server_name, problem),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            return "http: server gave HTTP response to HTTPS client".to_owned();
        }
        other => return format!("tls: {other}"),
    };
    format!("tls: failed to verify certificate: x509: {problem}")
}

fn untrusted(server_name: &str, problem: &CertificateError) -> String {
    match problem {
        // Of an authority of the same name, too.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "certificate signed by unknown authority".to_owned()
        }
        CertificateError::ExpiredContext { time, not_after } => {
            let text = |seconds: u64| Time::from_unix(i64::try_from(seconds).unwrap_or(i64::MAX)).to_string();
            format!(
                "certificate has expired or is not yet valid: current time {} is after {}",
                text(time.as_secs()),
                text(not_after.as_secs())
            )
        }
        CertificateError::Expired | CertificateError::NotValidYet => {
            "certificate has expired or is not yet valid".to_owned()
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            let is_address = server_name.parse::<std::net::IpAddr>().is_ok();
            let (mut names, mut addresses) = (Vec::new(), Vec::new());
            for name in presented {
                let inner = name.split_once('(').map_or(name.as_str(), |(_, inner)| inner);
                let inner = inner.trim_end_matches(')').trim_matches('"').to_owned();
                if name.starts_with("Ip") { addresses.push(inner) } else { names.push(inner) }
            }
            let valid = if is_address { addresses } else { names };
            if valid.is_empty() && is_address {
                return format!(
                    "cannot validate certificate for {server_name} because it doesn't contain any IP SANs"
                );
            }
            if valid.is_empty() {
                return format!("certificate is not valid for any names, but wanted to match {server_name}");
            }
            format!("certificate is valid for {}, not {server_name}", valid.join(", "))
        }
        other => other.to_string(),
    }
}
