//! Controllers run as tasks: the futures of what they call can be spawned.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use klient::api::core::v1::ConfigMap;
use klient::workqueue::{Backoff, Queue, parallelize_until, retry};
use klient::{
    Client, Config, DeleteOptions, Error, ListOptions, ObjectMeta, Patch, TestServer, WatchOptions,
    retry_on_conflict,
};
use tokio::spawn;

async fn cluster() -> (TestServer, Client) {
    let server = TestServer::start().await.expect("a server starts");
    let client = Client::new(Config::from_kubeconfig(&server.kubeconfig()).unwrap()).unwrap();
    (server, client)
}

fn config_map(name: &str) -> ConfigMap {
    ConfigMap { metadata: ObjectMeta::named(name), ..Default::default() }
}

#[tokio::test]
async fn retry_on_conflict_can_be_spawned() {
    let (_server, client) = cluster().await;
    let api = client.api::<ConfigMap>().namespace("default");
    api.create(&config_map("a")).await.unwrap();
    let tasks = ["sky", "sea"].map(|key| {
        let api = api.clone();
        spawn(async move {
            let attempts = AtomicU32::new(0);
            retry_on_conflict(Backoff::DEFAULT_BACKOFF, async || {
                let mut colors = api.get("a").await?;
                if attempts.fetch_add(1, Ordering::Relaxed) == 0 {
                    // Somebody else is faster.
                    api.patch("a", &Patch::Merge(serde_json::json!({"data": {"grass": "green"}}))).await?;
                }
                colors.data.insert(key, "blue".into());
                api.update(&colors).await
            })
            .await
        })
    });
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let data = api.get("a").await.unwrap().data;
    assert_eq!((&*data["sky"], &*data["sea"], &*data["grass"]), ("blue", "blue", "green"));
}

#[tokio::test]
async fn a_closure_that_counts_attempts_can_be_spawned() {
    let counted = spawn(async {
        let mut attempts = 0;
        let result = retry(
            Backoff { duration: Duration::from_millis(1), ..Backoff::DEFAULT_RETRY },
            |error: &&str| *error == "conflict",
            || {
                attempts += 1;
                let result = if attempts < 3 { Err("conflict") } else { Ok(()) };
                async move { result }
            },
        )
        .await;
        (result, attempts)
    });
    assert_eq!(counted.await.unwrap(), (Ok(()), 3));
}

#[tokio::test]
async fn queues_and_parallel_work_can_be_spawned() {
    let queue = Queue::new();
    queue.add("a".to_owned());
    let worker = spawn({
        let queue = queue.clone();
        async move {
            let mut done = 0;
            while let Some(key) = queue.get().await {
                done += key.len();
            }
            done
        }
    });
    let drained = spawn({
        let queue = queue.clone();
        async move { queue.shut_down_with_drain().await }
    });
    drained.await.unwrap();
    assert_eq!(worker.await.unwrap(), 1);
    spawn(parallelize_until(2, 4, |_| async {})).await.unwrap();
}

#[tokio::test]
async fn every_call_of_a_client_can_be_spawned() {
    let (server, client) = cluster().await;
    let calls = spawn(async move {
        let api = client.api::<ConfigMap>().namespace("default");
        let mut a = api.create(&config_map("a")).await?;
        let mut watch = api.watch(&WatchOptions::default()).await?;
        assert!(watch.next().await.is_some());
        let mut items = api.items(&ListOptions::default()).await?;
        assert!(items.next().await?.is_some());
        a.data.insert("sky", "blue".into());
        api.update(&a).await?;
        assert_eq!(api.list(&ListOptions::default()).await?.items.len(), 1);
        assert!(api.get_opt("b").await?.is_none());
        let wish = klient::apply::core::v1::ConfigMap::new("b", "default").data([("sea", "blue")]);
        api.apply(&wish, &klient::ApplyOptions::new("painter")).await?;
        api.delete("a", &DeleteOptions::default()).await?;
        api.delete_collection(&DeleteOptions::default(), &ListOptions::default()).await?;
        client.discovery().resources().await?;
        client.discovery().version().await?;
        Ok::<(), Error>(())
    });
    calls.await.unwrap().unwrap();
    spawn(async move {
        server.restart().await?;
        server.restart_empty().await?;
        server.stop().await;
        Ok::<(), klient::apiserver::StartError>(())
    })
    .await
    .unwrap()
    .unwrap();
}
