//! [`Script`], a credential plugin that is a shell script.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use klient_api::authentication::v1::SelfSubjectReview;
use klient_apimachinery::Time;
use klient_apiserver::TestServer;
use klient_client::{Client, Config, Error};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cluster::soon;

pub(crate) const V1: &str = "client.authentication.k8s.io/v1";

/// A script in a folder of its own, which is `$FOLDER` to it. It notes each run; what it prints is mostly the file
/// `credential`.
pub(crate) struct Script(TempDir);

impl Script {
    pub(crate) fn new(body: &str) -> Self {
        let script = Script(TempDir::new().unwrap());
        // Files are written as a whole, so that those who read them while they are written find no half.
        script.write("script", &format!("echo run >> $FOLDER/runs\n{body}\n"));
        script.write("runs", "");
        script
    }

    /// A script that prints a credential with these fields.
    pub(crate) fn printing(status: Value) -> Self {
        let script = Script::new("cat $FOLDER/credential");
        script.print(status);
        script
    }

    /// Changes what is printed.
    pub(crate) fn print(&self, status: Value) {
        let credential = json!({"kind": "ExecCredential", "apiVersion": V1, "status": status});
        self.write("credential", &credential.to_string());
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path("written"), text).unwrap();
        std::fs::rename(self.path("written"), self.path(name)).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// The number of times that it has been run.
    pub(crate) fn runs(&self) -> usize {
        self.read("runs").lines().count()
    }

    /// The `exec` of a kubeconfig's user. A script that the test has just written cannot be run itself: another thread
    /// may have forked meanwhile, whose child still holds the file open.
    pub(crate) fn exec(&self) -> Value {
        json!({
            "apiVersion": V1,
            "command": "sh",
            "args": [self.path("script")],
            "env": [{"name": "FOLDER", "value": self.0.path()}],
            "interactiveMode": "Never",
        })
    }

    /// A configuration for a server.
    pub(crate) fn config(&self, server: &TestServer) -> Config {
        config(server, self.exec())
    }

    /// Waits until the process that wrote its number to the file `pid` is gone.
    pub(crate) async fn ended(&self) {
        let pid = self.read("pid").trim().to_owned();
        assert!(!pid.is_empty(), "no process has begun");
        let lives = || std::path::Path::new("/proc").join(&pid).join("cmdline");
        soon("the end of the process", async {
            // A process that was killed and not yet waited for has no command line.
            while std::fs::read(lives()).is_ok_and(|line| !line.is_empty()) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
    }

    /// Waits until the script has written a file.
    pub(crate) async fn written(&self, name: &str) {
        soon("a file", async {
            while self.read(name).is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
    }
}

/// A configuration for a server, with a plugin.
pub(crate) fn config(server: &TestServer, exec: Value) -> Config {
    Config::from_kubeconfig(&kubeconfig(server, json!({"exec": exec})).to_string()).unwrap()
}

/// A kubeconfig for a server, with a user named `ci`.
pub(crate) fn kubeconfig(server: &TestServer, user: Value) -> Value {
    json!({
        "clusters": [{"name": "c", "cluster": {
            "server": server.url(),
            "certificate-authority-data": BASE64.encode(server.ca_pem()),
            "extensions": [{
                "name": "client.authentication.k8s.io/exec",
                "extension": {"audience": "06e3fbd18de8"},
            }],
        }}],
        "users": [{"name": "ci", "user": user}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "ci"}}],
        "current-context": "here",
    })
}

/// A time in the future, or in the past.
pub(crate) fn seconds(from_now: i64) -> String {
    Time::from_unix(Time::from(SystemTime::now()).unix() + from_now).to_string()
}

/// Sends requests, none of which may fail, until the client is another user to the server.
pub(crate) async fn until_other_than(client: &Client, user: &str) {
    soon("the other certificate", async {
        while who(client).await.unwrap() == user {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// The user that a client is to the server.
pub(crate) async fn who(client: &Client) -> Result<String, Error> {
    let review = client.api().create(&SelfSubjectReview::default()).await?;
    let user = review.status.user_info.expect("a review names the user");
    Ok(user.username.unwrap_or_default().to_string())
}
