//! [`Backoff`], how long to wait before trying again.

use std::time::Duration;

use tokio::time::Instant;

/// How long to wait before trying again: longer every time, with a random part so that many do not try at once, and
/// from the beginning after a quiet time.
#[derive(Clone, Debug)]
pub struct Backoff {
    /// The first pause.
    pub initial: Duration,
    /// By what each pause is longer than the one before.
    pub factor: f64,
    /// The longest pause.
    pub max: Duration,
    /// How much longer than said a pause may be by chance, as a part of itself.
    pub jitter: f64,
    /// After so long without a pause, the next is the first again.
    pub reset: Duration,
}

impl Default for Backoff {
    /// As client-go's reflector.
    fn default() -> Self {
        Backoff {
            initial: Duration::from_millis(800),
            factor: 2.0,
            max: Duration::from_secs(30),
            jitter: 1.0,
            reset: Duration::from_secs(120),
        }
    }
}

/// Where one who waits again and again stands.
#[derive(Debug)]
pub(crate) struct Pauses {
    backoff: Backoff,
    next: Duration,
    last: Option<Instant>,
}

impl Pauses {
    pub(crate) fn new(backoff: Backoff) -> Self {
        Pauses { next: backoff.initial, backoff, last: None }
    }

    /// Waits, and at least as long as the server asks.
    pub(crate) async fn pause(&mut self, least: Option<Duration>) {
        let now = Instant::now();
        if self.last.is_some_and(|last| now.duration_since(last) > self.backoff.reset) {
            self.next = self.backoff.initial;
        }
        let pause = self.next + self.next.mul_f64(self.backoff.jitter * fastrand::f64());
        self.next = self.next.mul_f64(self.backoff.factor).min(self.backoff.max);
        let pause = pause.max(least.unwrap_or_default());
        self.last = Some(now + pause);
        tokio::time::sleep(pause).await;
    }
}
