//! [`Api::approve`] and [`Api::deny`], the decision on a CertificateSigningRequest.

use http::Method;
use klient_apimachinery::codec::Wire;
use klient_apimachinery::go::quoted;
use klient_apimachinery::{Addressable, BoxFuture, Object, Place, Time, Unstructured, verbs};
use klient_workqueue::Backoff;
use serde_json::{Value, json};

use super::{Api, Endpoint};
use crate::conflict::retry_on_conflict;
use crate::error::Error;

/// The conditions of the decisions.
const APPROVED: &str = "Approved";
const DENIED: &str = "Denied";

impl<K: Wire + Object, P: Place> Api<K, P> {
    /// Approves a CertificateSigningRequest, so that its signer issues the certificate. `reason` is a word in CamelCase
    /// for programs, `message` is for people. A request that is approved already is not changed.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use klient_api::certificates::v1::CertificateSigningRequest;
    /// use klient_client::{Client, Config};
    ///
    /// let server = klient_apiserver::TestServer::start().await?;
    /// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
    /// let requests = client.api::<CertificateSigningRequest>();
    /// let missing = requests.approve("ann", "PolicyPassed", "Ann is on the team.").await.unwrap_err();
    /// assert!(missing.is_not_found());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if there is no such request,
    /// [`is_forbidden`](Error::is_forbidden) if the user may not approve requests to its signer, and
    /// [`ErrorKind::Request`](crate::ErrorKind::Request) if it is denied.
    #[doc(alias = "UpdateApproval")]
    pub fn approve(&self, name: &str, reason: &str, message: &str) -> BoxFuture<'static, Result<K, Error>>
    where
        K: verbs::Approval,
        P: Addressable,
    {
        self.decide(name, APPROVED, reason, message)
    }

    /// Denies a CertificateSigningRequest, so that its signer issues no certificate. A request that is denied already is
    /// not changed.
    ///
    /// # Errors
    ///
    /// As [`approve`](Self::approve), if it is approved.
    pub fn deny(&self, name: &str, reason: &str, message: &str) -> BoxFuture<'static, Result<K, Error>>
    where
        K: verbs::Approval,
        P: Addressable,
    {
        self.decide(name, DENIED, reason, message)
    }

    /// Adds a condition to the current state of a request, again if that changes meanwhile.
    fn decide(
        &self,
        name: &str,
        decision: &'static str,
        reason: &str,
        message: &str,
    ) -> BoxFuture<'static, Result<K, Error>> {
        let place = Place::namespace(&self.place).map(str::to_owned);
        let subject = Subject { endpoint: self.endpoint.clone(), namespace: place, name: name.to_owned() };
        let condition = json!({
            "type": decision,
            "status": "True",
            "reason": reason,
            "message": message,
            "lastUpdateTime": Time::now().to_string(),
        });
        Box::pin(async move {
            retry_on_conflict(Backoff::DEFAULT_RETRY, || subject.decide::<K>(decision, &condition)).await
        })
    }
}

/// A request to be decided on.
struct Subject {
    endpoint: Endpoint,
    namespace: Option<String>,
    name: String,
}

impl Subject {
    async fn decide<K: Wire>(&self, decision: &str, condition: &Value) -> Result<K, Error> {
        let Subject { endpoint, namespace, name } = self;
        let namespace = namespace.as_deref();
        endpoint.check_place("approval", namespace)?;
        let read = || endpoint.request(Method::GET, namespace).name(name);
        let mut object: Unstructured = read().fetch().await?;
        let conditions = object.at(&["status", "conditions"]).and_then(Value::as_array);
        let mut conditions = conditions.cloned().unwrap_or_default();
        let has = |ty: &str| conditions.iter().any(|condition| condition["type"] == ty);
        let opposite = if decision == APPROVED { DENIED } else { APPROVED };
        if has(opposite) {
            let (what, name) = (format!("{decision} {}", endpoint.info.group_resource()), quoted(name));
            return Err(Error::request(
                what,
                format!("certificate signing request {name} is already {opposite}"),
            ));
        }
        if has(decision) {
            return read().fetch().await;
        }
        conditions.push(condition.clone());
        object["status"]["conditions"] = conditions.into();
        let request = endpoint.request(Method::PUT, namespace).name(name).subresource("approval");
        endpoint.writing(request).exchange(&object).await
    }
}
