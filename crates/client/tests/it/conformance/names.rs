//! Discovery and the names of resources, with custom resources.

use std::path::Path;

use http::header::ACCEPT;
use klient_api::apiextensions::v1::CustomResourceDefinition;
use klient_client::{ApiResource, Client, DeferredRestMapper, DiskCache, Served, Transport};
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::test_cluster::{TestCluster, until};
use crate::formats::Wire;

/// The resources that are built in or of one group, each in a line: other cases may add theirs meanwhile.
fn lines(served: &Served, group: &str) -> Vec<String> {
    let known =
        |resource: &&ApiResource| !resource.info.group.ends_with(".example") || resource.info.group == *group;
    let mut lines: Vec<_> =
        served.resources.iter().filter(known).map(|resource| format!("{resource:?}")).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn a_custom_resource_is_found_by_its_names_once_it_is_served() {
    let cluster = TestCluster::start().await;
    let mapper = DeferredRestMapper::new(cluster.client().discovery().memory_cached());
    assert_eq!(mapper.resource("deploy").await.unwrap().info.plural, "deployments");
    let short_name = cluster.unique("gd");
    assert!(mapper.resource(&short_name).await.unwrap_err().no_match().is_some());
    let group = cluster.define("Gadget", "Namespaced", &short_name).await;
    for name in [
        short_name.clone(),
        format!("gadgets.{group}"),
        format!("gadget.{group}"),
        format!("gadgets.v1.{group}"),
        format!("{short_name}.{group}"),
    ] {
        let found = mapper.resource(&name).await.unwrap();
        assert_eq!(format!("{:?}", found.info), format!("{group}/v1/gadgets"), "{name}");
        assert!(found.info.namespaced);
        let subresources = found
            .subresources
            .iter()
            .map(|subresource| format!("{}: {}", subresource.name, subresource.kind));
        let status = format!("status: {group}/v1, Kind=Gadget");
        assert_eq!(subresources.collect::<Vec<_>>(), [&*status, "scale: autoscaling/v1, Kind=Scale"]);
        assert!(found.has_verb("deletecollection") && !found.has_verb("proxy"));
    }
    assert_eq!(mapper.kind(&group, "Gadget", Some("v1")).await.unwrap().info.plural, "gadgets");
    let error = mapper.kind(&group, "Gadget", Some("v2")).await.unwrap_err();
    assert_eq!(error.to_string(), format!("no matches for kind \"Gadget\" in version \"{group}/v2\""));
    let known = mapper.mapper().await.unwrap();
    let category = cluster.unique("toys");
    let toys = known.category(&category).map(|resource| resource.info.plural.to_string());
    assert_eq!(toys.collect::<Vec<_>>(), ["gadgets"]);
}

#[tokio::test]
async fn a_short_name_of_two_groups_means_the_first_and_the_other_is_told() {
    let cluster = TestCluster::start().await;
    let short_name = cluster.unique("x");
    let apples = cluster.define("Apple", "Namespaced", &short_name).await;
    let pears = cluster.define("Pear", "Cluster", &short_name).await;
    let mapper =
        DeferredRestMapper::new(cluster.client().discovery().memory_cached()).mapper().await.unwrap();
    assert_eq!(mapper.resource(&short_name).unwrap().info.group, *apples);
    let others = |name: &str| -> Vec<String> {
        mapper.lower_priority(name).iter().map(|other| format!("{:?}", other.info)).collect()
    };
    assert_eq!(others(&short_name), [format!("{pears}/v1/pears")]);
    let pear = mapper.resource(&format!("{short_name}.{pears}")).unwrap();
    assert_eq!((&*pear.info.kind, pear.info.namespaced), ("Pear", false));
    let category = cluster.unique("toys");
    let toys = mapper.category(&category).map(|resource| resource.info.kind.to_string());
    assert_eq!(toys.collect::<Vec<_>>(), ["Apple", "Pear"]);
    // Two groups have events, and the core group comes first.
    assert_eq!(mapper.resource("ev").unwrap().info.group, "");
    assert_eq!(others("ev"), ["events.k8s.io/v1/events"]);
}

#[tokio::test]
async fn a_short_name_that_is_taken_in_the_group_is_not_served() {
    let cluster = TestCluster::start().await;
    let short_name = cluster.unique("x");
    let group = cluster.define("Apple", "Namespaced", &short_name).await;
    let definitions = cluster.client().api::<CustomResourceDefinition>();
    definitions.create(&cluster.definition(&group, "Pear", "Cluster", &short_name)).await.unwrap();
    let conditions = until("conditions", async || {
        let pears = definitions.get(&format!("pears.{group}")).await.unwrap();
        Some(pears.status.conditions).filter(|conditions| conditions.len() == 2)
    })
    .await;
    let told: Vec<_> = conditions
        .iter()
        .map(|condition| {
            [
                &*condition.type_,
                &condition.status,
                condition.reason.as_deref().unwrap(),
                condition.message.as_deref().unwrap(),
            ]
        })
        .collect();
    let taken = format!("{short_name:?} is already in use");
    assert_eq!(
        told,
        [
            ["NamesAccepted", "False", "ShortNamesConflict", &taken],
            ["Established", "False", "NotAccepted", "not all names are accepted"],
        ]
    );
    let mapper = DeferredRestMapper::new(cluster.client().discovery().memory_cached());
    assert!(mapper.kind(&group, "Pear", None).await.unwrap_err().no_match().is_some());
}

#[tokio::test]
async fn aggregated_and_legacy_discovery_agree() {
    let cluster = TestCluster::start().await;
    let group = cluster.define("Gadget", "Namespaced", &cluster.unique("gd")).await;
    let legacy = tower::layer::layer_fn(|transport: Transport| {
        tower::service_fn(move |mut request: http::Request<klient_client::RequestBody>| {
            request.headers_mut().insert(ACCEPT, "application/json".parse().unwrap());
            transport.clone().oneshot(request)
        })
    });
    let legacy = Client::with_layer(cluster.config(), legacy).unwrap();
    let [legacy, aggregated] =
        [legacy.discovery().resources().await, cluster.client().discovery().resources().await]
            .map(|served| lines(&served.unwrap(), &group));
    assert!(aggregated.len() > 50, "{aggregated:?}");
    assert_eq!(legacy, aggregated);
}

/// A client with a cache on disk, and the number of requests that it sends for all resources.
async fn cached(cluster: &TestCluster, folder: &Path) -> (DeferredRestMapper, usize) {
    let wire = Wire::default();
    let client = wire.client(cluster.config());
    let cache = DiskCache::below(folder, &client.config().url);
    let mapper = DeferredRestMapper::new(client.discovery().disk_cached(cache));
    mapper.mapper().await.unwrap();
    (mapper, wire.taken().len())
}

#[tokio::test]
async fn a_cache_on_disk_answers_until_a_name_is_missed() {
    let cluster = TestCluster::start().await;
    let folder = TempDir::new().unwrap();
    assert_eq!(cached(&cluster, folder.path()).await.1, 2);
    let short_name = cluster.unique("gd");
    let group = cluster.define("Gadget", "Namespaced", &short_name).await;
    let (mapper, requests) = cached(&cluster, folder.path()).await;
    assert_eq!(requests, 0);
    assert_eq!(mapper.resource(&short_name).await.unwrap().info.group, *group);
    let (mapper, requests) = cached(&cluster, folder.path()).await;
    assert_eq!(requests, 0);
    assert_eq!(mapper.resource(&short_name).await.unwrap().info.group, *group);
}
