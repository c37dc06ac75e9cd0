//! The discovery cache on disk, which is kubectl's.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::counting_front::CountingFront;
use crate::playground::{Playground, Program};

const NAMESPACES: [&str; 1] = ["/api/v1/namespaces 200"];
const COLD: [&str; 3] = ["/api 200", "/api/v1/namespaces 200", "/apis 200"];

const GADGETS: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.shop.example}
spec:
  group: shop.example
  scope: Namespaced
  names: {plural: gadgets, singular: gadget, kind: Gadget, shortNames: [gd]}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"#;

/// A server behind a front, and a cache folder.
struct Fixture {
    playground: Playground,
    front: CountingFront,
    cache: tempfile::TempDir,
}

impl Fixture {
    async fn new() -> Fixture {
        let playground = Playground::new().await;
        let front = CountingFront::of(playground.client()).await;
        playground.write_kubeconfig("front", |_| front.kubeconfig());
        Fixture { playground, front, cache: tempfile::tempdir().unwrap() }
    }

    /// Runs a program with the cache folder, and gives its output and the requests that it made.
    async fn run(&self, program: &Program, line: &str) -> (String, Vec<String>) {
        let cache = ("KUBECACHEDIR".to_owned(), self.cache.path().display().to_string());
        self.run_with(program, &[cache], line).await
    }

    async fn run_with(
        &self,
        program: &Program,
        env: &[(String, String)],
        line: &str,
    ) -> (String, Vec<String>) {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let done = self.playground.run_with(program, "front", env, &args, None).await;
        let requests = self.front.take_requests();
        (format!("{}{}", done.stdout, done.stderr), requests)
    }
}

/// Makes all files of a folder older than six hours.
fn age(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            age(&path);
        } else {
            let file = fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(7 * 3600)).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_get_makes_one_request_on_a_warm_cache() {
    let fixture = Fixture::new().await;
    let klient = Program::klient();
    let (cold, requests) = fixture.run(&klient, "get ns").await;
    assert_eq!(requests, COLD, "{cold}");
    let (warm, requests) = fixture.run(&klient, "get ns").await;
    assert_eq!(requests, NAMESPACES);
    assert_eq!(warm.lines().count(), cold.lines().count());

    age(fixture.cache.path());
    let (_, requests) = fixture.run(&klient, "get ns").await;
    assert_eq!(requests, ["/api 304", "/api/v1/namespaces 200", "/apis 304"]);
    assert_eq!(fixture.run(&klient, "get ns").await.1, NAMESPACES);

    // Half a file.
    let host = fs::read_dir(fixture.cache.path().join("discovery")).unwrap().next().unwrap().unwrap().path();
    let groups = host.join("servergroups.json");
    let whole = fs::read(&groups).unwrap();
    fs::write(&groups, &whole[..whole.len() / 2]).unwrap();
    let (told, requests) = fixture.run(&klient, "get ns").await;
    assert_eq!(requests, ["/api 304", "/api/v1/namespaces 200", "/apis 304"]);
    assert!(told.starts_with("NAME ") && told.contains("kube-system"), "{told}");
    assert_eq!(fs::read(&groups).unwrap(), whole, "it is whole again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_not_in_the_cache_is_asked_for_once() {
    let fixture = Fixture::new().await;
    let klient = Program::klient();
    fixture.run(&klient, "get ns").await;
    fixture.playground.set_up(&["apply".into(), "-f".into(), "-".into()], Some(GADGETS)).await;
    let (told, requests) = fixture.run(&klient, "get gd -n default").await;
    assert_eq!(told, "No resources found in default namespace.\n");
    assert_eq!(requests, ["/api 304", "/apis 200", "/apis/shop.example/v1/namespaces/default/gadgets 200"]);
    let (told, requests) = fixture.run(&klient, "get widgets").await;
    assert_eq!(told, "error: the server doesn't have a resource type \"widgets\"\n");
    assert_eq!(requests, ["/api 304", "/apis 304"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn api_resources_and_api_versions_ask_the_server() {
    let fixture = Fixture::new().await;
    let klient = Program::klient();
    let (all, requests) = fixture.run(&klient, "api-resources").await;
    assert_eq!(requests, ["/api 200", "/apis 200"]);
    let (cached, requests) = fixture.run(&klient, "api-resources --cached").await;
    assert_eq!((cached, requests), (all, Vec::new()));
    assert_eq!(fixture.run(&klient, "api-resources").await.1, ["/api 304", "/apis 304"]);

    let (versions, requests) = fixture.run(&klient, "api-versions").await;
    assert_eq!(requests, ["/api 304", "/apis 304"]);
    let lines: Vec<&str> = versions.lines().collect();
    assert!(lines.is_sorted() && lines.contains(&"autoscaling/v1") && lines.contains(&"v1"), "{versions}");
    if let Some(kubectl) = Program::kubectl() {
        assert_eq!(fixture.run(&kubectl, "api-versions").await.0, versions);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cache_is_where_the_flag_or_the_environment_says() {
    let fixture = Fixture::new().await;
    let klient = Program::klient();
    fixture.run(&klient, "get ns").await;
    assert!(fixture.cache.path().join("discovery").is_dir() && fixture.cache.path().join("http").is_dir());

    let other = fixture.cache.path().join("other");
    let line = format!("get ns --cache-dir {}", other.display());
    assert_eq!(fixture.run(&klient, &line).await.1, COLD);
    assert!(other.join("discovery").is_dir());
    assert_eq!(fixture.run_with(&klient, &[], &line).await.1, NAMESPACES);

    // In the home directory.
    assert_eq!(fixture.run_with(&klient, &[], "get ns").await.1, COLD);
    assert_eq!(fixture.run_with(&klient, &[], "get ns").await.1, NAMESPACES);

    // A folder that cannot be made.
    fs::write(fixture.cache.path().join("file"), "").unwrap();
    let line = format!("get ns --cache-dir {}/file", fixture.cache.path().display());
    let (told, requests) = fixture.run(&klient, &line).await;
    assert_eq!(requests, COLD);
    assert!(told.starts_with("NAME ") && told.contains("kube-system"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn klient_and_kubectl_share_the_cache() {
    let Some(kubectl) = Program::kubectl() else {
        eprintln!("skipped: kubectl.1.33 is not installed");
        return;
    };
    let klient = Program::klient();
    for (writer, reader) in [(&kubectl, &klient), (&klient, &kubectl)] {
        let fixture = Fixture::new().await;
        fixture.playground.set_up(&["apply".into(), "-f".into(), "-".into()], Some(GADGETS)).await;
        fixture.run(writer, "get ns").await;
        let (told, requests) = fixture.run(reader, "get ns").await;
        assert_eq!(requests, NAMESPACES, "{reader:?}: {told}");
        assert!(told.contains("kube-system"), "{told}");
        let (told, requests) = fixture.run(reader, "get gd -n default").await;
        assert_eq!(told, "No resources found in default namespace.\n");
        assert_eq!(requests, ["/apis/shop.example/v1/namespaces/default/gadgets 200"], "{reader:?}");
        let listed = fixture.run(reader, "api-resources --cached -o wide").await;
        assert_eq!(listed, (fixture.run(writer, "api-resources --cached -o wide").await.0, Vec::new()));
    }
    // The server confirms to klient the responses that kubectl has kept.
    let fixture = Fixture::new().await;
    fixture.run(&kubectl, "get ns").await;
    age(fixture.cache.path());
    let (_, requests) = fixture.run(&klient, "get ns").await;
    assert_eq!(requests, ["/api 304", "/api/v1/namespaces 200", "/apis 304"]);
}
