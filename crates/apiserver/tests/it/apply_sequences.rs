//! Random writes by several managers, in all the ways there are, keep what must hold of managed fields.
//!
//! A failure prints its seed: `KLIENT_SEED` makes the same choices again. `cargo xtask e2e` plays such sequences on a
//! real kube-apiserver beside this server.

use klient_apiserver::TestServer;
use klient_client::{Client, Config};
use klient_sequences::{Player, Sequence, Webhooks};

const STEPS: usize = 15;

async fn prepared() -> (TestServer, Client) {
    let server = TestServer::start().await.expect("a server starts");
    let config = Config::from_kubeconfig(&server.kubeconfig()).expect("the server wrote it");
    let client = Client::new(Config { warnings: klient_client::WarningHandler::none(), ..config });
    let client = client.expect("the server wrote its configuration");
    Player::prepare(&client).await.expect("the server takes definitions");
    (server, client)
}

fn first_seed() -> u64 {
    let given = std::env::var("KLIENT_SEED").ok();
    given.and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..1 << 32))
}

/// Plays sequences, and returns the number of applies that were done.
async fn play(client: &Client, sequences: impl Iterator<Item = Sequence>) -> usize {
    let mut applies = 0;
    for sequence in sequences {
        let seed = sequence.seed();
        let mut player =
            Player::new(client, &format!("seq-{seed}"), &sequence).await.expect("the server has room");
        let mut requests = Vec::new();
        while let Some(played) = player.step().await.expect("the server answers") {
            requests.push(played.request.to_string());
            let wrong = played.violations();
            assert!(wrong.is_empty(), "KLIENT_SEED={seed}\n{}\n{}", requests.join("\n"), wrong.join("\n"));
            applies += usize::from(played.is_apply() && played.is_success());
        }
        player.finish().await.expect("the server answers");
    }
    applies
}

#[tokio::test]
async fn random_writes_keep_managed_fields_in_order() {
    const SEQUENCES: u64 = 40;
    let (_server, client) = prepared().await;
    let first = first_seed();
    println!("KLIENT_SEED={first}");
    let sequences = (first..first + SEQUENCES).map(|seed| Sequence::new(seed, STEPS));
    // Most of what is made up is not refused.
    let applies = play(&client, sequences).await;
    assert!(applies > 40, "only {applies} applies were done");
}

#[tokio::test]
async fn random_writes_that_webhooks_change_and_convert_keep_managed_fields_in_order() {
    const SEQUENCES: u64 = 20;
    let (_server, client) = prepared().await;
    let webhooks = Webhooks::start().await.expect("the machine has a free port");
    Player::prepare_webhooks(&client, &webhooks).await.expect("the server takes webhooks");
    let first = first_seed();
    println!("KLIENT_SEED={first}");
    let sequences = (first..first + SEQUENCES).map(|seed| Sequence::with_webhooks(seed, STEPS));
    let applies = play(&client, sequences).await;
    assert!(applies > 10, "only {applies} applies were done");
}
