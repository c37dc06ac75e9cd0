//! [`Stage`], where the demo is shown.

use std::time::Instant;

use klient_api::apiextensions::v1::CustomResourceDefinition;
use klient_api::core::v1::Namespace;
use klient_apimachinery::go::quoted;
use klient_apiserver::{Options, Server};

use crate::args;
use crate::command;
use crate::command::server::{start, write_secret};
use crate::failure::Failure;
use crate::session::Session;

/// The namespace as the manifests have it.
const NAMESPACE: &str = "shop";
const APPLICATION: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/shop/application.yaml"));
const COUPONS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/shop/coupons.yaml"));
pub(super) const DEFINITION: &str = "coupons.shop.example";

/// How long it may take until what the demo made is gone.
const PATIENCE: &str = "--timeout=60s";

/// A cluster, and what the demo leaves on it.
pub(super) struct Stage {
    /// The embedded server; none on a cluster of the user's.
    server: Option<Server>,
    /// Manifests, and the kubeconfig of the embedded server.
    _folder: tempfile::TempDir,
    application: String,
    coupons: String,
    kubeconfig: Option<String>,
    namespace: String,
    /// There was no such definition, so that it is the demo's to remove.
    makes_definition: bool,
}

impl Stage {
    /// Starts a server if no flag names a cluster, and looks what is there.
    ///
    /// # Errors
    ///
    /// If the cluster cannot be reached, or there is a namespace of the demo's name.
    pub(super) async fn set(session: &mut Session) -> Result<Self, Failure> {
        let connection = &session.connection;
        let given =
            connection.kubeconfig.is_some() || connection.context.is_some() || connection.server.is_some();
        let folder = tempfile::Builder::new().prefix("klient-demo-").tempdir().map_err(|error| {
            Failure::Message(format!("cannot make a folder for the demo's manifests: {error}"))
        })?;
        let path = |name: &str| folder.path().join(name).display().to_string();
        let mut kubeconfig = None;
        let mut server = None;
        if !given {
            let began = Instant::now();
            let started = start(Options { listen: ([127, 0, 0, 1], 0).into(), ..Options::default() }).await?;
            let url = started.url();
            session.console.line(format_args!(
                "Serving Kubernetes' API at {url} after {} ms",
                began.elapsed().as_millis()
            ))?;
            let path = path("kubeconfig");
            write(&path, &started.kubeconfig())?;
            session.connection.kubeconfig = Some(path.clone().into());
            kubeconfig = Some(path);
            server = Some(started);
        }
        let namespace =
            if given { format!("klient-demo-{}", std::process::id()) } else { NAMESPACE.to_owned() };
        let manifest = |text: &str| text.replace(": shop\n", &format!(": {namespace}\n"));
        write(&path("application.yaml"), &manifest(APPLICATION))?;
        write(&path("coupons.yaml"), &manifest(COUPONS))?;
        let cluster = session.cluster()?;
        session.connection.namespace = Some(namespace.clone());
        let client = cluster.client();
        if client.api::<Namespace>().get_opt(&namespace).await?.is_some() {
            return Err(Failure::Message(format!(
                "namespace {} exists already, and the demo removes its namespace: delete it or run again",
                quoted(&namespace)
            )));
        }
        let defined = client.api::<CustomResourceDefinition>().get_opt(DEFINITION).await?.is_some();
        Ok(Stage {
            server,
            application: path("application.yaml"),
            coupons: path("coupons.yaml"),
            _folder: folder,
            kubeconfig,
            namespace,
            makes_definition: !defined,
        })
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

    /// Shows a command and what comes of it.
    pub(super) async fn klient(&self, words: &[&str], session: &mut Session) -> Result<(), Failure> {
        let program = session.program.clone();
        session.console.line(format_args!("\n$ {program} {}", words.join(" ")))?;
        let arguments = std::iter::once(program.as_str()).chain(words.iter().copied());
        let cli = args::parse(&program, arguments.map(Into::into).collect())?;
        // The demo is a command itself.
        Box::pin(command::run(cli.command, session)).await
    }

    /// How to look on.
    pub(super) fn invitation(&self) -> String {
        let namespace = &self.namespace;
        match &self.kubeconfig {
            Some(kubeconfig) => format!(
                "\nUse kubectl on it:\n  export KUBECONFIG={kubeconfig}\n  kubectl -n {namespace} get all,coupons"
            ),
            None => format!("\nUse kubectl on it:\n  kubectl -n {namespace} get all,coupons"),
        }
    }

    /// Removes what was put on a cluster of the user's. An embedded server just ends.
    pub(super) async fn clear(self, session: &mut Session) -> Result<(), Failure> {
        if self.server.is_some() {
            return Ok(());
        }
        // What goes now is in no namespace.
        session.connection.namespace = None;
        let namespace = format!("namespace/{}", self.namespace);
        let remove_namespace = ["delete", &namespace, "--ignore-not-found", PATIENCE];
        let removed = self.klient(&remove_namespace, session).await;
        let definition = format!("customresourcedefinition/{DEFINITION}");
        if self.makes_definition {
            self.klient(&["delete", &definition, "--ignore-not-found", PATIENCE], session).await?;
        }
        removed
    }
}

fn write(path: &str, text: &str) -> Result<(), Failure> {
    write_secret(path.as_ref(), text)
        .map_err(|error| Failure::Message(format!("cannot write {path}: {error}")))
}
