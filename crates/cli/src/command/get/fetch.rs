//! Asking for the objects to show.

use http::Method;
use klient_apimachinery::{Object, Unstructured};
use klient_client::{ApiResource, Error, Request};
use serde_json::Value;

use super::GetArgs;
use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::manifest::{self, Expectations, Validation};
use crate::session::Session;
use crate::target::{self, Target};

/// What servers are asked for where a table is to be shown.
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,\
                     application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";

/// What the server gave.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    pub(crate) answers: Vec<Answer>,
    pub(crate) failures: Vec<Failure>,
    /// One object was asked for by name.
    pub(crate) single: bool,
}

/// An object, a list of them, or a table.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) resource: ApiResource,
    pub(crate) object: Value,
}

/// What is asked for: a whole collection, or one object by name.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) resource: ApiResource,
    pub(crate) namespace: Option<String>,
    pub(crate) name: Option<String>,
}

/// How the server is asked.
pub(crate) struct Asker<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) args: &'a GetArgs,
    /// For tables, not whole objects.
    pub(crate) tables: bool,
}

impl Asker<'_> {
    /// Asks for all that files and arguments name.
    pub(crate) async fn fetch(&self, session: &Session) -> Result<Fetched, Failure> {
        let wanted = self.wanted(session).await?;
        let single = matches!(&wanted[..], [Ok(Wanted { name: Some(_), .. }) | Err(_)]);
        let mut fetched = Fetched { single, ..Fetched::default() };
        for wanted in wanted {
            let asked = match wanted {
                Ok(wanted) => self.ask(wanted, &mut fetched.answers).await,
                Err(failure) => Err(failure),
            };
            fetched.failures.extend(asked.err());
        }
        if self.args.ignore_not_found {
            let not_found =
                |failure: &Failure| matches!(failure, Failure::Client { error, .. } if error.is_not_found());
            fetched.failures.retain(|failure| !not_found(failure));
        }
        Ok(fetched)
    }

    /// What files and arguments name.
    pub(crate) async fn wanted(&self, session: &Session) -> Result<Vec<Result<Wanted, Failure>>, Failure> {
        let Asker { cluster, args, .. } = *self;
        if !args.files.is_empty() {
            args.files.stand_alone(&args.arguments)?;
            let expect = Expectations { validation: Validation::Ignore, one_namespace: true };
            let manifest = manifest::read(cluster, &args.files, expect).await?;
            let manifest = manifest::selected(manifest, &args.selector)?;
            let named = manifest.into_iter().map(|item| {
                item.map(|item| Wanted {
                    namespace: item.object.namespace().map(str::to_owned),
                    name: Some(item.object.name().to_owned()),
                    resource: item.resource,
                })
            });
            return Ok(named.collect());
        }
        let selects = !args.selector.is_empty() || !args.field_selector.is_empty();
        let place = |resource: ApiResource, name| {
            let in_namespace = resource.info.namespaced && !args.all_namespaces;
            Ok(Wanted { namespace: in_namespace.then(|| cluster.namespace().to_owned()), name, resource })
        };
        let target = target::parse(cluster, &session.program, &args.arguments).await?;
        match target.fits(selects, args.all_namespaces)? {
            Target::Names(names) | Target::Pairs(names) => {
                if names.iter().any(|(_, name)| name.is_empty()) {
                    return Err(Failure::message("resource name may not be empty"));
                }
                Ok(names.into_iter().map(|(resource, name)| place(resource, Some(name))).collect())
            }
            Target::Types(resources) => {
                Ok(resources.into_iter().map(|resource| place(resource, None)).collect())
            }
        }
    }

    async fn ask(&self, wanted: Wanted, answers: &mut Vec<Answer>) -> Result<(), Failure> {
        if wanted.name.is_some() {
            let object = self.one(&wanted).await?;
            answers.push(Answer { resource: wanted.resource, object });
            return Ok(());
        }
        let mut continue_token = String::new();
        loop {
            let mut request = self.request(&wanted);
            // All are sorted, so that all are asked for at once.
            if self.args.chunk_size != 0 && self.args.sort_by.is_empty() {
                request = request.query("limit", self.args.chunk_size.to_string());
            }
            if !continue_token.is_empty() {
                request = request.query("continue", continue_token);
            }
            let object = send(request).await.map_err(|error| self.unlistable(&wanted.resource, error))?;
            continue_token = object["metadata"]["continue"].as_str().unwrap_or_default().to_owned();
            answers.push(Answer { resource: wanted.resource.clone(), object });
            if continue_token.is_empty() {
                return Ok(());
            }
        }
    }

    /// Asks for what is wanted at once: one object, or a whole collection.
    pub(crate) async fn one(&self, wanted: &Wanted) -> Result<Value, Failure> {
        let asked = send(self.request(wanted)).await;
        let (Err(error), Some(namespace), Some(_)) = (&asked, &wanted.namespace, &wanted.name) else {
            return asked.map_err(|error| match wanted.name {
                Some(_) => error.into(),
                None => self.unlistable(&wanted.resource, error),
            });
        };
        if error.is_not_found() && namespace != "default" {
            // If it is the namespace that is not there, that is what one wants to know.
            let request = self.cluster.client().request(Method::GET).group_version("", "v1");
            if let Err(missing) = request.resource("namespaces").name(namespace).send().await
                && missing.is_not_found()
            {
                return Err(missing.into());
            }
        }
        Ok(asked?)
    }

    /// A request for what is wanted, with the selectors of the flags.
    pub(crate) fn request(&self, wanted: &Wanted) -> Request {
        let info = &wanted.resource.info;
        let accept = if self.tables { TABLE } else { "application/json" };
        let mut request = self.cluster.client().request(Method::GET).accept(accept);
        if self.tables && !self.args.sort_by.is_empty() {
            // With the fields to sort by.
            request = request.query("includeObject", "Object");
        }
        request = request.group_version(&info.group, &info.version);
        if let Some(namespace) = &wanted.namespace {
            request = request.namespace(namespace);
        }
        request = request.resource(&info.plural);
        if let Some(name) = &wanted.name {
            return request.name(name);
        }
        for (key, value) in
            [("labelSelector", &self.args.selector), ("fieldSelector", &self.args.field_selector)]
        {
            if !value.is_empty() {
                request = request.query(key, value.as_str());
            }
        }
        request
    }

    fn unlistable(&self, resource: &ApiResource, error: Error) -> Failure {
        target::unlistable(&resource.info, &self.args.selector, &self.args.field_selector, error)
    }
}

async fn send(request: Request) -> Result<Value, Error> {
    request.send().await?.decode::<Unstructured>().map(|object| Value::Object(object.0))
}
