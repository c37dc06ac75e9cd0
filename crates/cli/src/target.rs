//! [`Target`], the objects that arguments name: types, and names.

use klient_apimachinery::ResourceInfo;
use klient_apimachinery::go::quoted;
use klient_client::{ApiResource, Error};

use crate::cluster::Cluster;
use crate::failure::Failure;

/// What is said where arguments are missing.
pub(crate) const NOTHING_NAMED: &str = "You must provide one or more resources by argument or filename.\nExample resource specifications include:\n   \
     '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'";

/// The objects that arguments name.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// All objects of some types, or those that are selected.
    Types(Vec<ApiResource>),
    /// Objects of one type by name.
    Names(Vec<(ApiResource, String)>),
    /// Objects by type and name.
    Pairs(Vec<(ApiResource, String)>),
}

impl Target {
    /// Checks that objects that are named are not selected too.
    ///
    /// # Errors
    ///
    /// If they are.
    pub(crate) fn fits(self, selects: bool, all_namespaces: bool) -> Result<Self, Failure> {
        match self {
            Target::Names(_) if selects => {
                Err(Failure::message("name cannot be provided when a selector is specified"))
            }
            Target::Pairs(_) if selects => Err(Failure::message(
                "selectors and the all flag cannot be used when passing resource/name arguments",
            )),
            Target::Names(named) | Target::Pairs(named)
                if all_namespaces && named.iter().any(|(resource, _)| resource.info.namespaced) =>
            {
                Err(Failure::message("a resource cannot be retrieved by name across all namespaces"))
            }
            target => Ok(target),
        }
    }
}

/// Finds out what arguments name: `TYPE[,TYPE…] [NAME…]` or `TYPE/NAME…`.
///
/// # Errors
///
/// If the server does not know a type, or the arguments do not fit together.
pub(crate) async fn parse(cluster: &Cluster, program: &str, arguments: &[String]) -> Result<Target, Failure> {
    let arguments = &of_each_type(arguments)[..];
    if arguments.iter().any(|argument| argument.contains('/')) {
        return pairs(cluster, program, arguments).await;
    }
    let Some((types, names)) = arguments.split_first() else { return Ok(Target::Types(Vec::new())) };
    let resources = resources(cluster, types).await?;
    match (&resources[..], names) {
        (_, []) => Ok(Target::Types(resources)),
        ([resource], names) => {
            Ok(Target::Names(names.iter().map(|name| (resource.clone(), name.clone())).collect()))
        }
        _ => Err(Failure::message("you must specify only one resource")),
    }
}

/// Names behind several types are names of objects of each: `a,b c` is `a/c b/c`.
fn of_each_type(arguments: &[String]) -> Vec<String> {
    let Some((types, names)) = arguments.split_first().filter(|(_, names)| !names.is_empty()) else {
        return arguments.to_vec();
    };
    let types = types_of(types);
    if types.len() < 2 {
        return arguments.to_vec();
    }
    types.iter().flat_map(|kind| names.iter().map(move |name| format!("{kind}/{name}"))).collect()
}

/// The types in `TYPE[,TYPE…]`, each once.
fn types_of(types: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for name in types.split(',') {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// What is said where objects cannot be listed: of which resource, and with which selectors.
pub(crate) fn unlistable(info: &ResourceInfo, labels: &str, fields: &str, error: Error) -> Failure {
    if !error.is_bad_request() && !error.is_not_found() {
        return error.into();
    }
    let resource = format!("{}/{}, Resource={}", info.group, info.version, info.plural);
    let doing = match (labels, fields) {
        ("", "") => format!("Unable to list {resource}", resource = quoted(resource)),
        _ => format!(
            "Unable to find {resource} that match label selector {labels}, field selector {fields}",
            resource = quoted(resource),
            labels = quoted(labels),
            fields = quoted(fields)
        ),
    };
    Failure::Client { error: Box::new(error), doing: Some(doing) }
}

async fn pairs(cluster: &Cluster, program: &str, arguments: &[String]) -> Result<Target, Failure> {
    if !arguments.iter().all(|argument| argument.contains('/')) {
        return Err(Failure::Message(format!(
            "there is no need to specify a resource type as a separate argument when passing arguments in \
             resource/name form (e.g. '{program} get resource/<resource_name>' instead of '{program} get resource \
             resource/<resource_name>'"
        )));
    }
    let mut known: Vec<(&str, &ApiResource)> = Vec::new();
    let mut named = Vec::new();
    for argument in arguments {
        let mut parts = argument.split('/');
        let (Some(kind), Some(name), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Failure::message("arguments in resource/name form may not have more than one slash"));
        };
        if kind.is_empty() || name.is_empty() || types_of(kind).len() > 1 {
            return Err(Failure::message(
                "arguments in resource/name form must have a single resource and name",
            ));
        }
        let resource = match known.iter().find(|(other, _)| *other == kind) {
            Some((_, resource)) => *resource,
            None => {
                let resource = cluster.resource(kind).await?;
                known.push((kind, resource));
                resource
            }
        };
        named.push((resource.clone(), name.to_owned()));
    }
    Ok(Target::Pairs(named))
}

/// The resources behind `TYPE[,TYPE…]`, each once, where a type may be a category such as `all`.
async fn resources(cluster: &Cluster, types: &str) -> Result<Vec<ApiResource>, Failure> {
    let mapper = cluster.mapper().await?;
    let mut found: Vec<ApiResource> = Vec::new();
    for name in types_of(types) {
        let of_category: Vec<&ApiResource> = mapper.category(name).collect();
        let meant = if of_category.is_empty() { vec![cluster.resource(name).await?] } else { of_category };
        for resource in meant {
            if found.iter().all(|other| other.info != resource.info) {
                found.push(resource.clone());
            }
        }
    }
    Ok(found)
}
