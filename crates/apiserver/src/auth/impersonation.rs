//! Impersonation: requests processed as if sent by another user.
//!
//! A request names the other user in its `Impersonate-…` headers. Its sender needs the verb `impersonate` on each
//! part of that user's identity, or one of the verbs of constrained impersonation ([KEP-5284]) together with the
//! permission for the request's action in that mode.
//!
//! [KEP-5284]: https://kep.k8s.io/5284

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use http::HeaderMap;
use klient_apimachinery::go::quoted;
use klient_apimachinery::validation;
use klient_apimachinery::validation::field::FieldError;

use super::{
    ANONYMOUS, AUTHENTICATED, Attributes, Rbac, SUPERUSERS, UNAUTHENTICATED, User,
    service_account as accounts,
};
use crate::request;
use crate::status::{Failure, Result};

const USER: &str = "impersonate-user";
const GROUP: &str = "impersonate-group";
const UID: &str = "impersonate-uid";
const EXTRA: &str = "impersonate-extra-";

/// The API group of users, groups and extras in constrained modes, and of UIDs and extras in the other.
const AUTHENTICATION: &str = "authentication.k8s.io";

/// The number of groups or extras from which a constrained mode first checks for permission on all of them.
const MANY: usize = 4;

/// The number of users whose last successful mode is cached.
const KEPT: usize = 10_000;

/// The modes of impersonation, in the order in which they are tried. `associated-node`, for a service account's own
/// node, is left out: no token of this server is bound to a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    ArbitraryNode,
    ServiceAccount,
    UserInfo,
    /// The verb `impersonate` alone.
    Unconstrained,
}

const MODES: [Mode; 4] = [Mode::ArbitraryNode, Mode::ServiceAccount, Mode::UserInfo, Mode::Unconstrained];

/// The last successful mode of each impersonating user, which is tried first: a rejection is that of the first mode
/// tried.
#[derive(Default)]
pub(crate) struct Modes(Mutex<HashMap<String, Mode>>);

impl Modes {
    fn last(&self, user: &User) -> Option<Mode> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&user.name).copied()
    }

    fn keep(&self, user: &User, mode: Mode) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(user.name.clone(), mode);
    }
}

/// The user to impersonate, from the request's headers; `None` if they name no user.
///
/// # Errors
///
/// 400 if they give a group, a UID or an extra, but no user.
pub(crate) fn wanted(headers: &HeaderMap) -> Result<Option<User>> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let first = |name: &str| headers.get(name).map(text).unwrap_or_default();
    let mut extra: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in headers {
        if let Some(key) = name.as_str().strip_prefix(EXTRA) {
            extra.entry(unescape(key)).or_default().push(text(value));
        }
    }
    let groups = headers.get_all(GROUP).iter().map(text).collect();
    let user = User { name: first(USER), uid: first(UID), groups, extra };
    if !user.name.is_empty() {
        return Ok(Some(user));
    }
    if user.is_only_named() {
        return Ok(None);
    }
    let user = go_syntax(&user);
    Err(Failure::bad_request(format!("requested {user} without impersonating a user name")))
}

/// The key of an extra; characters not allowed in a header name are percent-encoded.
fn unescape(key: &str) -> String {
    if request::is_percent_encoded(key) { request::unescape_path(key) } else { key.to_owned() }
}

/// A user in the format of Go's `%#v`.
fn go_syntax(user: &User) -> String {
    let strings = |strings: &[String]| match strings {
        [] => "[]string(nil)".to_owned(),
        strings => {
            let strings: Vec<String> = strings.iter().map(quoted).collect();
            format!("[]string{{{}}}", strings.join(", "))
        }
    };
    let extra: Vec<String> =
        user.extra.iter().map(|(key, values)| format!("{}:{}", quoted(key), strings(values))).collect();
    let extra = if extra.is_empty() { "(nil)".to_owned() } else { format!("{{{}}}", extra.join(", ")) };
    format!(
        "&user.DefaultInfo{{Name:{}, UID:{}, Groups:{}, Extra:map[string][]string{extra}}}",
        quoted(&user.name),
        quoted(&user.uid),
        strings(&user.groups),
    )
}

