//! [`UserAuthorizer`], the authorizer that expressions ask about the user of a request.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use klient_cel::{AccessCheck, Authorizer, Decision};

use crate::auth::{Attributes, Rbac, SUPERUSERS, User};
use crate::registry::Registry;
use crate::storage::Storage;

/// The authorizer of the user of a request. Answers are kept, so that they are the same for all expressions.
pub(crate) struct UserAuthorizer<'a> {
    storage: Arc<dyn Storage>,
    registry: Arc<Registry>,
    user: Cow<'a, User>,
    request_resource: AccessCheck,
    decisions: Arc<Mutex<HashMap<AccessCheck, Decision>>>,
}

impl<'a> UserAuthorizer<'a> {
    /// The authorizer of a user, and the attributes of the request, without a verb.
    pub(crate) fn new(
        storage: &Arc<dyn Storage>,
        registry: &Arc<Registry>,
        user: &'a User,
        request: &crate::admission::Attributes<'_>,
    ) -> Self {
        let request_resource = AccessCheck {
            group: request.resource.info.group.to_string(),
            resource: request.resource.info.plural.to_string(),
            subresource: request.subresource.unwrap_or_default().to_owned(),
            namespace: request.request_namespace().to_owned(),
            name: request.name.to_owned(),
            ..AccessCheck::default()
        };
        UserAuthorizer {
            storage: storage.clone(),
            registry: registry.clone(),
            user: Cow::Borrowed(user),
            request_resource,
            decisions: Arc::default(),
        }
    }

    /// The same authorizer for another thread. The answers that it gives there are kept here, too.
    pub(crate) fn owned(&self) -> UserAuthorizer<'static> {
        UserAuthorizer {
            storage: self.storage.clone(),
            registry: self.registry.clone(),
            user: Cow::Owned(self.user.clone().into_owned()),
            request_resource: self.request_resource.clone(),
            decisions: self.decisions.clone(),
        }
    }

    /// The check of the resource of the request, without a verb.
    pub(super) fn request_resource(&self) -> &AccessCheck {
        &self.request_resource
    }

    fn decide(&self, check: &AccessCheck) -> Decision {
        let account = check.service_account.as_ref().map(|(namespace, name)| {
            let groups = ["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")];
            User::new(&format!("system:serviceaccount:{namespace}:{name}"), &groups)
        });
        let user = account.as_ref().unwrap_or(&self.user);
        let attributes = Attributes {
            verb: check.verb.clone(),
            group: check.group.clone(),
            resource: check.resource.clone(),
            subresource: check.subresource.clone(),
            name: check.name.clone(),
            namespace: check.namespace.clone(),
            path: check.path.clone(),
        };
        if user.is_in(SUPERUSERS) {
            return Decision { allowed: true, ..Decision::default() };
        }
        let rbac = Rbac { store: &*self.storage, registry: &self.registry };
        match rbac.grant(user, &attributes) {
            Some(grant) => {
                Decision { allowed: true, reason: format!("RBAC: allowed by {grant}"), error: None }
            }
            None => Decision::default(),
        }
    }
}

impl Authorizer for UserAuthorizer<'_> {
    fn check(&self, check: &AccessCheck) -> Decision {
        let mut decisions = self.decisions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = decisions.get(check) {
            return known.clone();
        }
        let decision = self.decide(check);
        decisions.insert(check.clone(), decision.clone());
        decision
    }
}

impl fmt::Debug for UserAuthorizer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserAuthorizer").field("user", &self.user.name).finish_non_exhaustive()
    }
}
