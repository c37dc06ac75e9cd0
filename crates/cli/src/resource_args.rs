//! [`ResourceArgs`], the resource types and names in the arguments (kubectl's `ResourceTypeOrNameArgs`).

use klient_apimachinery::ResourceInfo;
use klient_apimachinery::go::quoted;
use klient_client::{ApiResource, Error};

use crate::cluster::Cluster;
use crate::error::CliError;

/// The message for missing arguments.
pub(crate) const MUST_SPECIFY_RESOURCE: &str = "You must provide one or more resources by argument or filename.\nExample resource specifications include:\n   \
     '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'";

/// The resource types and names in the arguments.
#[derive(Clone, Debug)]
pub(crate) enum ResourceArgs {
    /// `TYPE[,TYPE…]`: all objects of these types, or those that match the selectors.
    Types(Vec<ApiResource>),
    /// `TYPE NAME…`.
    Names(Vec<(ApiResource, String)>),
    /// `TYPE/NAME…`.
    Pairs(Vec<(ApiResource, String)>),
}

impl ResourceArgs {
    /// Checks that names are not combined with a selector or `--all-namespaces`.
    ///
    /// # Errors
    ///
    /// If they are combined.
    pub(crate) fn check_selection(self, selects: bool, all_namespaces: bool) -> Result<Self, CliError> {
        match self {
            ResourceArgs::Names(_) if selects => {
                Err(CliError::message("name cannot be provided when a selector is specified"))
            }
            ResourceArgs::Pairs(_) if selects => Err(CliError::message(
                "selectors and the all flag cannot be used when passing resource/name arguments",
            )),
            ResourceArgs::Names(named) | ResourceArgs::Pairs(named)
                if all_namespaces && named.iter().any(|(resource, _)| resource.info.namespaced) =>
            {
                Err(CliError::message("a resource cannot be retrieved by name across all namespaces"))
            }
            target => Ok(target),
        }
    }
}

/// Parses arguments: `TYPE[,TYPE…] [NAME…]` or `TYPE/NAME…`.
///
/// # Errors
///
/// If the server does not serve a type, or both forms are mixed.
pub(crate) async fn parse(
    cluster: &Cluster,
    program: &str,
    arguments: &[String],
) -> Result<ResourceArgs, CliError> {
    let arguments = &expand_types(arguments)[..];
    if arguments.iter().any(|argument| argument.contains('/')) {
        return pairs(cluster, program, arguments).await;
    }
    let Some((types, names)) = arguments.split_first() else { return Ok(ResourceArgs::Types(Vec::new())) };
    let resources = resources(cluster, types).await?;
    match (&resources[..], names) {
        (_, []) => Ok(ResourceArgs::Types(resources)),
        ([resource], names) => {
            Ok(ResourceArgs::Names(names.iter().map(|name| (resource.clone(), name.clone())).collect()))
        }
        _ => Err(CliError::message("you must specify only one resource")),
    }
}

/// Expands names after several types: `a,b c` becomes `a/c b/c`.
fn expand_types(arguments: &[String]) -> Vec<String> {
    let Some((types, names)) = arguments.split_first().filter(|(_, names)| !names.is_empty()) else {
        return arguments.to_vec();
    };
    let types = split_types(types);
    if types.len() < 2 {
        return arguments.to_vec();
    }
    types.iter().flat_map(|kind| names.iter().map(move |name| format!("{kind}/{name}"))).collect()
}

/// Returns the types of `TYPE[,TYPE…]` without duplicates.
fn split_types(types: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for name in types.split(',') {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// Adds the resource and the selectors to a `BadRequest` or `NotFound` error of a list.
pub(crate) fn list_error(info: &ResourceInfo, labels: &str, fields: &str, error: Error) -> CliError {
    if !error.is_bad_request() && !error.is_not_found() {
        return error.into();
    }
    let resource = format!("{}/{}, Resource={}", info.group, info.version, info.plural);
    let context = match (labels, fields) {
        ("", "") => format!("Unable to list {resource}", resource = quoted(resource)),
        _ => format!(
            "Unable to find {resource} that match label selector {labels}, field selector {fields}",
            resource = quoted(resource),
            labels = quoted(labels),
            fields = quoted(fields)
        ),
    };
    CliError::Client { error: Box::new(error), context: Some(context) }
}

async fn pairs(cluster: &Cluster, program: &str, arguments: &[String]) -> Result<ResourceArgs, CliError> {
    if !arguments.iter().all(|argument| argument.contains('/')) {
        return Err(CliError::Message(format!(
            "there is no need to specify a resource type as a separate argument when passing arguments in \
             resource/name form (e.g. '{program} get resource/<resource_name>' instead of '{program} get resource \
             resource/<resource_name>'"
        )));
    }
    let mut known: Vec<(&str, ApiResource)> = Vec::new();
    let mut named = Vec::new();
    for argument in arguments {
        let mut parts = argument.split('/');
        let (Some(kind), Some(name), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(CliError::message(
                "arguments in resource/name form may not have more than one slash",
            ));
        };
        if kind.is_empty() || name.is_empty() || split_types(kind).len() > 1 {
            return Err(CliError::message(
                "arguments in resource/name form must have a single resource and name",
            ));
        }
        let resource = match known.iter().find(|(other, _)| *other == kind) {
            Some((_, resource)) => resource.clone(),
            None => {
                let resource = cluster.resource(kind).await?;
                known.push((kind, resource.clone()));
                resource
            }
        };
        named.push((resource, name.to_owned()));
    }
    Ok(ResourceArgs::Pairs(named))
}

/// Finds the resources of `TYPE[,TYPE…]` without duplicates. A type can be a category such as `all`.
async fn resources(cluster: &Cluster, types: &str) -> Result<Vec<ApiResource>, CliError> {
    let mapper = cluster.rest_mapper().mapper().await?;
    let mut found: Vec<ApiResource> = Vec::new();
    for name in split_types(types) {
        let of_category: Vec<ApiResource> = mapper.category(name).cloned().collect();
        let resources =
            if of_category.is_empty() { vec![cluster.resource(name).await?] } else { of_category };
        for resource in resources {
            if found.iter().all(|other| other.info != resource.info) {
                found.push(resource);
            }
        }
    }
    Ok(found)
}
