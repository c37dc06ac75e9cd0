//! Acting as another user.

use klient_api::core::v1::{ConfigMap, Secret};
use klient_client::{Client, Impersonation, ListOptions};
use serde_json::json;

use super::test_cluster::{TestCluster, user_of};

fn as_user(user: &str) -> Impersonation {
    Impersonation { user: user.to_owned(), ..Default::default() }
}

#[tokio::test]
async fn the_server_is_told_user_uid_groups_and_extra_values() {
    let cluster = TestCluster::start().await;
    let scopes = [("acme.io/Scopes%".to_lowercase(), vec!["view".to_owned(), "edit".to_owned()])];
    let mut config = cluster.config();
    config.impersonate = Some(Impersonation {
        user: "bob".to_owned(),
        uid: "u1".to_owned(),
        groups: vec!["devs".to_owned(), "ops".to_owned()],
        extra: scopes.clone().into(),
    });
    let user = user_of(&Client::new(config).unwrap()).await.unwrap();
    assert_eq!((user.username.as_deref(), user.uid.as_deref()), (Some("bob"), Some("u1")));
    assert_eq!(user.groups, ["devs", "ops", "system:authenticated"]);
    assert_eq!(user.extra.len(), 1);
    assert_eq!(user.extra[&*scopes[0].0], ["view", "edit"]);

    let mut config = cluster.config();
    config.impersonate = Some(as_user(&cluster.account_user("robot")));
    let user = user_of(&Client::new(config).unwrap()).await.unwrap();
    let group = format!("system:serviceaccounts:{}", cluster.namespace);
    assert_eq!(user.groups, ["system:serviceaccounts", &group, "system:authenticated"]);
}

#[tokio::test]
async fn a_kubeconfig_names_the_user_to_act_as() {
    let cluster = TestCluster::start().await;
    let name = cluster.unique("ann");
    let mut user = cluster.identity(&name, &[]).await.kubeconfig_user();
    for (field, value) in [
        ("as", json!("bob")),
        ("as-uid", json!("u1")),
        ("as-groups", json!(["devs"])),
        ("as-user-extra", json!({"scopes": ["view"]})),
    ] {
        user[field] = value;
    }
    let client = cluster.client_of(user);
    assert!(user_of(&client).await.unwrap_err().is_forbidden());
    let rules = json!([
        {"apiGroups": [""], "resources": ["users", "groups"], "verbs": ["impersonate"]},
        {"apiGroups": ["authentication.k8s.io"], "resources": ["uids", "userextras/scopes"], "verbs": ["impersonate"]},
    ]);
    cluster.grant(&name, rules).await;
    let user = user_of(&client).await.unwrap();
    assert_eq!((user.username.as_deref(), user.uid.as_deref()), (Some("bob"), Some("u1")));
    assert_eq!((&user.groups[0], &user.extra["scopes"][0]), (&"devs".into(), &"view".into()));
}

#[tokio::test]
async fn a_user_acts_only_as_those_that_are_allowed_to_it() {
    let cluster = TestCluster::start().await;
    let name = cluster.unique("ann");
    let user = cluster.identity(&name, &[]).await.kubeconfig_user();
    let client_as = |other: Impersonation| {
        let mut config = cluster.config_of(user.clone());
        config.impersonate = Some(other);
        Client::new(config).unwrap()
    };
    let options = ListOptions::default();
    let refusal = async |other: Impersonation| {
        let error =
            client_as(other).api::<ConfigMap>().namespace("default").list(&options).await.unwrap_err();
        assert!(error.is_forbidden(), "{error}");
        error.as_status().unwrap().message.clone().unwrap().to_string()
    };
    let rule = json!({"apiGroups": [""], "resources": ["users"], "resourceNames": ["bob"], "verbs": ["impersonate"]});
    cluster.grant(&name, json!([rule])).await;
    assert_eq!(
        refusal(as_user("carol")).await,
        format!(
            "configmaps is forbidden: User {name:?} cannot impersonate-on:user-info:list resource \"configmaps\" in API \
             group \"\" in the namespace \"default\""
        ),
        "constrained impersonation is tried first"
    );
    // Once a mode was successful, it is tried first.
    user_of(&client_as(as_user("bob"))).await.unwrap();
    let cannot = |what: &str, resource: &str, group: &str| {
        format!(
            "{what} is forbidden: User {name:?} cannot impersonate resource {resource:?} in API group {group:?} at the cluster scope"
        )
    };
    assert_eq!(refusal(as_user("carol")).await, cannot(r#"users "carol""#, "users", ""));
    let groups = Impersonation { groups: vec!["devs".to_owned()], ..as_user("bob") };
    assert_eq!(refusal(groups).await, cannot(r#"groups "devs""#, "groups", ""));
    let uid = Impersonation { uid: "u1".to_owned(), ..as_user("bob") };
    let api = "authentication.k8s.io";
    assert_eq!(refusal(uid).await, cannot(r#"uids.authentication.k8s.io "u1""#, "uids", api));
    let extra =
        Impersonation { extra: [("scopes".to_owned(), vec!["view".to_owned()])].into(), ..as_user("bob") };
    assert_eq!(
        refusal(extra).await,
        cannot(r#"userextras.authentication.k8s.io "view""#, "userextras/scopes", api)
    );
    let error = client_as(as_user("bob")).api::<Secret>().namespace("default").get("s").await.unwrap_err();
    let problem = r#"secrets "s" is forbidden: User "bob" cannot get resource "secrets" in API group "" in the namespace "default""#;
    assert_eq!(error.as_status().unwrap().message.as_deref(), Some(problem));
}
