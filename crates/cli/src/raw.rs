//! Requests to a path given by the user (`--raw`).

use std::io::{self, Write};

use http::Method;
use klient_apimachinery::go::quoted;

use crate::cluster::Cluster;
use crate::error::CliError;
use crate::manifest::FilenameOptions;
use crate::manifest::source::Source;
use crate::session::Session;

/// Checks a path as Go's `url.ParseRequestURI`.
///
/// # Errors
///
/// If it does not begin with a slash, or has a `%` that two hexadecimal digits do not follow.
pub(crate) fn check(uri: &str) -> Result<(), CliError> {
    let refuse = |problem: String| {
        Err(CliError::Message(format!(
            "--raw must be a valid URL path: parse {uri}: {problem}",
            uri = quoted(uri)
        )))
    };
    if !uri.starts_with('/') {
        return refuse("invalid URI for request".to_owned());
    }
    let path = uri.split('?').next().unwrap_or_default();
    for (at, _) in path.match_indices('%') {
        let escape: String = path[at..].chars().take(3).collect();
        if escape.len() < 3 || !escape[1..].bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return refuse(format!("invalid URL escape {escape}", escape = quoted(escape)));
        }
    }
    Ok(())
}

/// Returns the file, or standard input, with the body of the request; `None` without `-f`.
///
/// # Errors
///
/// If there are several files, or it is a URL.
pub(crate) fn body(files: &FilenameOptions) -> Result<Option<Source>, CliError> {
    if files.filename.len() > 1 {
        return Err(CliError::message("--raw can only use a single local file or stdin"));
    }
    if files.recursive {
        return Err(CliError::message("--raw and --recursive are mutually exclusive"));
    }
    match files.filename.first().map(|name| Source::from_name(name)) {
        Some(Source::Url(_)) => Err(CliError::message("--raw cannot read from a url")),
        source => Ok(source),
    }
}

/// Sends a request, and prints the response body as it arrives.
///
/// # Errors
///
/// If the body cannot be read, or the server responds with an error.
pub(crate) async fn send(
    cluster: &Cluster,
    method: Method,
    uri: &str,
    body: Option<Source>,
    session: &mut Session,
) -> Result<(), CliError> {
    let mut request = cluster.client().request(method).request_uri(uri).accept("application/json, */*");
    if let Some(body) = body {
        request = request.body("application/json", body.bytes().await?);
    }
    let mut answer = request.limit_stream().stream().await?;
    session.console.print("")?;
    let mut out = io::stdout();
    while let Some(part) = answer.chunk().await? {
        out.write_all(&part).and_then(|()| out.flush()).map_err(CliError::from_output)?;
    }
    Ok(())
}
