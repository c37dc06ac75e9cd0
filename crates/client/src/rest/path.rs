//! [`Path`], which resource a request is about.

use std::fmt;

use http::Method;
use klient_apimachinery::go::quoted;
use klient_apimachinery::{Str, validation};

use crate::json_only_groups::GroupVersion;

/// The path of a request below the server's URL.
#[derive(Clone, Debug, Default)]
pub(super) struct Path {
    group_version: Option<GroupVersion>,
    namespace: Option<Str>,
    resource: Option<Str>,
    name: Option<Str>,
    subresource: Option<Str>,
    absolute: Option<String>,
}

fn check(what: &str, value: &str) -> Result<(), String> {
    if value.is_empty() {
        return Err(format!("{what} may not be empty"));
    }
    let problems = validation::path_segment(value);
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!("invalid {what} {}: {}", quoted(value), problems.join("; ")))
}

fn set(slot: &mut Option<Str>, what: &str, value: &str) -> Result<(), String> {
    if let Some(old) = slot {
        return Err(format!(
            "{what} is already set to {}, cannot change it to {}",
            quoted(old),
            quoted(value)
        ));
    }
    check(what, value)?;
    *slot = Some(value.into());
    Ok(())
}

impl Path {
    pub(super) fn set_group_version(&mut self, group: &str, version: &str) -> Result<(), String> {
        // The core group has no name.
        if !group.is_empty() {
            check("group", group)?;
        }
        check("version", version)?;
        self.group_version = Some((group.into(), version.into()));
        Ok(())
    }

    /// Group and version; empty for absolute paths.
    pub(super) fn group_version(&self) -> GroupVersion {
        self.group_version.clone().unwrap_or_default()
    }

    pub(super) fn group(&self) -> Option<&str> {
        self.group_version.as_ref().map(|(group, _)| group.as_str())
    }

    pub(super) fn version(&self) -> Option<&str> {
        self.group_version.as_ref().map(|(_, version)| version.as_str())
    }

