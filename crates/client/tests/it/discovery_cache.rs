//! Discovery from a cache in memory and on disk.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use http::header::{ACCEPT, IF_NONE_MATCH};
use klient_apiserver::TestServer;
use klient_client::{CachedDiscovery, Client, Config, DeferredRestMapper, DiskCache, Served};
use tempfile::TempDir;

use crate::cluster::{cluster, config, create_gadgets};
use crate::front::Front;
use crate::log::Log;

/// A server behind a front that counts the requests which name an ETag, and a cache folder.
struct Fixture {
    server: TestServer,
    front: Front,
    folder: TempDir,
    revalidations: Arc<AtomicUsize>,
}

impl Fixture {
    async fn new() -> Fixture {
        Fixture::changing(|_| {}).await
    }

    async fn changing(
        change: impl Fn(&mut http::Request<hyper::body::Incoming>) + Send + Sync + 'static,
    ) -> Fixture {
        let (server, _) = cluster().await;
        let revalidations = Arc::new(AtomicUsize::new(0));
        let counter = revalidations.clone();
        let front = Front::proxy(&server, move |request| {
            counter.fetch_add(usize::from(request.headers().contains_key(IF_NONE_MATCH)), Ordering::Relaxed);
            change(request);
        })
        .await;
        Fixture { server, front, folder: TempDir::new().unwrap(), revalidations }
    }

    /// The cache of a program that was just started.
    fn program(&self) -> CachedDiscovery {
        let client = self.front.client();
        let cache = DiskCache::below(self.folder.path(), &client.config().url);
        client.discovery().disk_cached(cache)
    }

    /// Everything that a program that was just started is told, and the requests for it.
    async fn resources(&self) -> (Arc<Served>, usize) {
        let before = self.front.requests().len();
        let served = self.program().resources().await.unwrap();
        (served, self.front.requests().len() - before)
    }

    /// The folder of the documents.
    fn documents(&self) -> PathBuf {
        let host = self.front.url().replace("http://", "").replace(':', "_");
        self.folder.path().join("discovery").join(host)
    }

    fn client(&self) -> Client {
        Client::new(config(&self.server)).unwrap()
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Makes all files of a folder older.
fn age(folder: &Path, by: Duration) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            age(&path, by);
        } else {
            let file = fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(SystemTime::now() - by).unwrap();
        }
    }
}

fn plurals(served: &Served) -> Vec<String> {
    served.resources.iter().map(|resource| format!("{resource:?}")).collect()
}

#[tokio::test]
async fn a_second_program_asks_nothing() {
    let fixture = Fixture::new().await;
    let (first, requests) = fixture.resources().await;
    assert_eq!(requests, 2);
    let (second, requests) = fixture.resources().await;
    assert_eq!(requests, 0);
    assert_eq!(second.groups, first.groups);
    assert_eq!(plurals(&second), plurals(&first));

    // In kubectl's layout, modes and form.
    let documents = fixture.documents();
    for file in ["servergroups.json", "v1/serverresources.json", "apps/v1/serverresources.json"] {
        assert_eq!(mode(&documents.join(file)), 0o660, "{file}");
    }
    assert_eq!(mode(&documents) & 0o027, 0, "it is written by the user and read by the group at most");
    let groups = fs::read_to_string(documents.join("servergroups.json")).unwrap();
    let head = r#"{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"","versions":[{"groupVersion":"v1","version":"v1"}],"preferredVersion":{"groupVersion":"v1","version":"v1"}},"#;
    assert!(groups.starts_with(head), "{groups}");
    let apps = fs::read_to_string(documents.join("apps/v1/serverresources.json")).unwrap();
    let head = r#"{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"apps/v1","resources":[{"name":"controllerrevisions","singularName":"controllerrevision","namespaced":true,"kind":"ControllerRevision","verbs":["#;
    assert!(apps.starts_with(head), "{apps}");
    let scale = r#"{"name":"deployments/scale","singularName":"deployment","namespaced":true,"group":"autoscaling","version":"v1","kind":"Scale","verbs":["get","patch","update"]}"#;
    assert!(apps.contains(scale), "{apps}");
}

