//! Many clients at once.

use std::collections::BTreeSet;
use std::pin::Pin;

use klient_apiserver::TestServer;
use serde_json::{Value, json};

use crate::client::{Client, soon};
use crate::objects::{CONFIG_MAPS, NAMESPACES, named, names, text, version};

/// Runs tasks at once and gives what they make of it.
async fn at_once<T: Send + 'static>(
    count: usize,
    task: impl Fn(usize) -> Pin<Box<dyn Future<Output = T> + Send>>,
) -> Vec<T> {
    let tasks: Vec<_> = (0..count).map(|index| tokio::spawn(task(index))).collect();
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.expect("the task ends"));
    }
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_counter_that_many_increment_loses_nothing() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = format!("{CONFIG_MAPS}/counter");
    client.post(CONFIG_MAPS, &json!({"metadata": {"name": "counter"}, "data": {"n": "0"}})).await.expect(201);
    let (clients, rounds) = (8, 15);
    let versions = at_once(clients, |_| {
        let (client, path) = (client.share(), path.clone());
        Box::pin(async move {
            let mut versions = Vec::new();
            while versions.len() < rounds {
                let mut object = client.get(&path).await.expect(200);
                let n: u32 = text(&object, "/data/n").parse().expect("it is a number");
                object["data"]["n"] = (n + 1).to_string().into();
                let answer = client.put(&path, &object).await;
                if answer.status != 409 {
                    versions.push(version(&answer.expect(200)));
                }
            }
            versions
        })
    })
    .await;
    for own in &versions {
        assert!(own.is_sorted(), "{own:?}");
    }
    let all: BTreeSet<u64> = versions.iter().flatten().copied().collect();
    assert_eq!(all.len(), clients * rounds, "each update has a version of its own");
    let counted = client.get(&path).await.expect(200);
    assert_eq!(text(&counted, "/data/n"), (clients * rounds).to_string());
    assert_eq!(Some(&version(&counted)), all.last());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn patches_of_no_version_never_conflict() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = format!("{CONFIG_MAPS}/a");
    client.post(CONFIG_MAPS, &named("a")).await.expect(201);
    let clients = 64;
    at_once(clients, |index| {
        let (client, path) = (client.share(), path.clone());
        Box::pin(async move {
            let key = format!("k{index}");
            client.patch(&path, "merge", &json!({"data": {key: "v"}})).await.expect(200);
        })
    })
    .await;
    let data = client.get(&path).await.expect(200)["data"].clone();
    assert_eq!(data.as_object().map_or(0, |data| data.len()), clients);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_name_is_given_once() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    for round in 0..8 {
        let statuses = at_once(8, |_| {
            let (client, name) = (client.share(), format!("a{round}"));
            Box::pin(async move { client.post(CONFIG_MAPS, &named(&name)).await.status.as_u16() })
        })
        .await;
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 7, "{statuses:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_update_that_may_create_does_one_or_the_other() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles";
    for round in 0..8 {
        let statuses = at_once(8, |index| {
            let (client, name) = (client.share(), format!("r{round}"));
            Box::pin(async move {
                let mut role = named(&name);
                role["metadata"]["labels"] = json!({"writer": index.to_string()});
                client.put(&format!("{roles}/{name}"), &role).await.status.as_u16()
            })
        })
        .await;
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 200 | 201)), "{statuses:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_watch_that_begins_at_a_list_misses_nothing() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let count = 60;
    let writers = at_once(4, |writer| {
        let client = client.share();
        Box::pin(async move {
            for index in 0..count {
                client.post(CONFIG_MAPS, &named(&format!("w{writer}-{index}"))).await.expect(201);
            }
        })
    });
    let watchers = at_once(4, |_| {
        let client = client.share();
        Box::pin(async move {
            let list = client.get(CONFIG_MAPS).await.expect(200);
            let mut seen: BTreeSet<String> = names(&list).into_iter().collect();
            let path = format!("{CONFIG_MAPS}?watch=1&resourceVersion={}", version(&list));
            let mut events = client.watch(&path).await;
            while seen.iter().filter(|name| name.starts_with('w')).count() < 4 * count {
                let event = events.next().await.expect("the watch goes on");
                let name = text(&event, "/object/metadata/name").to_owned();
                assert_eq!(event["type"], "ADDED");
                assert!(seen.insert(name), "{event} is told though it was listed");
            }
        })
    });
    tokio::join!(writers, watchers);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_left_of_a_namespace_that_is_filled_while_it_goes() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    for round in 0..4 {
        let name = format!("busy{round}");
        let path = format!("{NAMESPACES}/{name}");
        client.post(NAMESPACES, &named(&name)).await.expect(201);
        let mut events =
            client.watch(&format!("{NAMESPACES}?watch=1&fieldSelector=metadata.name={name}")).await;
        let fill = at_once(6, |writer| {
            let (client, path) = (client.share(), format!("{path}/configmaps"));
            Box::pin(async move {
                for index in 0.. {
                    let answer = client.post(&path, &named(&format!("w{writer}-{index}"))).await;
                    match answer.status.as_u16() {
                        201 => {}
                        403 | 404 => return answer.json(),
                        _ => panic!("{answer:?}"),
                    }
                }
                Value::Null
            })
        });
        let delete = async {
            soon("a config map", async {
                while names(&client.get(&format!("{path}/configmaps")).await.expect(200)).len() < 3 {}
            })
            .await;
            client.delete(&path).await.expect(200);
        };
        let (refusals, ()) = tokio::join!(fill, delete);
        for refusal in refusals {
            assert!(matches!(text(&refusal, "/reason"), "Forbidden" | "NotFound"), "{refusal}");
        }
        while events.next().await.expect("the namespace goes")["type"] != "DELETED" {}
        assert_eq!(names(&client.get(&format!("{path}/configmaps")).await.expect(200)), [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn addresses_are_given_once() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let services = "/api/v1/namespaces/default/services";
    let given = at_once(40, |index| {
        let client = client.share();
        Box::pin(async move {
            let service = json!({
                "metadata": {"name": format!("s{index}")},
                "spec": {"type": "NodePort", "ports": [{"port": 80}]},
            });
            let service = client.post(services, &service).await.expect(201);
            (text(&service, "/spec/clusterIP").to_owned(), service["spec"]["ports"][0]["nodePort"].as_u64())
        })
    })
    .await;
    let ips: BTreeSet<_> = given.iter().map(|(ip, _)| ip).collect();
    let ports: BTreeSet<_> = given.iter().map(|(_, port)| port).collect();
    assert_eq!((ips.len(), ports.len()), (40, 40));
    let taken = json!({
        "metadata": {"name": "s"},
        "spec": {"clusterIP": given[0].0, "ports": [{"port": 80}]},
    });
    assert_eq!(client.post(services, &taken).await.status, 422);
    client.delete(&format!("{services}/s0")).await.expect(200);
    client.post(services, &taken).await.expect(201);
}
