//! Protobuf and JSON: what is sent and accepted, and what becomes of servers that know only one of them.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderName};
use http::{Method, Request, Response};
use http_body_util::Full;
use klient_api::apps::v1::Deployment;
use klient_api::core::v1::{ConfigMap, Pod};
use klient_apiserver::TestServer;
use klient_client::{
    Client, Config, DeleteOptions, Encoding, ErrorKind, ListOptions, Patch, RequestBody, ResponseBody,
    Transport, WatchOptions,
};
use serde_json::json;
use tower::ServiceExt as _;

use crate::cluster::{cluster, config, config_map, create_gadgets, pod, soon, told};
use crate::front::Front;

const JSON: &str = "application/json";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
const EITHER: &str = "application/vnd.kubernetes.protobuf,application/json";

/// Requests and responses: verb, accepted and sent media type, media type of the response.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wire(Arc<Mutex<Vec<String>>>);

impl Wire {
    pub(crate) fn client(&self, config: Config) -> Client {
        let wire = self.clone();
        let layer = tower::layer::layer_fn(move |transport: Transport| {
            let wire = wire.clone();
            tower::service_fn(move |request: Request<RequestBody>| {
                let (wire, transport) = (wire.clone(), transport.clone());
                async move {
                    let sent = format!(
                        "{} accepts {} sends {}",
                        request.method(),
                        text(request.headers(), ACCEPT),
                        text(request.headers(), CONTENT_TYPE)
                    );
                    let response: Response<ResponseBody> = transport.oneshot(request).await?;
                    let answered = text(response.headers(), CONTENT_TYPE);
                    let line = format!("{sent} gets {} {answered}", response.status().as_u16());
                    wire.0.lock().unwrap().push(line);
                    Ok::<_, klient_client::BoxError>(response)
                }
            })
        });
        Client::with_layer(config, layer).unwrap()
    }

    /// The requests and responses since the last call.
    pub(crate) fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn text(headers: &http::HeaderMap, name: HeaderName) -> String {
    headers.get(name).map_or("nothing".to_owned(), |value| value.to_str().unwrap().to_owned())
}

async fn recorded(encoding: Encoding) -> (TestServer, Client, Wire) {
    let (server, _) = cluster().await;
    let wire = Wire::default();
    let client = wire.client(Config { encoding, ..config(&server) });
    (server, client, wire)
}

#[tokio::test]
async fn built_in_kinds_go_in_protobuf() {
    let (_server, client, wire) = recorded(Encoding::Negotiate).await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let mut created = config_maps.create(&config_map("sky", "blue")).await.unwrap();
    created.data.insert("color", "grey".into());
    let updated = config_maps.update(&created).await.unwrap();
    assert_eq!(config_maps.get("sky").await.unwrap(), updated);
    config_maps.patch("sky", &Patch::Merge(json!({"data": {"color": "red"}}))).await.unwrap();
    assert_eq!(config_maps.list(&ListOptions::default()).await.unwrap().items[0].data["color"], "red");
    let mut watch = config_maps.watch(&WatchOptions::default()).await.unwrap();
    assert_eq!(told(&soon("an event", watch.next()).await.unwrap().unwrap()), "+sky");
    let options = DeleteOptions::background();
    config_maps.delete("sky", &options).await.unwrap();
    assert_eq!(told(&soon("an event", watch.next()).await.unwrap().unwrap()), "-sky");
    assert!(config_maps.get("sky").await.unwrap_err().is_not_found());
    assert_eq!(
        wire.taken(),
        [
            format!("POST accepts {EITHER} sends {PROTOBUF} gets 201 {PROTOBUF}"),
            format!("PUT accepts {EITHER} sends {PROTOBUF} gets 200 {PROTOBUF}"),
            format!("GET accepts {EITHER} sends nothing gets 200 {PROTOBUF}"),
            format!("PATCH accepts {EITHER} sends application/merge-patch+json gets 200 {PROTOBUF}"),
            format!("GET accepts {EITHER} sends nothing gets 200 {PROTOBUF}"),
            format!("GET accepts {EITHER} sends nothing gets 200 {PROTOBUF};stream=watch"),
            format!("DELETE accepts {EITHER} sends {PROTOBUF} gets 200 {PROTOBUF}"),
            format!("GET accepts {EITHER} sends nothing gets 404 {PROTOBUF}"),
        ]
    );
}

#[tokio::test]
async fn other_kinds_go_in_json() {
    let (server, client, wire) = recorded(Encoding::Negotiate).await;
    create_gadgets(&client).await;
    wire.taken();
    let gadgets = client.discovery().resources().await.unwrap();
    let mapper = klient_client::RestMapper::new(gadgets);
    wire.taken();
    let gadgets = client.dynamic(mapper.resource("gadgets").unwrap()).namespace("default");
    assert!(gadgets.list(&ListOptions::default()).await.unwrap().items.is_empty());
    let pods = client.dynamic(mapper.resource("pods").unwrap()).namespace("default");
    assert!(pods.list(&ListOptions::default()).await.unwrap().items.is_empty());
    let line = format!("GET accepts {JSON} sends nothing gets 200 {JSON}");
    assert_eq!(wire.taken(), [line.clone(), line]);
    drop(server);
}

#[tokio::test]
async fn both_formats_say_the_same() {
    let (server, _) = cluster().await;
    let in_format = |encoding| Client::new(Config { encoding, ..config(&server) }).unwrap();
    let (protobuf, json) = (in_format(Encoding::Protobuf), in_format(Encoding::Json));
    let created = protobuf.api::<Pod>().namespace("default").create(&pod("a", "web")).await.unwrap();
    assert_eq!(json.api::<Pod>().namespace("default").get("a").await.unwrap(), created);
    let deployment: Deployment = serde_json::from_value(json!({
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{
                    "name": "web", "image": "nginx",
                    "resources": {"requests": {"cpu": "0.5", "memory": "1024Mi"}},
                    "ports": [{"containerPort": 80}],
                    "livenessProbe": {"httpGet": {"port": "http", "path": "/"}},
                }]},
            },
        },
    }))
    .unwrap();
    let created = json.api::<Deployment>().namespace("default").create(&deployment).await.unwrap();
    assert_eq!(protobuf.api::<Deployment>().namespace("default").get("web").await.unwrap(), created);
    let lists = (
        protobuf.api::<Deployment>().list(&ListOptions::default()).await.unwrap(),
        json.api::<Deployment>().list(&ListOptions::default()).await.unwrap(),
    );
    assert_eq!(lists.0, lists.1);
}

