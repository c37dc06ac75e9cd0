//! `klient api-versions`.

use klient_client::ApiGroup;

use crate::error::CliError;
use crate::session::Session;

pub(crate) const EXAMPLES: &str = "\
Examples:
  # List the versions that the server supports
  klient api-versions";

pub(crate) async fn run(session: &mut Session) -> Result<(), CliError> {
    let cluster = session.discovery_cluster()?;
    cluster.discovery().invalidate().await;
    let served = cluster.discovery().resources().await.map_err(|error| {
        let problem = CliError::from(error).go_error();
        CliError::Message(format!("couldn't get available api versions from server: {problem}"))
    })?;
    let mut versions: Vec<String> = served.groups.iter().flat_map(ApiGroup::group_versions).collect();
    versions.sort();
    session.console.print(&versions.into_iter().map(|version| version + "\n").collect::<String>())
}
