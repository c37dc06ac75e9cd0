//! Sign-in to clusters: tokens, certificates, credential plugins, OpenID Connect; and the ways of GKE, EKS, AKS and
//! OpenStack.
//!
//! A [`Config`](crate::Config) has the credentials of its kubeconfig's user or of its pod.
//!
//! | kubeconfig | credentials |
//! |---|---|
//! | `client-certificate`, `client-key` | a client certificate; the files are read again before each connection and once a minute, and requests go on meanwhile |
//! | `token` | a bearer token |
//! | `tokenFile` | a bearer token in a file, which is read again each minute and when the server refuses the token |
//! | `username`, `password` | basic authentication, which Kubernetes itself has not had since 1.19 |
//! | `exec` | a credential plugin: see below |
//! | `auth-provider: {name: oidc}` | an ID token of OpenID Connect, which the refresh token renews |
//!
//! Programs without a kubeconfig set [`Config::credentials`](crate::Config::credentials); those that have credentials
//! of their own kind implement [`AuthProvider`](crate::AuthProvider). A program that renews its client certificate itself
//! hands it over with [`Pem::watch`](crate::Pem::watch); `certificate::CertificateManager` of the feature
//! `certificate-manager` has one from a signer of the cluster, and renews it.
//!
//! # Credential plugins
//!
//! A plugin is a program that prints a token or a client certificate. The clouds sign in through their plugins, as with
//! kubectl: klient has no code for any of them.
//!
//! - The plugin is run by the first request; all clients of a program whose plugin is the same share one process and its
//!   credential.
//! - The credential is used until it expires. Ahead of that the plugin is run again, while requests go on. It is run again
//!   as well when the server answers 401.
//! - A plugin has one minute, or five where standard input is a terminal:
//!   [`ExecConfig::timeout`](crate::client::ExecConfig::timeout) sets another limit. After a failure it rests for a
//!   second, then for two, up to a minute.
//! - `interactiveMode: Always` needs a terminal. A controller's kubeconfig has `Never`.
//! - [`PluginPolicy`](crate::client::PluginPolicy) restricts the commands that a kubeconfig from elsewhere may run.
//!
//! An error of a plugin has the kind [`Auth`](crate::ErrorKind::Auth) and names the command and the user. The plugin's
//! own messages are on standard error.
//!
//! Within a cluster none of them is needed: [`Config::infer`](crate::Config::infer) takes the service account of the pod.
//!
//! # Google Kubernetes Engine
//!
//! Install the gcloud CLI and `gcloud components install gke-gcloud-auth-plugin` (Debian and Ubuntu: `apt-get install
//! google-cloud-cli-gke-gcloud-auth-plugin`), sign in by `gcloud auth login`, and write the kubeconfig by
//! `gcloud container clusters get-credentials CLUSTER --location LOCATION`. Its entry:
//!
//! ```yaml
//! users:
//! - name: gke_project_europe-west3_cluster
//!   user:
//!     exec:
//!       apiVersion: client.authentication.k8s.io/v1beta1
//!       command: gke-gcloud-auth-plugin
//!       installHint: Install gke-gcloud-auth-plugin for use with kubectl by following
//!         https://cloud.google.com/kubernetes-engine/docs/how-to/cluster-access-for-kubectl#install_plugin
//!       provideClusterInfo: true
//! ```
//!
//! # Amazon Elastic Kubernetes Service
//!
//! Install the AWS CLI (version 2), sign in by `aws configure` or `aws sso login`, and write the kubeconfig by
//! `aws eks update-kubeconfig --region REGION --name CLUSTER`. Its entry:
//!
//! ```yaml
//! users:
//! - name: arn:aws:eks:eu-central-1:111122223333:cluster/cluster
//!   user:
//!     exec:
//!       apiVersion: client.authentication.k8s.io/v1beta1
//!       command: aws
//!       args: [--region, eu-central-1, eks, get-token, --cluster-name, cluster, --output, json]
//!       env:
//!       - name: AWS_PROFILE
//!         value: production
//! ```
//!
//! A kubeconfig with `client.authentication.k8s.io/v1alpha1` is from before Kubernetes 1.24: write it anew.
//!
//! # Azure Kubernetes Service
//!
//! Install the Azure CLI and kubelogin (`az aks install-cli`), sign in by `az login`, write the kubeconfig by
//! `az aks get-credentials --resource-group GROUP --name CLUSTER`, and have it use the session of the Azure CLI by
//! `kubelogin convert-kubeconfig -l azurecli` (`-l workloadidentity` or `-l spn` for programs). Its entry:
//!
//! ```yaml
//! users:
//! - name: clusterUser_group_cluster
//!   user:
//!     exec:
//!       apiVersion: client.authentication.k8s.io/v1beta1
//!       command: kubelogin
//!       args: [get-token, --login, azurecli, --server-id, 6dae42f8-4368-4678-94ff-3960e28e3630]
//!       installHint: |
//!         kubelogin is not installed which is required to connect to AAD enabled cluster.
//!         To learn more, please go to https://aka.ms/aks/kubelogin
//!       provideClusterInfo: false
//! ```
//!
//! # OpenStack
//!
//! Install `client-keystone-auth` of <https://github.com/kubernetes/cloud-provider-openstack>, and set the `OS_`
//! variables of the project's `openrc` file, in the environment or in the entry:
//!
//! ```yaml
//! users:
//! - name: openstack
//!   user:
//!     exec:
//!       apiVersion: client.authentication.k8s.io/v1
//!       command: client-keystone-auth
//!       args: [--keystone-url=https://keystone.example.com:5000/v3, --domain-name=default, --user-name=ada]
//!       interactiveMode: IfAvailable
//! ```
//!
//! # OpenID Connect
//!
//! The auth provider uses the tokens of a sign-in that another tool made. A plugin such as kubelogin of
//! <https://github.com/int128/kubelogin> signs in by itself, in a browser.
//!
//! ```yaml
//! users:
//! - name: ada
//!   user:
//!     auth-provider:
//!       name: oidc
//!       config:
//!         idp-issuer-url: https://idp.example.com/realms/kubernetes
//!         client-id: kubernetes
//!         client-secret: secret
//!         id-token: eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjB9.c2lnbmF0dXJl
//!         refresh-token: token
//! ```
