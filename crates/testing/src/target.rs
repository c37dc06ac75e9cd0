//! [`Target`], the resource and the object that a request is for.

use http::Method;
use http::uri::Uri;

use crate::identity::resource_name;

/// The resource, and the object if one is named, that a request is for.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) group: String,
    pub(crate) plural: String,
    pub(crate) namespace: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) subresource: Option<String>,
}

/// Resources whose objects are answers and are not stored.
const REVIEWS: [&str; 5] = [
    "localsubjectaccessreviews",
    "selfsubjectaccessreviews",
    "selfsubjectreviews",
    "selfsubjectrulesreviews",
    "subjectaccessreviews",
];

impl Target {
    /// The target of a path, unless it is a path without a resource, such as discovery.
    pub(crate) fn of(uri: &Uri) -> Option<Target> {
        let segments: Vec<&str> = uri.path().trim_matches('/').split('/').collect();
        let (group, rest) = match &segments[..] {
            ["api", _, rest @ ..] => ("", rest),
            ["apis", group, _, rest @ ..] => (*group, rest),
            _ => return None,
        };
        // `finalize` and `status` are subresources of a namespace, not resources within it.
        let (namespace, rest) = match rest {
            ["namespaces", _, "finalize" | "status"] => (None, rest),
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some(*namespace), rest),
            _ => (None, rest),
        };
        let plural = rest.first().filter(|plural| !plural.is_empty())?;
        let owned = |segment: Option<&&str>| segment.map(|segment| (*segment).to_owned());
        Some(Target {
            group: group.to_owned(),
            plural: (*plural).to_owned(),
            namespace: namespace.map(str::to_owned),
            name: owned(rest.get(1)),
            subresource: owned(rest.get(2)),
        })
    }

    /// `PLURAL.GROUP`, or `PLURAL` in the core group.
    pub(crate) fn resource(&self) -> String {
        resource_name(&self.group, &self.plural)
    }

    /// The verb of a request that stores something.
    pub(crate) fn write_verb(&self, method: &Method, uri: &Uri) -> Option<&'static str> {
        let is_answer = REVIEWS.contains(&&*self.plural)
            || self.plural == "tokenreviews"
            || self.subresource.as_deref() == Some("token");
        if is_answer || query(uri, "dryRun").is_some() {
            return None;
        }
        Some(match *method {
            Method::POST => "create",
            Method::PUT => "update",
            Method::PATCH => "patch",
            Method::DELETE if self.name.is_none() => "deletecollection",
            Method::DELETE => "delete",
            _ => return None,
        })
    }

    /// `RESOURCE[/SUBRESOURCE] [NAMESPACE/]NAME`, for a line of the timeline.
    pub(crate) fn describe(&self, name: Option<&str>) -> String {
        let subresource = self.subresource.iter().map(|subresource| format!("/{subresource}"));
        let subresource: String = subresource.collect();
        let name = self.name.as_deref().or(name);
        let place = match (&self.namespace, name) {
            (Some(namespace), Some(name)) => format!(" {namespace}/{name}"),
            (Some(namespace), None) => format!(" in {namespace}"),
            (None, Some(name)) => format!(" {name}"),
            (None, None) => String::new(),
        };
        format!("{}{subresource}{place}", self.resource())
    }
}

/// An option of a request. Those asked for have no characters that are percent-encoded.
pub(crate) fn query<'a>(uri: &'a Uri, key: &str) -> Option<&'a str> {
    let pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(_, value)| !value.is_empty()).find(|(other, _)| *other == key).map(|(_, value)| value)
}

/// The URI with other options in place of those of the same names.
pub(crate) fn with_query(uri: &Uri, options: &[(&str, &str)]) -> Uri {
    let is_replaced = |pair: &&str| {
        options.iter().any(|(key, _)| pair.split_once('=').is_some_and(|(other, _)| other == *key))
    };
    let kept =
        uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty() && !is_replaced(pair));
    let added = options.iter().map(|(key, value)| format!("{key}={value}"));
    let query: Vec<String> = kept.map(str::to_owned).chain(added).collect();
    let path = format!("{}?{}", uri.path(), query.join("&"));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path.parse().expect("its parts were of a URI"));
    Uri::from_parts(parts).expect("only the query is another")
}
