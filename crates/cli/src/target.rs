//! [`Target`], the objects that arguments name: types, and names.

use klient_client::{ApiResource, NoMatch, RestMapper};

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
    /// Objects by name, each with its type.
    Names(Vec<(ApiResource, String)>),
}

impl Target {
    /// Checks that objects that are named are not selected too.
    pub(crate) fn fits(self, selects: bool, all_namespaces: bool) -> Result<Self, Failure> {
        match self {
            Target::Names(_) if selects => {
                Err(Failure::message("name cannot be provided when a selector is specified"))
            }
            Target::Names(_) if all_namespaces => {
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
    if arguments.iter().any(|argument| argument.contains('/')) {
        return pairs(cluster, program, arguments).await;
    }
    let Some((types, names)) = arguments.split_first() else { return Ok(Target::Types(Vec::new())) };
    let mapper = cluster.mapper().await?;
    let resources = resources(mapper, types)?;
    match (&resources[..], names) {
        (_, []) => Ok(Target::Types(resources)),
        ([resource], names) => {
            Ok(Target::Names(names.iter().map(|name| (resource.clone(), name.clone())).collect()))
        }
        _ => Err(Failure::message("you must specify only one resource")),
    }
}

/// Whether more than one type is asked for, so that kinds must be shown.
pub(crate) fn names_several_types(arguments: &[String]) -> bool {
    let Some(first) = arguments.first() else { return false };
    if first.contains('/') {
        let types = arguments.iter().map(|argument| argument.split('/').next());
        let mut types: Vec<_> = types.collect();
        types.dedup();
        return types.len() > 1;
    }
    first == "all" || first.contains(',')
}

async fn pairs(cluster: &Cluster, program: &str, arguments: &[String]) -> Result<Target, Failure> {
    if !arguments.iter().all(|argument| argument.contains('/')) {
        return Err(Failure::Message(format!(
            "there is no need to specify a resource type as a separate argument when passing arguments in \
             resource/name form (e.g. '{program} get resource/<resource_name>' instead of '{program} get resource \
             resource/<resource_name>'"
        )));
    }
    let mapper = cluster.mapper().await?;
    let mut named = Vec::new();
    for argument in arguments {
        let mut parts = argument.split('/');
        let (Some(kind), Some(name), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Failure::message("arguments in resource/name form may not have more than one slash"));
        };
        if kind.is_empty() || name.is_empty() || kind.contains(',') {
            return Err(Failure::message(
                "arguments in resource/name form must have a single resource and name",
            ));
        }
        named.push((mapper.resource(kind)?.clone(), name.to_owned()));
    }
    Ok(Target::Names(named))
}

/// The resources behind `TYPE[,TYPE…]`, where a type may be a category such as `all`.
fn resources(mapper: &RestMapper, types: &str) -> Result<Vec<ApiResource>, NoMatch> {
    let mut found: Vec<ApiResource> = Vec::new();
    for name in types.split(',').filter(|name| !name.is_empty()) {
        match mapper.resource(name) {
            Ok(resource) => found.push(resource.clone()),
            Err(error) => {
                let before = found.len();
                found.extend(mapper.category(name).cloned());
                if found.len() == before {
                    return Err(error);
                }
            }
        }
    }
    Ok(found)
}
