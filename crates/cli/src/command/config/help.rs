//! Usage and examples in the help of the commands of `config`.

pub(super) const VIEW: &str = "\
Examples:
  # Print the merged kubeconfig, without secrets
  klient config view

  # Print the server of the current context
  klient config view --minify -o jsonpath={.clusters[0].cluster.server}

  # Put all files and certificates into one file
  klient config view --flatten > all.yaml";

pub(super) const GET_CONTEXTS_USAGE: &str = "klient config get-contexts [NAME...] [OPTIONS]";

pub(super) const GET_CONTEXTS: &str = "\
Examples:
  # List the contexts
  klient config get-contexts

  # List their names alone
  klient config get-contexts -o name";

pub(super) const GET_CLUSTERS: &str = "\
Examples:
  # List the clusters
  klient config get-clusters";

pub(super) const GET_USERS: &str = "\
Examples:
  # List the users
  klient config get-users";

pub(super) const CURRENT_CONTEXT: &str = "\
Examples:
  # Print the name of the current context
  klient config current-context";

pub(super) const USE_CONTEXT_USAGE: &str = "klient config use-context CONTEXT [OPTIONS]";

pub(super) const USE_CONTEXT: &str = "\
Examples:
  # Use another context from now on
  klient config use-context kind";

pub(super) const SET_CONTEXT_USAGE: &str = "klient config set-context (NAME | --current) [--cluster=NAME] [--user=NAME] [--namespace=NAME] [OPTIONS]";

pub(super) const SET_CONTEXT: &str = "\
Examples:
  # Change the namespace of the current context
  klient config set-context --current --namespace=shop

  # Add a context
  klient config set-context test --cluster=test --user=admin";

pub(super) const SET_CLUSTER_USAGE: &str = "klient config set-cluster NAME [--server=URL] [OPTIONS]";

pub(super) const SET_CLUSTER: &str = "\
Examples:
  # Add a cluster, with the certificates that its server may have
  klient config set-cluster test --server=https://test.example:6443 --certificate-authority=ca.crt

  # Put the certificates into the kubeconfig
  klient config set-cluster test --certificate-authority=ca.crt --embed-certs";

pub(super) const SET_CREDENTIALS_USAGE: &str = "klient config set-credentials NAME [OPTIONS]";

pub(super) const SET_CREDENTIALS: &str = "\
Examples:
  # Add a user with a client certificate
  klient config set-credentials admin --client-certificate=admin.crt --client-key=admin.key

  # Let a program get the credentials
  klient config set-credentials admin --exec-command=login --exec-api-version=client.authentication.k8s.io/v1";

pub(super) const SET_USAGE: &str = "klient config set FIELD VALUE [OPTIONS]";

pub(super) const SET: &str = "\
Examples:
  # Change the server of a cluster
  klient config set clusters.test.server https://test.example:6443";

pub(super) const UNSET_USAGE: &str = "klient config unset FIELD [OPTIONS]";

pub(super) const UNSET: &str = "\
Examples:
  # Remove the current context
  klient config unset current-context

  # Remove the namespace of a context
  klient config unset contexts.test.namespace";

pub(super) const DELETE_CONTEXT_USAGE: &str = "klient config delete-context NAME [OPTIONS]";

pub(super) const DELETE_CONTEXT: &str = "\
Examples:
  # Delete a context
  klient config delete-context test";

pub(super) const DELETE_CLUSTER_USAGE: &str = "klient config delete-cluster NAME [OPTIONS]";

pub(super) const DELETE_CLUSTER: &str = "\
Examples:
  # Delete a cluster
  klient config delete-cluster test";

pub(super) const DELETE_USER_USAGE: &str = "klient config delete-user NAME [OPTIONS]";

pub(super) const DELETE_USER: &str = "\
Examples:
  # Delete a user
  klient config delete-user admin";

pub(super) const RENAME_CONTEXT_USAGE: &str = "klient config rename-context NAME NEW_NAME [OPTIONS]";

pub(super) const RENAME_CONTEXT: &str = "\
Examples:
  # Rename a context
  klient config rename-context kind-kind local";
