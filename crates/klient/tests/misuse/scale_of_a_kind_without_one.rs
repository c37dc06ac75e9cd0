use klient::Client;
use klient::api::autoscaling::v1::Scale;
use klient::api::core::v1::Pod;

async fn program(client: Client, scale: Scale) {
    let _ = client.api::<Pod>().namespace("shop").update_scale("web-0", &scale);
}

fn main() {}
