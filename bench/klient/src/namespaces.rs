//! Lists of many namespaces, whole and in pages.

use klient_api::core::v1::Namespace;
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_client::{Client, Config, ListOptions};
use measure::{Args, Clock};
use serde_json::{Map, Value};
use tokio::task::JoinSet;

const WORKERS: usize = 32;

/// Lists the namespaces, of which there must be `--count` beside those of the server, in pages of `--page` if it is set;
/// creates them first with `--fill`.
pub async fn run(args: &Args, out: &mut Map<String, Value>) -> impl Sized + use<> {
    let config = Config::from_kubeconfig_file(args.str("kubeconfig", "kubeconfig")).unwrap();
    let client = Client::new(config).unwrap();
    let (count, page) = (args.num("count", 30_000), args.num("page", 0));
    if args.flag("fill") {
        fill(&client, count).await;
    }
    let namespaces = client.api::<Namespace>();
    let clock = Clock::start();
    let list = match page {
        0 => namespaces.list(&ListOptions::default()).await.unwrap(),
        page => {
            let limit = Some(u32::try_from(page).unwrap());
            namespaces.list_all(&ListOptions { limit, ..Default::default() }).await.unwrap()
        }
    };
    clock.stop(out);
    assert!(list.items.len() >= count, "{}", list.items.len());
    list
}

/// Creates the namespaces, unless that is done.
async fn fill(client: &Client, count: usize) {
    let mut creating = JoinSet::new();
    for worker in 0..WORKERS {
        let namespaces = client.api::<Namespace>();
        creating.spawn(async move {
            for number in (worker..count).step_by(WORKERS) {
                let metadata = ObjectMeta::named(format!("test{number}"));
                match namespaces.create(&Namespace { metadata, ..Default::default() }).await {
                    Ok(_) => {}
                    Err(error) => assert!(error.is_already_exists(), "{error}"),
                }
            }
        });
    }
    creating.join_all().await;
}
