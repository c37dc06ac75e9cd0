//! Resources by each of their names.

use klient_apimachinery::ResourceInfo;
use klient_apimachinery::meta::v1::GroupVersionResource;
use klient_client::{ApiResource, DeferredRestMapper, ErrorKind, NoMatch, RestMapper, Served};

use crate::cluster::{cluster, create_gadgets};
use crate::front::Front;

#[tokio::test]
async fn a_resource_is_found_by_any_of_its_names() {
    let (_server, client) = cluster().await;
    let mapper = RestMapper::new(client.discovery().resources().await.unwrap());
    for (name, found) in [
        ("pods", "v1/pods"),
        ("pod", "v1/pods"),
        ("Pod", "v1/pods"),
        ("po", "v1/pods"),
        ("deploy", "apps/v1/deployments"),
        ("Deployments.apps", "apps/v1/deployments"),
        ("deployments.v1.apps", "apps/v1/deployments"),
        ("pods.v1.", "v1/pods"),
        ("deploy.v9.apps", "apps/v1/deployments"),
        ("deploy.v1.app", "apps/v1/deployments"),
        ("deploy.apps.", "apps/v1/deployments"),
        ("cm.v9.", "v1/configmaps"),
        ("events", "v1/events"),
        ("events.events.k8s.io", "events.k8s.io/v1/events"),
        ("ev.events.k8s.io", "events.k8s.io/v1/events"),
        ("hpa", "autoscaling/v2/horizontalpodautoscalers"),
        ("hpa.v1.autoscaling", "autoscaling/v2/horizontalpodautoscalers"),
        ("horizontalpodautoscalers.v1.autoscaling", "autoscaling/v1/horizontalpodautoscalers"),
        ("crd", "apiextensions.k8s.io/v1/customresourcedefinitions"),
        ("endpoints", "v1/endpoints"),
        ("storageclasses.storage", "storage.k8s.io/v1/storageclasses"),
        ("sc.sto", "storage.k8s.io/v1/storageclasses"),
        ("Deployment.app", "apps/v1/deployments"),
    ] {
        let resource = mapper.resource(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(format!("{:?}", resource.info), found, "{name}");
    }
    for name in [
        "gadgets",
        "pods.apps",
        "deployments.v2.shop.example",
        "pods.v1",
        "po.v1",
        "deployments.v9.apps",
        "deploy.v9.app",
        "Deployments.Apps",
        "PO",
        "",
        ".",
    ] {
        assert!(matches!(mapper.resource(name), Err(NoMatch::Resource(..))), "{name}");
    }
    assert_eq!(mapper.kind("apps", "Deployment", None).unwrap().info.plural, "deployments");
    assert_eq!(mapper.kind("autoscaling", "HorizontalPodAutoscaler", Some("v1")).unwrap().info.version, "v1");
    let error = mapper.kind("apps", "Deployment", Some("v1beta1")).unwrap_err();
    assert_eq!(error.to_string(), r#"no matches for kind "Deployment" in version "apps/v1beta1""#);
    let error = mapper.kind("apps", "Gadget", None).unwrap_err();
    assert_eq!(error.to_string(), r#"no matches for kind "Gadget" in group "apps""#);
    assert!(mapper.category("all").any(|resource| resource.info.plural == "deployments"));
}

#[test]
fn the_others_of_a_short_name_are_told() {
    let resource = |group: &'static str, version: &'static str, plural: &'static str| ApiResource {
        info: ResourceInfo::from_static(group, version, "Kind", plural, true),
        singular: plural.trim_end_matches('s').to_owned(),
        short_names: vec!["x".to_owned(), "bs".to_owned()],
        categories: Vec::new(),
        verbs: Vec::new(),
        subresources: Vec::new(),
    };
    let resources = vec![
        resource("one.io", "v2", "as"),
        resource("one.io", "v1", "as"),
        resource("two.io", "v1", "bs"),
        resource("three.io", "v1", "cs"),
    ];
    let mapper = RestMapper::new(Served { resources, ..Served::default() });
    for (name, others) in [
        ("x", &["bs", "cs"][..]),
        ("x.one.io", &[]),
        ("x.two", &[]),
        // The name of a resource stands before short names.
        ("bs", &[]),
        ("b", &[]),
        ("nope", &[]),
    ] {
        let found = mapper.lower_priority(name);
        let found: Vec<&str> = found.iter().map(|resource| &*resource.info.plural).collect();
        assert_eq!(found, others, "{name}");
    }
}

#[tokio::test]
async fn a_kind_that_appears_later_is_found_by_asking_again() {
    let (_server, client) = cluster().await;
    let discovery = client.discovery();
    let before = RestMapper::new(discovery.resources().await.unwrap());
    assert!(before.resource("gadgets").is_err());
    create_gadgets(&client).await;
    let after = RestMapper::new(discovery.resources().await.unwrap());
    for name in ["gadgets", "gadget", "Gadget", "gd", "gadgets.shop.example", "gadgets.v1.shop.example"] {
        assert_eq!(after.resource(name).unwrap().subresources.len(), 2, "{name}");
    }
    assert_eq!(after.category("toys").count(), 1);
    let gadgets = client.dynamic(after.resource("gd").unwrap());
    assert!(gadgets.list(&Default::default()).await.unwrap().items.is_empty());
}

/// A resource without verbs.
fn resource(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
) -> ApiResource {
    ApiResource {
        info: ResourceInfo::from_static(group, version, kind, plural, true),
        singular: kind.to_lowercase(),
        short_names: Vec::new(),
        categories: Vec::new(),
        verbs: Vec::new(),
        subresources: Vec::new(),
    }
}

#[test]
fn a_name_that_several_resources_have_is_ambiguous() {
    // As on OpenShift.
    let resources = vec![
        resource("template.openshift.io", "v1", "Template", "processedtemplates"),
        resource("template.openshift.io", "v1", "Template", "templates"),
        resource("other.io", "v1", "Template", "templates"),
    ];
    let mapper = RestMapper::new(Served { resources, ..Served::default() });
    let error = mapper.resource_for(&GroupVersionResource::new("", "", "template")).unwrap_err();
    assert!(error.is_ambiguous());
    assert_eq!(
        error.to_string(),
        "/, Resource=template matches multiple resources [template.openshift.io/v1, Resource=processedtemplates \
         template.openshift.io/v1, Resource=templates other.io/v1, Resource=templates]"
    );
    // The kind is not, and the last resource serves it.
    for name in ["template", "Template", "templates", "template.template"] {
        assert_eq!(
            mapper.resource(name).unwrap().info,
            resource("template.openshift.io", "v1", "Template", "templates").info
        );
    }
    let other = mapper.resource_for(&GroupVersionResource::new("other.io", "", "template")).unwrap();
    assert_eq!(other.info.group, "other.io");
    let error = mapper.resource_for(&GroupVersionResource::new("other.io", "v2", "gadgets")).unwrap_err();
    assert_eq!(error.to_string(), "no matches for other.io/v2, Resource=gadgets");
    assert!(!error.is_ambiguous());
}

#[tokio::test]
async fn the_core_group_comes_before_the_others() {
    let resources = vec![resource("a.io", "v1", "Pod", "pods"), resource("", "v1", "Pod", "pods")];
    let mapper = RestMapper::new(Served { resources, ..Served::default() });
    let pods = GroupVersionResource::new("", "", "pods");
    assert_eq!(mapper.resource_for(&pods).unwrap().info.group, "");
    assert_eq!(mapper.kind_for(&pods).unwrap().group, "");
    assert_eq!(mapper.resource("pods.a").unwrap().info.group, "a.io");
}

#[tokio::test]
async fn a_deferred_mapper_asks_once_more_for_a_kind_that_it_does_not_know() {
    let (server, client) = cluster().await;
    let front = Front::proxy(&server, |_| {}).await;
    let mapper = DeferredRestMapper::new(front.client().discovery().memory_cached());
    assert_eq!(front.requests().len(), 0);
    assert_eq!(mapper.resource("deploy").await.unwrap().info.plural, "deployments");
    assert_eq!(mapper.kind("", "Pod", Some("v1")).await.unwrap().info.plural, "pods");
    assert_eq!(front.requests().len(), 2);

    create_gadgets(&client).await;
    // All who miss it share one answer.
    let asking = (0..20).map(|_| {
        let mapper = mapper.clone();
        tokio::spawn(async move { mapper.kind("shop.example", "Gadget", None).await })
    });
    for found in asking.collect::<Vec<_>>() {
        assert_eq!(found.await.unwrap().unwrap().info.plural, "gadgets");
    }
    assert_eq!(front.requests().len(), 4);

    let error = mapper.kind("shop.example", "Widget", Some("v1")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoMatch);
    assert_eq!(error.to_string(), r#"no matches for kind "Widget" in version "shop.example/v1""#);
    assert!(matches!(error.no_match(), Some(NoMatch::Kind { .. })));
    assert_eq!(front.requests().len(), 6);

    let nobody = Front::saying(&["HTTP/1.1 403 Forbidden\r\n\r\nno"]).await;
    let mapper = DeferredRestMapper::new(nobody.client().discovery().memory_cached());
    let error = mapper.resource("pods").await.unwrap_err();
    assert!(error.is_forbidden() && error.no_match().is_none(), "{error}");
}