#[tokio::test]
async fn documents_older_than_six_hours_are_asked_for_again_by_their_etag() {
    let fixture = Fixture::new().await;
    fixture.resources().await;
    age(fixture.folder.path(), Duration::from_secs(5 * 3600));
    assert_eq!(fixture.resources().await.1, 0);
    age(fixture.folder.path(), Duration::from_secs(6 * 3600 + 60));
    let (served, requests) = fixture.resources().await;
    assert_eq!((requests, fixture.revalidations.load(Ordering::Relaxed)), (2, 2));
    assert!(served.resources.iter().any(|resource| resource.info.plural == "deployments"));
    assert_eq!(fixture.resources().await.1, 0, "the documents are new again");

    // A response that was cut off is none.
    for entry in fs::read_dir(fixture.folder.path().join("http")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    }
    age(fixture.folder.path(), Duration::from_secs(7 * 3600));
    assert_eq!(fixture.resources().await.1, 2);
    assert_eq!(fixture.revalidations.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_name_that_is_missed_is_asked_for_once() {
    let fixture = Fixture::new().await;
    fixture.resources().await;
    create_gadgets(&fixture.client()).await;
    let before = fixture.front.requests().len();
    let mapper = DeferredRestMapper::new(fixture.program());
    assert!(!mapper.discovery().is_fresh().await);
    assert_eq!(mapper.resource("deploy").await.unwrap().info.plural, "deployments");
    assert_eq!(fixture.front.requests().len() - before, 0);
    assert_eq!(mapper.resource("gd").await.unwrap().info.plural, "gadgets");
    assert_eq!(fixture.front.requests().len() - before, 2);
    assert!(mapper.discovery().is_fresh().await);
    assert!(mapper.resource("widgets").await.unwrap_err().no_match().is_some());
    assert_eq!(fixture.front.requests().len() - before, 2);
    // The next program finds it at once.
    let mapper = DeferredRestMapper::new(fixture.program());
    assert_eq!(mapper.resource("gd").await.unwrap().info.plural, "gadgets");
    assert_eq!(fixture.front.requests().len() - before, 2);

    mapper.discovery().invalidate().await;
    mapper.mapper().await.unwrap();
    assert_eq!(fixture.front.requests().len() - before, 4);
}

#[tokio::test]
async fn a_broken_file_is_a_warning() {
    let fixture = Fixture::new().await;
    fixture.resources().await;
    for (file, bytes) in [
        ("servergroups.json", &b"{\"kind\":\"APIGroupList\",\"apiV"[..]),
        ("servergroups.json", b""),
        ("servergroups.json", b"[]"),
        ("servergroups.json", b"{\"kind\":\"APIGroupList\",\"groups\":null}"),
        ("apps/v1/serverresources.json", b"{\"kind\":\"APIResourceList\",\"apiVersion\":\"v1\",\"groupVer"),
        (
            "apps/v1/serverresources.json",
            b"{\"kind\":\"APIResourceList\",\"apiVersion\":\"v1\",\"groupVersion\":\"v2\",\"resources\":[]}",
        ),
        ("apps/v1/serverresources.json", b"\xff\xfe"),
    ] {
        let path = fixture.documents().join(file);
        fs::write(&path, bytes).unwrap();
        let log = Log::default();
        let _guard = tracing::subscriber::set_default(log.clone());
        let (served, requests) = fixture.resources().await;
        assert_eq!(requests, 2, "{file}");
        assert!(served.resources.iter().any(|resource| resource.info.plural == "deployments"));
        let told = log.text();
        assert!(told.contains("message: the discovery cache is not used"), "{told}");
        assert!(told.contains(&format!("file: {}", path.display())), "{told}");
        assert_eq!(fixture.resources().await.1, 0, "it is written anew");
    }
    // A file that is not there is none.
    fs::remove_file(fixture.documents().join("apps/v1/serverresources.json")).unwrap();
    assert_eq!(fixture.resources().await.1, 2);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_one_warning() {
    let fixture = Fixture::new().await;
    let file = fixture.folder.path().join("file");
    fs::write(&file, "").unwrap();
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let client = fixture.front.client();
    let discovery = client.discovery().disk_cached(DiskCache {
        discovery: file.join("discovery"),
        http: Some(file.join("http")),
        ttl: Duration::from_secs(3600),
    });
    for _ in 0..2 {
        let served = discovery.resources().await.unwrap();
        assert!(served.resources.iter().any(|resource| resource.info.plural == "pods"));
        discovery.invalidate().await;
    }
    let told = log.text();
    for folder in ["discovery", "http"] {
        let line = format!("folder: {}", file.join(folder).display());
        assert_eq!(told.matches(&line).count(), 1, "{told}");
    }
    assert!(told.contains("message: the discovery cache cannot be written"), "{told}");
}

#[tokio::test]
async fn a_group_version_that_failed_is_asked_for_by_the_next_program() {
    let fixture = Fixture::changing(|request| {
        request.headers_mut().insert(ACCEPT, "application/json".parse().unwrap());
        if request.uri().path() == "/apis/apps/v1" {
            *request.uri_mut() = "/apis/apps/v0".parse().unwrap();
        }
    })
    .await;
    for _ in 0..2 {
        let (served, requests) = fixture.resources().await;
        assert_eq!(served.failed.groups.keys().collect::<Vec<_>>(), ["apps/v1"]);
        assert!(requests > 10);
    }
    assert!(!fixture.documents().join("apps/v1/serverresources.json").exists());
    assert!(fixture.documents().join("v1/serverresources.json").exists());
}

#[tokio::test]
async fn a_group_version_does_not_lead_out_of_the_folder() {
    let groups = r#"{"kind":"APIGroupList","groups":[{"name":"../../..","versions":[
        {"groupVersion":"../../../v1","version":"v1"}],"preferredVersion":{"groupVersion":"../../../v1","version":"v1"}}]}"#;
    let front = Front::routing(&[("/apis?", groups)]).await;
    let folder = TempDir::new().unwrap();
    let client = front.client();
    let cache = DiskCache::below(&folder.path().join("a/b/c/d"), &client.config().url);
    client.discovery().disk_cached(cache).resources().await.unwrap();
    assert!(!folder.path().join("v1").exists() && !folder.path().join("a/v1").exists());
}

#[test]
fn the_folder_of_a_server_is_that_of_kubectl() {
    let check = |url: &str, folder: &str| {
        let cache = DiskCache::below(Path::new("/c"), &Config::from_url(url).unwrap().url);
        assert_eq!(cache.discovery, Path::new("/c/discovery").join(folder), "{url}");
        assert_eq!(cache.http.as_deref(), Some(Path::new("/c/http")));
        assert_eq!(cache.ttl, Duration::from_secs(6 * 3600));
    };
    check("https://127.0.0.1:6443", "127.0.0.1_6443");
    check("https://api.shop.example", "api.shop.example");
    check("https://api-1.shop.example:443/k8s/clusters/c-1/", "api_1.shop.example_443/k8s/clusters/c_1");
    check("http://[::1]:8080", "___1__8080");
    check("https://a/../../b", "a/b");
}
