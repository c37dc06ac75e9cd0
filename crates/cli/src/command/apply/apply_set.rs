//! [`ApplySet`], the objects of one apply, and those to prune of the one before (KEP-3659).
//!
//! Each member has the label `applyset.kubernetes.io/part-of` with the id of the set. The parent object has the id, the
//! tooling, and the kinds and namespaces of the members in its labels and annotations. Before objects are applied, the
//! annotations are extended to the union of old and new members; after pruning, they are reduced to the new ones. A run
//! that fails in between loses no member.

mod members;
mod parent;

use klient_apimachinery::go::quoted;
use klient_apimachinery::{Object, Unstructured};
use klient_client::{ApiResource, ApplyOptions, Error, WriteOptions};
use serde_json::json;

use super::ApplyArgs;
use crate::cascade::Cascade;
use crate::cluster::Cluster;
use crate::dry_run::DryRun;
use crate::error::CliError;
use crate::manifest::Info;
use crate::prune::{self, Visited};
use crate::result_printer::ResultPrinter;
use crate::session::Session;

use members::{KINDS, Members, RESOURCES, group_kind, parse_kind_annotation};
use parent::Parent;

const ID: &str = "applyset.kubernetes.io/id";
const PART_OF: &str = "applyset.kubernetes.io/part-of";
const TOOLING: &str = "applyset.kubernetes.io/tooling";
const NAMESPACES: &str = "applyset.kubernetes.io/additional-namespaces";

/// Returns true if `KUBECTL_APPLYSET` enables apply sets, an alpha feature of kubectl.
pub(super) fn is_enabled() -> bool {
    std::env::var("KUBECTL_APPLYSET").is_ok_and(|value| value.eq_ignore_ascii_case("true"))
}

/// The objects of one apply, with the parent object that identifies them.
pub(super) struct ApplySet {
    parent: Parent,
    /// Name of this tool: a set of another tool is not changed.
    tool: String,
    version: String,
    before: Members,
    after: Members,
    dry_run: DryRun,
    options: WriteOptions,
    cascade: Cascade,
    grace_period: i64,
}

impl ApplySet {
    /// Returns the set of a parent object: `[RESOURCE][.GROUP]/NAME`, or the name of a Secret.
    pub(super) async fn new(
        parent: &str,
        args: &ApplyArgs,
        cluster: &Cluster,
        program: &str,
    ) -> Result<Self, CliError> {
        let invalid = |problem: String| {
            CliError::Message(format!(
                "invalid parent reference {parent}: {problem}",
                parent = quoted(parent)
            ))
        };
        let (resource, name) = parent.split_once('/').unwrap_or(("secrets", parent));
        if name.is_empty() {
            return Err(invalid("name cannot be blank".to_owned()));
        }
        let found = cluster.rest_mapper().resource(resource).await;
        let resource = found.map_err(|error| {
            if error.no_match().is_none() {
                return CliError::from(error);
            }
            let (name, group) = resource.split_once('.').unwrap_or((resource, ""));
            invalid(format!("no matches for {group}/, Resource={name}"))
        })?;
        // The namespace of the context is not used: another context would select another set.
        let namespace = (resource.info.namespaced && cluster.namespace_is_given())
            .then(|| cluster.namespace().to_owned());
        Ok(ApplySet {
            parent: Parent { resource, namespace, name: name.to_owned() },
            tool: program.to_owned(),
            version: format!("v{}", env!("CARGO_PKG_VERSION")),
            before: Members::default(),
            after: Members::default(),
            dry_run: args.dry_run,
            options: args.write_options(),
            cascade: args.cascade,
            grace_period: args.grace_period,
        })
    }

    /// Checks that the parent can identify a set.
    pub(super) async fn validate(&self, cluster: &Cluster) -> Result<(), CliError> {
        self.parent.validate(cluster).await
    }

    /// Adds the label of members to objects.
    pub(super) fn add_labels(&self, items: &mut [Info]) -> Result<(), CliError> {
        for item in items {
            if item.object.labels().any(|(label, _)| label == PART_OF) {
                return Err(CliError::Message(format!(
                    "ApplySet label {PART_OF} already set in input data",
                    PART_OF = quoted(PART_OF)
                )));
            }
            item.object.set_label(PART_OF, &self.parent.id());
        }
        Ok(())
    }

