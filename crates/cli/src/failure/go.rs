//! What client-go's errors say of connections, so that scripts that read kubectl's find the same.

use std::io;
use std::net::{IpAddr, ToSocketAddrs};

use klient_apimachinery::go::quoted;
use klient_client::{Error, ErrorKind};
use rustls::CertificateError;

/// What kubectl says of an error of the server or of the connection; `None` where it only adds `error: `.
pub(crate) fn standard(error: &Error) -> Option<String> {
    if let Some(status) = error.as_status() {
        let message = status.message.as_deref().unwrap_or_default();
        return Some(of_status(status.reason.as_deref().unwrap_or_default(), message));
    }
    if !is_url_error(error) {
        return None;
    }
    let problem = problem(error);
    if problem.contains("connection refused") {
        let host = host(error);
        let question = "did you specify the right host or port?";
        return Some(format!("The connection to the server {host} was refused - {question}"));
    }
    Some(format!("Unable to connect to the server: {problem}"))
}

/// The same, with what was being done in the message.
pub(crate) fn standard_when(error: &Error, doing: &str) -> String {
    match error.as_status() {
        Some(status) => {
            let message = format!("{doing}: {}", status.message.as_deref().unwrap_or_default());
            of_status(status.reason.as_deref().unwrap_or_default(), &message)
        }
        None => format!("{doing}: {}", text(error)),
    }
}

fn of_status(reason: &str, message: &str) -> String {
    match reason {
        "Unauthorized" => format!("error: You must be logged in to the server ({message})"),
        "" | "Unknown" => format!("Error from server: {message}"),
        reason => format!("Error from server ({reason}): {message}"),
    }
}

/// The error in Go's words: that of the server, or `Get "URL": problem`.
pub(crate) fn text(error: &Error) -> String {
    if let Some(status) = error.as_status() {
        return status.message.as_deref().unwrap_or_default().to_owned();
    }
    if is_url_error(error) {
        let (method, url) = error.subject().split_once(' ').unwrap_or(("", error.subject()));
        let (first, rest) = method.split_at(method.len().min(1));
        return format!("{first}{} {url}: {}", rest.to_lowercase(), problem(error), url = quoted(url));
    }
    if error.kind() == ErrorKind::Request {
        // Nothing was sent, so that it does not matter where to.
        return error.cause().map_or_else(|| error.to_string(), ToString::to_string);
    }
    error.to_string()
}

/// What Go says of an error of the operating system.
pub(crate) fn io_text(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" (os error ").map_or(text.as_str(), |(text, _)| text);
    let mut characters = text.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

/// Whether the error is of the way to the server.
fn is_url_error(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Connect | ErrorKind::Connection | ErrorKind::Timeout)
}

fn host(error: &Error) -> String {
    let url = error.subject().split_once(' ').map_or("", |(_, url)| url);
    let behind_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    behind_scheme.split(['/', '?']).next().unwrap_or_default().to_owned()
}

/// What is wrong with the connection, in Go's words.
fn problem(error: &Error) -> String {
    let mut last = None;
    for cause in causes(error) {
        if let Some(rustls::Error::InvalidCertificate(problem)) = cause.downcast_ref() {
            return format!("tls: failed to verify certificate: {}", certificate(problem));
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
    last.unwrap_or_else(|| error.to_string())
}

/// What lies beneath an error. An I/O error passes over the error it holds, which is the one that says most.
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

/// The address a connection was tried to, IPv4 before IPv6 where a name has both.
fn address(error: &Error) -> String {
    let host = host(error);
    let addresses = host.to_socket_addrs().map(Iterator::collect::<Vec<_>>).unwrap_or_default();
    let first = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
    first.map_or(host, ToString::to_string)
}

/// What is wrong with a certificate.
fn certificate(problem: &CertificateError) -> String {
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

/// The name in what rustls shows of a certificate's names: `DnsName("localhost")`, `IpAddress(127.0.0.1)`.
fn presented_name(name: &str, address: bool) -> Option<&str> {
    let (kind, rest) = name.split_once('(')?;
    let is_address = kind == "IpAddress";
    (is_address == address).then(|| rest.trim_end_matches(')').trim_matches('"'))
}
