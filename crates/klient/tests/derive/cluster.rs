//! [`TestCluster`], a cluster without custom resources.

use std::time::Duration;

use klient::api::admissionregistration::v1::{MutatingWebhookConfiguration, ValidatingWebhookConfiguration};
use klient::api::apiextensions::v1::CustomResourceDefinition;
use klient::controller::wait::{WaitOptions, conditions, wait_for};
use klient::{
    Client, DeleteOptions, ListOptions, LoadingRules, Object as _, Overrides, Patch, ResourceInfo,
    TestClient as _, TestServer, json,
};

/// An embedded server, or the server of the kubeconfig that `KLIENT_JUDGE` names.
///
/// The cases that are held against one server run one by one: each begins by deleting the definitions and webhooks of
/// those before.
pub(crate) struct TestCluster {
    client: Client,
    /// The embedded server, which ends with the case.
    _server: Option<TestServer>,
}

impl TestCluster {
    pub(crate) async fn start() -> Self {
        let Some(path) = std::env::var_os("KLIENT_JUDGE") else {
            let server = TestServer::start().await.unwrap();
            return TestCluster { client: server.client(), _server: Some(server) };
        };
        let kubeconfig = LoadingRules::explicit(path).load().unwrap();
        let client = Client::new(kubeconfig.config(&Overrides::default()).unwrap()).unwrap();
        let cluster = TestCluster { client, _server: None };
        cluster.empty().await;
        cluster
    }

    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    async fn empty(&self) {
        // A webhook of a case that has ended answers nothing.
        let (options, all) = (DeleteOptions::default(), ListOptions::default());
        let mutating = self.client.api::<MutatingWebhookConfiguration>();
        mutating.delete_collection(&options, &all).await.unwrap();
        let validating = self.client.api::<ValidatingWebhookConfiguration>();
        validating.delete_collection(&options, &all).await.unwrap();
        let definitions = self.client.api::<CustomResourceDefinition>();
        let mut names = Vec::new();
        for definition in definitions.list(&all).await.unwrap() {
            let name = definition.metadata.name.clone().unwrap_or_default();
            // Objects that a webhook converts cannot be removed without it.
            let none = json!({"spec": {"conversion": {"strategy": "None", "webhook": null}}});
            definitions.patch(&name, &Patch::Merge(none)).await.unwrap();
            // kube-apiserver that cannot list the objects yet, since it has just begun to serve them, tries again minutes
            // later. The client waits for it; a kind without a served version has no objects to remove.
            let served = definition.spec.versions.iter().find(|version| version.served);
            if let Some(version) = served {
                let (spec, version) = (&definition.spec, &version.name);
                let resource = ResourceInfo {
                    group: spec.group.to_string().into(),
                    version: version.to_string().into(),
                    kind: spec.names.kind.to_string().into(),
                    plural: spec.names.plural.to_string().into(),
                    namespaced: spec.scope == "Namespaced",
                };
                self.release_objects(resource).await;
            }
            definitions.delete(&name, &options).await.unwrap();
            names.push(name);
        }
        // kube-apiserver removes the objects of each, which takes over half a minute on a busy machine.
        let patient = WaitOptions { timeout: Duration::from_secs(180), ..Default::default() };
        for name in &names {
            wait_for(&definitions, name, conditions::deleted(), patient.clone()).await.unwrap();
        }
    }
    /// Takes the finalizers from the objects of a definition, which nobody is there to remove.
    async fn release_objects(&self, resource: ResourceInfo) {
        let none = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        let objects = self.client.dynamic(resource);
        let Ok(listed) = objects.list(&ListOptions::default()).await else { return };
        for object in listed.items.iter().filter(|object| object.finalizers().next().is_some()) {
            let released = match object.namespace() {
                Some(namespace) => objects.namespace(namespace).patch(object.name(), &none).await,
                None => objects.patch(object.name(), &none).await,
            };
            released.unwrap();
        }
    }
}
