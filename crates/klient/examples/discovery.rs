//! Prints the resources that a server serves, and finds one by its short name.

#![allow(clippy::print_stdout)]

mod cluster;

use klient::RestMapper;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    let mapper = RestMapper::new(client.discovery().resources().await?);
    for resource in &mapper.served().resources {
        let info = &resource.info;
        println!("name: {}, group: {}, version: {}", info.plural, info.group, info.version);
    }
    println!("deploy is {:?}", mapper.resource("deploy")?.info);
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
