//! Tokens of service accounts: their claims, and the checks by which they authenticate.

use klient_apimachinery::Time;
use klient_apimachinery::go::quoted;
use klient_apimachinery::values::{Map, at, list_at, set, text_at};
use serde_json::{Value, json};

use super::{SigningKey, User};
use crate::registry::Registry;
use crate::status::{Failure, Target};
use crate::storage::{Object, Storage};

/// The issuer of the tokens.
pub(crate) const ISSUER: &str = "https://kubernetes.default.svc";

/// The audience of the server, to which tokens are presented unless they are for others.
pub(crate) const AUDIENCE: &str = ISSUER;

/// The tolerance for clocks, in seconds.
const LEEWAY: i64 = 60;

/// The claim with the objects of a token.
const KUBERNETES: &str = "kubernetes.io";

/// The claims of a token, to be completed by [`Claims::sign`].
pub(crate) struct Claims<'a> {
    pub(crate) namespace: &'a str,
    /// The service account.
    pub(crate) account: &'a Object,
    pub(crate) audiences: &'a [Value],
    /// The lifetime, in seconds.
    pub(crate) expiration: i64,
    /// Seconds after which a token that is valid for longer should have been replaced.
    pub(crate) warn_after: Option<i64>,
    /// The objects that the token is bound to, as [`reference`]s by the name of their claim: `pod`, `node` or `secret`.
    pub(crate) bound: Map,
}

/// The name and UID of an object, as claims have them. The UID may be empty.
pub(crate) fn reference(name: &str, uid: &str) -> Value {
    if uid.is_empty() { json!({ "name": name }) } else { json!({ "name": name, "uid": uid }) }
}

impl Claims<'_> {
    /// The signed token.
    ///
    /// # Errors
    ///
    /// 500 if it cannot be signed.
    pub(crate) fn sign(self, key: &SigningKey, now: Time) -> Result<String, Failure> {
        let now = now.unix();
        let mut kubernetes = self.bound;
        kubernetes.insert("namespace".to_owned(), self.namespace.into());
        let name = self.account.key.name();
        kubernetes.insert("serviceaccount".to_owned(), reference(name, &self.account.uid));
        let warn_after = self.warn_after.map(|seconds| Value::from(now + seconds));
        set(&mut kubernetes, "warnafter", warn_after.as_ref());
        let claims = json!({
            "aud": self.audiences,
            "exp": now + self.expiration,
            "iat": now,
            "iss": ISSUER,
            "jti": uuid::Uuid::new_v4().to_string(),
            KUBERNETES: kubernetes,
            "nbf": now,
            "sub": user_name(self.namespace, name),
        });
        let Value::Object(claims) = claims else { unreachable!("it is written as an object") };
        let signed = key.sign(&claims);
        signed.map_err(|error| Failure::internal(format!("failed to generate token: {error}")))
    }
}

fn user_name(namespace: &str, name: &str) -> String {
    format!("system:serviceaccount:{namespace}:{name}")
}

/// The groups of the service accounts of a namespace.
pub(super) fn groups(namespace: &str) -> Vec<String> {
    vec!["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")]
}

/// Authenticates tokens of service accounts that exist, bound to objects that exist.
pub(super) struct ServiceAccountTokens<'a> {
    pub(super) key: &'a SigningKey,
    pub(super) store: &'a dyn Storage,
    pub(super) registry: &'a Registry,
}

