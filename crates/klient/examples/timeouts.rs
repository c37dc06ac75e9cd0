//! Limits the time of all requests of a client, or of one.

#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};

use http::Method;
use klient::api::core::v1::Namespace;
use klient::{Client, Config};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A server that takes connections and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let mut config = Config::from_url(&format!("http://{}", silent.local_addr()?))?;
    config.timeouts.whole = Some(Duration::from_millis(300));
    let client = Client::new(config)?;

    let began = Instant::now();
    let error = client.discovery().version().await.err().ok_or("there is no answer to expect")?;
    println!("{:.2} s: {error:?}", began.elapsed().as_secs_f64());

    let began = Instant::now();
    let request = client.request(Method::GET).group_version("", "v1").resource("namespaces");
    let error = request.timeout(Duration::from_millis(100)).send().await.err().ok_or("no answer")?;
    println!("{:.2} s: {error:?}", began.elapsed().as_secs_f64());

    let began = Instant::now();
    let namespaces = client.api::<Namespace>().timeout(Duration::from_millis(100));
    let error = namespaces.get("default").await.err().ok_or("no answer")?;
    println!("{:.2} s: {error:?}", began.elapsed().as_secs_f64());
    assert!(error.is_timeout());
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
