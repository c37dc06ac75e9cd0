//! Eviction of pods, with disruption budgets.

use klient_api::core::v1::Pod;
use klient_api::policy::v1::{Eviction, PodDisruptionBudget};
use klient_client::Patch;
use serde_json::{Value, json};

use super::test_cluster::{TestCluster, object};
use crate::cluster::{named, pod};

/// Sets the status of a budget of `minAvailable: 1` with one pod, where no controller does.
fn status(allowed: i32) -> Patch {
    Patch::Merge(json!({"status": {
        "observedGeneration": 1, "currentHealthy": 1, "desiredHealthy": 1 - allowed, "expectedPods": 1,
        "disruptionsAllowed": allowed,
    }}))
}

fn eviction(name: &str) -> Eviction {
    Eviction { metadata: named(name), ..Default::default() }
}

#[tokio::test]
async fn an_eviction_respects_the_budget_of_a_pod() {
    let cluster = TestCluster::start().await;
    let client = cluster.client();
    let pods = client.api::<Pod>().namespace(&cluster.namespace);
    let missing = pods.evict("none", &eviction("none")).await.unwrap_err();
    assert!(missing.is_not_found() && missing.to_string().contains(r#"pods "none" not found"#), "{missing}");
    pods.create(&pod("web-0", "web")).await.unwrap();
    let running =
        json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
    pods.patch_status("web-0", &Patch::Merge(running)).await.unwrap();
    let budgets = client.api::<PodDisruptionBudget>().namespace(&cluster.namespace);
    let budget: PodDisruptionBudget = object(json!({
        "metadata": {"name": "web"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
    }));
    budgets.create(&budget).await.unwrap();
    if cluster.embedded().is_none() {
        budgets.patch_status("web", &status(0)).await.unwrap();
    }
    let wrong = pods.evict("web-0", &eviction("web-1")).await.unwrap_err();
    assert_eq!(
        wrong.as_status().unwrap().message.as_deref(),
        Some("name in URL does not match name in Eviction object")
    );
    let refused = pods.evict("web-0", &eviction("web-0")).await.unwrap_err();
    assert!(refused.is_too_many_requests(), "{refused}");
    assert_eq!(refused.retry_after(), None);
    let status_of: Value = serde_json::to_value(refused.as_status().unwrap()).unwrap();
    assert_eq!(status_of["message"], "Cannot evict pod as it would violate the pod's disruption budget.");
    assert_eq!((&status_of["reason"], &status_of["code"]), (&json!("TooManyRequests"), &json!(429)));
    let cause = json!({
        "reason": "DisruptionBudget", "message": "The disruption budget web needs 1 healthy pods and has 1 currently",
    });
    assert_eq!(status_of["details"], json!({"causes": [cause]}));
    pods.get("web-0").await.unwrap();

    budgets.patch("web", &Patch::Merge(json!({"spec": {"minAvailable": 0}}))).await.unwrap();
    if cluster.embedded().is_none() {
        let mut allowed = json!({"status": {"observedGeneration": 2}});
        allowed["status"]["disruptionsAllowed"] = 1.into();
        budgets.patch_status("web", &Patch::Merge(allowed)).await.unwrap();
    }
    let evicted = pods.evict("web-0", &eviction("web-0")).await.unwrap();
    assert_eq!((evicted.status.as_deref(), evicted.code), (Some("Success"), Some(201)));
    assert!(pods.get_opt("web-0").await.unwrap().is_none());
    let allowed = budgets.get("web").await.unwrap().status.disruptions_allowed;
    assert_eq!(allowed, Some(0));
}
