//! [`Chooser`], which makes up the writes of a sequence.

use std::collections::HashMap;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::disturb::{direct, disturb, operations, overlay, thin};
use crate::kind::{Kind, Place};
use crate::step::{Change, ManagedFields, Step, Verb, Writer};

/// The manager of the managed fields that are given to the server.
pub(crate) const STRANGER: &str = "mallory";

/// Makes up the writes of a sequence. It remembers what each manager applied, to apply nearly the same again.
pub(crate) struct Chooser {
    kind: &'static Kind,
    random: Rng,
    /// Many managers, more than are told apart.
    is_crowded: bool,
    /// The object goes from client-side to server-side apply.
    migrates: bool,
    applied: HashMap<String, Value>,
}

impl Chooser {
    pub(crate) fn new(kind: &'static Kind, mut random: Rng) -> Self {
        let (is_crowded, migrates) = (random.u8(..10) == 0, random.u8(..8) == 0);
        Chooser { kind, random, is_crowded, migrates, applied: HashMap::new() }
    }

    /// A write; the first one of an object is nearly always one that makes it.
    pub(crate) fn step(&mut self, first: bool) -> Step {
        let api_version = self.kind.api_versions[self.random.usize(..self.kind.api_versions.len())];
        let subresource = if first { None } else { self.subresource() };
        let (writer, verb) = match subresource {
            _ if first => self.creation(api_version),
            Some("scale") => self.scaling(),
            Some(_) => self.status(api_version),
            None => self.writing(api_version),
        };
        let field_validation = self.one_in(12).then(|| ["Strict", "Warn", "Ignore"][self.random.usize(..3)]);
        let dry_run = self.one_in(12) || self.kind.is_dry_run();
        Step { writer, verb, api_version, subresource, dry_run, field_validation }
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.random.u32(..count) == 0
    }

