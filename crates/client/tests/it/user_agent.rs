//! The `User-Agent` header.

use std::sync::{Arc, Mutex};

use klient_client::{Client, Config, user_agent};

use crate::cluster::cluster;
use crate::front::Front;

/// The header that a server gets.
async fn sent(agent: Option<String>) -> String {
    let (server, _) = cluster().await;
    let seen = Arc::new(Mutex::new(String::new()));
    let noting = seen.clone();
    let front = Front::proxy(&server, move |request| {
        *noting.lock().unwrap() = request.headers()["user-agent"].to_str().unwrap().to_owned();
    })
    .await;
    let mut config = Config::from_url(&front.url()).unwrap();
    config.user_agent = agent.unwrap_or(config.user_agent);
    Client::new(config).unwrap().discovery().version().await.unwrap();
    let seen = seen.lock().unwrap();
    seen.clone()
}

#[tokio::test]
async fn the_program_names_itself_in_the_form_of_client_go() {
    let system = if cfg!(all(target_os = "linux", target_arch = "x86_64")) { "(linux/amd64)" } else { "(" };
    let own = sent(None).await;
    let program = std::env::current_exe().unwrap().file_name().unwrap().to_string_lossy().into_owned();
    assert!(own.starts_with(&format!("{program}/unknown {system}")), "{own}");
    assert!(own.ends_with(&format!(" klient/{}", env!("CARGO_PKG_VERSION"))), "{own}");
    let given = sent(Some(user_agent("shop", "1.2.3-rc.1"))).await;
    assert!(given.starts_with(&format!("shop/1.2.3-rc.1 {system}")), "{given}");
    assert!(user_agent("", "").starts_with("unknown/unknown ("));
}
