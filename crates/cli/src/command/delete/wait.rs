//! Waiting until objects are gone.

use std::time::Duration;

use super::Doomed;
use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::flag_values::Timeout;
use crate::gone::until_one_is_gone;

/// How long kubectl waits where no time is given.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Waits until each object, known by its uid, is gone.
///
/// # Errors
///
/// If the time is up. One who may not look does not wait.
pub(crate) async fn until_gone(
    cluster: &Cluster,
    doomed: &[(Doomed, String)],
    timeout: Timeout,
) -> Result<(), Failure> {
    let limit = timeout.0.to_std().filter(|time| !time.is_zero());
    let deadline = tokio::time::Instant::now() + limit.unwrap_or(LONGEST);
    for (doomed, uid) in doomed {
        let api = cluster.objects(&doomed.resource, doomed.namespace.as_deref());
        let gone = until_one_is_gone(&api, &doomed.name, uid);
        let Ok(ended) = tokio::time::timeout_at(deadline, gone).await else {
            let plural = &doomed.resource.info.plural;
            return Err(Failure::Message(format!(
                "timed out waiting for the condition on {plural}/{}",
                doomed.name
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
