//! The cluster that examples run on.

use std::error::Error;

use klient::{Client, Config, TestClient as _, TestServer};

/// A client of the cluster whose kubeconfig stands on the command line, or else of a server that is started here
/// and runs until it is dropped.
pub(crate) async fn connect() -> Result<(Client, Option<TestServer>), Box<dyn Error>> {
    // The arguments of a test program are not for the example.
    if let Some(path) = std::env::args().nth(1).filter(|_| !cfg!(test)) {
        return Ok((Client::new(Config::from_kubeconfig_file(path)?)?, None));
    }
    let server = TestServer::start().await?;
    Ok((server.client(), Some(server)))
}
