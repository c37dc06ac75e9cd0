use klient::Client;
use klient::api::authentication::v1::TokenReview;
use klient::api::core::v1::ComponentStatus;

async fn program(client: Client, status: ComponentStatus) {
    let _ = client.api::<TokenReview>().get("mine");
    let _ = client.api::<ComponentStatus>().create(&status);
}

fn main() {}
