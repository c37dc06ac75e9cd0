//! [`Reporter`], the component that records events.

use klient_apimachinery::Str;

use crate::host_name::host_name;

/// The component that records events.
///
/// Made from its name by `"website-controller".into()`, it has the name of this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reporter {
    /// The controller, such as `kubernetes.io/kubelet` or `website-controller`. events.k8s.io/v1 requires a qualified
    /// name.
    pub controller: Str,
    /// The instance of the controller, such as the name of its pod. events.k8s.io/v1 takes 128 bytes; a longer one is
    /// cut.
    pub instance: Str,
    /// The node on which the controller runs, for the `source` of core/v1; empty if that does not matter.
    pub host: Str,
}

/// The instance is the name with that of this machine, as in client-go.
impl From<&str> for Reporter {
    fn from(controller: &str) -> Self {
        let host = host_name();
        let instance = format!("{controller}-{host}").into();
        Reporter { controller: controller.into(), instance, host: Str::EMPTY }
    }
}
