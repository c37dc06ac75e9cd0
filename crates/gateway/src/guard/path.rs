//! [`Path`], the path of a request in its parts, behind the context that it may begin with.

use percent_encoding::percent_decode_str;

use crate::failure::{Code, Failure};

/// The parts of a path, decoded. A path that the API server, a proxy or a browser could read as another one is an error: with
/// an empty part in the middle (`//`), a part `.` or `..`, or an escaped slash, backslash or control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    context: Option<InPath>,
    parts: Vec<String>,
}

/// The choice of a context by `/context/{name}` in front of a path of the cluster's API. Links behind the proxy of a pod stay
/// below it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct InPath {
    name: String,
    /// As it is in the request, without a slash at the end.
    prefix: String,
}

impl Path {
    pub(crate) fn parse(path: &str) -> Result<Self, Failure> {
        let refused =
            |problem: &str| Failure::new(Code::BadPath, format!("the path of the request {problem}"));
        let Some(rest) = path.strip_prefix('/') else { return Err(refused("does not begin with a slash")) };
        let mut parts: Vec<String> = Vec::new();
        let mut encoded = rest.split('/').peekable();
        while let Some(part) = encoded.next() {
            if part.is_empty() {
                match encoded.peek() {
                    Some(_) => return Err(refused("has two slashes in a row")),
                    None => break,
                }
            }
            let part = percent_decode_str(part).decode_utf8().map_err(|_| refused("is no UTF-8"))?;
            if matches!(&*part, "." | "..") {
                return Err(refused("has a part . or .."));
            }
            if part.chars().any(|c| matches!(c, '/' | '\\') || c.is_control()) {
                return Err(refused("has an escaped slash, backslash or control character"));
            }
            parts.push(part.into_owned());
        }
        let mut context = None;
        if let [root, name, "api" | "apis", ..] = &parts.iter().map(String::as_str).collect::<Vec<_>>()[..]
            && *root == "context"
        {
            // A slash in the name is encoded twice.
            let name = percent_decode_str(name).decode_utf8().map_err(|_| refused("is no UTF-8"))?;
            let end = path.match_indices('/').nth(2).map_or(path.len(), |(at, _)| at);
            context = Some(InPath { name: name.into_owned(), prefix: path[..end].to_owned() });
            parts.drain(..2);
        }
        Ok(Path { context, parts })
    }

    /// The parts of the path, without the choice of a context; none of `/`.
    pub(crate) fn parts(&self) -> Vec<&str> {
        self.parts.iter().map(String::as_str).collect()
    }

    /// The name of the context that the path chooses.
    pub(crate) fn context(&self) -> Option<&str> {
        self.context.as_ref().map(|context| &*context.name)
    }

    /// The beginning of the path that chooses a context, as it is in the request; empty if there is none.
    pub(crate) fn context_prefix(&self) -> &str {
        self.context.as_ref().map_or("", |context| &context.prefix)
    }

    /// Returns true for the paths of probes.
    pub(crate) fn is_probe(&self) -> bool {
        matches!(self.parts().as_slice(), ["healthz" | "livez" | "readyz"])
    }

    /// Returns true if the query is the gateway's: it is not that of the page, or of a pod, service or node.
    pub(crate) fn has_own_query(&self) -> bool {
        let parts = self.parts();
        !matches!(parts.as_slice(), [] | ["assets", ..]) && resource_of(&parts).1 != Some("proxy")
    }
}

/// Returns true for the old form of a watch, `/api/v1/watch/pods`.
pub(crate) fn is_watch(path: &[&str]) -> bool {
    matches!(path, ["api", _, "watch", ..] | ["apis", _, _, "watch", ..])
}

/// The group and plural of the resource of a path, and the first part behind the object's name.
pub(crate) fn resource_of<'a>(path: &[&'a str]) -> (Option<(&'a str, &'a str)>, Option<&'a str>) {
    let (group, rest) = match path {
        ["api", _, rest @ ..] => ("", rest),
        ["apis", group, _, rest @ ..] => (*group, rest),
        _ => return (None, None),
    };
    // The old forms `/api/v1/watch/pods` and `/api/v1/proxy/…`.
    let rest = match rest {
        ["watch", rest @ ..] => rest,
        ["proxy" | "redirect", ..] => return (None, Some("proxy")),
        rest => rest,
    };
    let rest = match rest {
        ["namespaces", _, rest @ ..] if !matches!(rest, [] | ["status"] | ["finalize"]) => rest,
        rest => rest,
    };
    (rest.first().map(|plural| (group, *plural)), rest.get(2).copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_the_api_can_choose_a_context() {
        for (path, context, prefix, parts) in [
            ("/context/prod/api/v1/pods", Some("prod"), "/context/prod", &["api", "v1", "pods"][..]),
            ("/context/a%2525%20b%252Fc/apis/", Some("a% b/c"), "/context/a%2525%20b%252Fc", &["apis"]),
            ("/context/prod/v1/kinds", None, "", &["context", "prod", "v1", "kinds"]),
            ("/context/api/v1", None, "", &["context", "api", "v1"]),
            ("/api/context/prod/api", None, "", &["api", "context", "prod", "api"]),
        ] {
            let parsed = Path::parse(path).unwrap();
            let found = (parsed.context(), parsed.context_prefix(), parsed.parts());
            assert_eq!(found, (context, prefix, parts.to_vec()), "{path}");
        }
        for path in ["/context/a%2Fb/api/v1", "/context//api/v1", "/context/../api/v1", "/context/%25ff/api"]
        {
            assert_eq!(Path::parse(path).map_err(|failure| failure.code), Err(Code::BadPath), "{path}");
        }
    }

    #[test]
    fn paths_have_one_reading() {
        for (path, parts) in [
            ("/", &[][..]),
            ("/ping", &["ping"]),
            ("/api/v1/", &["api", "v1"]),
            ("/v1/object/core/v1/pods/%77eb", &["v1", "object", "core", "v1", "pods", "web"]),
            ("/a%3Fb/..c", &["a?b", "..c"]),
        ] {
            assert_eq!(Path::parse(path).unwrap().parts(), parts, "{path}");
        }
        for path in [
            "",
            "*",
            "//",
            "//evil",
            "/a//b",
            "/.",
            "/..",
            "/a/../b",
            "/a/%2e%2E/b",
            "/a/.%2e/b",
            "/a%2Fb",
            "/a%5cb",
            "/a\\b",
            "/%00",
            "/a%0ab",
            "/%ff",
            "/a/./b",
        ] {
            assert_eq!(Path::parse(path).map_err(|failure| failure.code), Err(Code::BadPath), "{path}");
        }
    }
}
