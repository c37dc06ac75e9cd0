//! [`Cluster`], a client with its default namespace and cached REST mapper.

use http::Method;
use klient_apimachinery::Unstructured;
use klient_apimachinery::go::quoted;
use klient_client::{
    Api, ApiResource, CachedDiscovery, Client, Config, DeferredRestMapper, DiskCache, DynamicPlace, Error,
    user_agent,
};
use klient_config_flags::ConfigFlags;

use crate::console::Console;
use crate::error::CliError;
use crate::exec_options::ExecOptions;

/// Adds the rules for credential plugins and the name of the program to a configuration.
///
/// # Errors
///
/// If the configuration of the plugin is invalid.
pub(crate) fn of_program(mut config: Config, exec: &ExecOptions) -> Result<Config, Error> {
    exec.apply(&mut config)?;
    config.user_agent = user_agent("klient", env!("CARGO_PKG_VERSION"));
    Ok(config)
}

/// A client of the cluster that the kubeconfig and the flags select.
pub(crate) struct Cluster {
    client: Client,
    /// `--namespace` is set.
    namespace_is_given: bool,
    mapper: DeferredRestMapper,
}

impl Cluster {
    /// A client with a configuration that is made from the kubeconfig and the flags. No request is sent.
    pub(crate) fn new(config: Config, args: &ConfigFlags, exec: &ExecOptions) -> Result<Cluster, CliError> {
        let client = Client::new(of_program(config, exec)?)?;
        let folder = args.cache_dir.clone().filter(|folder| !folder.as_os_str().is_empty());
        let discovery = match folder.or_else(DiskCache::default_folder) {
            Some(folder) => client.discovery().disk_cached(DiskCache::below(&folder, &client.config().url)),
            None => client.discovery().memory_cached(),
        };
        Ok(Cluster {
            client,
            namespace_is_given: args.namespace.is_some(),
            mapper: DeferredRestMapper::new(discovery),
        })
    }

    /// Returns the client.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the namespace of `--namespace`, of the context, or `default`.
    pub(crate) fn namespace(&self) -> &str {
        self.client.default_namespace()
    }

    /// Returns true if `--namespace` is set.
    pub(crate) fn namespace_is_given(&self) -> bool {
        self.namespace_is_given
    }

    /// Returns the discovery, whose cache on disk is kubectl's.
    pub(crate) fn discovery(&self) -> &CachedDiscovery {
        self.mapper.discovery()
    }

    /// Returns the REST mapper. Discovery runs on the first call, and once more for a name that is not in the cache.
    pub(crate) fn rest_mapper(&self) -> &DeferredRestMapper {
        &self.mapper
    }

    /// Finds the resource of a plural, singular or short name. Prints a warning for each resource of lower priority
    /// that has the same short name.
    pub(crate) async fn resource(&self, name: &str) -> Result<ApiResource, CliError> {
        let resource = self.mapper.resource(name).await?;
        let mapper = self.mapper.mapper().await?;
        let short = name.split_once('.').map_or(name, |(short, _)| short);
        for other in mapper.lower_priority(name) {
            let other = other.info.group_resource();
            Console::new().eprintln(format_args!(
                "Warning: short name {short} could also match lower priority resource {other}",
                short = quoted(short)
            ));
        }
        Ok(resource)
    }

    /// Returns the error of a namespace that does not exist, which is told in place of that of an object in it. As by
    /// kubectl, the namespace `default` is not asked for.
    pub(crate) async fn missing_namespace(&self, namespace: &str) -> Option<Error> {
        if namespace == "default" {
            return None;
        }
        let request = self.client.request(Method::GET).group_version("", "v1").resource("namespaces");
        request.name(namespace).send().await.err().filter(Error::is_not_found)
    }

    /// Returns a handle for a resource; the namespace is ignored for cluster-scoped resources.
    pub(crate) fn objects(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
    ) -> Api<Unstructured, DynamicPlace> {
        let api = self.client.dynamic(resource);
        match namespace {
            Some(namespace) if resource.info.namespaced => api.namespace(namespace),
            _ => api,
        }
    }
}
