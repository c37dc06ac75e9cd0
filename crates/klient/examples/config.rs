//! Reaches a cluster from outside or from inside it, with a limit of requests per second and as another user.

#![allow(clippy::print_stdout)]

mod cluster;

use klient::api::authentication::v1::SelfSubjectReview;
use klient::api::core::v1::Secret;
use klient::{Client, Config, Credentials, Impersonation, RateLimiter, user_agent};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    // Inside the cluster it is the service account of the pod, outside it a kubeconfig: `Config::infer` does both.
    let mut config = match Config::in_cluster() {
        Ok(config) if !cfg!(test) => config,
        _ => client.config().clone(),
    };
    // client-go's `QPS` and `Burst`; there is no limit by default.
    config.rate_limiter = Some(RateLimiter::token_bucket(50.0, 100)?);
    config.user_agent = user_agent("shop-operator", env!("CARGO_PKG_VERSION"));
    println!("{} with the namespace {}", config.url, config.namespace);
    println!("signed in as {}", user_name(&Client::new(config.clone())?).await?);

    // The same credentials act as another user.
    let ada = Impersonation { user: "ada".into(), groups: vec!["team".into()], ..Default::default() };
    config.impersonate = Some(ada);
    let as_ada = Client::new(config.clone())?;
    println!("acting as {}", user_name(&as_ada).await?);
    let error = as_ada.api::<Secret>().namespace("default").get("password").await.err().ok_or("no error")?;
    assert!(error.is_forbidden());
    println!("{error}");

    // Without a kubeconfig: a URL, an authority and a token.
    let mut by_hand = Config::from_url(&config.url.to_string())?;
    by_hand.tls.ca = config.tls.ca.clone();
    by_hand.credentials = Credentials::token("a token that the server does not know");
    let error = user_name(&Client::new(by_hand)?).await.err().ok_or("no error")?;
    println!("{error}");
    Ok(())
}

/// The name by which the server knows the user, as `kubectl auth whoami` prints it.
async fn user_name(client: &Client) -> Result<String, klient::Error> {
    let review = client.api::<SelfSubjectReview>().create(&SelfSubjectReview::default()).await?;
    let user = review.status.user_info.unwrap_or_default();
    Ok(user.username.unwrap_or_default().to_string())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
