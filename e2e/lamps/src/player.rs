//! [`Player`], which writes lamps and prints the answers.

use std::time::Duration;

use klient_apimachinery::{ResourceInfo, Unstructured};
use klient_client::{
    Api, ApplyOptions, Client, DynamicPlace, Error, ListOptions, Patch, Warnings, WriteOptions,
};
use serde_json::{Value, json};

use crate::NAME;

/// Fields that no two servers have in common.
const OWN: [&str; 4] = ["uid", "resourceVersion", "creationTimestamp", "time"];

/// Writes lamps, and prints the answers and warnings.
pub(crate) struct Player {
    pub(crate) client: Client,
    pub(crate) warnings: Warnings,
}

fn lamp(version: &str, name: &str, spec: Value) -> Unstructured {
    let mut lamp = Unstructured::new(&format!("klient-lamps.example/{version}"), "Lamp", name);
    lamp["spec"] = spec;
    lamp
}

impl Player {
    fn lamps(&self, version: &'static str) -> Api<Unstructured, DynamicPlace> {
        let info = ResourceInfo::from_static("klient-lamps.example", version, "Lamp", "lamps", true);
        self.client.dynamic(info).namespace(NAME)
    }

    /// Waits until the server calls the webhooks, which may be some time after it has taken their configurations.
    pub(crate) async fn until_called(&self) -> Result<(), String> {
        let options = WriteOptions { dry_run: true, ..Default::default() };
        for _ in 0..300 {
            let probe = lamp("v1", "probe", json!({"watts": 1000}));
            let created = self.lamps("v1").with(options.clone()).create(&probe).await;
            if created.is_err_and(|error| error.to_string().contains("too bright")) {
                drop(self.warnings.take());
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("no webhook denies after fifteen seconds".to_owned())
    }

    pub(crate) async fn play(&self) {
        self.create("v1", "desk", json!({"watts": 5})).await;
        self.get("v1", "desk").await;
        self.get("v2", "desk").await;
        let mut hall = lamp("v2", "hall", json!({"power": "60W", "color": "red", "room": "hall"}));
        hall.set_label("kept", "yes");
        self.tell("lamp hall in v2", self.lamps("v2").create(&hall).await);
        self.get("v1", "hall").await;
        self.create("v1", "bright", json!({"watts": 1000})).await;
        self.create("v1", "dim", json!({"watts": 1})).await;
        self.create("v1", "panic", json!({"watts": 13})).await;
        self.create("v1", "odd", json!({"watts": 5, "color": "unconvertible"})).await;
        self.create("v2", "undefaultable", json!({"power": "5W", "color": "undefaultable"})).await;
        self.create("v2", "wordy", json!({"power": "much"})).await;
        // What cannot be converted when it is read is told in words of the storage.
        let wordy = self.lamps("v1").get("wordy").await;
        print("lamp wordy read in v1", &wordy.is_err_and(|error| error.code() == Some(500)).into());
        self.delete("v2", "wordy").await;
        for version in ["v1", "v2"] {
            match self.lamps(version).list(&ListOptions::default()).await {
                Ok(list) => {
                    for lamp in list {
                        self.tell(&format!("one of the lamps in {version}"), Ok(lamp));
                    }
                }
                Err(error) => self.tell(&format!("lamps in {version}"), Err(error)),
            }
        }
        let patch = async |what: &str, version, name: &str, patch: Value| {
            self.tell(what, self.lamps(version).patch(name, &Patch::Merge(patch)).await);
        };
        patch("patched in v1", "v1", "desk", json!({"spec": {"watts": 7}})).await;
        patch("moved in v2", "v2", "hall", json!({"spec": {"room": "attic"}})).await;
        patch("moved in v1", "v1", "hall", json!({"metadata": {"annotations": null}})).await;
        let apply = async |what: &str, version, spec, manager: &str| {
            let options = ApplyOptions::new(manager);
            self.tell(what, self.lamps(version).apply(&lamp(version, "new", spec), &options).await);
        };
        apply("applied in v1", "v1", json!({"watts": 9}), "alice").await;
        apply("applied in v1 again", "v1", json!({"watts": 9}), "alice").await;
        apply("applied in v2 by another", "v2", json!({"power": "11W"}), "bob").await;
        apply("applied in v2 by another, another field", "v2", json!({"room": "cellar"}), "bob").await;
        self.get("v1", "new").await;
        let status = Patch::Merge(json!({"status": {"on": true}}));
        self.tell("status in v1", self.lamps("v1").patch_status("desk", &status).await);
        self.delete("v1", "desk").await;
        self.delete("v1", "hall").await;
    }

    async fn create(&self, version: &'static str, name: &str, spec: Value) {
        let created = self.lamps(version).create(&lamp(version, name, spec)).await;
        self.tell(&format!("lamp {name} in {version}"), created);
    }

    async fn get(&self, version: &'static str, name: &str) {
        self.tell(&format!("lamp {name} read in {version}"), self.lamps(version).get(name).await);
    }

    async fn delete(&self, version: &'static str, name: &str) {
        let deleted = self.lamps(version).delete(name, &Default::default()).await;
        self.tell(&format!("{name} deleted"), deleted.map(|_| Unstructured::default()));
    }

    /// Prints an answer and its warnings.
    fn tell(&self, what: &str, answer: Result<Unstructured, Error>) {
        match answer {
            Ok(object) => print(what, &Value::Object(object.0)),
            Err(error) => match error.as_status() {
                Some(status) => print(what, &serde_json::to_value(status).unwrap_or_default()),
                None => print(what, &error.to_string().into()),
            },
        }
        for warning in self.warnings.take() {
            print("  warning", &warning.text.into());
        }
    }
}

#[allow(clippy::print_stdout, reason = "the answers are what the program is for")]
fn print(what: &str, value: &Value) {
    let mut value = value.clone();
    hide(&mut value);
    println!("{what}: {value}");
}

/// Takes out of a value what no two servers, and no two runs, have in common.
fn hide(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (name, inner) in object {
                if OWN.contains(&&**name) { *inner = "*".into() } else { hide(inner) }
            }
        }
        Value::Array(array) => array.iter_mut().for_each(hide),
        _ => {}
    }
}
