//! Lists in pages.

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::{ListOptions, Object as _, VersionMatch};
use klient_cache::{Pager, PagerOptions};

use crate::cluster::{cluster, config_maps, create, soon};
use crate::front::{Answer, Front, status};

fn pages_of(size: u32) -> PagerOptions {
    PagerOptions { list: ListOptions { limit: Some(size), ..Default::default() }, ..Default::default() }
}

/// Refuses all pages after the first.
fn forgetful(line: &str, _: usize) -> Answer {
    line.contains("continue=").then(|| (410, status(410, "Expired")))
}

/// The names of all remaining objects.
async fn names(pager: &mut Pager<ConfigMap>) -> Vec<String> {
    let mut names = Vec::new();
    while let Some(object) = soon("an object", pager.next()).await.unwrap() {
        names.push(object.name().to_owned());
    }
    names
}

/// The parameters of a request.
fn asked(request: &str) -> String {
    let query = request.split_once('?').map_or("", |(_, query)| query);
    let parts = query.split('&').map(|part| match part.split_once('=') {
        Some(("continue", _)) => "continue",
        Some(("resourceVersion", _)) => "resourceVersion",
        _ => part,
    });
    let mut parts: Vec<_> = parts.collect();
    parts.sort_unstable();
    parts.join(" ")
}

#[tokio::test]
async fn objects_come_page_by_page_and_only_the_first_says_the_version() {
    let (server, client) = cluster().await;
    let version = create(&config_maps(&client), &["a", "b", "c", "d", "e"]).await;
    let front = Front::passing(&server).await;
    let options = PagerOptions {
        list: ListOptions {
            limit: Some(2),
            label_selector: Some("color=red".into()),
            resource_version: Some(version.as_str().into()),
            resource_version_match: Some(VersionMatch::Exact),
            ..Default::default()
        },
        ..Default::default()
    };
    let mut pager = Pager::new(config_maps(&front.client()), options);
    // An object created meanwhile is not in the list.
    assert_eq!(pager.next().await.unwrap().unwrap().name(), "a");
    create(&config_maps(&client), &["bb"]).await;
    assert_eq!(names(&mut pager).await, ["b", "c", "d", "e"]);
    assert_eq!((pager.pages(), pager.resource_version()), (3, version.as_str()));
    let requests: Vec<_> = front.requests().iter().map(|request| asked(request)).collect();
    let selector = "labelSelector=color%3Dred limit=2";
    assert_eq!(
        requests,
        [
            format!("{selector} resourceVersion resourceVersionMatch=Exact"),
            format!("continue {selector}"),
            format!("continue {selector}")
        ]
    );
}

#[tokio::test]
async fn a_page_has_five_hundred_objects() {
    let (server, client) = cluster().await;
    create(&config_maps(&client), &["a"]).await;
    let front = Front::passing(&server).await;
    let mut pager = Pager::new(config_maps(&front.client()), PagerOptions::default());
    assert_eq!(names(&mut pager).await, ["a"]);
    assert_eq!(asked(&front.requests()[0]), "limit=500");
}

#[tokio::test]
async fn no_request_is_open_while_objects_are_looked_at() {
    let (server, client) = cluster().await;
    create(&config_maps(&client), &["a", "b", "c"]).await;
    let front = Front::passing(&server).await;
    let mut pager = Pager::new(config_maps(&front.client()), pages_of(2));
    for (name, requests) in [("a", 1), ("b", 1), ("c", 2)] {
        assert_eq!(pager.next().await.unwrap().unwrap().name(), name);
        soon("no stream", front.streams(0)).await;
        assert_eq!(front.requests().len(), requests);
    }
    assert!(pager.next().await.unwrap().is_none());
    assert_eq!(front.requests().len(), 2);
}

#[tokio::test]
async fn a_version_that_is_forgotten_between_pages_is_expired() {
    let (server, client) = cluster().await;
    create(&config_maps(&client), &["a", "b", "c"]).await;
    let mut pager = Pager::new(config_maps(&client), pages_of(2));
    assert_eq!(pager.next().await.unwrap().unwrap().name(), "a");
    create(&config_maps(&client), &["d"]).await;
    server.compact();
    assert_eq!(pager.next().await.unwrap().unwrap().name(), "b");
    for _ in 0..2 {
        let error = pager.next().await.unwrap_err();
        assert!(error.is_expired(), "{error:?}");
        assert!(error.to_string().starts_with("cannot list configmaps in namespace default: "), "{error}");
    }
}

#[tokio::test]
async fn everything_is_listed_at_once_if_the_version_is_forgotten() {
    let (server, client) = cluster().await;
    let version = create(&config_maps(&client), &["a", "b", "c"]).await;
    let at = |options: PagerOptions| PagerOptions {
        list: ListOptions { resource_version: Some(version.as_str().into()), ..options.list },
        ..options
    };
    let front = Front::of(&server, forgetful).await;
    let listed = Pager::new(config_maps(&front.client()), at(pages_of(2))).list().await.unwrap();
    let names: Vec<_> = listed.items.iter().map(|object| object.name()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(listed.continue_token(), None);
    let requests: Vec<_> = front.requests().iter().map(|request| asked(request)).collect();
    assert_eq!(requests, ["limit=2 resourceVersion", "continue limit=2", "resourceVersion"]);

    let strict = PagerOptions { full_list_if_expired: false, ..pages_of(2) };
    let error = Pager::new(config_maps(&front.client()), strict).list().await.unwrap_err();
    assert!(error.is_expired(), "{error:?}");
}

#[tokio::test]
async fn a_first_page_that_is_refused_is_not_asked_for_in_another_way() {
    let (server, _) = cluster().await;
    let front = Front::of(&server, |_, _| Some((410, status(410, "Expired")))).await;
    let error = Pager::new(config_maps(&front.client()), pages_of(2)).list().await.unwrap_err();
    assert!(error.is_expired(), "{error:?}");
    assert_eq!(front.requests().len(), 1);
}

#[tokio::test]
async fn what_is_left_is_listed_together() {
    let (_server, client) = cluster().await;
    let version = create(&config_maps(&client), &["a", "b", "c", "d", "e"]).await;
    let mut pager = Pager::new(config_maps(&client), pages_of(2));
    assert_eq!(pager.next().await.unwrap().unwrap().name(), "a");
    let listed = pager.list().await.unwrap();
    let names: Vec<_> = listed.items.iter().map(|object| object.name()).collect();
    assert_eq!(names, ["b", "c", "d", "e"]);
    assert_eq!(listed.resource_version(), version);
}

#[tokio::test]
async fn an_object_that_cannot_be_decoded_is_named_and_the_next_comes() {
    let (server, _) = cluster().await;
    let list = r#"{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"9"},"items":[
        {"metadata":{"name":"a","namespace":"default","resourceVersion":"7"},"data":{"color":7}},
        {"metadata":{"name":"b","namespace":"default","resourceVersion":"8"},"data":{"color":"red"}}]}"#;
    let front = Front::of(&server, |_, _| Some((200, list.to_owned()))).await;
    let mut pager = Pager::new(config_maps(&front.client()), PagerOptions::default());
    let error = pager.next().await.unwrap_err();
    assert_eq!(error.undecodable_object().unwrap().to_string(), "default/a");
    assert_eq!(error.field(), "data.color");
    assert_eq!(pager.next().await.unwrap().unwrap().metadata.name.as_deref(), Some("b"));
    assert!(pager.next().await.unwrap().is_none());
    let error = Pager::new(config_maps(&front.client()), PagerOptions::default()).list().await.unwrap_err();
    assert_eq!(error.undecodable_object().unwrap().name, "a");
}
