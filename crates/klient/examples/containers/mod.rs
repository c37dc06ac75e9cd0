//! The cluster that examples of containers run on.

use std::error::Error;

use klient::api::core::v1::Pod;
use klient::apiserver::{Containers, Options};
use klient::controller::wait::wait_for;
use klient::{Client, Config, Patch, TestClient as _, TestServer, json};

/// A client of the cluster whose kubeconfig stands on the command line, or else of a server that is started here, has the
/// containers of the example, and runs until it is dropped.
pub(crate) async fn connect(containers: Containers) -> Result<(Client, Option<TestServer>), Box<dyn Error>> {
    // The arguments of a test program are not for the example.
    if let Some(path) = std::env::args().nth(1).filter(|_| !cfg!(test)) {
        return Ok((Client::new(Config::from_kubeconfig_file(path)?)?, None));
    }
    let server =
        TestServer::start_with(Options { containers: Some(containers), ..Default::default() }).await?;
    Ok((server.client(), Some(server)))
}

/// Creates the pod `klient-web` with the label `app: klient-web`, and waits until it runs. The server of the example has no
/// kubelet, so that its status is set here.
pub(crate) async fn create_pod(client: &Client, server: Option<&TestServer>) -> Result<(), Box<dyn Error>> {
    let pods = client.api::<Pod>().namespace("default");
    let pod = json!({
        "metadata": {"name": "klient-web", "labels": {"app": "klient-web"}},
        "spec": {"containers": [{
            "name": "web", "image": "nginx:1.29", "ports": [{"name": "http", "containerPort": 80}]
        }]}
    });
    pods.create(&klient::serde_json::from_value(pod)?).await?;
    if server.is_some() {
        pods.patch_status("klient-web", &Patch::Merge(json!({"status": {"phase": "Running"}}))).await?;
    }
    let is_running =
        |pod: Option<&Pod>| pod.is_some_and(|pod| pod.status.phase.as_deref() == Some("Running"));
    wait_for(&pods, "klient-web", is_running, Default::default()).await?;
    Ok(())
}
