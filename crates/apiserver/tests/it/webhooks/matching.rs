//! Writes that webhooks are called for: rules, selectors, equivalent resources.

use serde_json::{Value, json};

use crate::hook::{Hook, MUTATING, Reply, VALIDATING, configuration, webhook};
use crate::objects::{CONFIG_MAPS, DEFINITIONS, NAMESPACES, labelled, named, two_versions};

#[tokio::test]
async fn webhooks_are_called_for_the_writes_that_they_select() {
    let hook = Hook::start(|_| Reply::allow()).await;
    let (_server, admin) = hook.server().await;
    let cases = [
        ("all", json!({})),
        (
            "updates",
            json!({"rules": [{
                "operations": ["UPDATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"],
            }]}),
        ),
        (
            "other-version",
            json!({"rules": [{
                "operations": ["*"], "apiGroups": [""], "apiVersions": ["v2"], "resources": ["configmaps"],
            }]}),
        ),
        (
            "subresources",
            json!({"rules": [{
                "operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["configmaps/*"],
            }]}),
        ),
        (
            "cluster",
            json!({"rules": [{
                "operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "scope": "Cluster",
            }]}),
        ),
        ("web", json!({"objectSelector": {"matchLabels": {"app": "web"}}})),
        ("shop", json!({"namespaceSelector": {"matchLabels": {"team": "shop"}}})),
    ];
    let webhooks = cases.map(|(name, others)| {
        webhook(&format!("{name}.shop.example"), hook.at_url(&format!("/{name}")), &others)
    });
    admin.post(VALIDATING, &configuration("all", &webhooks)).await.expect(201);
    let called = |from: usize| {
        let mut called: Vec<String> = hook.posted()[from..]
            .iter()
            .map(|posted| {
                posted.path.split('?').next().unwrap_or_default().trim_start_matches('/').to_owned()
            })
            .collect();
        called.sort();
        called
    };
    admin.post(CONFIG_MAPS, &named("a")).await.expect(201);
    assert_eq!(called(0), ["all", "subresources"]);
    let seen = hook.posted().len();
    // A label that it had or has.
    admin.patch(&format!("{CONFIG_MAPS}/a"), "merge", &labelled("a", "web")).await.expect(200);
    assert_eq!(called(seen), ["all", "subresources", "updates", "web"]);
    let seen = hook.posted().len();
    admin.patch(&format!("{CONFIG_MAPS}/a"), "merge", &labelled("a", "db")).await.expect(200);
    assert_eq!(called(seen), ["all", "subresources", "updates", "web"]);
    let seen = hook.posted().len();
    let mut shop = named("shop");
    shop["metadata"]["labels"] = json!({"team": "shop"});
    admin.post(NAMESPACES, &shop).await.expect(201);
    assert_eq!(called(seen), ["cluster"]);
    let request = hook.posted()[seen].request().clone();
    assert_eq!((&request["name"], &request["namespace"]), (&json!("shop"), &json!("shop")));
    let seen = hook.posted().len();
    admin.post("/api/v1/namespaces/shop/configmaps", &named("a")).await.expect(201);
    assert_eq!(called(seen), ["all", "shop", "subresources"]);
}

fn rules(group: &str, version: &str, resource: &str, policy: &str) -> Value {
    json!({
        "matchPolicy": policy,
        "rules": [{
            "operations": ["*"], "apiGroups": [group], "apiVersions": [version], "resources": [resource],
        }],
    })
}

#[tokio::test]
async fn a_write_of_another_version_matches_as_the_version_of_the_rule() {
    let hook = Hook::start(|_| Reply::allow()).await;
    let (_server, admin) = hook.server().await;
    admin.post(DEFINITIONS, &two_versions()).await.expect(201);
    let webhooks = [
        webhook(
            "scalers.shop.example",
            hook.at_url("/"),
            &rules("autoscaling", "v1", "horizontalpodautoscalers", "Equivalent"),
        ),
        webhook(
            "exact.shop.example",
            hook.at_url("/exact"),
            &rules("autoscaling", "v1", "horizontalpodautoscalers", "Exact"),
        ),
        webhook("events.shop.example", hook.at_url("/"), &rules("", "v1", "events", "Equivalent")),
        webhook("gadgets.shop.example", hook.at_url("/"), &rules("a.example", "v1", "gadgets", "Equivalent")),
    ];
    admin.post(VALIDATING, &configuration("all", &webhooks)).await.expect(201);
    let scaler = json!({
        "metadata": {"name": "h"},
        "spec": {
            "maxReplicas": 3,
            "scaleTargetRef": {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"},
            "metrics": [{"type": "Resource", "resource": {
                "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50},
            }}],
        },
    });
    admin.post("/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers", &scaler).await.expect(201);
    let event = json!({
        "metadata": {"name": "e"}, "eventTime": "2024-01-01T00:00:00.000000Z", "reason": "r", "action": "a",
        "reportingController": "c.example/x", "reportingInstance": "i", "type": "Normal",
        "regarding": {"kind": "Pod", "namespace": "default", "name": "p"}, "note": "hello",
    });
    admin.post("/apis/events.k8s.io/v1/namespaces/default/events", &event).await.expect(201);
    let gadget = json!({
        "apiVersion": "a.example/v2", "kind": "Gadget", "metadata": {"name": "g"}, "spec": {"size": 1, "new": "x"},
    });
    admin.post("/apis/a.example/v2/namespaces/default/gadgets", &gadget).await.expect(201);

    let posted = hook.posted();
    assert_eq!(posted.len(), 3);
    let scaler = posted[0].request();
    assert_eq!(scaler["kind"]["version"], "v1");
    assert_eq!(scaler["resource"]["version"], "v1");
    assert_eq!(scaler["requestKind"]["version"], "v2");
    assert_eq!(scaler["requestResource"]["version"], "v2");
    assert_eq!(scaler["object"]["apiVersion"], "autoscaling/v1");
    assert_eq!(scaler["object"]["spec"]["targetCPUUtilizationPercentage"], 50);
    let event = posted[1].request();
    assert_eq!(
        (&event["object"]["apiVersion"], &event["object"]["message"]),
        (&json!("v1"), &json!("hello"))
    );
    assert_eq!(event["requestResource"]["group"], "events.k8s.io");
    let gadget = posted[2].request();
    assert_eq!(gadget["object"]["apiVersion"], "a.example/v1");
    assert_eq!(gadget["object"]["spec"]["size"], 1);
}

#[tokio::test]
async fn match_conditions_decide_before_the_webhook() {
    let hook = Hook::start(|_| Reply::Response(json!({"allowed": false}))).await;
    let (_server, admin) = hook.server().await;
    let conditions = |policy: &str, expression: &str| json!({"failurePolicy": policy, "matchConditions": [{"name": "c", "expression": expression}]});
    let register = async |others: Value| {
        let webhook = webhook("w.shop.example", hook.at_url("/"), &others);
        admin.delete(&format!("{VALIDATING}/w")).await;
        admin.post(VALIDATING, &configuration("w", &[webhook])).await.expect(201);
    };
    let only = "object.metadata.name.startsWith('x') && request.operation == 'CREATE' && oldObject == null";
    register(conditions("Fail", only)).await;
    admin.post(CONFIG_MAPS, &named("a")).await.expect(201);
    admin.post(CONFIG_MAPS, &named("x")).await.expect(400);
    register(conditions("Fail", "object.data.missing == 'a'")).await;
    assert_eq!(
        admin.post(CONFIG_MAPS, &named("b")).await.refusal(),
        "403 configmaps \"b\" is forbidden: expression 'object.data.missing == 'a'' resulted in error: no such key: data"
    );
    register(conditions("Ignore", "object.data.missing == 'a'")).await;
    admin.post(CONFIG_MAPS, &named("b")).await.expect(201);
    assert_eq!(hook.posted().len(), 1);
}

#[tokio::test]
async fn match_conditions_that_take_long_decide_the_same() {
    let hook = Hook::start(|_| Reply::Response(json!({"allowed": false}))).await;
    let (_server, admin) = hook.server().await;
    let all = "object.data.all(one, object.data.all(other, one != other || one == other))";
    let mut object = named("c");
    object["data"] = (0..200).map(|index| (format!("k{index}"), json!("v"))).collect();
    for (condition, code) in [(all.to_owned(), 400), (format!("!{all}"), 201)] {
        let others = json!({"matchConditions": [{"name": "c", "expression": condition}]});
        let webhook = webhook("w.shop.example", hook.at_url("/"), &others);
        admin.post(VALIDATING, &configuration("w", &[webhook])).await.expect(201);
        admin.post(CONFIG_MAPS, &object).await.expect(code);
        admin.delete(&format!("{VALIDATING}/w")).await.expect(200);
    }
}

/// The resource in a condition is that of the request, its kind and its object are those that have matched.
pub(crate) const OF_THE_CLIENT: [(&str, bool); 6] = [
    ("request.resource.version == 'v1'", true),
    ("request.resource.version == 'v2'", false),
    ("request.requestResource.version == 'v1'", true),
    ("request.kind.version == 'v2' && request.requestKind.version == 'v1'", true),
    ("object.apiVersion == 'autoscaling/v2'", true),
    (
        "request.resource.resource == 'horizontalpodautoscalers' && request.resource.group == 'autoscaling'",
        true,
    ),
];

/// A HorizontalPodAutoscaler in `autoscaling/v1`.
pub(crate) const SCALERS: &str = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers";

pub(crate) fn scaler() -> Value {
    json!({"metadata": {"name": "h"}, "spec": {
        "maxReplicas": 2, "scaleTargetRef": {"kind": "Deployment", "name": "x", "apiVersion": "apps/v1"},
    }})
}

#[tokio::test]
async fn conditions_see_the_resource_of_the_request() {
    let hook = Hook::start(|_| Reply::Response(json!({"allowed": false}))).await;
    let (_server, admin) = hook.server().await;
    for collection in [VALIDATING, MUTATING] {
        for (condition, matches) in OF_THE_CLIENT {
            let mut others = rules("autoscaling", "v2", "horizontalpodautoscalers", "Equivalent");
            others["matchConditions"] = json!([{"name": "c", "expression": condition}]);
            let webhook = webhook("w.shop.example", hook.at_url("/"), &others);
            admin.post(collection, &configuration("w", &[webhook])).await.expect(201);
            let answer = admin.post(&format!("{SCALERS}?dryRun=All"), &scaler()).await;
            assert_eq!(answer.status, if matches { 400 } else { 201 }, "{condition}: {}", answer.text());
            admin.delete(&format!("{collection}/w")).await.expect(200);
        }
    }
    // The webhook gets the resource that has matched.
    assert!(hook.posted().iter().all(|posted| posted.request()["resource"]["version"] == "v2"));
}