#[tokio::test]
async fn a_server_that_does_not_read_protobuf_is_remembered() {
    let unsupported = "HTTP/1.1 415 Unsupported Media Type\r\ncontent-length: 0\r\n\r\n";
    let own = r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"sky"}}"#;
    let taken = format!("HTTP/1.1 201 Created\r\ncontent-type: application/json\r\n\r\n{own}");
    let front = Front::saying(&[unsupported, &taken]).await;
    let wire = Wire::default();
    let client = wire.client(front.client().config().clone());
    let config_maps = client.api::<ConfigMap>().namespace("default");
    for _ in 0..2 {
        config_maps.create(&config_map("sky", "blue")).await.unwrap();
    }
    let in_json = format!("POST accepts {JSON} sends {JSON} gets 201 {JSON}");
    let refused = format!("POST accepts {EITHER} sends {PROTOBUF} gets 415 nothing");
    assert_eq!(wire.taken(), [refused, in_json.clone(), in_json]);
}

#[tokio::test]
async fn a_server_that_does_not_write_protobuf_is_remembered() {
    let list = r#"{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[]}"#;
    let list = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{list}");
    let refusal = "HTTP/1.1 406 Not Acceptable\r\ncontent-length: 0\r\n\r\n";
    for (answers, first) in [(vec![refusal, &*list], Some("406 nothing")), (vec![&*list], None)] {
        let front = Front::saying(&answers).await;
        let wire = Wire::default();
        let client = wire.client(front.client().config().clone());
        for _ in 0..2 {
            assert!(client.api::<Pod>().list(&ListOptions::default()).await.unwrap().items.is_empty());
        }
        let second = format!("GET accepts {JSON} sends nothing gets 200 {JSON}");
        let first = match first {
            Some(first) => vec![format!("GET accepts {EITHER} sends nothing gets {first}"), second.clone()],
            // One that answers in JSON has answered.
            None => vec![format!("GET accepts {EITHER} sends nothing gets 200 {JSON}")],
        };
        assert_eq!(wire.taken(), [first, vec![second]].concat());
    }
}

