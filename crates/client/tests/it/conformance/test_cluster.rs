//! [`TestCluster`], the API server that a case is held against.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use klient_api::apiextensions::v1::CustomResourceDefinition;
use klient_api::authentication::v1::{SelfSubjectReview, TokenRequest, UserInfo};
use klient_api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview};
use klient_api::certificates::v1::CertificateSigningRequest;
use klient_api::core::v1::{Namespace, ServiceAccount};
use klient_api::rbac::v1::{ClusterRole, ClusterRoleBinding};
use klient_apiserver::{Options, TestServer};
use klient_client::{Client, Config, Error, Kubeconfig, ListOptions, LoadingRules, Named, Overrides};
use rcgen::{CertificateParams, DnType, KeyPair};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::cluster::{named, soon};

/// The signer of client certificates.
pub(crate) const SIGNER: &str = "kubernetes.io/kube-apiserver-client";

/// A server, as its administrator reaches it, with a namespace for one case. Cases share the real one: names of objects
/// outside of the namespace, and of users, come from [`unique`](Self::unique).
pub(crate) struct TestCluster {
    kubeconfig: Kubeconfig,
    server: Option<TestServer>,
    pub(crate) namespace: String,
}

/// A client certificate with its key.
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl TestCluster {
    /// Starts an embedded server, unless there is a server for all cases, and creates a namespace.
    pub(crate) async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    /// The same, with options of the embedded server.
    pub(crate) async fn start_with(options: Options) -> Self {
        let (server, kubeconfig) = match std::env::var_os("KLIENT_JUDGE") {
            Some(path) => (None, LoadingRules::explicit(path).load().unwrap()),
            None => {
                let server = TestServer::start_with(options).await.unwrap();
                let kubeconfig = Kubeconfig::parse(&server.kubeconfig()).unwrap();
                (Some(server), kubeconfig)
            }
        };
        let mut cluster = TestCluster { kubeconfig, server, namespace: String::new() };
        let namespace: Namespace = object(json!({"metadata": {"generateName": "case-"}}));
        let created = cluster.client().api().create(&namespace).await.unwrap();
        cluster.namespace = created.metadata.name.unwrap().to_string();
        cluster
    }

    /// The embedded server, if the cases are not held against another.
    pub(crate) fn embedded(&self) -> Option<&TestServer> {
        self.server.as_ref()
    }

    pub(crate) fn config(&self) -> Config {
        self.kubeconfig.config(&Overrides::default()).unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.config()).unwrap()
    }

    /// A configuration with another user, given as the fields of a kubeconfig.
    pub(crate) fn config_of(&self, user: Value) -> Config {
        let mut kubeconfig = self.kubeconfig.clone();
        kubeconfig.users = vec![Named::new("other", object(user))];
        kubeconfig.contexts[0].value.user = "other".to_owned();
        kubeconfig.config(&Overrides::default()).unwrap()
    }

    pub(crate) fn client_of(&self, user: Value) -> Client {
        Client::new(self.config_of(user)).unwrap()
    }

    /// The address that the server listens on.
    pub(crate) fn address(&self) -> SocketAddr {
        self.config().url.authority().unwrap().as_str().parse().unwrap()
    }

    /// The certificates of the server's authority.
    pub(crate) fn ca_pem(&self) -> String {
        let mut kubeconfig = self.kubeconfig.clone();
        kubeconfig.flatten().unwrap();
        let data = kubeconfig.clusters[0].value.certificate_authority_data.as_deref().unwrap();
        String::from_utf8(BASE64.decode(data).unwrap()).unwrap()
    }

    /// A name that no other case has.
    pub(crate) fn unique(&self, name: &str) -> String {
        format!("{name}-{}", self.namespace)
    }

    /// Asks for a client certificate by a CertificateSigningRequest, approves it, and waits for the signer.
    pub(crate) async fn identity(&self, user: &str, groups: &[&str]) -> Identity {
        let requests = self.client().api::<CertificateSigningRequest>();
        let key = KeyPair::generate().unwrap();
        let name = self.unique(user);
        requests.create(&signing_request(&name, &key, user, groups, "client auth")).await.unwrap();
        requests.approve(&name, "Test", "It is a test.").await.unwrap();
        let certificate = until("a certificate", async || {
            let request = requests.get(&name).await.unwrap();
            request.status.certificate.map(|pem| String::from_utf8(pem.0).unwrap())
        })
        .await;
        Identity { certificate, key: key.serialize_pem() }
    }

    /// A client of a user with a certificate.
    pub(crate) async fn user(&self, user: &str, groups: &[&str]) -> Client {
        self.client_of(self.identity(user, groups).await.kubeconfig_user())
    }

    /// Creates a service account, and gives a token of it.
    pub(crate) async fn account_token(&self, account: &str) -> String {
        let accounts = self.client().api::<ServiceAccount>().namespace(&self.namespace);
        accounts.create(&ServiceAccount { metadata: named(account), ..Default::default() }).await.unwrap();
        let given = accounts.create_token(account, &TokenRequest::default()).await.unwrap();
        given.status.token.unwrap().to_string()
    }

    /// The name of a service account of the namespace as a user.
    pub(crate) fn account_user(&self, account: &str) -> String {
        format!("system:serviceaccount:{}:{account}", self.namespace)
    }

    /// Allows a user everywhere what RBAC rules say, and waits until the server knows that.
    pub(crate) async fn grant(&self, user: &str, rules: Value) {
        let name = self.unique(user).replace(':', "-");
        let role: ClusterRole = object(json!({"metadata": {"name": name}, "rules": rules}));
        let client = self.client();
        let role = client.api().create(&role).await.unwrap();
        let group = "rbac.authorization.k8s.io";
        let binding: ClusterRoleBinding = object(json!({
            "metadata": {"name": name},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "User", "apiGroup": group, "name": user}],
        }));
        client.api().create(&binding).await.unwrap();
        let mut config = self.config();
        config.impersonate = Some(klient_client::Impersonation { user: user.into(), ..Default::default() });
        let asked = Client::new(config).unwrap();
        let rule = &role.rules[0];
        let resource = rule.resources[0].split_once('/');
        let attributes = ResourceAttributes {
            verb: Some(rule.verbs[0].clone()),
            group: Some(rule.api_groups[0].clone()),
            resource: Some(resource.map_or(&*rule.resources[0], |(resource, _)| resource).into()),
            subresource: resource.map(|(_, subresource)| subresource.into()),
            name: rule.resource_names.first().cloned(),
            ..Default::default()
        };
        let mut review = SelfSubjectAccessReview::default();
        review.spec.resource_attributes = Some(Box::new(attributes));
        until("the role", async || {
            let review = asked.api().create(&review).await.unwrap();
            review.status.allowed.then_some(())
        })
        .await;
    }

    /// Makes the server serve a custom resource in a group of its own, which is returned.
    pub(crate) async fn define(&self, kind: &str, scope: &str, short_name: &str) -> String {
        let group = format!("{}.{}.example", kind.to_lowercase(), self.namespace);
        let client = self.client();
        client.api().create(&self.definition(&group, kind, scope, short_name)).await.unwrap();
        // It is established before it is served, and served before discovery has it.
        until("the custom resource", async || {
            let discovery = client.discovery();
            let resources = discovery.group_version(&format!("{group}/v1")).await.unwrap_or_default();
            let resource = resources.into_iter().find(|resource| resource.info.kind == *kind)?;
            client.dynamic(&resource).list(&ListOptions::default()).await.ok().map(drop)
        })
        .await;
        until("aggregated discovery", async || {
            let served = client.discovery().resources().await.unwrap();
            served.resources.iter().any(|resource| resource.info.group == *group).then_some(())
        })
        .await;
        group
    }

    /// Version v1 of a custom resource with `spec.size`, a status and a scale.
    pub(crate) fn definition(
        &self,
        group: &str,
        kind: &str,
        scope: &str,
        short_name: &str,
    ) -> CustomResourceDefinition {
        let singular = kind.to_lowercase();
        object(json!({
            "metadata": {"name": format!("{singular}s.{group}")},
            "spec": {
                "group": group,
                "scope": scope,
                "names": {
                    "plural": format!("{singular}s"), "singular": singular, "kind": kind,
                    "shortNames": [short_name], "categories": [self.unique("toys")],
                },
                "versions": [{
                    "name": "v1", "served": true, "storage": true,
                    "subresources": {
                        "status": {},
                        "scale": {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"},
                    },
                    "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                        "spec": {"type": "object", "properties": {"size": {"type": "integer", "minimum": 0}}},
                        "status": {"type": "object", "properties": {"size": {"type": "integer"}}},
                    }}},
                }],
            },
        }))
    }
}

