//! The owner of a key, among replicas of one program that share keys by an embedded server.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use klient_apiserver::TestServer;
use klient_client::{Client, Config};
use klient_controller::sharding::{Sharding, ShardingConfig};

/// Joins replicas, and waits until the first of them sees all.
async fn group(server: &TestServer, replicas: usize) -> Vec<Sharding> {
    let config = Config::from_kubeconfig(&server.kubeconfig()).expect("the kubeconfig is right");
    let client = Client::new(config).expect("the configuration is right");
    let join = |_| {
        let config = ShardingConfig {
            namespace: "default".into(),
            name: format!("group-of-{replicas}").into(),
            retry_period: Duration::from_millis(100),
            ..Default::default()
        };
        Sharding::join(&client, config).expect("the configuration is right")
    };
    let group: Vec<_> = (0..replicas).map(join).collect();
    let mut assignments = group[0].assignments();
    while assignments.next().await.expect("it has not left").members().len() < replicas {}
    group
}

fn owner(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = runtime.block_on(TestServer::start()).expect("a server");
    for replicas in [1, 8, 32] {
        let group = runtime.block_on(group(&server, replicas));
        criterion.bench_function(&format!("owns/{replicas} members"), |bencher| {
            bencher.iter(|| group[0].owns(black_box("default/web-0")));
        });
        runtime.block_on(async {
            for replica in group {
                replica.leave().await;
            }
        });
    }
}

criterion_group!(benches, owner);
criterion_main!(benches);
