//! Waiting until objects are gone.

use super::Doomed;
use crate::args::Timeout;
use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::gone::until_one_is_gone;

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
    let deadline = limit.map(|limit| tokio::time::Instant::now() + limit);
    for (doomed, uid) in doomed {
        let api = cluster.objects(&doomed.resource, doomed.namespace.as_deref());
        let gone = until_one_is_gone(&api, &doomed.name, uid);
        let ended = match deadline {
            None => gone.await,
            Some(deadline) => match tokio::time::timeout_at(deadline, gone).await {
                Ok(ended) => ended,
                Err(_) => {
                    let plural = &doomed.resource.info.plural;
                    let text = format!("timed out waiting for the condition on {plural}/{}", doomed.name);
                    return Err(Failure::Message(text));
                }
            },
        };
        match ended {
            Ok(()) => {}
            Err(error) if error.is_forbidden() || error.is_method_not_allowed() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