#[tokio::test]
async fn a_format_that_was_demanded_is_all_there_is() {
    let refusal = "HTTP/1.1 406 Not Acceptable\r\ncontent-length: 0\r\n\r\n";
    let front = Front::saying(&[refusal]).await;
    let config = Config { encoding: Encoding::Protobuf, ..front.client().config().clone() };
    let wire = Wire::default();
    let client = wire.client(config);
    let error = client.api::<Pod>().list(&ListOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), Some(406));
    assert_eq!(wire.taken(), [format!("GET accepts {PROTOBUF} sends nothing gets 406 nothing")]);
}

#[tokio::test]
async fn protobuf_that_is_cut_or_another_kinds_is_told() {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {PROTOBUF}\r\n\r\n");
    for (body, problem) in [
        ("k8s\0\n\r\n\u{2}v1\u{12}\u{7}PodList\u{12}\u{5}\n", "the list is cut off behind 0 items"),
        ("k8s\0\n\u{e}\n\u{2}v1\u{12}\u{8}NodeList\u{12}\0", "expected v1 PodList, found v1 NodeList"),
        ("{\"kind\":\"PodList\"}", "it does not begin with `k8s\\0`"),
    ] {
        let front = Front::saying(&[&format!("{head}{body}")]).await;
        let error = front.client().api::<Pod>().list(&ListOptions::default()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(format!("{error:?}").contains(problem), "{error:?}");
    }
}

#[tokio::test]
async fn large_answers_come_compressed_where_that_is_asked_for() {
    let (server, plain) = cluster().await;
    let mut large = config_map("large", "blue");
    large.data.insert("text", "The sky is blue. ".repeat(20_000).into());
    plain.api::<ConfigMap>().namespace("default").create(&large).await.unwrap();
    let encodings = Arc::new(Mutex::new(Vec::new()));
    let seen = encodings.clone();
    let layer = tower::layer::layer_fn(move |transport: Transport| {
        let seen = seen.clone();
        transport
            .map_request(|request: Request<RequestBody>| {
                assert_eq!(request.headers()[ACCEPT_ENCODING], "gzip");
                request
            })
            .map_response(move |response: Response<ResponseBody>| {
                seen.lock().unwrap().push(text(response.headers(), CONTENT_ENCODING));
                response
            })
    });
    let client = Client::with_layer(Config { disable_compression: false, ..config(&server) }, layer).unwrap();
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let list = config_maps.list(&ListOptions::default()).await.unwrap();
    assert_eq!(list.items[0].data["text"], large.data["text"]);
    assert_eq!(config_maps.get("large").await.unwrap(), list.items[0]);
    let mut watch = config_maps.watch(&WatchOptions::default()).await.unwrap();
    assert_eq!(told(&soon("an event", watch.next()).await.unwrap().unwrap()), "+large");
    plain.api::<ConfigMap>().namespace("default").create(&config_map("small", "red")).await.unwrap();
    assert_eq!(told(&soon("an event", watch.next()).await.unwrap().unwrap()), "+small");
    assert_eq!(encodings.lock().unwrap()[..2], ["gzip", "gzip"]);
}

#[tokio::test]
async fn an_answer_that_is_much_longer_than_it_is_compressed_comes_in_parts() {
    let (server, _) = cluster().await;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![0; 16 << 20]).unwrap();
    let compressed = Bytes::from(encoder.finish().unwrap());
    assert!(compressed.len() < 64 << 10);
    let layer = tower::layer::layer_fn(move |transport: Transport| {
        let compressed = compressed.clone();
        transport.map_response(move |_| {
            let response = Response::builder().header(CONTENT_ENCODING, "gzip");
            response.body(ResponseBody::new(Full::new(compressed.clone()))).unwrap()
        })
    });
    let client = Client::with_layer(config(&server), layer).unwrap();
    let mut stream = client.request(Method::GET).absolute_path("/version").stream().await.unwrap();
    let (mut length, mut longest) = (0, 0);
    while let Some(part) = stream.chunk().await.unwrap() {
        length += part.len();
        longest = longest.max(part.len());
    }
    assert_eq!(length, 16 << 20);
    assert!(longest < 2 << 20, "a part has {longest} bytes");
}
