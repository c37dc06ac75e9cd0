use klient::Client;
use klient::api::core::v1::ConfigMap;

async fn program(client: Client, colors: ConfigMap) {
    let _ = client.api::<ConfigMap>().namespace("shop").update_status(&colors);
}

fn main() {}
