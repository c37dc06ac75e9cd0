use klient::Client;
use klient::api::core::v1::Pod;

async fn program(client: Client, pod: Pod) {
    let pods = client.api::<Pod>();
    let _ = pods.get("web-0");
    let _ = pods.create(&pod);
}

fn main() {}
