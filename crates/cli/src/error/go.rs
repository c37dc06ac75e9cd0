//! Messages of client-go and Go's standard library for errors of the server and of the connection.

use std::io;
use std::net::{IpAddr, ToSocketAddrs};

use klient_apimachinery::go::quoted;
use klient_client::{Error, ErrorKind};
use rustls::CertificateError;

/// Returns kubectl's `StandardErrorMessage` for an error of the server or of the connection; `None` for other errors,
/// which kubectl prints after `error: `.
pub(crate) fn standard_error_message(error: &Error) -> Option<String> {
    if let Some(status) = error.as_status() {
        let message = status.message.as_deref().unwrap_or_default();
        return Some(status_message(status.reason.as_deref().unwrap_or_default(), message));
    }
    if !is_url_error(error) {
        return None;
    }
    let problem = connection_error(error);
    if problem.contains("connection refused") {
        let host = host(error);
        let question = "did you specify the right host or port?";
        return Some(format!("The connection to the server {host} was refused - {question}"));
    }
    Some(format!("Unable to connect to the server: {problem}"))
}

/// As [`standard_error_message`], with the operation that failed before the message of the error.
pub(crate) fn standard_error_message_while(error: &Error, context: &str) -> String {
    match error.as_status() {
        Some(status) => {
            let message = format!("{context}: {}", status.message.as_deref().unwrap_or_default());
            status_message(status.reason.as_deref().unwrap_or_default(), &message)
        }
        None => format!("{context}: {}", error_string(error)),
    }
}

fn status_message(reason: &str, message: &str) -> String {
    match reason {
        "Unauthorized" => format!("error: You must be logged in to the server ({message})"),
        "" | "Unknown" => format!("Error from server: {message}"),
        reason => format!("Error from server ({reason}): {message}"),
    }
}

/// Returns the result of Go's `Error()`: the message of the server's status, or `Get "URL": …` of a `url.Error`.
pub(crate) fn error_string(error: &Error) -> String {
    if let Some(status) = error.as_status() {
        return status.message.as_deref().unwrap_or_default().to_owned();
    }
    if is_url_error(error) {
        let (method, url) = error.subject().split_once(' ').unwrap_or(("", error.subject()));
        let (first, rest) = method.split_at(method.len().min(1));
        return format!(
            "{first}{} {url}: {}",
            rest.to_lowercase(),
            connection_error(error),
            url = quoted(url)
        );
    }
    if error.kind() == ErrorKind::Connection {
        // Of a connection that was switched, in the words of its end.
        return error.cause().map_or_else(|| error.to_string(), ToString::to_string);
    }
    if error.kind() == ErrorKind::Request {
        // Nothing was sent, so the URL is left out.
        return error.cause().map_or_else(|| error.to_string(), ToString::to_string);
    }
    error.to_string()
}

/// Returns true for an error of the connection, which Go wraps in a `url.Error`.
fn is_url_error(error: &Error) -> bool {
    use ErrorKind::{Auth, Connect, Connection, Timeout};
    let is_request = error.subject().contains(" http://") || error.subject().contains(" https://");
    matches!(error.kind(), Auth | Connect | Timeout) || error.kind() == Connection && is_request
}

fn host(error: &Error) -> String {
    let url = error.subject().split_once(' ').map_or("", |(_, url)| url);
    let behind_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    behind_scheme.split(['/', '?']).next().unwrap_or_default().to_owned()
}

/// Returns Go's message for the cause of a connection error.
pub(crate) fn connection_error(error: &Error) -> String {
    if error.kind() == ErrorKind::Auth {
        let causes: Vec<String> = causes(error).iter().map(ToString::to_string).collect();
        return format!("getting credentials: {}", causes.join(": "));
    }
    let text = error.to_string();
    // Go's message names neither the proxy nor the server.
    if let (Some(_), Some((_, cause))) = (error.proxy(), text.split_once(": cannot connect: ")) {
        return cause.to_owned();
    }
    let mut last = None;
    for cause in causes(error) {
        if let Some(rustls::Error::InvalidCertificate(problem)) = cause.downcast_ref() {
            return format!("tls: failed to verify certificate: {}", x509_error(problem));
        }
        if let Some(problem) = cause.downcast_ref::<io::Error>() {
            match problem.kind() {
                io::ErrorKind::ConnectionRefused => {
                    return format!("dial tcp {}: connect: connection refused", address(error));
                }
                io::ErrorKind::ConnectionReset => return "read: connection reset by peer".to_owned(),
                io::ErrorKind::TimedOut => return format!("dial tcp {}: i/o timeout", address(error)),
                io::ErrorKind::UnexpectedEof => return "unexpected EOF".to_owned(),
                _ if problem.to_string().contains("failed to lookup address") => {
                    let host = host(error);
                    let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
                    return format!("dial tcp: lookup {name}: no such host");
                }
                _ => {}
            }
        }
        last = Some(cause.to_string());
    }
    let last = last.unwrap_or(text);
    match last.starts_with("peer closed connection without sending TLS close_notify") {
        true => "unexpected EOF".to_owned(),
        false => last,
    }
}

/// Returns the causes of an error, outermost first, with the inner error of each I/O error, which `source` leaves out.
fn causes(error: &Error) -> Vec<&(dyn std::error::Error + 'static)> {
    let mut causes = Vec::new();
    let mut next = error.cause();
    while let Some(cause) = next {
        causes.push(cause);
        let held = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match held {
            Some(held) => Some(held as &(dyn std::error::Error + 'static)),
            None => cause.source(),
        };
    }
    causes
}

/// Returns the address that was dialled: IPv4 if the host name has both families.
fn address(error: &Error) -> String {
    let host = host(error);
    let addresses = host.to_socket_addrs().map(Iterator::collect::<Vec<_>>).unwrap_or_default();
    let first = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
    first.map_or(host, ToString::to_string)
}

/// Returns the message of Go's `crypto/x509` for a certificate that cannot be verified.
fn x509_error(problem: &CertificateError) -> String {
    match problem {
        CertificateError::UnknownIssuer => "x509: certificate signed by unknown authority".to_owned(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "x509: certificate has expired or is not yet valid".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "x509: certificate has expired or is not yet valid".to_owned()
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let wanted = expected.to_str();
            let wants_address = wanted.parse::<IpAddr>().is_ok();
            let names: Vec<&str> =
                presented.iter().filter_map(|name| presented_name(name, wants_address)).collect();
            if names.is_empty() {
                return format!("x509: certificate is not valid for any names, but wanted to match {wanted}");
            }
            format!("x509: certificate is valid for {}, not {wanted}", names.join(", "))
        }
        other => format!("x509: {other}"),
    }
}

/// Returns the name in rustls' form of a certificate's names: `DnsName("localhost")`, `IpAddress(127.0.0.1)`.
fn presented_name(name: &str, address: bool) -> Option<&str> {
    let (kind, rest) = name.split_once('(')?;
    let is_address = kind == "IpAddress";
    (is_address == address).then(|| rest.trim_end_matches(')').trim_matches('"'))
}
