//! Handlers, one per verb, and their dispatch.

mod apply;
mod binding;
mod body;
mod component_status;
mod connect;
mod create;
mod delete;
mod eviction;
mod exec;
mod field_validation;
mod kubelet;
mod list;
mod log;
pub(crate) mod options;
mod patch;
mod port_forward;
mod proxy;
pub(crate) mod read;
mod reviews;
mod scale;
mod token;
mod update;
mod upgrade;
mod watch;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Response};
use hyper::upgrade::OnUpgrade;
use tokio::time::Instant;

use crate::admission::{OperationOptions, RequestContext};
use crate::auth::User;
use crate::negotiate::{Format, Offer, negotiate};
use crate::registry::Resource;
use crate::registry::pipeline::Pipeline;
use crate::request::{Query, RequestInfo, Verb, check_segment};
use crate::respond::{self, Body};
use crate::state::State;
use crate::status::{Failure, Result, Target};
use crate::storage::Key;
use crate::warnings::Warnings;
use options::WriteOptions;

/// A request for a resource.
pub(crate) struct Context {
    pub(crate) state: Arc<State>,
    pub(crate) info: RequestInfo,
    pub(crate) resource: Arc<Resource>,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) user: Arc<User>,
    pub(crate) body: Bytes,
    /// The connection, if the client wants to switch it to another protocol and the request came over HTTP/1.1.
    pub(crate) upgrade: Option<OnUpgrade>,
    /// The time at which the request is given up.
    pub(crate) deadline: Instant,
    /// Texts of the response's `Warning` headers.
    pub(crate) warnings: Vec<String>,
}

/// Dispatches a request to the handler of its verb.
///
/// Warnings are in the context afterwards, whether the request succeeds or fails.
pub(crate) async fn handle(context: &mut Context) -> Result<Response<Body>> {
    if let Some(response) = context.check_scope()? {
        return Ok(response);
    }
    context.warnings.extend(context.resource.warning.clone());
    match context.info.subresource.clone() {
        None => context.resource_verb().await,
        Some(subresource) => context.subresource_verb(&subresource).await,
    }
}

impl Context {
    async fn resource_verb(&mut self) -> Result<Response<Body>> {
        let verb = self.info.verb;
        if !self.resource.has_verb(verb.as_str()) {
            let lists = verb == Verb::Watch && self.resource.has_verb(Verb::List.as_str());
            return Err(if lists {
                Failure::not_watched(&self.target())
            } else {
                Failure::method_not_allowed()
            });
        }
        if reviews::is_review(&self.resource) {
            return reviews::create(self);
        }
        if self.resource.info.kind == "Binding" && self.resource.info.group.is_empty() {
            return binding::create(self).await;
        }
        if component_status::is_component_status(&self.resource) {
            return component_status::answer(self);
        }
        match verb {
            Verb::Get => read::get(self).await,
            Verb::List => list::list(self).await,
            Verb::Watch => watch::watch(self).await,
            Verb::Create if self.info.name.is_some() => Err(Failure::method_not_allowed()),
            Verb::Update | Verb::Patch if self.info.name.is_none() => Err(Failure::method_not_allowed()),
            Verb::Create => create::create(self).await,
            Verb::Update => update::update(self, None).await,
            Verb::Patch => patch::patch(self, None).await,
            Verb::Delete => delete::delete(self).await,
            Verb::DeleteCollection => delete::delete_collection(self).await,
        }
    }

    /// Checks that a namespaced resource is requested in a namespace, and a cluster-scoped one is not. Only lists and
    /// watches span namespaces.
    fn check_scope(&self) -> Result<Option<Response<Body>>> {
        let (namespaced, verb) = (self.resource.info.namespaced, self.info.verb);
        let fits = match &self.info.namespace {
            Some(_) => namespaced,
            None => !namespaced || matches!(verb, Verb::List | Verb::Watch),
        };
        if fits || (namespaced && reviews::is_review(&self.resource)) {
            if self.info.subresource.as_deref().is_none_or(|name| self.resource.subresource(name).is_some()) {
                self.check_names()?;
            }
            Ok(None)
        } else if self.resource.is_custom() {
            Ok(Some(respond::not_found()))
        } else if namespaced && self.info.name.is_none() {
            Err(Failure::method_not_allowed())
        } else {
            Err(Failure::no_such_resource())
        }
    }

