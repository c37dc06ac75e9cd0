//! [`Servers`], on which sequences are played.

use klient_client::Client;
use klient_sequences::{PlayError, Player, Sequence, Webhooks};

use crate::found::Found;

/// The servers that are played on.
pub(crate) struct Servers {
    one: Client,
    upstream: Option<Client>,
    namespaces: usize,
}

impl Servers {
    /// One server, and the one that it is compared to.
    pub(crate) async fn new(one: Client, upstream: Option<Client>) -> Result<Servers, PlayError> {
        for server in [Some(&one), upstream.as_ref()].into_iter().flatten() {
            Player::prepare(server).await?;
        }
        Ok(Servers { one, upstream, namespaces: 0 })
    }

    /// Lets the servers call webhooks.
    pub(crate) async fn call(&self, webhooks: &Webhooks) -> Result<(), PlayError> {
        for server in [Some(&self.one), self.upstream.as_ref()].into_iter().flatten() {
            Player::prepare_webhooks(server, webhooks).await?;
        }
        Ok(())
    }

    /// Plays a sequence until the servers have gone apart, and tells what went wrong until then. A write that both
    /// refuse in other words does not part them.
    pub(crate) async fn play(&mut self, sequence: &Sequence) -> Result<Vec<Found>, PlayError> {
        self.namespaces += 1;
        let namespace = format!("seq-{}-{}-{}", std::process::id(), sequence.seed(), self.namespaces);
        let mut player = Player::new(&self.one, &namespace, sequence).await?;
        let mut upstream = match &self.upstream {
            Some(upstream) => Some(Player::new(upstream, &namespace, sequence).await?),
            None => None,
        };
        let mut requests = Vec::new();
        let mut found = Vec::new();
        while let Some(played) = player.step().await? {
            requests.push(played.to_string());
            let mut wrong = Vec::new();
            let mut has_parted = false;
            if let Some(upstream) = &mut upstream {
                let theirs = upstream.step().await?.expect("both play the same steps");
                if theirs.is_upstream_fault() {
                    break;
                }
                wrong = played.differences(&theirs);
                has_parted = played.is_success() || theirs.is_success();
            }
            if wrong.is_empty() {
                wrong = played.violations();
                has_parted = true;
            }
            if !wrong.is_empty() {
                found.push(Found { requests: requests.clone(), title: played.title(), wrong });
                if has_parted {
                    break;
                }
            }
        }
        player.finish().await?;
        if let Some(upstream) = upstream {
            upstream.finish().await?;
        }
        Ok(found)
    }

    /// Plays a sequence for something that went wrong in it before.
    pub(crate) async fn again(
        &mut self,
        sequence: &Sequence,
        cause: &str,
    ) -> Result<Option<Found>, PlayError> {
        Ok(self.play(sequence).await?.into_iter().find(|found| found.cause() == cause))
    }

    /// Leaves out steps as long as the same goes wrong.
    pub(crate) async fn shrink(
        &mut self,
        mut sequence: Sequence,
        mut found: Found,
    ) -> Result<(Sequence, Found), PlayError> {
        let mut at = sequence.len().saturating_sub(1);
        while at > 0 {
            at -= 1;
            let less = sequence.without(at);
            if let Some(other) = self.again(&less, &found.cause()).await? {
                sequence = less.first(other.requests.len());
                at = at.min(sequence.len().saturating_sub(1));
                found = other;
            }
        }
        Ok((sequence, found))
    }
}
