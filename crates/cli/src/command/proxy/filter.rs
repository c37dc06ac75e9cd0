//! [`Filter`], the rules for requests (kubectl's `FilterServer`).

use http::header::HOST;
use http::{Request, Version};
use klient_klog::Severity;
use regex::Regex;

use super::ProxyArgs;
use crate::error::CliError;

/// Rejects requests that do not match the rules, so that no web page can use the proxy.
pub(super) struct Filter {
    accept_paths: Vec<Regex>,
    reject_paths: Vec<Regex>,
    accept_hosts: Vec<Regex>,
    reject_methods: Vec<Regex>,
}

impl Filter {
    /// # Errors
    ///
    /// If a regular expression is none.
    pub(super) fn of(args: &ProxyArgs) -> Result<Self, CliError> {
        Ok(Filter {
            accept_paths: regexps(&args.accept_paths)?,
            reject_paths: regexps(&args.reject_paths)?,
            accept_hosts: regexps(&args.accept_hosts)?,
            reject_methods: regexps(&args.reject_methods)?,
        })
    }

    /// Returns true for a request that is passed on.
    pub(super) fn accepts(&self, method: &str, path: &str, host: &str) -> bool {
        let matches = |text: &str, regexps: &[Regex]| regexps.iter().any(|regexp| regexp.is_match(text));
        !matches(path, &self.reject_paths)
            && !matches(method, &self.reject_methods)
            && matches(path, &self.accept_paths)
            && matches(host_of(host), &self.accept_hosts)
    }
}

/// The header `Host` of a request, or of its URI, which only requests for a proxy name.
///
/// # Errors
///
/// In the words of Go's server, if there is none, there are several, or it cannot be one.
pub(super) fn host_header<B>(request: &Request<B>) -> Result<&str, &'static str> {
    let mut headers = request.headers().get_all(HOST).iter();
    let header = headers.next();
    if headers.next().is_some() {
        return Err("too many Host headers");
    }
    let header = header.map(|host| host.to_str()).transpose().ok();
    let Some(header) = header.filter(|host| host.is_none_or(is_host)) else {
        return Err("malformed Host header");
    };
    match (request.uri().authority(), header) {
        // What stands before `@` is no host.
        (Some(authority), _) => Ok(authority.as_str().rsplit('@').next().unwrap_or_default()),
        (None, Some(header)) => Ok(header),
        (None, None) if request.version() < Version::HTTP_11 => Ok(""),
        (None, None) => Err("missing required Host header"),
    }
}

/// Returns true if all characters can be in the header `Host`, as Go's `ValidHostHeader`.
fn is_host(header: &str) -> bool {
    header.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!$%&'()*+,-.:;=[]_~".contains(&byte))
}

/// Compiles regular expressions that are separated by commas.
fn regexps(list: &str) -> Result<Vec<Regex>, CliError> {
    let parts = list.split(',').filter(|_| !list.is_empty());
    let compiled = parts.map(|part| {
        Regex::new(part).map_err(|error| {
            let problem = format!("Error compiling re: error parsing regexp: {}", go_problem(part, &error));
            let message = klient_klog::line(Severity::Fatal, file!(), line!(), &problem);
            CliError::ExitCode { message, code: 255 }
        })
    });
    compiled.collect()
}

/// The problem of a regular expression in the words of Go's `regexp/syntax`, where they are known.
fn go_problem(part: &str, error: &regex::Error) -> String {
    let text = error.to_string();
    let problem = text.lines().last().unwrap_or_default();
    let problem = problem.strip_prefix("error: ").unwrap_or(problem);
    match problem {
        "unclosed character class" => {
            let class = part.find('[').map_or(part, |at| &part[at..]);
            format!("missing closing ]: `{class}`")
        }
        "unclosed group" => format!("missing closing ): `{part}`"),
        "unopened group" => format!("unexpected ): `{part}`"),
        problem => format!("{problem}: `{part}`"),
    }
}

/// Returns the host of the header `Host`, without a port. One that is malformed stays as it is, as in Go.
fn host_of(header: &str) -> &str {
    let Some((host, _)) = header.rsplit_once(':') else { return header };
    match host.strip_prefix('[') {
        Some(address) => match address.split_once(']') {
            Some((address, "")) if !address.contains('[') => address,
            _ => header,
        },
        None if host.contains([':', '[', ']']) => header,
        None => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_those_of_go() {
        for (header, host) in [
            ("localhost", "localhost"),
            ("localhost:8001", "localhost"),
            ("[::1]", "[::1]"),
            ("[::1]:8001", "::1"),
            ("::1", "::1"),
            ("a:b:c", "a:b:c"),
            ("", ""),
        ] {
            assert_eq!(host_of(header), host, "{header}");
        }
    }
}
