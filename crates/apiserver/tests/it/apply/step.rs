//! [`Step`], one write or look of a case.

use http::Method;
use klient_apimachinery::yaml;
use serde_json::{Map, Value, json};

/// The object of a request: `deployments/web/status`.
#[derive(Clone, Debug)]
pub(super) struct On {
    pub(super) resource: &'static Resource,
    pub(super) name: String,
    pub(super) subresource: Option<String>,
}

/// A resource that cases write to.
#[derive(Debug)]
pub(super) struct Resource {
    pub(super) plural: &'static str,
    pub(super) api_version: &'static str,
    pub(super) kind: &'static str,
    pub(super) namespaced: bool,
}

const fn namespaced(plural: &'static str, api_version: &'static str, kind: &'static str) -> Resource {
    Resource { plural, api_version, kind, namespaced: true }
}

static RESOURCES: &[Resource] = &[
    namespaced("configmaps", "v1", "ConfigMap"),
    namespaced("cronjobs", "batch/v1", "CronJob"),
    namespaced("deployments", "apps/v1", "Deployment"),
    namespaced("gadgets", "cases.example.com/v1", "Gadget"),
    namespaced("gadgets2", "cases.example.com/v2", "Gadget"),
    namespaced("panels", "cases.example.com/v1", "Panel"),
    namespaced("panels2", "cases.example.com/v2", "Panel"),
    namespaced("persistentvolumeclaims", "v1", "PersistentVolumeClaim"),
    namespaced("pods", "v1", "Pod"),
    namespaced("services", "v1", "Service"),
    namespaced("things", "cases.example.com/v1", "Thing"),
    Resource { plural: "nodes", api_version: "v1", kind: "Node", namespaced: false },
    Resource { plural: "persistentvolumes", api_version: "v1", kind: "PersistentVolume", namespaced: false },
    Resource {
        plural: "customresourcedefinitions",
        api_version: "apiextensions.k8s.io/v1",
        kind: "CustomResourceDefinition",
        namespaced: false,
    },
];

impl On {
    fn parse(text: &str) -> Self {
        let mut parts = text.split('/');
        let plural = parts.next().unwrap_or_default();
        let resource = RESOURCES.iter().find(|resource| resource.plural == plural);
        On {
            resource: resource.unwrap_or_else(|| panic!("no resource {plural}")),
            name: parts.next().unwrap_or_default().to_owned(),
            subresource: parts.next().map(str::to_owned),
        }
    }

    /// The path of the collection of its resource.
    pub(super) fn collection(&self, namespace: &str) -> String {
        let Resource { plural, api_version, namespaced, .. } = self.resource;
        let root = if api_version.contains('/') { "/apis" } else { "/api" };
        // The second version of a kind has the plural of the first.
        let plural = plural.trim_end_matches('2');
        match namespaced {
            true => format!("{root}/{api_version}/namespaces/{namespace}/{plural}"),
            false => format!("{root}/{api_version}/{plural}"),
        }
    }

    /// Cluster-scoped objects are named after the namespace of the case.
    fn name(&self, namespace: &str) -> String {
        if self.resource.namespaced { self.name.clone() } else { format!("{}-{namespace}", self.name) }
    }

    pub(super) fn object(&self, namespace: &str) -> String {
        format!("{}/{}", self.collection(namespace), self.name(namespace))
    }

    pub(super) fn path(&self, namespace: &str) -> String {
        let object = self.object(namespace);
        self.subresource.as_ref().map_or(object.clone(), |subresource| format!("{object}/{subresource}"))
    }

    /// A body with kind and name, where it says none.
    fn completed(&self, mut body: Value, namespace: &str) -> Value {
        let Value::Object(object) = &mut body else { return body };
        let (api_version, kind) = match self.subresource.as_deref() {
            Some("scale") => ("autoscaling/v1", "Scale"),
            _ => (self.resource.api_version, self.resource.kind),
        };
        object.entry("apiVersion").or_insert_with(|| api_version.into());
        object.entry("kind").or_insert_with(|| kind.into());
        let metadata = object.entry("metadata").or_insert_with(|| json!({}));
        if let Value::Object(metadata) = metadata {
            metadata.entry("name").or_insert_with(|| self.name(namespace).into());
        }
        body
    }
}

/// One line of a case: `alice apply configmaps/a force {data: {x: "1"}}`.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) manager: String,
    pub(super) verb: Verb,
    pub(super) on: On,
    pub(super) force: bool,
    pub(super) dry_run: bool,
    pub(super) body: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Apply,
    Create,
    /// Replaces the object by itself with the body merged in.
    Put,
    /// Replaces the object by the body.
    Replace,
    Merge,
    Json,
    Strategic,
    Delete,
}

impl Step {
    pub(super) fn parse(line: &str) -> Self {
        let (head, body) = match line.find(['{', '[', '"']) {
            Some(at) => line.split_at(at),
            None => (line, "null"),
        };
        let mut words = head.split_whitespace();
        let mut word = || words.next().unwrap_or_else(|| panic!("{line:?} is too short"));
        let (manager, verb, on) = (word().to_owned(), word(), On::parse(word()));
        let flags: Vec<&str> = words.collect();
        Step {
            manager,
            verb: match verb {
                "apply" => Verb::Apply,
                "create" => Verb::Create,
                "put" => Verb::Put,
                "replace" => Verb::Replace,
                "merge" => Verb::Merge,
                "json" => Verb::Json,
                "strategic" => Verb::Strategic,
                "delete" => Verb::Delete,
                _ => panic!("{line:?} has no verb that is known"),
            },
            on,
            force: flags.contains(&"force"),
            dry_run: flags.contains(&"dry-run"),
            body: yaml::from_str(body).unwrap_or_else(|error| panic!("{line:?}: {error}")),
        }
    }

    /// The query with the field manager; `-` sets none, so that the user agent is used.
    pub(super) fn query(&self) -> String {
        let mut query = Vec::new();
        if self.manager != "-" {
            query.push(format!("fieldManager={}", self.manager));
        }
        if self.force {
            query.push("force=true".to_owned());
        }
        if self.dry_run {
            query.push("dryRun=All".to_owned());
        }
        query.join("&")
    }

    pub(super) fn method(&self) -> Method {
        match self.verb {
            Verb::Create => Method::POST,
            Verb::Put | Verb::Replace => Method::PUT,
            Verb::Delete => Method::DELETE,
            _ => Method::PATCH,
        }
    }

    pub(super) fn content_type(&self) -> &'static str {
        match self.verb {
            Verb::Apply => "application/apply-patch+yaml",
            Verb::Merge => "application/merge-patch+json",
            Verb::Json => "application/json-patch+json",
            Verb::Strategic => "application/strategic-merge-patch+json",
            _ => "application/json",
        }
    }

    /// The body of the request, given the present object.
    pub(super) fn body(&self, present: &Value, namespace: &str) -> Value {
        match self.verb {
            Verb::Put => {
                let mut body = match present {
                    Value::Object(_) => present.clone(),
                    _ => Value::Object(Map::new()),
                };
                // So that it says who owns what only if the case does.
                if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
                    metadata.remove("managedFields");
                    metadata.remove("resourceVersion");
                }
                klient_apimachinery::patch::merge::apply(&mut body, &self.body);
                body
            }
            Verb::Apply | Verb::Create | Verb::Replace => self.on.completed(self.body.clone(), namespace),
            _ => self.body.clone(),
        }
    }
}
