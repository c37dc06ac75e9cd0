//! [`Environment`], the cluster, namespace and files of the demo.

use std::time::Instant;

use klient_api::apiextensions::v1::CustomResourceDefinition;
use klient_api::core::v1::Namespace;
use klient_apimachinery::go::quoted;
use klient_apiserver::{Options, Server};

use crate::args;
use crate::command;
use crate::command::server::{start, write_secret};
use crate::error::CliError;
use crate::session::Session;

/// The namespace in the manifests.
const NAMESPACE: &str = "shop";
const APPLICATION: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/shop/application.yaml"));
const COUPONS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/shop/coupons.yaml"));
pub(super) const DEFINITION: &str = "coupons.shop.example";

/// Limit for the deletion of the demo's objects.
const TIMEOUT: &str = "--timeout=60s";

/// The cluster, namespace and files of the demo.
pub(super) struct Environment {
    /// The embedded server; `None` on a cluster selected by flags.
    server: Option<Server>,
    /// Temporary directory of the manifests and of the kubeconfig of the embedded server.
    _directory: tempfile::TempDir,
    application: String,
    coupons: String,
    kubeconfig: Option<String>,
    namespace: String,
    /// The CustomResourceDefinition did not exist before and is deleted at the end.
    removes_definition: bool,
}

impl Environment {
    /// Starts an embedded server unless flags select a cluster, and writes the manifests.
    ///
    /// # Errors
    ///
    /// If the cluster cannot be reached, or the namespace of the demo exists.
    pub(super) async fn prepare(session: &mut Session) -> Result<Self, CliError> {
        let connection = &session.connection;
        let is_cluster_named =
            connection.kubeconfig.is_some() || connection.context.is_some() || connection.server.is_some();
        let directory = tempfile::Builder::new().prefix("klient-demo-").tempdir().map_err(|error| {
            CliError::Message(format!("cannot make a directory for the demo's manifests: {error}"))
        })?;
        let path = |name: &str| directory.path().join(name).display().to_string();
        let mut kubeconfig = None;
        let mut server = None;
        if !is_cluster_named {
            let began = Instant::now();
            let started = start(Options::default()).await?;
            let url = started.url();
            session.console.println(format_args!(
                "API server at {url}, started in {} ms",
                began.elapsed().as_millis()
            ))?;
            let path = path("kubeconfig");
            write(&path, &started.kubeconfig())?;
            session.connection.kubeconfig = Some(path.clone().into());
            kubeconfig = Some(path);
            server = Some(started);
        }
        let namespace = if is_cluster_named {
            format!("klient-demo-{}", std::process::id())
        } else {
            NAMESPACE.to_owned()
        };
        let manifest = |text: &str| text.replace(": shop\n", &format!(": {namespace}\n"));
        write(&path("application.yaml"), &manifest(APPLICATION))?;
        write(&path("coupons.yaml"), &manifest(COUPONS))?;
        let cluster = session.cluster()?;
        session.connection.namespace = Some(namespace.clone());
        let client = cluster.client();
        if client.api::<Namespace>().get_opt(&namespace).await?.is_some() {
            return Err(CliError::Message(format!(
                "namespace {} already exists, and the demo deletes its namespace at the end: delete it, or run the demo again",
                quoted(&namespace)
            )));
        }
        let defined = client.api::<CustomResourceDefinition>().get_opt(DEFINITION).await?.is_some();
        Ok(Environment {
            server,
            application: path("application.yaml"),
            coupons: path("coupons.yaml"),
            _directory: directory,
            kubeconfig,
            namespace,
            removes_definition: !defined,
        })
    }

    /// Returns true if the cluster is the embedded server of the demo.
    pub(super) fn has_own_server(&self) -> bool {
        self.server.is_some()
    }

    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }

    pub(super) fn application(&self) -> &str {
        &self.application
    }

    pub(super) fn coupons(&self) -> &str {
        &self.coupons
    }

    /// Prints a klient command and runs it.
    pub(super) async fn run_klient(&self, words: &[&str], session: &mut Session) -> Result<(), CliError> {
        let program = session.program.clone();
        session.console.println(format_args!("\n$ {program} {}", words.join(" ")))?;
        let arguments = std::iter::once(program.as_str()).chain(words.iter().copied());
        let cli = args::parse(&program, arguments.map(Into::into).collect())?;
        // Boxed: the future contains that of a command, and the demo is one.
        Box::pin(command::run(cli.command, session)).await
    }

    /// Returns the lines that show how to use kubectl on the cluster.
    pub(super) fn kubectl_hint(&self) -> String {
        let namespace = &self.namespace;
        match &self.kubeconfig {
            Some(kubeconfig) => format!(
                "\nUse kubectl on it:\n  export KUBECONFIG={kubeconfig}\n  kubectl -n {namespace} get all,coupons"
            ),
            None => format!("\nUse kubectl on it:\n  kubectl -n {namespace} get all,coupons"),
        }
    }

    /// Deletes the namespace and the definition from a cluster selected by flags. An embedded server is just stopped.
    pub(super) async fn remove(self, session: &mut Session) -> Result<(), CliError> {
        if self.server.is_some() {
            return Ok(());
        }
        // The namespace and the definition are cluster-scoped.
        session.connection.namespace = None;
        let namespace = format!("namespace/{}", self.namespace);
        let remove_namespace = ["delete", &namespace, "--ignore-not-found", TIMEOUT];
        let removed = self.run_klient(&remove_namespace, session).await;
        let definition = format!("customresourcedefinition/{DEFINITION}");
        if self.removes_definition {
            self.run_klient(&["delete", &definition, "--ignore-not-found", TIMEOUT], session).await?;
        }
        removed
    }
}

fn write(path: &str, text: &str) -> Result<(), CliError> {
    write_secret(path.as_ref(), text)
        .map_err(|error| CliError::Message(format!("cannot write {path}: {error}")))
}
