//! A web service over informers, with axum: all pods, the objects of any resource, and the API of the cluster behind a proxy.
//! The twin of the service that guides to client-go build with Gin; `klient gateway` is one to deploy.

#![allow(clippy::print_stdout)]

mod cluster;

use std::fmt::Display;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use klient::api::core::v1::Pod;
use klient::http::Method;
use klient::proxy::{ReverseProxy, ReverseProxyOptions};
use klient::serde_json::{self, Value, json};
use klient::{Client, Config, InformerFactory, Informers, Lister, Object as _, RestMapper, Wire as _};
use tokio::net::TcpListener;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

struct Service {
    factory: InformerFactory,
    pods: Lister<Pod>,
    mapper: RestMapper,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    let informers = Informers::new(InformerFactory::new(client.clone()));
    let pods = informers.core_v1().pods().lister();
    informers.factory().start();
    informers.factory().wait_for_sync().await?;
    let mapper = RestMapper::new(client.discovery().resources().await?);
    let service = Arc::new(Service { factory: informers.factory().clone(), pods, mapper });
    let router: Router = Router::new()
        .route("/ping", get(async || answer(Ok::<_, BoxError>(None), "pong")))
        .route("/pod/list", get(pod_list))
        .route("/{resource}/{group}/{version}", get(list))
        .route_service("/api/{*path}", ReverseProxy::new(client.clone(), ReverseProxyOptions::default()))
        .route_service("/apis/{*path}", ReverseProxy::new(client.clone(), ReverseProxyOptions::default()))
        .with_state(service);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });

    let pod = r#"{"metadata": {"name": "web"}, "spec": {"containers": [{"name": "web", "image": "nginx"}]}}"#;
    let created = client.api::<Pod>().namespace("default").create(&Pod::from_json(pod.as_bytes())?).await?;
    informers
        .factory()
        .informer::<Pod>()
        .store()
        .wait_for_resource_version(created.resource_version())
        .await?;
    let to_service = Client::new(Config::from_url(&address)?)?;
    for path in ["/ping", "/pod/list", "/namespaces/core/v1", "/gadgets/example.com/v1", "/api/v1/pods"] {
        let response = to_service.request(Method::GET).request_uri(path).send().await?;
        let answer: Value = serde_json::from_slice(response.bytes())?;
        let items = answer["data"].as_array().or(answer["items"].as_array()).map(Vec::len);
        println!("{path}: code {}, message {}, {items:?} objects", answer["code"], answer["message"]);
    }
    serving.abort();
    Ok(())
}

async fn pod_list(State(service): State<Arc<Service>>) -> Json<Value> {
    let pods = service.pods.list().iter().map(|pod| serde_json::to_value(&**pod)).collect::<Result<_, _>>();
    answer(pods.map(Some), "success")
}

async fn list(
    State(service): State<Arc<Service>>,
    Path((resource, group, version)): Path<(String, String, String)>,
) -> Json<Value> {
    let group = if group == "core" { String::new() } else { group };
    let found = service.objects(&format!("{resource}.{version}.{group}")).await;
    answer(found.map(Some), "success")
}

impl Service {
    /// The objects of a resource, by an informer that starts when it is first asked for.
    async fn objects(&self, resource: &str) -> Result<Vec<Value>, BoxError> {
        let informer = self.factory.for_resource(&self.mapper.resource(resource)?.info);
        informer.start();
        informer.wait_for_sync().await?;
        Ok(informer.lister().list().iter().map(|object| Value::Object(object.0.clone())).collect())
    }
}

/// The answer to a request, which has the status 200 also if it has failed.
fn answer(data: Result<Option<Vec<Value>>, impl Display>, message: &str) -> Json<Value> {
    Json(match data {
        Ok(None) => json!({ "code": 20000, "message": message }),
        Ok(Some(items)) => json!({ "code": 20000, "message": message, "data": items }),
        Err(error) => json!({ "code": 40000, "message": error.to_string() }),
    })
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
