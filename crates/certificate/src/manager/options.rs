//! [`CertificateManagerOptions`].

use std::ops::RangeInclusive;
use std::time::Duration;

use klient_client::Config;
use klient_workqueue::Backoff;

use crate::certificate::Certificate;
use crate::request::CertificateRequest;

/// Options of a [`CertificateManager`](crate::CertificateManager).
#[derive(Clone, Debug)]
pub struct CertificateManagerOptions {
    /// The certificate to request.
    pub request: CertificateRequest,
    /// A certificate to use, and to store, if the store has none that is valid. It is replaced as soon as possible.
    pub bootstrap: Option<Certificate>,
    /// A configuration of a client that requests certificates while there is a valid one: that certificate is its
    /// identity, in place of its own credentials. Without it, all requests are sent by the client that the manager was
    /// started with. A kubelet has its bootstrap token there, and this for the time after.
    pub renew_with: Option<Config>,
    /// The part of its validity after which a certificate is renewed, at random in this range; by default 0.7 to 0.9, so
    /// that programs that were started together do not renew together.
    pub renew_at: RangeInclusive<f64>,
    /// The delays between attempts; by default 2, 4, 8, 16 and then 32 seconds, each up to a tenth longer at random.
    pub retry: Backoff,
}

impl Default for CertificateManagerOptions {
    fn default() -> Self {
        CertificateManagerOptions {
            request: CertificateRequest::default(),
            bootstrap: None,
            renew_with: None,
            renew_at: 0.7..=0.9,
            retry: Backoff {
                duration: Duration::from_secs(2),
                factor: 2.0,
                jitter: 0.1,
                steps: u32::MAX,
                cap: Some(Duration::from_secs(32)),
            },
        }
    }
}
