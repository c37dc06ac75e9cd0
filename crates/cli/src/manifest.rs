//! [`Manifest`], the objects in the files of `-f`, each with its REST mapping (kubectl's `resource.Builder`).

mod document;
pub(crate) mod source;
mod validator;

use clap::Args;
use klient_apimachinery::go::quoted;
use klient_apimachinery::labels::Selector;
use klient_apimachinery::{Object, Unstructured};
use klient_client::{Api, ApiResource, DynamicPlace};

use crate::cluster::Cluster;
use crate::error::CliError;

pub(crate) use document::unreadable;
pub(crate) use validator::ValidationDirective;
use validator::Validator;

/// Flags that name manifest files.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct FilenameOptions {
    /// Files, directories or URLs of manifests; - for stdin
    #[arg(short = 'f', long = "filename", value_name = "FILE", value_delimiter = ',')]
    pub(crate) filename: Vec<String>,
    /// Also read the subdirectories of directories named by -f
    #[arg(short = 'R', long)]
    pub(crate) recursive: bool,
}

impl FilenameOptions {
    /// Returns true if no file is named.
    pub(crate) fn is_empty(&self) -> bool {
        self.filename.iter().all(String::is_empty)
    }

    /// Rejects arguments beside `-f`.
    pub(crate) fn refuse_arguments(&self, arguments: &[String]) -> Result<(), CliError> {
        if self.is_empty() || arguments.is_empty() {
            return Ok(());
        }
        Err(CliError::message(
            "when paths, URLs, or stdin is provided as resource input, you may not specify resource arguments as well",
        ))
    }
}

/// Options for reading manifests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadOptions {
    /// Handling of unknown fields.
    pub(crate) validation: ValidationDirective,
    /// Rejects an object in another namespace than that of `--namespace`.
    pub(crate) enforce_namespace: bool,
}

/// An object of a manifest with its REST mapping (kubectl's `resource.Info`).
#[derive(Clone, Debug)]
pub(crate) struct Info {
    /// The resource that serves objects of this kind.
    pub(crate) resource: ApiResource,
    /// The object; its namespace is set if the kind is namespaced.
    pub(crate) object: Unstructured,
    /// The file, or `STDIN`.
    pub(crate) source: String,
}

impl Info {
    /// Returns the handle for the resource and namespace of this object.
    pub(crate) fn api(&self, cluster: &Cluster) -> Api<Unstructured, DynamicPlace> {
        cluster.objects(&self.resource, self.object.namespace())
    }
}

/// The objects of files in order, with an error in place of each object or file that cannot be read.
pub(crate) type Manifest = Vec<Result<Info, CliError>>;

/// Reads manifests. The documents before an error in a file are read; an object of a kind that the server does not know
/// becomes an error, and the others are read.
///
/// # Errors
///
/// If a file does not exist; then no file is read.
pub(crate) async fn read(
    cluster: &Cluster,
    files: &FilenameOptions,
    options: ReadOptions,
) -> Result<Manifest, CliError> {
    let sources = source::expand(&files.filename, files.recursive)?;
    let mut validator = Validator::new(options.validation);
    let mut manifest = Vec::new();
    for source in sources {
        let text = match source.text().await {
            Ok(text) => text,
            Err(failure) => {
                manifest.push(Err(failure));
                continue;
            }
        };
        for document in klient_apimachinery::yaml::documents(&text) {
            let checked = match document {
                Ok(value) => validator.check(cluster, &value, source.name()).await.map(|()| value),
                Err(error) if error.is_out_of_range() && !validator.is_off() => {
                    Err(validator::invalid(source.name(), &error.to_string()))
                }
                Err(error) => Err(document::unreadable(&error, source.name())),
            };
            match checked {
                Ok(value) => {
                    document::read_infos(cluster, value, source.name(), options, &mut manifest).await
                }
                Err(failure) => {
                    manifest.push(Err(failure));
                    break;
                }
            }
        }
    }
    Ok(manifest)
}

/// Keeps the objects that match a label selector, and all errors.
///
/// # Errors
///
/// If the selector cannot be parsed.
pub(crate) fn selected(manifest: Manifest, selector: &str) -> Result<Manifest, CliError> {
    let parsed: Selector = selector.parse().map_err(|error| {
        CliError::Message(format!(
            "the provided selector {selector} is not valid: {error}",
            selector = quoted(selector)
        ))
    })?;
    let matches = |read: &Result<Info, CliError>| {
        let Ok(item) = read else { return true };
        parsed.matches(|key| item.object.labels().find(|(label, _)| *label == key).map(|(_, value)| value))
    };
    Ok(manifest.into_iter().filter(matches).collect())
}

/// Separates the objects of a manifest from the errors.
pub(crate) fn split(manifest: Manifest) -> (Vec<Info>, Vec<CliError>) {
    let mut items = Vec::new();
    let mut failures = Vec::new();
    for read in manifest {
        match read {
            Ok(item) => items.push(item),
            Err(failure) => failures.push(failure),
        }
    }
    (items, failures)
}
