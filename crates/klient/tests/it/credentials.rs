//! The kubeconfig entries on the page about sign-in to clusters can be used.

use klient::Overrides;
use klient::client::Kubeconfig;

/// The YAML texts of the page.
fn entries() -> Vec<String> {
    let mut entries = Vec::new();
    let mut lines = include_str!("../../src/credentials.rs").lines();
    while lines.any(|line| line == "//! ```yaml") {
        let text = lines.by_ref().take_while(|line| *line != "//! ```");
        entries.push(text.map(|line| line.trim_start_matches("//!")).collect::<Vec<_>>().join("\n"));
    }
    entries
}

#[test]
fn entries_of_the_clouds_can_be_used() {
    let mut found = Vec::new();
    for entry in entries() {
        let mut kubeconfig = Kubeconfig::parse(&entry).unwrap();
        let user = kubeconfig.users[0].name.clone();
        let context = format!(
            "{{clusters: [{{name: c, cluster: {{server: 'https://cluster.example.com'}}}}],
              contexts: [{{name: here, context: {{cluster: c, user: '{user}'}}}}], current-context: here}}"
        );
        let context = Kubeconfig::parse(&context).unwrap();
        (kubeconfig.clusters, kubeconfig.contexts) = (context.clusters, context.contexts);
        kubeconfig.current_context = context.current_context;
        let config = kubeconfig.config(&Overrides::default()).unwrap();
        found.push(format!("{:?}", config.credentials));
    }
    assert_eq!(
        found,
        [
            "ExecPlugin(gke-gcloud-auth-plugin)",
            "ExecPlugin(aws)",
            "ExecPlugin(kubelogin)",
            "ExecPlugin(client-keystone-auth)",
            r#"Provider(oidc provider https://idp.example.com/realms/kubernetes of user "ada")"#,
        ]
    );
}
