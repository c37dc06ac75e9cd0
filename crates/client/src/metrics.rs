//! The metrics of requests and of credential plugins, under client-go's names, through the `metrics` crate. Without the feature `metrics` all of
//! it is empty.

#[cfg(not(feature = "metrics"))]
mod disabled;
#[cfg(feature = "metrics")]
mod facade;

#[cfg(not(feature = "metrics"))]
pub(crate) use disabled::{
    Latency, dns_resolution_duration, exec_plugin_call, exec_plugin_certificate_rotation,
    exec_plugin_policy_call, exec_plugin_ttl, rate_limiter_duration, request, request_size, response_size,
};
#[cfg(feature = "metrics")]
pub use facade::describe_metrics;
#[cfg(feature = "metrics")]
pub(crate) use facade::{
    Latency, dns_resolution_duration, exec_plugin_call, exec_plugin_certificate_rotation,
    exec_plugin_policy_call, exec_plugin_ttl, rate_limiter_duration, request, request_size, response_size,
};
