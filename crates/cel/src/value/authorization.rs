//! [`Authorization`], an authorizer, or an authorization check in the making.

use crate::authorizer::{AccessCheck, Authorizer, Decision};

/// An authorizer, an authorization check in the making, or the decision on one.
#[derive(Clone, Debug)]
pub(crate) enum Authorization<'a> {
    Authorizer(Check<'a>),
    Path(Check<'a>),
    Group(Check<'a>),
    Resource(Check<'a>),
    Decision(Decision),
}

/// The attributes of a check so far, and the authorizer that answers it.
#[derive(Clone, Debug)]
pub(crate) struct Check<'a> {
    pub(crate) authorizer: &'a dyn Authorizer,
    pub(crate) attributes: AccessCheck,
}

impl Authorization<'_> {
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Authorization::Authorizer(_) => "kubernetes.authorization.Authorizer",
            Authorization::Path(_) => "kubernetes.authorization.PathCheck",
            Authorization::Group(_) => "kubernetes.authorization.GroupCheck",
            Authorization::Resource(_) => "kubernetes.authorization.ResourceCheck",
            Authorization::Decision(_) => "kubernetes.authorization.Decision",
        }
    }
}