    fn subresource(&mut self) -> Option<&'static str> {
        match self.random.u8(..100) {
            0..=9 if self.kind.has_status => Some("status"),
            10..=15 if self.kind.has_scale => Some("scale"),
            _ => None,
        }
    }

    fn updater(&mut self) -> Writer {
        let crowd = self.random.u8(..14);
        let name = match self.random.u8(..12) {
            _ if self.is_crowded => return Writer::FieldManager(format!("crowd-{crowd}")),
            0..=2 => "alice",
            3..=5 => "bob",
            6..=7 => "carol",
            8 if self.migrates => "kubectl-client-side-apply",
            8 => return Writer::UserAgent("(strange) agent"),
            9..=10 => return Writer::UserAgent("agent/1.0 (linux)"),
            _ if self.one_in(6) => return Writer::FieldManager("a".repeat(129)),
            _ if self.one_in(6) => return Writer::FieldManager("not\nprinted".to_owned()),
            _ => "alice",
        };
        Writer::FieldManager(name.to_owned())
    }

    fn applier(&mut self) -> Writer {
        let name = match self.random.u8(..30) {
            0..=11 => "alice",
            12..=20 => "bob",
            21..=26 if self.migrates => "kubectl",
            21..=28 => "carol",
            _ if self.one_in(3) => return Writer::UserAgent("agent/1.0 (linux)"),
            _ => "alice",
        };
        Writer::FieldManager(name.to_owned())
    }

    /// An object of the kind, or what somebody has to say of one.
    fn object(&mut self, api_version: &str, whole: bool) -> Value {
        let mut object = self.kind.shape(api_version).choose(&mut self.random, whole);
        if self.one_in(6) {
            disturb(&mut object, &mut self.random);
        }
        overlay(&mut object, &self.head(api_version));
        object
    }

    fn head(&self, api_version: &str) -> Value {
        json!({"apiVersion": api_version, "kind": self.kind.kind, "metadata": {"name": self.kind.name()}})
    }

    /// Makes an object that is created another than the one that is there for all sequences.
    fn rename(&self, object: &mut Value) {
        if let Place::Cluster { other, .. } = self.kind.place {
            overlay(object, &other());
        }
    }

    fn creation(&mut self, api_version: &str) -> (Writer, Verb) {
        if !self.migrates && self.random.bool() {
            let writer = self.applier();
            let config = self.kind.shape(api_version).choose(&mut self.random, true);
            return self.application(api_version, writer, config);
        }
        let mut object = self.kind.shape(api_version).choose(&mut self.random, true);
        overlay(&mut object, &self.head(api_version));
        self.rename(&mut object);
        if self.migrates {
            let last = object.to_string() + "\n";
            let annotations = json!({"kubectl.kubernetes.io/last-applied-configuration": last});
            overlay(&mut object, &json!({"metadata": {"annotations": annotations}}));
            return (Writer::FieldManager("kubectl-client-side-apply".to_owned()), Verb::Create(object));
        }
        (self.updater(), Verb::Create(object))
    }

    fn writing(&mut self, api_version: &str) -> (Writer, Verb) {
        match self.random.u8(..100) {
            0..=44 => {
                let writer = self.applier();
                let config = self.configuration(api_version, &writer);
                self.application(api_version, writer, config)
            }
            45..=61 => (self.updater(), self.update(api_version)),
            62..=75 => {
                let mut patch = self.patch(api_version);
                if self.one_in(10) {
                    let managed_fields = self.managed_fields();
                    overlay(&mut patch, &json!({"metadata": {}}));
                    patch["metadata"]["managedFields"] = managed_fields;
                }
                (self.updater(), Verb::MergePatch(patch))
            }
            76..=87 => {
                let mut patch = self.patch(api_version);
                if self.random.bool() {
                    direct(&mut patch, &mut self.random);
                }
                (self.updater(), Verb::StrategicPatch(patch))
            }
            88..=95 => {
                let object = self.kind.shape(api_version).choose(&mut self.random, true);
                (self.updater(), Verb::JsonPatch(operations(&object, &mut self.random)))
            }
            96..=97 => {
                let patch =
                    json!([{"op": "add", "path": "/metadata/managedFields", "value": self.managed_fields()}]);
                (self.updater(), Verb::JsonPatch(patch))
            }
            _ => {
                let mut object = self.object(api_version, true);
                self.rename(&mut object);
                (self.updater(), Verb::Create(object))
            }
        }
    }

    /// What a manager applies: something new, or nearly what it applied before.
    fn configuration(&mut self, api_version: &str, writer: &Writer) -> Value {
        let before = match writer {
            Writer::FieldManager(name) => self.applied.get(&self.key(api_version, name)).cloned(),
            Writer::UserAgent(_) => None,
        };
        let mut config = match (before, self.random.u8(..10)) {
            (Some(before), 0..=1) => before,
            (Some(mut before), 2..=4) => {
                thin(&mut before, &mut self.random);
                before
            }
            (Some(mut before), 5..=6) => {
                overlay(&mut before, &self.kind.shape(api_version).choose(&mut self.random, false));
                before
            }
            (_, 7) => json!({}),
            (_, at) => self.kind.shape(api_version).choose(&mut self.random, at % 2 == 0),
        };
        if self.one_in(6) {
            disturb(&mut config, &mut self.random);
        }
        config
    }

    /// Where it is remembered what a manager applied: what has other fields in another version is not applied there.
    fn key(&self, api_version: &str, manager: &str) -> String {
        if self.kind.is_converted() { format!("{api_version} {manager}") } else { manager.to_owned() }
    }

    fn application(&mut self, api_version: &str, writer: Writer, mut config: Value) -> (Writer, Verb) {
        if let Writer::FieldManager(name) = &writer {
            self.applied.insert(self.key(api_version, name), config.clone());
        }
        overlay(&mut config, &self.head(api_version));
        match self.random.u8(..40) {
            0 => config["metadata"]["managedFields"] = self.managed_fields(),
            1 => config["metadata"]["resourceVersion"] = "1".into(),
            2 => config["status"] = self.kind.status.choose(&mut self.random, true),
            3 => config["kind"] = "Other".into(),
            _ => {}
        }
        let force = match self.random.u8(..10) {
            0..=3 => Some(true),
            4 => Some(false),
            _ => None,
        };
        (writer, Verb::Apply { config, force })
    }

    fn update(&mut self, api_version: &str) -> Verb {
        let whole = self.one_in(4);
        let overlay = self.object(api_version, whole);
        let managed_fields = match self.random.u8(..10) {
            0..=6 => ManagedFields::Kept,
            7..=8 => ManagedFields::Dropped,
            _ => ManagedFields::Given(self.managed_fields()),
        };
        let has_version = !self.one_in(8);
        Verb::Update(Change { overlay, managed_fields, has_version })
    }

    /// What somebody wants for managedFields; most of it is refused, or not believed.
    fn managed_fields(&mut self) -> Value {
        let entry = json!({
            "manager": STRANGER, "operation": "Update", "apiVersion": self.kind.api_versions[0],
            "time": "2020-01-01T00:00:00Z", "fieldsType": "FieldsV1",
            "fieldsV1": {"f:metadata": {"f:labels": {"f:app": {}}}},
        });
        let with = |name: &str, value: Value| {
            let mut entry = entry.clone();
            entry[name] = value;
            json!([entry])
        };
        match self.random.u8(..12) {
            0..=2 => json!([]),
            3..=4 => json!([{}]),
            5 => json!([entry]),
            6 => with("operation", json!("Other")),
            7 => with("fieldsType", json!("FieldsV2")),
            8 => with("fieldsV1", json!({"x:spec": {}})),
            9 => with("fieldsV1", json!({"f:metadata": {"f:labels": {"k:{": {}}}})),
            // Those of a custom resource cannot be converted, and then nothing is recorded by kube-apiserver.
            10 if self.kind.is_builtin => with("apiVersion", json!("gone.example/v1")),
            _ => Value::Null,
        }
    }

    fn patch(&mut self, api_version: &str) -> Value {
        let whole = self.one_in(6);
        let mut patch = self.kind.shape(api_version).choose(&mut self.random, whole);
        for _ in 0..self.random.u8(..3) {
            disturb(&mut patch, &mut self.random);
        }
        patch
    }

    fn status(&mut self, api_version: &str) -> (Writer, Verb) {
        let mut object = json!({"status": self.kind.status.choose(&mut self.random, true)});
        if self.one_in(5) {
            overlay(&mut object, &self.kind.shape(api_version).choose(&mut self.random, false));
        }
        if self.one_in(6) {
            disturb(&mut object, &mut self.random);
        }
        match self.random.u8(..6) {
            0..=2 => {
                let writer = self.applier();
                overlay(&mut object, &self.head(api_version));
                (writer, Verb::Apply { config: object, force: self.random.bool().then_some(true) })
            }
            3 => {
                let managed_fields =
                    if self.random.bool() { ManagedFields::Kept } else { ManagedFields::Given(json!([])) };
                (self.updater(), Verb::Update(Change { overlay: object, managed_fields, has_version: true }))
            }
            4 if self.kind.is_builtin => (self.updater(), Verb::StrategicPatch(object)),
            _ => (self.updater(), Verb::MergePatch(object)),
        }
    }

    fn scaling(&mut self) -> (Writer, Verb) {
        let replicas = self.random.u8(..5);
        let spec = json!({"spec": {"replicas": replicas}});
        match self.random.u8(..6) {
            0..=1 => {
                let mut config = json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": self.kind.name()}});
                overlay(&mut config, &spec);
                (self.applier(), Verb::Apply { config, force: self.random.bool().then_some(true) })
            }
            2 => {
                let change = Change { overlay: spec, managed_fields: ManagedFields::Kept, has_version: true };
                (self.updater(), Verb::Update(change))
            }
            3 => {
                let patch = json!([{"op": "replace", "path": "/spec/replicas", "value": replicas}]);
                (self.updater(), Verb::JsonPatch(patch))
            }
            _ => (self.updater(), Verb::MergePatch(spec)),
        }
    }
}