    /// Reads the parent, and extends its annotations to the kinds and namespaces of the objects.
    pub(super) async fn before_apply(
        &mut self,
        items: &[Info],
        cluster: &Cluster,
        session: &mut Session,
    ) -> Result<(), CliError> {
        self.fetch_parent(cluster).await?;
        for Info { resource, object, .. } in items {
            self.after.kinds.insert(group_kind(resource), resource.clone());
            self.after.namespaces.extend(object.namespace().map(str::to_owned));
        }
        let mut both = self.before.clone();
        both.kinds.extend(self.after.kinds.clone());
        both.namespaces.extend(self.after.namespaces.clone());
        self.update_parent(&both, cluster, session).await
    }

    /// Deletes the members that were not visited, and reduces the annotations of the parent to those that were.
    pub(super) async fn prune(
        &self,
        visited: &Visited,
        cluster: &Cluster,
        output: &mut ResultPrinter,
        session: &mut Session,
    ) -> Result<(), CliError> {
        for (resource, object) in self.find_objects_to_prune(visited, cluster).await? {
            if self.dry_run != DryRun::Client {
                self.delete(&resource, &object, cluster).await?;
            }
            output.print_result(&object, "pruned", session)?;
        }
        self.update_parent(&self.after, cluster, session).await.map_err(|failure| {
            let problem = failure.go_error();
            CliError::Message(format!("apply and prune succeeded, but ApplySet update failed: {problem}"))
        })
    }

    async fn find_objects_to_prune(
        &self,
        visited: &Visited,
        cluster: &Cluster,
    ) -> Result<Vec<(ApiResource, Unstructured)>, CliError> {
        let selector = format!("{PART_OF}={}", self.parent.id());
        let mut found = Vec::new();
        for resource in self.before.kinds.values() {
            let places: Vec<Option<&str>> = match resource.info.namespaced {
                true => self.before.namespaces.iter().map(|namespace| Some(namespace.as_str())).collect(),
                false => vec![None],
            };
            for namespace in places {
                let members = prune::list_objects(cluster, resource, namespace, &selector).await;
                let members = members.map_err(|failure| {
                    let (kind, problem) = (prune::group_version_kind(&resource.info), failure.go_error());
                    CliError::Message(format!("listing {kind} objects for pruning: {problem}"))
                })?;
                let left = members.into_iter().filter(|object| !visited.contains(object));
                found.extend(left.map(|object| (resource.clone(), object)));
            }
        }
        Ok(found)
    }

    async fn delete(
        &self,
        resource: &ApiResource,
        object: &Unstructured,
        cluster: &Cluster,
    ) -> Result<(), CliError> {
        let (name, namespace) = (object.name(), object.namespace());
        let options = WriteOptions { dry_run: self.dry_run == DryRun::Server, ..WriteOptions::default() };
        let api = cluster.objects(resource, namespace).with(options);
        let deleted = api.delete(name, &self.cascade.delete_options(self.grace_period)).await;
        deleted.map(drop).map_err(|error| {
            let place = namespace.map(|namespace| format!("{namespace}/")).unwrap_or_default();
            let (kind, problem) = (group_kind(resource), CliError::from(error).go_error());
            CliError::Message(format!("pruning {kind} {place}{name}: {problem}"))
        })
    }

