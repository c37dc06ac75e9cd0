//! The cluster that examples run on.

use std::error::Error;

use klient::{Client, Config, TestServer};

/// A client of the cluster whose kubeconfig stands on the command line, or else of a server that is started here
/// and runs until it is dropped.
pub(crate) async fn connect() -> Result<(Client, Option<TestServer>), Box<dyn Error>> {
    // What stands on the command line of a test is not meant.
    if let Some(path) = std::env::args().nth(1).filter(|_| !cfg!(test)) {
        return Ok((Client::new(Config::from_kubeconfig_file(path)?)?, None));
    }
    let server = TestServer::start().await?;
    let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
    Ok((client, Some(server)))
}
