//! Requests that the server has no capacity for.

use klient_apimachinery::Unstructured;
use serde_json::json;

use super::test_cluster::{TestCluster, until, user_of};
use crate::formats::Wire;

const API: &str = "flowcontrol.apiserver.k8s.io";

/// Makes priority and fairness of a real server refuse a user's requests while it processes another of them, as in
/// <https://kubernetes.io/docs/concepts/cluster-administration/flow-control/>.
async fn jail(cluster: &TestCluster, user: &str) {
    let name = cluster.unique("jail");
    let metadata = json!({"name": name});
    let limited = json!({
        "nominalConcurrencyShares": 0, "lendablePercent": 0, "borrowingLimitPercent": 0,
        "limitResponse": {"type": "Reject"},
    });
    let rule = json!({
        "subjects": [{"kind": "User", "user": {"name": user}}],
        "resourceRules": [{
            "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"], "namespaces": ["*"], "clusterScope": true,
        }],
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
}

#[tokio::test]
async fn requests_that_are_turned_away_are_sent_again() {
    let cluster = TestCluster::start().await;
    let name = cluster.unique("ann");
    let identity = cluster.identity(&name, &[]).await;
    let wire = Wire::default();
    let ann = wire.client(cluster.config_of(identity.kubeconfig_user()));
    match cluster.embedded() {
        // It has no priority and fairness.
        Some(server) => server.throttle(2, 1),
        None => jail(&cluster, &name).await,
    }
    // Few, since those that are turned away come back at the same time, and most are turned away again.
    until("a refusal", async || {
        let requests: Vec<_> = (0..5)
            .map(|_| {
                let ann = ann.clone();
                tokio::spawn(async move { user_of(&ann).await.unwrap() })
            })
            .collect();
        for request in requests {
            assert_eq!(request.await.unwrap().username.as_deref(), Some(&*name));
        }
        wire.taken().iter().any(|line| line.contains(" gets 429 ")).then_some(())
    })
    .await;
}
