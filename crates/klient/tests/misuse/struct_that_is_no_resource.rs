use klient::Client;
use klient::apimachinery::codec::Wire;

#[derive(Clone)]
struct Website;

fn decode<K: Wire>(_: &[u8]) {}

fn program(client: Client) {
    let _ = client.api::<Website>();
    decode::<Website>(b"{}");
}

fn main() {}
