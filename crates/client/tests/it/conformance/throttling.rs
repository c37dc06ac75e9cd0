//! Requests that the server has no capacity for.

use std::time::Duration;

use http::Method;
use klient_apimachinery::Unstructured;
use klient_client::DeleteOptions;
use serde_json::{Value, json};

use super::test_cluster::{TestCluster, until, user_of};

const API: &str = "flowcontrol.apiserver.k8s.io";

/// Makes priority and fairness of a real server refuse all requests of a user, as in
/// <https://kubernetes.io/docs/concepts/cluster-administration/flow-control/>.
async fn jail(cluster: &TestCluster, user: &str) -> String {
    let name = cluster.unique("jail");
    let metadata = json!({"name": name});
    let limited = json!({"nominalConcurrencyShares": 0, "lendablePercent": 0, "borrowingLimitPercent": 0, "limitResponse": {"type": "Reject"}});
    let rule = json!({
        "subjects": [{"kind": "User", "user": {"name": user}}],
        "resourceRules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"], "namespaces": ["*"], "clusterScope": true}],
        "nonResourceRules": [{"nonResourceURLs": ["*"], "verbs": ["*"]}],
    });
    for (kind, plural, spec) in [
        (
            "PriorityLevelConfiguration",
            "prioritylevelconfigurations",
            json!({"type": "Limited", "limited": limited}),
        ),
        (
            "FlowSchema",
            "flowschemas",
            json!({"priorityLevelConfiguration": metadata, "matchingPrecedence": 10, "rules": [rule]}),
        ),
    ] {
        let info = klient_apimachinery::ResourceInfo::from_static(API, "v1", kind, plural, false);
        let mut object = Unstructured::new(&format!("{API}/v1"), kind, &name);
        object["spec"] = spec;
        cluster.client().dynamic(info).create(&object).await.unwrap();
    }
    name
}

async fn release(cluster: &TestCluster, name: &str) {
    let info = klient_apimachinery::ResourceInfo::from_static(API, "v1", "FlowSchema", "flowschemas", false);
    cluster.client().dynamic(info).delete(name, &DeleteOptions::default()).await.unwrap();
}

#[tokio::test]
async fn a_request_that_is_turned_away_is_sent_again() {
    let cluster = TestCluster::start().await;
    let name = cluster.unique("ann");
    let ann = cluster.user(&name, &[]).await;
    user_of(&ann).await.unwrap();
    let version = || ann.request(Method::GET).absolute_path("/version");
    let jail = match cluster.embedded() {
        Some(server) => {
            server.throttle(2, 1);
            None
        }
        None => {
            let jail = jail(&cluster, &name).await;
            // The deadline ends while the client waits to send it again.
            let short = Duration::from_millis(500);
            until("a refusal", async || version().timeout(short).send().await.err()).await;
            Some(jail)
        }
    };
    let error = version().timeout(Duration::from_millis(500)).send().await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    let waiting = tokio::spawn(version().send());
    if let Some(jail) = jail {
        release(&cluster, &jail).await;
    }
    let response = waiting.await.unwrap().unwrap();
    let version: Value = serde_json::from_slice(response.bytes()).unwrap();
    assert_eq!(version["major"], "1");
}
