//! Random writes by several managers, in all the ways there are, keep what must hold of managed fields.
//!
//! A failure prints its seed: `KLIENT_SEED` makes the same choices again. `cargo xtask e2e` plays such sequences on a
//! real kube-apiserver beside this server.

use klient_apiserver::TestServer;
use klient_client::{Client, Config};
use klient_sequences::{Player, Sequence};

const SEQUENCES: u64 = 40;

const STEPS: usize = 15;

#[tokio::test]
async fn random_writes_keep_managed_fields_in_order() {
    let given = std::env::var("KLIENT_SEED").ok();
    let first = given.and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..1 << 32));
    println!("KLIENT_SEED={first}");
    let server = TestServer::start().await.expect("a server starts");
    let config = Config::from_kubeconfig(&server.kubeconfig()).expect("the server wrote it");
    let client = Client::new(Config { warnings: klient_client::WarningHandler::none(), ..config });
    let client = client.expect("the server wrote its configuration");
    Player::prepare(&client).await.expect("the server takes definitions");
    let mut applies = 0;
    for seed in first..first + SEQUENCES {
        let sequence = Sequence::new(seed, STEPS);
        let namespace = format!("seq-{seed}");
        let mut player = Player::new(&client, &namespace, &sequence).await.expect("the server has room");
        let mut requests = Vec::new();
        while let Some(played) = player.step().await.expect("the server answers") {
            requests.push(played.request.to_string());
            let wrong = played.violations();
            assert!(wrong.is_empty(), "KLIENT_SEED={seed}\n{}\n{}", requests.join("\n"), wrong.join("\n"));
            applies += u32::from(played.is_apply() && played.is_success());
        }
        player.finish().await.expect("the server answers");
    }
    // Most of what is made up is not refused.
    assert!(u64::from(applies) > SEQUENCES, "only {applies} applies were done");
}