impl ServiceAccountTokens<'_> {
    /// The user of a token, and those of the audiences that the token is for; `None` if it is no token of a service
    /// account.
    ///
    /// # Errors
    ///
    /// Upstream's message, if the token is not valid.
    pub(super) fn authenticate(
        &self,
        token: &str,
        audiences: &[String],
    ) -> Option<Result<(User, Vec<String>), String>> {
        let claims = self.key.verify(token, ISSUER)?;
        Some(claims.and_then(|claims| self.check(&claims, audiences)))
    }

    fn check(&self, claims: &Map, audiences: &[String]) -> Result<(User, Vec<String>), String> {
        let own: Vec<&str> = list_at(claims, &["aud"]).iter().filter_map(Value::as_str).collect();
        let common: Vec<String> = own
            .iter()
            .filter(|own| audiences.iter().any(|other| other == *own))
            .map(|own| (*own).to_owned())
            .collect();
        if common.is_empty() {
            let (own, audiences) = (quoted_list(&own), quoted_list(audiences));
            return Err(format!("token audiences {own} is invalid for the target audiences {audiences}"));
        }
        check_times(claims)?;
        Ok((self.user(claims)?, common))
    }

    /// The user of claims, whose objects are checked to exist.
    fn user(&self, claims: &Map) -> Result<User, String> {
        let text = |path: &[&str]| text_at(claims, &[&[KUBERNETES][..], path].concat()).to_owned();
        let (namespace, name) = (text(&["namespace"]), text(&["serviceaccount", "name"]));
        let accounts = self.registry.built_in("", "v1", "serviceaccounts");
        let account = self.store.get(&accounts.table, &accounts.key(Some(&namespace), &name));
        let target = Target { group: "", plural: "serviceaccounts", name: &name };
        let missing =
            || Failure::not_found(&target).status().message.as_deref().unwrap_or_default().to_owned();
        let account = account.ok_or_else(missing)?;
        let uid = text(&["serviceaccount", "uid"]);
        if account.uid != *uid {
            return Err(format!("service account UID ({}) does not match claim ({uid})", account.uid));
        }
        if was_deleted(&account) {
            return Err(format!("service account {namespace}/{name} has been deleted"));
        }
        let has = |claim: &str| at(claims, &[KUBERNETES, claim]).is_some();
        let bound = |claim: &str| (text(&[claim, "name"]), text(&[claim, "uid"]));
        let mut user = User { uid, ..User::new(&user_name(&namespace, &name), &groups(&namespace)) };
        let mut extra = |name: &str, value: String| {
            if !value.is_empty() {
                user.extra.insert(format!("authentication.kubernetes.io/{name}"), vec![value]);
            }
        };
        if has("secret") {
            self.check_bound("secrets", Some(&namespace), "secret", bound("secret"))?;
        }
        if has("pod") {
            let (name, uid) = bound("pod");
            self.check_bound("pods", Some(&namespace), "pod", (name.clone(), uid.clone()))?;
            extra("pod-name", name);
            extra("pod-uid", uid);
        }
        if has("node") {
            let (name, uid) = bound("node");
            // The node of a pod is shown and not checked: the pod is.
            if !has("pod") {
                self.check_bound("nodes", None, "node", (name.clone(), uid.clone()))?;
            }
            extra("node-name", name);
            extra("node-uid", uid);
        }
        Ok(user.with_credential_id(format!("JTI={}", text_at(claims, &["jti"]))))
    }

    /// Checks that an object to which a token is bound still exists.
    fn check_bound(
        &self,
        plural: &str,
        namespace: Option<&str>,
        claim: &str,
        (name, uid): (String, String),
    ) -> Result<(), String> {
        let resource = self.registry.built_in("", "v1", plural);
        let object = self.store.get(&resource.table, &resource.key(namespace, &name));
        let invalidated = || "service account token has been invalidated".to_owned();
        let object = object.ok_or_else(invalidated)?;
        if object.uid != *uid {
            let problem = format!("does not match service account {claim} ref claim ({uid})");
            return Err(format!("{claim} UID ({}) {problem}", object.uid));
        }
        if was_deleted(&object) { Err(invalidated()) } else { Ok(()) }
    }
}

/// Checks that claims are valid at this time.
fn check_times(claims: &Map) -> Result<(), String> {
    let now = Time::now().unix();
    let time = |claim: &str| at(claims, &[claim]).and_then(Value::as_i64);
    let problem = if time("nbf").is_some_and(|from| now + LEEWAY < from) {
        "service account token is not valid yet"
    } else if time("exp").is_some_and(|until| now - LEEWAY > until) {
        "service account token has expired"
    } else if time("iat").is_some_and(|issued| now + LEEWAY < issued) {
        "service account token is issued in the future"
    } else {
        return Ok(());
    };
    Err(problem.to_owned())
}

/// Returns true if an object was to be gone by now, with the tolerance for clocks.
fn was_deleted(object: &Object) -> bool {
    let time = || text_at(&object.value(), &["metadata", "deletionTimestamp"]).parse::<Time>().ok();
    object.is_terminating && time().is_some_and(|time| time.unix() < Time::now().unix() - LEEWAY)
}

/// A list as Go prints it with `%q`.
fn quoted_list(texts: &[impl AsRef<str>]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text.as_ref())).collect();
    format!("[{}]", texts.join(" "))
}
