//! Serves live tables of a cluster over HTTP, and follows a change as a server-sent event. `klient gateway` is the program.

#![allow(clippy::print_stdout)]

use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use klient::api::core::v1::ConfigMap;
use klient::gateway::{Gateway, Options};
use klient::http::{Request, Response};
use klient::{ObjectMeta, TestClient as _, TestServer};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cluster = TestServer::start().await?;
    // By default it reads only, and shows no values of Secrets.
    let gateway =
        Gateway::new(cluster.client(), Options { context: Some("example".into()), ..Options::default() })?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    println!("The page is at http://{address}{}", gateway.page());
    let token = gateway.token().unwrap_or_default().to_owned();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(gateway.serve(listener, async move { drop(stopped.await) }));

    let table = get(&address, &token, "/v1/table/core/v1/configmaps?namespace=default").await?;
    let table: klient::serde_json::Value =
        klient::serde_json::from_slice(&table.into_body().collect().await?.to_bytes())?;
    println!("{} rows, as of {}", table["total"], table["cursor"]);
    let cursor = table["cursor"].as_str().unwrap_or_default();
    let changes = format!("/v1/changes/core/v1/configmaps?namespace=default&cursor={cursor}");
    let mut changes = get(&address, &token, &changes).await?.into_body();

    let map = ConfigMap { metadata: ObjectMeta::named("lamp"), ..ConfigMap::default() };
    cluster.client().api::<ConfigMap>().namespace("default").create(&map).await?;
    while let Some(frame) = changes.frame().await {
        let frame = frame?;
        let text = String::from_utf8_lossy(frame.data_ref().map_or(b"", |data| &data[..]));
        if text.contains("event: change") {
            println!("{}", text.trim());
            break;
        }
    }
    // Streams end with it.
    drop(stop);
    serving.await??;
    Ok(())
}

/// Sends a request with the token of the gateway. A browser has it in a cookie.
async fn get(
    address: &str,
    token: &str,
    path: &str,
) -> Result<Response<Incoming>, Box<dyn std::error::Error>> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request =
        Request::get(path).header("host", address).header("authorization", format!("Bearer {token}"));
    Ok(sender.send_request(request.body(Empty::<&[u8]>::new())?).await?)
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
