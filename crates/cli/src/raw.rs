//! Requests to a path as it is (`--raw`).

use std::io::{self, Write};

use http::Method;
use klient_apimachinery::go::quoted;

use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::manifest::FileArgs;
use crate::manifest::source::Source;
use crate::session::Session;

/// Checks that a path is one, as Go does.
///
/// # Errors
///
/// If it does not begin with a slash, or a `%` in it has no two hexadecimal digits behind it.
pub(crate) fn check(uri: &str) -> Result<(), Failure> {
    let refuse = |problem: String| {
        Err(Failure::Message(format!(
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

/// The one file, or standard input, whose bytes are sent; `None` if none is named.
///
/// # Errors
///
/// If there is more than one, or it is no file here.
pub(crate) fn body(files: &FileArgs) -> Result<Option<Source>, Failure> {
    if files.filename.len() > 1 {
        return Err(Failure::message("--raw can only use a single local file or stdin"));
    }
    if files.recursive {
        return Err(Failure::message("--raw and --recursive are mutually exclusive"));
    }
    match files.filename.first().map(|name| Source::named(name)) {
        Some(Source::Url(_)) => Err(Failure::message("--raw cannot read from a url")),
        source => Ok(source),
    }
}

/// Sends a request, and prints the answer as it comes.
///
/// # Errors
///
/// If the body cannot be read, or the server answers with a failure.
pub(crate) async fn send(
    cluster: &Cluster,
    method: Method,
    uri: &str,
    body: Option<Source>,
    session: &mut Session,
) -> Result<(), Failure> {
    let mut request = cluster.client().request(method).request_uri(uri).accept("application/json, */*");
    if let Some(body) = body {
        request = request.body("application/json", body.bytes().await?);
    }
    let mut answer = request.stream().await?;
    session.console.write("")?;
    let mut out = io::stdout();
    while let Some(part) = answer.chunk().await? {
        out.write_all(&part).and_then(|()| out.flush()).map_err(Failure::output)?;
    }
    Ok(())
}
