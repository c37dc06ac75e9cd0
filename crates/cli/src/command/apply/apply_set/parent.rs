//! [`Parent`], the object that identifies an apply set.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use klient_apimachinery::Object;
use klient_apimachinery::go::quoted;
use klient_client::ApiResource;
use ring::digest;

use crate::cluster::Cluster;
use crate::error::CliError;
use crate::prune;

const IS_PARENT_TYPE: &str = "applyset.kubernetes.io/is-parent-type";

/// The object that identifies an apply set.
pub(super) struct Parent {
    pub(super) resource: ApiResource,
    /// The namespace, if the resource is namespaced and `--namespace` is set.
    pub(super) namespace: Option<String>,
    pub(super) name: String,
}

impl Parent {
    /// Checks that the resource can be a parent: a Secret, a ConfigMap, or a custom resource whose definition has the
    /// label `applyset.kubernetes.io/is-parent-type`.
    pub(super) async fn validate(&self, cluster: &Cluster) -> Result<(), CliError> {
        let info = &self.resource.info;
        let mut failures = Vec::new();
        if info.namespaced && self.namespace.is_none() {
            failures.push(CliError::message("namespace is required to use namespace-scoped ApplySet"));
        }
        if !self.is_built_in() {
            let allowed = match allowed_custom_resource_parents(cluster).await {
                Ok(allowed) => allowed,
                Err(failure) => {
                    let problem = failure.go_error();
                    failures.push(CliError::Message(format!(
                        "identifying allowed custom resource parent types: {problem}"
                    )));
                    Vec::new()
                }
            };
            if !allowed.contains(&info.group_resource()) {
                let resource = format!("{}/{}, Resource={}", info.group, info.version, info.plural);
                failures.push(CliError::Message(format!(
                    "resource {resource} is not permitted as an ApplySet parent",
                    resource = quoted(resource)
                )));
            }
        }
        CliError::aggregate(failures)
    }

    /// Returns the id of the set: `applyset-HASH-v1`, with the hash of the parent's name, namespace, kind and group.
    pub(super) fn id(&self) -> String {
        let Parent { resource, namespace, name } = self;
        let namespace = namespace.as_deref().unwrap_or_default();
        let text = format!("{name}.{namespace}.{}.{}", resource.info.kind, resource.info.group);
        let hash = digest::digest(&digest::SHA256, text.as_bytes());
        format!("applyset-{}-v1", URL_SAFE_NO_PAD.encode(hash))
    }

    /// Returns true for Secrets and ConfigMaps, which can be parents without a label on a definition.
    pub(super) fn is_built_in(&self) -> bool {
        let info = &self.resource.info;
        info.group.is_empty() && matches!(&*info.plural, "secrets" | "configmaps")
    }
}

/// `PLURAL.GROUP/NAME`.
impl std::fmt::Display for Parent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}/{}", self.resource.info.plural, self.resource.info.group, self.name)
    }
}

/// Returns the custom resources that can be parents, as `PLURAL.GROUP`.
async fn allowed_custom_resource_parents(cluster: &Cluster) -> Result<Vec<String>, CliError> {
    let definitions =
        cluster.rest_mapper().resource("customresourcedefinitions.apiextensions.k8s.io").await?;
    let marked = prune::list_objects(cluster, &definitions, None, IS_PARENT_TYPE).await?;
    Ok(marked.iter().map(|definition| definition.name().to_owned()).collect())
}