    fn check_names(&self) -> Result<()> {
        let (name, namespace) = (self.info.name.as_deref(), self.info.namespace.as_deref());
        if name == Some("") {
            return Err(Failure::bad_request("name must be provided"));
        }
        if namespace == Some("") && self.info.verb != Verb::Create {
            return Err(Failure::bad_request("Namespace parameter required."));
        }
        for (what, value) in [("Name", name), ("Namespace", namespace)] {
            if let Some(value) = value {
                check_segment(what, value)?;
            }
        }
        Ok(())
    }

    async fn subresource_verb(&mut self, name: &str) -> Result<Response<Body>> {
        let Some(subresource) = self.resource.subresource(name) else {
            // For custom resources, upstream answers that the object does not exist.
            let is_custom = self.resource.is_custom();
            return Err(if is_custom {
                Failure::not_found(&self.target())
            } else {
                Failure::no_such_resource()
            });
        };
        let verb = self.info.verb;
        if !subresource.verbs.iter().any(|other| other == verb.as_str()) {
            return Err(Failure::method_not_allowed());
        }
        match (name, verb) {
            ("binding", Verb::Create) => binding::create(self).await,
            ("eviction", Verb::Create) => eviction::create(self).await,
            ("token", Verb::Create) => token::create(self).await,
            ("log", Verb::Get) if self.resource.info.kind == "Pod" => kubelet::log(self),
            ("attach" | "exec" | "portforward", Verb::Get | Verb::Create) => {
                kubelet::stream(self, name).await
            }
            ("proxy", _) => proxy::refuse(self).await,
            ("scale", Verb::Get) => scale::get(self).await,
            ("scale", Verb::Update) => scale::update(self).await,
            ("scale", Verb::Patch) => scale::patch(self).await,
            ("status", Verb::Get) => read::get_now(self).await,
            ("status" | "finalize" | "approval" | "ephemeralcontainers" | "resize", Verb::Update) => {
                update::update(self, Some(name)).await
            }
            ("status" | "finalize" | "approval" | "ephemeralcontainers" | "resize", Verb::Patch) => {
                patch::patch(self, Some(name)).await
            }
            (_, Verb::Get) if matches!(name, "approval" | "ephemeralcontainers" | "resize") => {
                read::get_now(self).await
            }
            _ => Err(Failure::no_such_resource()),
        }
    }

    /// The name in the path, which verbs on one object have.
    pub(crate) fn name(&self) -> &str {
        self.info.name.as_deref().unwrap_or_default()
    }

    pub(crate) fn namespace(&self) -> Option<&str> {
        self.info.namespace.as_deref()
    }

    pub(crate) fn key(&self) -> Key {
        self.resource.key(self.namespace(), self.name())
    }

    /// The object or collection of the request, for messages.
    pub(crate) fn target(&self) -> Target<'_> {
        self.resource.target(self.name())
    }

    /// The write pipeline for the request.
    pub(crate) fn pipeline<'a>(
        &'a self,
        subresource: Option<&'a str>,
        manager: Option<&'a str>,
        options: Option<&'a WriteOptions>,
        warnings: &'a Warnings,
    ) -> Pipeline<'a> {
        let Context { state, resource, .. } = self;
        let request = self.request(options, warnings);
        Pipeline { state, resource, subresource, manager, request, presentation: None, patching: false }
    }

    /// The request, for admission.
    pub(crate) fn request<'a>(
        &'a self,
        options: Option<&'a WriteOptions>,
        warnings: &'a Warnings,
    ) -> RequestContext<'a> {
        RequestContext {
            user: Some(&self.user),
            dry_run: options.is_some_and(|options| options.dry_run),
            options: options.map_or(OperationOptions::None, OperationOptions::Write),
            warnings,
            deadline: self.deadline,
        }
    }

    /// The form of an answer that is one object.
    pub(crate) fn format(&self) -> Result<Format> {
        let offer = Offer { transforms: true, custom: self.resource.is_custom(), ..Offer::PLAIN };
        negotiate(&self.headers, &self.query, offer)
    }
}
