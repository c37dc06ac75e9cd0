//! Waiting for deletions.

use std::time::Duration;

use super::DeleteInfo;
use crate::cluster::Cluster;
use crate::error::CliError;
use crate::flag_values::Timeout;
use crate::wait_deleted::wait_deleted;

/// kubectl's limit for `--timeout=0`.
const MAX_WAIT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Waits until each object, identified by its uid, is deleted.
///
/// # Errors
///
/// If the time is over, or an object cannot be read. Returns without waiting if the user may not read or watch it.
pub(crate) async fn wait_all_deleted(
    cluster: &Cluster,
    infos: &[(DeleteInfo, String)],
    timeout: Timeout,
) -> Result<(), CliError> {
    let limit = timeout.0.to_std().filter(|time| !time.is_zero());
    let deadline = tokio::time::Instant::now() + limit.unwrap_or(MAX_WAIT);
    for (info, uid) in infos {
        let api = cluster.objects(&info.resource, info.namespace.as_deref());
        let deleted = wait_deleted(&api, &info.name, uid);
        let Ok(ended) = tokio::time::timeout_at(deadline, deleted).await else {
            let plural = &info.resource.info.plural;
            return Err(CliError::Message(format!(
                "timed out waiting for the condition on {plural}/{}",
                info.name
            )));
        };
        match ended {
            Ok(()) => {}
            Err(error) if error.is_forbidden() || error.is_method_not_allowed() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
