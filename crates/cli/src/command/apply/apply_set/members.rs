//! [`Members`], the kinds and namespaces of the members of an apply set.

use std::collections::{BTreeMap, BTreeSet};

use klient_apimachinery::go::quoted;
use klient_client::ApiResource;

use crate::cluster::Cluster;
use crate::error::CliError;

pub(super) const KINDS: &str = "applyset.kubernetes.io/contains-group-kinds";
pub(super) const RESOURCES: &str = "applyset.kubernetes.io/contains-group-resources";

/// Kinds and namespaces of the members.
#[derive(Clone, Default)]
pub(super) struct Members {
    pub(super) kinds: BTreeMap<String, ApiResource>,
    pub(super) namespaces: BTreeSet<String>,
}

/// Returns `KIND` or `KIND.GROUP`.
pub(super) fn group_kind(resource: &ApiResource) -> String {
    match &*resource.info.group {
        "" => resource.info.kind.to_string(),
        group => format!("{}.{group}", resource.info.kind),
    }
}

/// Returns the resources of the annotation `contains-group-kinds`, or of its predecessor `contains-group-resources`.
pub(super) async fn parse_kind_annotation(
    cluster: &Cluster,
    kinds: Option<&str>,
    resources: Option<&str>,
) -> Result<BTreeMap<String, ApiResource>, String> {
    let named = |list: &str| -> Vec<String> {
        list.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
    };
    let mut members = BTreeMap::new();
    match (kinds, resources.filter(|list| !list.is_empty())) {
        (Some(kinds), _) => {
            for name in named(kinds) {
                let (kind, group) = name.split_once('.').unwrap_or((&name, ""));
                let found = cluster.rest_mapper().kind(group, kind, None).await.map_err(|error| {
                    format!(
                        "could not find mapping for kind in {KINDS} annotation: {error}",
                        KINDS = quoted(KINDS),
                        error = CliError::from(error).go_error()
                    )
                })?;
                members.insert(name, found);
            }
        }
        (None, Some(resources)) => {
            for name in named(resources) {
                let found = cluster.rest_mapper().resource(&name).await.map_err(|error| {
                    format!(
                        "invalid group resource in {RESOURCES} annotation: {error}",
                        RESOURCES = quoted(RESOURCES),
                        error = CliError::from(error).go_error()
                    )
                })?;
                members.insert(group_kind(&found), found);
            }
        }
        (None, None) => {
            return Err(format!(
                "kubectl requires the {KINDS} annotation to be set on all ApplySet parent objects",
                KINDS = quoted(KINDS)
            ));
        }
    }
    Ok(members)
}
