//! [`Routes`], the paths below which the API and files are served (Go's `ServeMux`).

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use http::{Method, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use klient_apimachinery::go::quoted;
use klient_client::{Error, ResponseBody};
use klient_proxy::{PeerAddress, ReverseProxy};
use tower_service::Service as _;

use super::ProxyArgs;
use super::answer::{error, not_found, redirect, whole};
use super::files::Files;
use super::filter::{Filter, host_header};
use super::path::{behind, clean, decoded};
use crate::error::{CliError, error_string};

/// The paths below which the API and files are served.
pub(super) struct Routes {
    /// The prefix of the API, with a slash at its end.
    api_prefix: String,
    /// The prefix of files, with a slash at its end, and the files.
    files: Option<(String, Files)>,
    filter: Option<Filter>,
    proxy: ReverseProxy,
}

impl Routes {
    /// # Errors
    ///
    /// If both have the same prefix.
    pub(super) fn new(
        args: &ProxyArgs,
        proxy: ReverseProxy,
        filter: Option<Filter>,
    ) -> Result<Self, CliError> {
        let with_slash = |prefix: &str| format!("{}/", prefix.strip_suffix('/').unwrap_or(prefix));
        let (api_prefix, www_prefix) = (with_slash(&args.api_prefix), with_slash(&args.www_prefix));
        let serves_files = !args.www.is_empty();
        if serves_files && api_prefix == www_prefix {
            let problem = format!("--api-prefix and --www-prefix are both {}", quoted(api_prefix));
            return Err(CliError::Message(problem));
        }
        let files = serves_files.then(|| (www_prefix, Files::below(Path::new(&args.www))));
        Ok(Routes { api_prefix, files, filter, proxy })
    }

    /// Answers a request of a client.
    pub(super) async fn answer(
        &self,
        mut request: Request<Incoming>,
        peer: Option<IpAddr>,
    ) -> Response<ResponseBody> {
        // A request for another host, or for none of the paths.
        if !request.uri().path().starts_with('/') || request.method() == Method::CONNECT {
            return not_found();
        }
        let host = match host_header(&request) {
            Ok(host) => host.to_owned(),
            Err(problem) => return bad_request(&format!("400 Bad Request: {problem}")),
        };
        let escaped = request.uri().path().to_owned();
        let Some(path) = decoded(&escaped) else { return bad_request("400 Bad Request") };
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        // Escaped slashes and dots belong to the names of segments.
        let clean = clean(&escaped);
        if clean != escaped {
            let location = format!("{clean}{query}");
            return redirect(request.method(), StatusCode::TEMPORARY_REDIRECT, &location);
        }
        let files = self.files.as_ref().map(|(prefix, _)| &**prefix);
        let prefixes = [Some(&*self.api_prefix), files];
        // A prefix without its slash is a path of its own, also below that of the API.
        if prefixes.into_iter().flatten().any(|prefix| prefix.strip_suffix('/') == Some(&*path)) {
            return redirect(request.method(), StatusCode::TEMPORARY_REDIRECT, &format!("{escaped}/{query}"));
        }
        let found =
            prefixes.into_iter().flatten().filter_map(|prefix| Some((prefix, behind(&escaped, prefix)?)));
        let Some((prefix, rest)) = found.max_by_key(|(prefix, _)| prefix.len()) else {
            return not_found();
        };
        let Some(rest_path) = decoded(rest) else { return bad_request("400 Bad Request") };
        if let Some((_, files)) = self.files.as_ref().filter(|(files, _)| files == prefix) {
            return files.answer(request.into_parts().0, &rest_path).await;
        }
        // A prefix that begins so is part of the path on the server.
        let path = match self.api_prefix.starts_with("/api") {
            true => path,
            false => {
                let Some(uri) = with_path(request.uri(), &format!("/{rest}{query}")) else {
                    return bad_request("400 Bad Request");
                };
                *request.uri_mut() = uri;
                if rest_path.is_empty() { String::new() } else { format!("/{rest_path}") }
            }
        };
        if let Some(filter) = &self.filter
            && !filter.accepts(request.method().as_str(), &path, &host)
        {
            return error(StatusCode::FORBIDDEN, "Forbidden");
        }
        if let Some(address) = peer {
            request.extensions_mut().insert(PeerAddress(address));
        }
        let response = self.proxy.clone().call(request).await.unwrap_or_else(|never| match never {});
        match response.extensions().get::<Arc<Error>>() {
            Some(failure) => {
                let problem = error_string(failure);
                let problem = problem.split_once("\": ").map_or(&*problem, |(_, cause)| cause);
                tracing::error!("Error while proxying request: {problem}");
                error(StatusCode::INTERNAL_SERVER_ERROR, problem)
            }
            None => response,
        }
    }
}

fn bad_request(problem: &str) -> Response<ResponseBody> {
    whole(StatusCode::BAD_REQUEST, "text/plain; charset=utf-8", problem)
}

/// Replaces the path and query of a URI; `None` if they are too long for one.
fn with_path(uri: &Uri, path_and_query: &str) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path_and_query.parse().ok()?);
    Uri::from_parts(parts).ok()
}
