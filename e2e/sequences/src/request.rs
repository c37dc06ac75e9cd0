//! [`Request`], a step as it is sent.

use std::fmt;

use http::{HeaderValue, Method, header};
use klient_client::Client;
use serde_json::{Map, Value};

use crate::disturb::overlay;
use crate::kind::Kind;
use crate::step::{ManagedFields, Step, Verb, Writer};

/// A step as it is sent.
#[derive(Clone)]
pub struct Request {
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    user_agent: Option<&'static str>,
    content_type: &'static str,
    body: Value,
}

impl Request {
    /// A step, for the object as it is.
    pub(crate) fn new(step: &Step, kind: &Kind, namespace: &str, live: Option<&Value>) -> Request {
        let collection = kind.path(step.api_version, namespace);
        let mut path = format!("{collection}/{}", kind.name());
        if let Some(subresource) = step.subresource {
            path = format!("{path}/{subresource}");
        }
        let (method, content_type, body) = match &step.verb {
            Verb::Create(object) => (Method::POST, "application/json", object.clone()),
            Verb::Update(change) => {
                let mut object = live.cloned().unwrap_or(Value::Object(Map::new()));
                object["apiVersion"] =
                    live.map_or(step.api_version.into(), |live| live["apiVersion"].clone());
                overlay(&mut object, &change.overlay);
                let metadata = object.get_mut("metadata").and_then(Value::as_object_mut);
                if let Some(metadata) = metadata {
                    if !change.has_version {
                        metadata.remove("resourceVersion");
                    }
                    match &change.managed_fields {
                        ManagedFields::Kept => {}
                        ManagedFields::Dropped => drop(metadata.remove("managedFields")),
                        ManagedFields::Given(value) => {
                            metadata.insert("managedFields".to_owned(), value.clone());
                        }
                    }
                }
                (Method::PUT, "application/json", object)
            }
            Verb::JsonPatch(patch) => (Method::PATCH, "application/json-patch+json", patch.clone()),
            Verb::MergePatch(patch) => (Method::PATCH, "application/merge-patch+json", patch.clone()),
            Verb::StrategicPatch(patch) => {
                (Method::PATCH, "application/strategic-merge-patch+json", patch.clone())
            }
            Verb::Apply { config, .. } => (Method::PATCH, "application/apply-patch+yaml", config.clone()),
        };
        if matches!(step.verb, Verb::Create(_)) {
            path = collection;
        }
        let mut query = Vec::new();
        let mut user_agent = None;
        match &step.writer {
            Writer::FieldManager(name) => query.push(("fieldManager", name.clone())),
            Writer::UserAgent(agent) => user_agent = Some(*agent),
        }
        if let Verb::Apply { force: Some(force), .. } = &step.verb {
            query.push(("force", force.to_string()));
        }
        if step.dry_run {
            query.push(("dryRun", "All".to_owned()));
        }
        if let Some(validation) = step.field_validation {
            query.push(("fieldValidation", validation.to_owned()));
        }
        Request { method, path, query, user_agent, content_type, body }
    }

    /// A read of the object, or of a subresource.
    pub(crate) fn read(path: String) -> Request {
        let (query, content_type) = (Vec::new(), "application/json");
        Request { method: Method::GET, path, query, user_agent: None, content_type, body: Value::Null }
    }

    /// A POST of an object.
    pub(crate) fn create(path: String, body: Value) -> Request {
        let (query, content_type) = (Vec::new(), "application/json");
        Request { method: Method::POST, path, query, user_agent: None, content_type, body }
    }

    /// The same as a dry run.
    pub(crate) fn dry_run(mut self) -> Request {
        self.query.push(("dryRun", "All".to_owned()));
        self
    }

    /// An apply of an object, whoever owns its fields.
    pub(crate) fn apply(path: String, body: Value) -> Request {
        let query = vec![("fieldManager", "klient-sequences".to_owned()), ("force", "true".to_owned())];
        let content_type = "application/apply-patch+yaml";
        Request { method: Method::PATCH, path, query, user_agent: None, content_type, body }
    }

    /// A merge patch of an object.
    pub(crate) fn merge(path: String, body: Value) -> Request {
        let (query, content_type) = (Vec::new(), "application/merge-patch+json");
        Request { method: Method::PATCH, path, query, user_agent: None, content_type, body }
    }

    /// A delete that waits for nobody.
    pub(crate) fn delete(path: String) -> Request {
        let (query, content_type) = (vec![("gracePeriodSeconds", "0".to_owned())], "application/json");
        Request { method: Method::DELETE, path, query, user_agent: None, content_type, body: Value::Null }
    }

    /// The request for a client.
    pub(crate) fn on(&self, client: &Client) -> klient_client::Request {
        let mut request = client.request(self.method.clone()).absolute_path(&self.path);
        for (key, value) in &self.query {
            request = request.query(key, value);
        }
        if let Some(agent) = self.user_agent {
            request = request.header(header::USER_AGENT, agent);
        }
        if self.body.is_null() { request } else { request.body(self.content_type, self.body.to_string()) }
    }
}

/// In a form to read, or to send with curl.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        for (at, (key, value)) in self.query.iter().enumerate() {
            write!(f, "{}{key}={}", if at == 0 { '?' } else { '&' }, value.escape_debug())?;
        }
        let patch = self.content_type.trim_start_matches("application/");
        write!(f, " {}", patch.split(['+', '/']).next().unwrap_or_default())?;
        if let Some(agent) = self.user_agent {
            write!(f, " User-Agent={:?}", HeaderValue::from_static(agent))?;
        }
        write!(f, "\n    {}", self.body)
    }
}
