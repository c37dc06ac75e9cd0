//! [`Cluster`], the cluster a command talks to, and what it serves.

use klient_apimachinery::Unstructured;
use klient_apimachinery::go::quoted;
use klient_client::{Api, ApiResource, Client, DynamicPlace, RestMapper};
use tokio::sync::OnceCell;

use crate::configuration;
use crate::connection::ConnectionArgs;
use crate::console::Console;
use crate::failure::Failure;

/// The cluster a command talks to.
pub(crate) struct Cluster {
    client: Client,
    /// The namespace was asked for with a flag.
    namespace_is_given: bool,
    mapper: OnceCell<RestMapper>,
}

impl Cluster {
    /// Reads the kubeconfig and the flags that override it. Nothing is sent.
    pub(crate) fn new(args: &ConnectionArgs) -> Result<Cluster, Failure> {
        let mut config = configuration::config(args)?;
        config.user_agent = format!("klient/{}", env!("CARGO_PKG_VERSION"));
        Ok(Cluster {
            client: Client::new(config)?,
            namespace_is_given: args.namespace.is_some(),
            mapper: OnceCell::new(),
        })
    }

    /// The client of this cluster.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The namespace where none is named.
    pub(crate) fn namespace(&self) -> &str {
        self.client.default_namespace()
    }

    /// Whether the namespace was asked for with a flag.
    pub(crate) fn namespace_is_given(&self) -> bool {
        self.namespace_is_given
    }

    /// What the server serves; it is asked once.
    pub(crate) async fn mapper(&self) -> Result<&RestMapper, Failure> {
        let ask = async || Ok::<_, Failure>(RestMapper::new(self.client.discovery().resources().await?));
        self.mapper.get_or_try_init(ask).await
    }

    /// The resource a name means. Warns of others that a short name could mean too.
    pub(crate) async fn resource(&self, name: &str) -> Result<&ApiResource, Failure> {
        let mapper = self.mapper().await?;
        let resource = mapper.resource(name)?;
        let short = name.split_once('.').map_or(name, |(short, _)| short);
        for other in mapper.lower_priority(name) {
            let other = other.info.group_resource();
            Console::new().note(format_args!(
                "Warning: short name {short} could also match lower priority resource {other}",
                short = quoted(short)
            ));
        }
        Ok(resource)
    }

    /// The objects of a resource, in a namespace if one is given.
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
