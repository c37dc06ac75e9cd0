//! [`Filter`], the rules for requests (kubectl's `FilterServer`).

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

/// Compiles regular expressions that are separated by commas.
fn regexps(list: &str) -> Result<Vec<Regex>, CliError> {
    let parts = list.split(',').filter(|_| !list.is_empty());
    let compiled = parts.map(|part| {
        Regex::new(part).map_err(|error| CliError::Message(format!("Error compiling re: {error}")))
    });
    compiled.collect()
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