impl Identity {
    /// The fields of a kubeconfig's user.
    pub(crate) fn kubeconfig_user(&self) -> Value {
        json!({
            "client-certificate-data": BASE64.encode(&self.certificate),
            "client-key-data": BASE64.encode(&self.key),
        })
    }
}

/// A request for a client certificate of a user in at most two groups.
pub(crate) fn signing_request(
    name: &str,
    key: &KeyPair,
    user: &str,
    groups: &[&str],
    usage: &str,
) -> CertificateSigningRequest {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, user);
    // A distinguished name of rcgen has one value of each type; this one has two names.
    let organization = [DnType::OrganizationName, DnType::CustomDnType(vec![2, 5, 4, 10])];
    assert!(groups.len() <= organization.len());
    for (ty, group) in organization.into_iter().zip(groups) {
        params.distinguished_name.push(ty, *group);
    }
    let pem = params.serialize_request(key).unwrap().pem().unwrap();
    object(json!({
        "metadata": {"name": name},
        "spec": {"request": BASE64.encode(pem), "signerName": SIGNER, "usages": [usage]},
    }))
}

/// An object from its JSON.
pub(crate) fn object<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// The user that the server authenticates.
pub(crate) async fn user_of(client: &Client) -> Result<UserInfo, Error> {
    let review = client.api().create(&SelfSubjectReview::default()).await?;
    Ok(*review.status.user_info.expect("a review names the user"))
}

/// Asks again until there is an answer.
pub(crate) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    soon(what, async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await
}