    /// Reads the kinds and namespaces of the members from the parent.
    ///
    /// # Errors
    ///
    /// If the parent belongs to another tool, or its labels or annotations are missing or invalid.
    async fn fetch_parent(&mut self, cluster: &Cluster) -> Result<(), CliError> {
        let parent_name = self.parent.to_string();
        let fail = |problem: String| Err(CliError::Message(problem));
        let api = cluster.objects(&self.parent.resource, self.parent.namespace.as_deref());
        let object = match api.get_opt(&self.parent.name).await {
            Ok(Some(object)) => object,
            Ok(None) if self.parent.is_built_in() => return Ok(()),
            Ok(None) => {
                return fail("custom resource ApplySet parents cannot be created automatically".to_owned());
            }
            Err(error) => {
                let problem = CliError::from(error).go_error();
                return fail(format!(
                    "failed to fetch ApplySet parent object {parent_name}: {problem}",
                    parent_name = quoted(parent_name)
                ));
            }
        };
        let annotation =
            |key: &str| object.annotations().find(|(name, _)| *name == key).map(|(_, text)| text);
        let Some(tooling) = annotation(TOOLING) else {
            return fail(format!(
                "ApplySet parent object {parent_name} already exists and is missing required annotation {TOOLING}",
                parent_name = quoted(parent_name),
                TOOLING = quoted(TOOLING)
            ));
        };
        let managed_by = tooling.rsplit_once('/').map_or(tooling, |(name, _)| name);
        if managed_by != self.tool {
            let tool = &self.tool;
            return fail(format!(
                "ApplySet parent object {parent_name} already exists and is managed by tooling {managed_by} instead of {tool}",
                parent_name = quoted(parent_name),
                managed_by = quoted(managed_by),
                tool = quoted(tool)
            ));
        }
        let id = self.parent.id();
        match object.labels().find(|(label, _)| *label == ID) {
            None => {
                return fail(format!(
                    "ApplySet parent object {parent_name} exists and does not have required label {ID}",
                    parent_name = quoted(parent_name)
                ));
            }
            Some((_, other)) if other != id => {
                return fail(format!(
                    "ApplySet parent object {parent_name} exists and has incorrect value for label {ID} (got: {other}, \
                     want: {id})",
                    parent_name = quoted(parent_name),
                    ID = quoted(ID)
                ));
            }
            Some(_) => {}
        }
        let kinds = parse_kind_annotation(cluster, annotation(KINDS), annotation(RESOURCES));
        self.before.kinds = kinds.await.map_err(|problem| {
            CliError::Message(format!(
                "parsing ApplySet annotation on {parent_name}: {problem}",
                parent_name = quoted(parent_name)
            ))
        })?;
        let namespaces = annotation(NAMESPACES).unwrap_or_default().split(',');
        let namespaces = namespaces.filter(|namespace| !namespace.is_empty()).map(str::to_owned);
        self.before.namespaces = namespaces.chain(self.parent.namespace.clone()).collect();
        Ok(())
    }

    /// Applies the labels and annotations of the parent; conflicts are forced, with a warning.
    async fn update_parent(
        &self,
        members: &Members,
        cluster: &Cluster,
        session: &mut Session,
    ) -> Result<(), CliError> {
        if self.dry_run == DryRun::Client {
            return Ok(());
        }
        let name = format!("{}-applyset", self.tool);
        let failed = |error: Error| {
            CliError::Message(format!("failed to update ApplySet: {}", CliError::from(error).go_error()))
        };
        let options = WriteOptions { field_manager: None, ..self.options.clone() };
        let api = cluster.objects(&self.parent.resource, self.parent.namespace.as_deref()).with(options);
        let (patch, manager) = (self.build_parent_patch(members), ApplyOptions::new(&*name));
        match api.apply(&patch, &manager).await {
            Err(error) if error.is_conflict() => {
                session.console.eprintln(format_args!(
                    "Warning: {}\nApplySet field manager {name} should own these fields. Retrying with conflicts \
                     forced.",
                    failed(error).go_error()
                ));
                api.apply(&patch, &manager.force()).await.map(drop).map_err(failed)
            }
            updated => updated.map(drop).map_err(failed),
        }
    }

    /// Returns the apply configuration of the parent: its labels and annotations.
    fn build_parent_patch(&self, members: &Members) -> Unstructured {
        let Parent { resource, namespace, name } = &self.parent;
        let kinds: Vec<&str> = members.kinds.keys().map(String::as_str).collect();
        let others = members.namespaces.iter().filter(|other| Some(*other) != namespace.as_ref());
        let others: Vec<&str> = others.map(String::as_str).collect();
        let mut parent = Unstructured::new(&resource.info.api_version(), &resource.info.kind, name);
        if let Some(namespace) = namespace {
            parent.set_namespace(namespace);
        }
        parent["metadata"]["annotations"] = json!({
            TOOLING: format!("{}/{}", self.tool, self.version),
            KINDS: kinds.join(","),
            NAMESPACES: others.join(","),
        });
        parent["metadata"]["labels"] = json!({ ID: self.parent.id() });
        parent
    }
}