/// The impersonated user, with its implied groups.
///
/// # Errors
///
/// 403 if the requester may not impersonate the user in any mode.
pub(crate) fn impersonate(
    rbac: &Rbac<'_>,
    modes: &Modes,
    requester: &User,
    wanted: &User,
    attributes: &Attributes,
) -> Result<User> {
    let last = modes.last(requester);
    let mut refusal = None;
    for mode in last.into_iter().chain(MODES.into_iter().filter(|mode| Some(*mode) != last)) {
        if !mode.fits(wanted) {
            continue;
        }
        match (Check { rbac, requester, mode }).user(wanted, attributes) {
            Ok(user) => {
                modes.keep(requester, mode);
                return Ok(user);
            }
            Err(failure) => drop(refusal.get_or_insert(failure)),
        }
    }
    Err(refusal.expect("the unconstrained mode fits every user"))
}

impl Mode {
    /// Returns true if a user can be impersonated in this mode. Nodes and service accounts have their own modes.
    fn fits(self, wanted: &User) -> bool {
        match self {
            Mode::ArbitraryNode => wanted.is_only_named() && node(&wanted.name).is_some(),
            Mode::ServiceAccount => wanted.is_only_named() && service_account(&wanted.name).is_some(),
            Mode::UserInfo => node(&wanted.name).is_none() && service_account(&wanted.name).is_none(),
            Mode::Unconstrained => true,
        }
    }

    /// The name of a constrained mode in its verbs.
    fn constraint(self) -> Option<&'static str> {
        match self {
            Mode::ArbitraryNode => Some("arbitrary-node"),
            Mode::ServiceAccount => Some("serviceaccount"),
            Mode::UserInfo => Some("user-info"),
            Mode::Unconstrained => None,
        }
    }
}

/// The name of the node of a user.
fn node(user: &str) -> Option<&str> {
    user.strip_prefix("system:node:").filter(|name| validation::dns_subdomain(name).is_empty())
}

/// The namespace and name of the service account of a user.
fn service_account(user: &str) -> Option<(&str, &str)> {
    let (namespace, name) = user.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    let fits = validation::dns_label(namespace).is_empty() && validation::dns_subdomain(name).is_empty();
    fits.then_some((namespace, name))
}

/// A check of a user's permission to impersonate others in a mode.
struct Check<'a> {
    rbac: &'a Rbac<'a>,
    requester: &'a User,
    mode: Mode,
}