    pub(super) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    pub(super) fn resource(&self) -> Option<&str> {
        self.resource.as_deref()
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub(super) fn subresource(&self) -> Option<&str> {
        self.subresource.as_deref()
    }

    /// The path with `{namespace}` and `{name}` in place of these.
    pub(super) fn template(&self) -> String {
        let with = |value: &Option<Str>, template: &str| value.as_ref().map(|_| template.into());
        Path {
            namespace: with(&self.namespace, "{namespace}"),
            name: with(&self.name, "{name}"),
            ..self.clone()
        }
        .to_string()
    }

    pub(super) fn set_namespace(&mut self, namespace: &str) -> Result<(), String> {
        set(&mut self.namespace, "namespace", namespace)
    }

    pub(super) fn set_resource(&mut self, plural: &str) -> Result<(), String> {
        set(&mut self.resource, "resource", plural)
    }

    pub(super) fn set_name(&mut self, name: &str) -> Result<(), String> {
        set(&mut self.name, "resource name", name)
    }

    pub(super) fn set_subresource(&mut self, name: &str) -> Result<(), String> {
        set(&mut self.subresource, "subresource", name)
    }

    pub(super) fn set_absolute(&mut self, path: &str) -> Result<(), String> {
        if path.split('/').any(|part| part == "..") {
            return Err(format!("invalid path {}: may not contain '..'", quoted(path)));
        }
        self.absolute = Some(format!("/{}", path.trim_start_matches('/')));
        Ok(())
    }

    /// The path of a request URI, still encoded; characters that are not allowed in a URI are encoded when it is sent.
    pub(super) fn set_uri(&mut self, path: &str) -> Result<(), String> {
        let decoded = decode(path).ok_or_else(|| format!("invalid URL escape in path {}", quoted(path)))?;
        self.set_absolute(&decoded)
    }

    /// The error of the request as a whole, if it has one.
    pub(super) fn problem(&self, method: &Method) -> Option<String> {
        if self.absolute.is_some() {
            return None;
        }
        if self.group_version.is_none() || self.resource.is_none() {
            return Some("it names no resource".to_owned());
        }
        if *method == Method::POST && self.name.is_some() && self.subresource.is_none() {
            return Some("an object is created below its resource, not below its name".to_owned());
        }
        if self.subresource.is_some() && self.name.is_none() {
            return Some("a subresource needs a name".to_owned());
        }
        None
    }

    /// Appends the path, percent-encoded.
    pub(super) fn encode_to(&self, out: &mut String) {
        self.write(out, |out, part| encode(out, part, is_segment));
    }

    fn write(&self, out: &mut String, add: fn(&mut String, &str)) {
        if let Some(path) = &self.absolute {
            for (index, part) in path.split('/').enumerate() {
                if index > 0 {
                    out.push('/');
                }
                add(out, part);
            }
            return;
        }
        let mut push = |part: &str| {
            out.push('/');
            add(out, part);
        };
        match self.group_version.as_ref() {
            Some((group, version)) if group.is_empty() => ["api", version].into_iter().for_each(&mut push),
            Some((group, version)) => ["apis", group, version].into_iter().for_each(&mut push),
            None => {}
        }
        if let Some(namespace) = &self.namespace {
            push("namespaces");
            push(namespace);
        }
        [&self.resource, &self.name, &self.subresource].into_iter().flatten().for_each(|part| push(part));
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        self.write(&mut out, String::push_str);
        f.write_str(&out)
    }
}

/// Appends text, with the bytes that are not plain percent-encoded.
fn encode(out: &mut String, text: &str, is_plain: fn(u8) -> bool) {
    if text.bytes().all(is_plain) {
        return out.push_str(text);
    }
    for byte in text.bytes() {
        if is_plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

/// Text without percent-encoding; `None` if a `%` has no two hexadecimal digits behind it, or the bytes are no UTF-8.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let digits = str::from_utf8(rest.get(..2)?).ok().filter(|digits| !digits.starts_with('+'))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok()
}

/// A character of a path segment (RFC 3986 `pchar`).
fn is_segment(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}

/// Appends a part of a query, percent-encoded.
pub(super) fn encode_query(out: &mut String, text: &str) {
    encode(out, text, |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_kubernetes_paths() {
        let path = |parts: &[(&str, &str)]| {
            let mut path = Path::default();
            for (what, value) in parts {
                match *what {
                    "core" => path.set_group_version("", value),
                    "apps" => path.set_group_version("apps", value),
                    "namespace" => path.set_namespace(value),
                    "resource" => path.set_resource(value),
                    "name" => path.set_name(value),
                    "subresource" => path.set_subresource(value),
                    _ => path.set_absolute(value),
                }
                .unwrap();
            }
            let mut encoded = String::new();
            path.encode_to(&mut encoded);
            encoded
        };
        assert_eq!(path(&[("core", "v1"), ("resource", "nodes")]), "/api/v1/nodes");
        assert_eq!(
            path(&[
                ("apps", "v1"),
                ("namespace", "a"),
                ("resource", "deployments"),
                ("name", "d"),
                ("subresource", "scale")
            ]),
            "/apis/apps/v1/namespaces/a/deployments/d/scale"
        );
        assert_eq!(
            path(&[("core", "v1"), ("resource", "nodes"), ("name", "a b:c#")]),
            "/api/v1/nodes/a%20b:c%23"
        );
        assert_eq!(path(&[("absolute", "healthz/etcd")]), "/healthz/etcd");
        assert_eq!(path(&[("absolute", "/a?b")]), "/a%3Fb");
    }

    #[test]
    fn parts_that_are_no_segments_are_refused() {
        let mut path = Path::default();
        assert_eq!(path.set_name("..").unwrap_err(), r#"invalid resource name "..": may not be '..'"#);
        assert_eq!(path.set_name("a/b").unwrap_err(), r#"invalid resource name "a/b": may not contain '/'"#);
        assert_eq!(
            path.set_namespace("a%2Fb").unwrap_err(),
            r#"invalid namespace "a%2Fb": may not contain '%'"#
        );
        assert_eq!(path.set_name("").unwrap_err(), "resource name may not be empty");
        path.set_name("a").unwrap();
        assert_eq!(
            path.set_name("b").unwrap_err(),
            r#"resource name is already set to "a", cannot change it to "b""#
        );
        assert!(path.set_absolute("/a/../b").is_err());
    }
}
