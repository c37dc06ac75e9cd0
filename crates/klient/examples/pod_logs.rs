//! Follows the logs of all pods of a Deployment, each line with its pod and container.

#![allow(clippy::print_stdout)]

mod containers;

use klient::api::apps::v1::Deployment;
use klient::api::core::v1::Pod;
use klient::apiserver::{ContainerLog, Containers};
use klient::{DeleteOptions, LogOptions, PodLogsOptions, json};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let log = ContainerLog::default();
    log.stdout("ready for start up");
    let (client, server) = containers::connect(Containers::default().log(move |_| Some(log.clone()))).await?;
    let deployments = client.api::<Deployment>().namespace("default");
    let deployment = json!({"metadata": {"name": "klient-web"}, "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "klient-web"}},
        "template": {
            "metadata": {"labels": {"app": "klient-web"}},
            "spec": {"containers": [{"name": "web", "image": "nginx:1.29"}]}
        }
    }});
    deployments.create(&klient::serde_json::from_value(deployment)?).await?;
    // In place of the pods of the Deployment.
    containers::create_pod(&client, server.as_ref()).await?;

    let selector = deployments.pod_selector("klient-web").await?;
    let pods = client.api::<Pod>().namespace("default");
    let log = LogOptions { tail_lines: Some(10), ..Default::default() };
    let options = PodLogsOptions { log, follow_restarts: true, ..Default::default() };
    let mut lines = pods.pod_logs(&selector.to_string(), &options);
    // It goes on over restarts and with pods that come later; here one line is enough.
    if let Some(line) = lines.next().await {
        let line = line?;
        println!("{}{}", line.prefix(), String::from_utf8_lossy(&line.line));
    }
    drop(lines);
    pods.delete("klient-web", &DeleteOptions::default()).await?;
    deployments.delete("klient-web", &DeleteOptions::default()).await?;
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
