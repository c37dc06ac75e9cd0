//! An embedded server with a proxy in front of it.

use std::net::SocketAddr;

use klient_api::core::v1::{Namespace, Pod};
use klient_apiserver::{ContainerCommand, Containers, Options, Server};
use klient_client::{Client, Config};
use klient_proxy::{ReverseProxy, ReverseProxyOptions};
use klient_streams::BoxError;
use klient_streams::remote_command::{ExitStatus, Stdio};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinHandle;

/// A server whose pod `web` in the namespace `shop` runs `cat`, `exit CODE` and `sleep`, and a client of it through a
/// proxy.
pub(crate) struct Cluster {
    pub(crate) server: Server,
    pub(crate) address: SocketAddr,
    /// A client through the proxy, without credentials.
    pub(crate) through: Client,
    serving: JoinHandle<()>,
}

impl Cluster {
    pub(crate) async fn start(options: ReverseProxyOptions) -> Self {
        let containers = Some(Containers::new(run));
        let server = Server::start(Options { containers, ..Options::default() }).await.unwrap();
        let direct = Client::new(Config::from_kubeconfig(&server.kubeconfig()).unwrap()).unwrap();
        let namespace = serde_json::from_value(json!({"metadata": {"name": "shop"}})).unwrap();
        direct.api::<Namespace>().create(&namespace).await.unwrap();
        let pod =
            json!({"metadata": {"name": "web"}, "spec": {"containers": [{"name": "web", "image": "web"}]}});
        let pods = direct.api::<Pod>().namespace("shop");
        pods.create(&serde_json::from_value(pod).unwrap()).await.unwrap();
        let (address, serving) = serve(ReverseProxy::new(direct, options)).await;
        let through = Client::new(Config::from_url(&format!("http://{address}")).unwrap()).unwrap();
        Cluster { server, address, through, serving }
    }

    /// Ends the proxy.
    pub(crate) fn stop_proxy(&self) {
        self.serving.abort();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Serves a proxy with axum.
pub(crate) async fn serve(proxy: ReverseProxy) -> (SocketAddr, JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router: axum::Router = axum::Router::new().fallback_service(proxy);
    let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, serving)
}

async fn run(command: ContainerCommand, mut stdio: Stdio) -> Result<ExitStatus, BoxError> {
    let args: Vec<&str> = command.args.iter().map(String::as_str).collect();
    match args[..] {
        ["cat"] => {
            tokio::io::copy(stdio.stdin.as_mut().unwrap(), stdio.stdout.as_mut().unwrap()).await?;
            Ok(ExitStatus::SUCCESS)
        }
        ["exit", code] => {
            stdio.stderr.as_mut().unwrap().write_all(b"bye").await?;
            Ok(ExitStatus::from(code.parse::<u8>()?))
        }
        _ => std::future::pending().await,
    }
}
