//! [`Builder`], the requests of `get` (kubectl's `resource.Builder`).

use http::Method;
use klient_apimachinery::{Object, Unstructured};
use klient_client::{ApiResource, Error, Request};
use serde_json::Value;

use super::GetArgs;
use crate::cluster::Cluster;
use crate::error::CliError;
use crate::manifest::{self, ReadOptions, ValidationDirective};
use crate::resource_args::{self, ResourceArgs};
use crate::session::Session;

/// `Accept` header for tables.
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,\
                     application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";

/// The responses to all requests of a command.
#[derive(Debug, Default)]
pub(crate) struct FetchResult {
    pub(crate) responses: Vec<Response>,
    pub(crate) failures: Vec<CliError>,
    /// There was one request, for an object by name.
    pub(crate) single: bool,
}

/// An object, a list, or a table.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) resource: ApiResource,
    pub(crate) object: Value,
}

/// A request for a collection, or for one object by name.
#[derive(Debug)]
pub(crate) struct ResourceRequest {
    pub(crate) resource: ApiResource,
    pub(crate) namespace: Option<String>,
    pub(crate) name: Option<String>,
}

/// Builds and sends the requests of `get`.
pub(crate) struct Builder<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) args: &'a GetArgs,
    /// Requests tables in place of objects.
    pub(crate) tables: bool,
}

impl Builder<'_> {
    /// Sends the requests for all objects that files and arguments select.
    pub(crate) async fn fetch(&self, session: &Session) -> Result<FetchResult, CliError> {
        let requests = self.requests(session).await?;
        let single = matches!(&requests[..], [Ok(ResourceRequest { name: Some(_), .. }) | Err(_)]);
        let mut fetched = FetchResult { single, ..FetchResult::default() };
        for request in requests {
            let result = match request {
                Ok(request) => self.list_or_get(request, &mut fetched.responses).await,
                Err(failure) => Err(failure),
            };
            fetched.failures.extend(result.err());
        }
        if self.args.ignore_not_found {
            let not_found = |failure: &CliError| matches!(failure, CliError::Client { error, .. } if error.is_not_found());
            fetched.failures.retain(|failure| !not_found(failure));
        }
        Ok(fetched)
    }

    /// Returns the requests for the objects that files and arguments select.
    pub(crate) async fn requests(
        &self,
        session: &Session,
    ) -> Result<Vec<Result<ResourceRequest, CliError>>, CliError> {
        let Builder { cluster, args, .. } = *self;
        if !args.files.is_empty() {
            args.files.refuse_arguments(&args.arguments)?;
            let options = ReadOptions { validation: ValidationDirective::Ignore, enforce_namespace: true };
            let manifest = manifest::read(cluster, &args.files, options).await?;
            let manifest = manifest::selected(manifest, &args.selector)?;
            let named = manifest.into_iter().map(|item| {
                item.map(|item| ResourceRequest {
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
            Ok(ResourceRequest {
                namespace: in_namespace.then(|| cluster.namespace().to_owned()),
                name,
                resource,
            })
        };
        let target = resource_args::parse(cluster, &session.program, &args.arguments).await?;
        match target.check_selection(selects, args.all_namespaces)? {
            ResourceArgs::Names(names) | ResourceArgs::Pairs(names) => {
                if names.iter().any(|(_, name)| name.is_empty()) {
                    return Err(CliError::message("resource name may not be empty"));
                }
                Ok(names.into_iter().map(|(resource, name)| place(resource, Some(name))).collect())
            }
            ResourceArgs::Types(resources) => {
                Ok(resources.into_iter().map(|resource| place(resource, None)).collect())
            }
        }
    }

    async fn list_or_get(
        &self,
        wanted: ResourceRequest,
        responses: &mut Vec<Response>,
    ) -> Result<(), CliError> {
        if wanted.name.is_some() {
            let object = self.get_once(&wanted).await?;
            responses.push(Response { resource: wanted.resource, object });
            return Ok(());
        }
        let mut continue_token = String::new();
        loop {
            let mut request = self.request(&wanted);
            // Sorting needs the whole list, so there are no pages.
            if self.args.chunk_size != 0 && self.args.sort_by.is_empty() {
                request = request.query("limit", self.args.chunk_size.to_string());
            }
            if !continue_token.is_empty() {
                request = request.query("continue", continue_token);
            }
            let object = send(request).await.map_err(|error| self.list_error(&wanted.resource, error))?;
            continue_token = object["metadata"]["continue"].as_str().unwrap_or_default().to_owned();
            responses.push(Response { resource: wanted.resource.clone(), object });
            if continue_token.is_empty() {
                return Ok(());
            }
        }
    }

    /// Sends a request without pages. If the namespace of a missing object does not exist, the error names the
    /// namespace.
    pub(crate) async fn get_once(&self, wanted: &ResourceRequest) -> Result<Value, CliError> {
        let result = send(self.request(wanted)).await;
        let (Err(error), Some(namespace), Some(_)) = (&result, &wanted.namespace, &wanted.name) else {
            return result.map_err(|error| match wanted.name {
                Some(_) => error.into(),
                None => self.list_error(&wanted.resource, error),
            });
        };
        if error.is_not_found()
            && let Some(missing) = self.cluster.missing_namespace(namespace).await
        {
            return Err(missing.into());
        }
        Ok(result?)
    }

    /// Builds a request; that for a collection has the selectors of the flags.
    pub(crate) fn request(&self, wanted: &ResourceRequest) -> Request {
        let info = &wanted.resource.info;
        let accept = if self.tables { TABLE } else { "application/json" };
        let mut request = self.cluster.client().request(Method::GET).accept(accept);
        if self.tables && !self.args.sort_by.is_empty() {
            // Rows with whole objects, which have the field to sort by.
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

    fn list_error(&self, resource: &ApiResource, error: Error) -> CliError {
        resource_args::list_error(&resource.info, &self.args.selector, &self.args.field_selector, error)
    }
}

async fn send(request: Request) -> Result<Value, Error> {
    request.send().await?.decode::<Unstructured>().map(|object| Value::Object(object.0))
}
