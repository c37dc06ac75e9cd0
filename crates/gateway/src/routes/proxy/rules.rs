//! The requests to the cluster that the options allow.

use http::Method;

use crate::failure::{Code, Failure};
use crate::guard::{is_watch, resource_of};
use crate::options::Options;
use crate::query::Query;

/// Subresources that reach into a container or a node, whatever the method.
const INTO_CONTAINERS: [&str; 4] = ["exec", "attach", "portforward", "proxy"];

/// # Errors
///
/// If the request writes, reaches into a container, or could have the value of a Secret in its response, and the options do not
/// allow that.
pub(super) fn check(
    method: &Method,
    path: &[&str],
    upgrades: bool,
    options: &Options,
) -> Result<(), Failure> {
    let (resource, subresource) = resource_of(path);
    let reaches_in = INTO_CONTAINERS.iter().any(|name| subresource == Some(*name));
    if (reaches_in || upgrades) && !options.exec {
        let problem = "exec, attach, port-forward and proxy are off: start the gateway with --allow-exec";
        return Err(Failure::new(Code::ExecOff, problem));
    }
    // The response to a write has the whole object. A watch may be upgraded.
    if resource == Some(("", "secrets")) && !options.secrets {
        let problem = "Secrets are not shown: start the gateway with --show-secrets";
        return Err(Failure::new(Code::SecretsHidden, problem));
    }
    // With a method that writes, too: kubectl sends POST.
    if reaches_in {
        return Ok(());
    }
    if !matches!(*method, Method::GET | Method::HEAD) && !options.writes {
        let problem = format!("{method} is off, the gateway reads only: start it with --allow-writes");
        return Err(Failure::new(Code::ReadOnly, problem));
    }
    Ok(())
}

/// Returns true if the response may have no end: that of a watch, of a log that is followed, or of a pod, service or node.
pub(super) fn is_open_ended(path: &[&str], query: &Query) -> bool {
    // As the API server reads a flag: the first value, and anything but 0 and false is true.
    let is_on =
        |key| query.first(key).is_some_and(|value| value != "0" && !value.eq_ignore_ascii_case("false"));
    is_watch(path) || resource_of(path).1 == Some("proxy") || is_on("watch") || is_on("follow")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_ended_responses_are_recognized_as_the_api_server_does() {
        let is_open_ended = |path: &str| {
            let (path, query) = path.split_once('?').unwrap_or((path, ""));
            let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
            is_open_ended(&parts, &Query::parse(Some(query)))
        };
        for path in [
            "/api/v1/pods?watch",
            "/api/v1/pods?watch=",
            "/api/v1/pods?watch=f",
            "/api/v1/pods?w%61tch=1",
            "/api/v1/pods?watch=&watch=false",
            "/api/v1/watch/pods",
            "/apis/apps/v1/watch/namespaces/shop/deployments",
            "/api/v1/namespaces/shop/pods/web/log?follow=T",
            "/api/v1/namespaces/shop/pods/web/proxy/events",
        ] {
            assert!(is_open_ended(path), "{path}");
        }
        for path in
            ["/api/v1/pods", "/api/v1/pods?watch=0", "/api/v1/pods?watch=FALSE&watch=true", "/version"]
        {
            assert!(!is_open_ended(path), "{path}");
        }
    }

    fn code(method: Method, path: &str, upgrades: bool, options: &Options) -> Option<&'static str> {
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        check(&method, &parts, upgrades, options).err().map(|failure| failure.code.as_str())
    }

    #[test]
    fn reads_pass_and_the_rest_is_off_until_it_is_allowed() {
        let (exec, secrets, read_only) = (Some("exec_off"), Some("secrets_hidden"), Some("read_only"));
        let all = Options { writes: true, exec: true, secrets: true, ..Options::default() };
        for (method, path, expected) in [
            (Method::GET, "/api", None),
            (Method::GET, "/api/v1/pods", None),
            (Method::HEAD, "/apis/apps/v1/namespaces/shop/deployments/web/scale", None),
            (Method::GET, "/api/v1/namespaces/secrets", None),
            (Method::GET, "/api/v1/namespaces/secrets/pods/secrets/log", None),
            (Method::GET, "/api/v1/namespaces/shop/status", None),
            (Method::GET, "/apis/shop.example/v1/secrets", None),
            (Method::GET, "/api/v1/namespaces/shop/configmaps/exec", None),
            (Method::GET, "/version", None),
            (Method::GET, "/api/v1/secrets", secrets),
            (Method::GET, "/api/v1/watch/secrets", secrets),
            (Method::GET, "/api/v1/watch/namespaces/shop/secrets/key", secrets),
            (Method::GET, "/api/v1/namespaces/shop/secrets/key", secrets),
            (Method::PATCH, "/api/v1/namespaces/shop/secrets/key", secrets),
            (Method::GET, "/api/v1/namespaces/shop/pods/web/exec", exec),
            (Method::POST, "/api/v1/namespaces/shop/pods/web/attach", exec),
            (Method::GET, "/api/v1/namespaces/shop/pods/web/portforward", exec),
            (Method::GET, "/api/v1/namespaces/shop/services/web:80/proxy/admin/secrets", exec),
            (Method::DELETE, "/api/v1/nodes/n1/proxy/run", exec),
            (Method::GET, "/api/v1/proxy/namespaces/shop/pods/web", exec),
            (Method::POST, "/api/v1/namespaces/shop/pods", read_only),
            (Method::DELETE, "/apis/apps/v1/namespaces/shop/deployments/web", read_only),
            (Method::OPTIONS, "/api/v1/pods", read_only),
        ] {
            assert_eq!(code(method.clone(), path, false, &Options::default()), expected, "{method} {path}");
            assert_eq!(code(method.clone(), path, true, &Options::default()), exec, "{method} {path}");
            assert_eq!(code(method, path, false, &all), None, "{path}");
        }
        let only_exec = Options { exec: true, ..Options::default() };
        for upgrades in [true, false] {
            for (method, path, expected) in [
                (Method::POST, "/api/v1/namespaces/shop/pods/web/exec", None),
                (Method::GET, "/apis/vm.example/v1/vms/a/vnc", None),
                (Method::POST, "/api/v1/namespaces/shop/pods", read_only),
                (Method::GET, "/api/v1/secrets", secrets),
                (Method::POST, "/api/v1/namespaces/shop/secrets/key/proxy", secrets),
            ] {
                assert_eq!(code(method.clone(), path, upgrades, &only_exec), expected, "{method} {path}");
            }
        }
    }
}
