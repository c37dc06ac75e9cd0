//! [`Cluster`], the cluster a command talks to, and what it serves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::Unstructured;
use klient_apimachinery::go::quoted;
use klient_client::{
    Api, ApiResource, Client, Config, DynamicPlace, Impersonation, Kubeconfig, Overrides, RestMapper,
};
use tokio::sync::OnceCell;

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
    /// Reads the kubeconfig and the flags that stand before it. Nothing is sent.
    pub(crate) fn new(args: &ConnectionArgs) -> Result<Cluster, Failure> {
        let mut config = config(args)?;
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

fn config(args: &ConnectionArgs) -> Result<Config, Failure> {
    let kubeconfig = match &args.kubeconfig {
        Some(path) => Kubeconfig::read(path)?,
        None => {
            let paths = Kubeconfig::default_paths();
            let in_pod = !paths.iter().any(|path| path.exists()) && args.server.is_none();
            match in_pod.then(Config::in_cluster) {
                Some(Ok(mut config)) => {
                    let impersonate = impersonation(args);
                    config.impersonate = (!impersonate.user.is_empty()).then_some(impersonate);
                    return Ok(with_flags(config, args));
                }
                _ => Kubeconfig::load(&paths)?,
            }
        }
    };
    let overrides = Overrides {
        impersonate: impersonation(args),
        context: args.context.clone(),
        cluster: args.cluster.clone(),
        user: args.user.clone(),
        namespace: args.namespace.clone(),
        server: args.server.clone(),
        token: args.token.as_ref().map(|token| token.0.clone()),
        insecure_skip_tls_verify: args.insecure_skip_tls_verify,
        certificate_authority: args.certificate_authority.clone(),
        tls_server_name: args.tls_server_name.clone(),
        client_certificate: args.client_certificate.clone(),
        client_key: args.client_key.clone(),
    };
    Ok(with_flags(kubeconfig.config(&overrides)?, args))
}

/// The user to act as. An extra without a value is passed over, as kubectl does.
fn impersonation(args: &ConnectionArgs) -> Impersonation {
    let mut extra = BTreeMap::<String, Vec<String>>::new();
    for (key, value) in args.impersonate_user_extra.iter().filter_map(|extra| extra.split_once('=')) {
        extra.entry(key.to_owned()).or_default().push(value.to_owned());
    }
    Impersonation {
        user: args.impersonate.clone(),
        uid: args.impersonate_uid.clone(),
        groups: args.impersonate_groups.clone(),
        extra,
    }
}

fn with_flags(mut config: Config, args: &ConnectionArgs) -> Config {
    if let Some(namespace) = args.namespace.as_ref().filter(|namespace| !namespace.is_empty()) {
        config.namespace = namespace.clone();
    }
    config.timeouts.whole = args.request_timeout.0.to_std().filter(|time| *time > Duration::ZERO);
    // Not logged but told, as kubectl does, each once.
    let told = std::sync::Mutex::new(Vec::<String>::new());
    config.warnings = Some(Arc::new(move |warning: &str| {
        let mut told = told.lock().expect("no panics while held");
        if !told.iter().any(|earlier| earlier == warning) {
            told.push(warning.to_owned());
            Console::new().note(format_args!("Warning: {warning}"));
        }
    }));
    config
}
