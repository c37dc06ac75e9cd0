//! `klient api-resources`.

use std::io::Write;

use clap::Args;
use klient_client::{ApiResource, GroupVersionError};

use crate::error::{CliError, error_string};
use crate::print::TabWriter;
use crate::session::Session;

pub(crate) const EXAMPLES: &str = "\
Examples:
  # List the resources of the server
  klient api-resources

  # List those of a group, with their verbs
  klient api-resources --api-group=apps -o wide

  # List the names of cluster-scoped resources that can be listed
  klient api-resources --namespaced=false --verbs=list -o name";

/// Arguments of `api-resources`.
#[derive(Args, Debug)]
pub(crate) struct ApiResourcesArgs {
    /// Print only resources of this API group
    #[arg(long, value_name = "GROUP")]
    api_group: Option<String>,
    /// Print only namespaced resources, or with =false only cluster-scoped ones
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = crate::flag_values::go_bool)]
    namespaced: Option<bool>,
    /// Print only resources that support all these verbs
    #[arg(long, value_name = "VERBS", value_delimiter = ',')]
    verbs: Vec<String>,
    /// Print only resources that belong to all these categories
    #[arg(long, value_name = "CATEGORIES", value_delimiter = ',')]
    categories: Vec<String>,
    /// Use the cached list of resources if there is one
    #[arg(long)]
    cached: bool,
    /// Output format: wide or name
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<String>,
    /// Sort by name or kind; the default is by group and name
    #[arg(long, value_name = "COLUMN")]
    sort_by: Option<String>,
    /// Do not print headers
    #[arg(long)]
    no_headers: bool,
}

pub(crate) async fn run(args: ApiResourcesArgs, session: &mut Session) -> Result<(), CliError> {
    if let Some(output) = args.output.as_deref().filter(|output| !matches!(*output, "wide" | "name")) {
        return Err(CliError::Message(format!("--output {output} is not available")));
    }
    let cluster = session.discovery_cluster()?;
    if !args.cached {
        cluster.discovery().invalidate().await;
    }
    let served = cluster.discovery().resources().await?;
    let mut resources: Vec<&ApiResource> =
        served.preferred().filter(|resource| args.matches(resource)).collect();
    match args.sort_by.as_deref() {
        None | Some("") => {
            resources.sort_by(|a, b| (&a.info.group, &a.info.plural).cmp(&(&b.info.group, &b.info.plural)));
        }
        Some("name") => resources.sort_by(|a, b| a.info.plural.cmp(&b.info.plural)),
        Some("kind") => resources.sort_by(|a, b| a.info.kind.cmp(&b.info.kind)),
        Some(_) => return Err(CliError::message("--sort-by accepts only name or kind")),
    }
    let mut text = Vec::new();
    write(&args, &resources, &mut TabWriter::new(&mut text)).map_err(CliError::from_output)?;
    session.console.print(&String::from_utf8_lossy(&text))?;
    if served.failed.is_empty() {
        return Ok(());
    }
    let failed = served.failed.groups.iter().map(|(version, error)| match error {
        GroupVersionError::Request(error) => format!("{version}: {}", error_string(error)),
        other => format!("{version}: {other}"),
    });
    let failed = failed.collect::<Vec<_>>().join(", ");
    Err(CliError::Message(format!("unable to retrieve the complete list of server APIs: {failed}")))
}

fn write(
    args: &ApiResourcesArgs,
    resources: &[&ApiResource],
    out: &mut TabWriter<'_>,
) -> std::io::Result<()> {
    let output = args.output.as_deref().unwrap_or_default();
    if output != "name" && !args.no_headers {
        let more = if output == "wide" { "\tVERBS\tCATEGORIES" } else { "" };
        writeln!(out, "NAME\tSHORTNAMES\tAPIVERSION\tNAMESPACED\tKIND{more}")?;
    }
    for resource in resources {
        let info = &resource.info;
        if output == "name" {
            writeln!(out, "{}", info.group_resource())?;
            continue;
        }
        let short_names = resource.short_names.join(",");
        let (version, namespaced) = (info.api_version(), info.namespaced);
        write!(out, "{}\t{short_names}\t{version}\t{namespaced}\t{}", info.plural, info.kind)?;
        if output == "wide" {
            write!(out, "\t{}\t{}", resource.verbs.join(","), resource.categories.join(","))?;
        }
        writeln!(out)?;
    }
    out.flush()
}

impl ApiResourcesArgs {
    fn matches(&self, resource: &ApiResource) -> bool {
        let in_group = self.api_group.as_deref().is_none_or(|group| resource.info.group == group);
        in_group
            && self.namespaced.is_none_or(|namespaced| resource.info.namespaced == namespaced)
            && self.verbs.iter().all(|verb| resource.has_verb(verb))
            && self.categories.iter().all(|category| resource.categories.contains(category))
            && !resource.verbs.is_empty()
    }
}