impl Check<'_> {
    fn user(&self, wanted: &User, attributes: &Attributes) -> Result<User> {
        if let Some(constraint) = self.mode.constraint() {
            let verb = format!("impersonate-on:{constraint}:{}", attributes.verb);
            self.rbac.authorize(self.requester, &Attributes { verb, ..attributes.clone() })?;
        }
        let mut user = wanted.clone();
        self.name(wanted, &mut user)?;
        if !wanted.uid.is_empty() {
            self.allows(Attributes { name: wanted.uid.clone(), ..self.attributes(AUTHENTICATION, "uids") })?;
        }
        self.groups(&wanted.groups)?;
        self.extra(&wanted.extra)?;
        let everyone = if user.name == ANONYMOUS { UNAUTHENTICATED } else { AUTHENTICATED };
        if !user.is_in(everyone) && !user.is_in(UNAUTHENTICATED) {
            user.groups.push(everyone.to_owned());
        }
        Ok(user)
    }

    /// The attributes of impersonating a part of an identity.
    fn attributes(&self, group: &str, resource: &str) -> Attributes {
        let verb = self.mode.constraint();
        Attributes {
            verb: verb.map_or_else(|| "impersonate".to_owned(), |mode| format!("impersonate:{mode}")),
            group: group.to_owned(),
            resource: resource.to_owned(),
            ..Attributes::default()
        }
    }

    /// The API group of users and groups.
    fn group(&self) -> &'static str {
        if self.mode == Mode::Unconstrained { "" } else { AUTHENTICATION }
    }

    fn allows(&self, attributes: Attributes) -> Result<()> {
        self.rbac.authorize(self.requester, &attributes)
    }

    /// Checks the name, and adds the implied groups of nodes and service accounts.
    fn name(&self, wanted: &User, user: &mut User) -> Result<()> {
        let mut attributes =
            Attributes { name: wanted.name.clone(), ..self.attributes(self.group(), "users") };
        if let Some(name) = node(&wanted.name).filter(|_| self.mode != Mode::Unconstrained) {
            attributes.resource = "nodes".to_owned();
            attributes.name = name.to_owned();
            user.groups = vec!["system:nodes".to_owned()];
        }
        if let Some((namespace, name)) = service_account(&wanted.name) {
            attributes.resource = "serviceaccounts".to_owned();
            attributes.namespace = namespace.to_owned();
            attributes.name = name.to_owned();
            if wanted.groups.is_empty() {
                user.groups = accounts::groups(namespace);
            }
        }
        self.allows(attributes)
    }

    fn groups(&self, groups: &[String]) -> Result<()> {
        let of = |name: &str| Attributes { name: name.to_owned(), ..self.attributes(self.group(), "groups") };
        if self.mode != Mode::Unconstrained {
            let refused = |group: &str, problem: &str| Err(of(group).forbidden(self.requester, problem));
            if groups.iter().any(String::is_empty) {
                return refused("", "impersonating the empty string group is not allowed");
            }
            if groups.iter().any(|group| group == SUPERUSERS) {
                return refused(SUPERUSERS, "impersonating the system:masters group is not allowed");
            }
            if groups.len() >= MANY && self.allows(of("*")).is_ok() {
                return Ok(());
            }
        }
        groups.iter().try_for_each(|group| self.allows(of(group)))
    }

    fn extra(&self, extra: &BTreeMap<String, Vec<String>>) -> Result<()> {
        let of = |key: &str, value: &str| Attributes {
            subresource: key.to_owned(),
            name: value.to_owned(),
            ..self.attributes(AUTHENTICATION, "userextras")
        };
        if self.mode != Mode::Unconstrained {
            if let Some(problem) = extra.iter().find_map(|(key, values)| extra_problem(key, values)) {
                return Err(of("", "").forbidden(self.requester, &problem));
            }
            let count: usize = extra.values().map(Vec::len).sum();
            if count >= MANY && self.allows(of("*", "*")).is_ok() {
                return Ok(());
            }
        }
        let mut all = extra.iter().flat_map(|(key, values)| values.iter().map(move |value| (key, value)));
        all.try_for_each(|(key, value)| self.allows(of(key, value)))
    }
}

/// The reason why an extra cannot be impersonated in a constrained mode.
fn extra_problem(key: &str, values: &[String]) -> Option<String> {
    if key.is_empty() {
        return Some("impersonating the empty string key in extra is not allowed".to_owned());
    }
    if let Some(problem) = key_problem(key) {
        return Some(format!("impersonating an invalid key in extra is not allowed: {problem}"));
    }
    let has_empty = values.iter().any(String::is_empty);
    has_empty.then(|| "impersonating the empty string value in extra is not allowed".to_owned())
}

/// The error of a key that is not a domain-prefixed path, such as `acme.io/foo`.
fn key_problem(key: &str) -> Option<FieldError> {
    const PATH: &str = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+";
    let invalid = |value: &str, problem: String| Some(FieldError::invalid("extra.key", value, &problem));
    let parts = key.split_once('/').filter(|(domain, path)| !domain.is_empty() && !path.is_empty());
    let Some((domain, path)) = parts else {
        return invalid(key, r#"must be a domain-prefixed path (such as "acme.io/foo")"#.to_owned());
    };
    if let Some(problem) = validation::dns_subdomain(domain).into_iter().next() {
        return invalid(domain, problem);
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&byte);
    if path.bytes().all(fits) {
        return None;
    }
    invalid(path, format!("Invalid path (regex used for validation is '{PATH}')"))
}
