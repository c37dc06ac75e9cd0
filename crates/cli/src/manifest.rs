//! [`Manifest`], the objects that files say there should be.

mod document;
mod rules;
pub(crate) mod source;

use clap::Args;
use klient_apimachinery::go::quoted;
use klient_apimachinery::labels::Selector;
use klient_apimachinery::{Object, Unstructured};
use klient_client::{Api, ApiResource, DynamicPlace};

use crate::cluster::Cluster;
use crate::failure::Failure;

pub(crate) use document::unreadable;
use rules::Rules;
pub(crate) use rules::Validation;

/// Which files.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct FileArgs {
    /// Files, folders or URLs of manifests; `-` for stdin
    #[arg(short = 'f', long = "filename", value_name = "FILE", value_delimiter = ',')]
    pub(crate) filename: Vec<String>,
    /// Read folders within folders too
    #[arg(short = 'R', long)]
    pub(crate) recursive: bool,
}

impl FileArgs {
    /// Whether no file is named.
    pub(crate) fn is_empty(&self) -> bool {
        self.filename.iter().all(String::is_empty)
    }

    /// Checks that nothing is named beside files.
    pub(crate) fn stand_alone(&self, arguments: &[String]) -> Result<(), Failure> {
        if self.is_empty() || arguments.is_empty() {
            return Ok(());
        }
        Err(Failure::message(
            "when paths, URLs, or stdin is provided as resource input, you may not specify resource arguments as well",
        ))
    }
}

/// What is expected of the objects of a manifest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expectations {
    /// What becomes of fields that nobody knows.
    pub(crate) validation: Validation,
    /// An object that names another namespace than the one given by flag is refused.
    pub(crate) one_namespace: bool,
}

/// An object of a manifest, and where it is served.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// Where objects of its kind are served.
    pub(crate) resource: ApiResource,
    /// The object, with its namespace.
    pub(crate) object: Unstructured,
    /// The file, or `STDIN`.
    pub(crate) source: String,
}

impl Item {
    /// The objects beside this one.
    pub(crate) fn api(&self, cluster: &Cluster) -> Api<Unstructured, DynamicPlace> {
        cluster.objects(&self.resource, self.object.namespace())
    }
}

/// The objects of files in their order, and in the place of what cannot be read, why.
pub(crate) type Manifest = Vec<Result<Item, Failure>>;

/// Reads files. Of a file with a fault, what stands before the fault is read; a kind that the server does not know
/// is passed over.
///
/// # Errors
///
/// If a file is not there: then nothing is read at all.
pub(crate) async fn read(
    cluster: &Cluster,
    files: &FileArgs,
    expect: Expectations,
) -> Result<Manifest, Failure> {
    let sources = source::expand(&files.filename, files.recursive)?;
    let mut rules = Rules::new(expect.validation);
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
                Ok(value) => rules.check(cluster, &value, source.name()).await.map(|()| value),
                Err(error) if error.is_out_of_range() && !rules.ignore_all() => {
                    Err(rules::invalid(source.name(), &error.to_string()))
                }
                Err(error) => Err(document::unreadable(&error, source.name())),
            };
            match checked {
                Ok(value) => document::items(cluster, value, source.name(), expect, &mut manifest).await,
                Err(failure) => {
                    manifest.push(Err(failure));
                    break;
                }
            }
        }
    }
    Ok(manifest)
}

/// The objects of a manifest that have some labels, and what could not be read.
///
/// # Errors
///
/// If the selector is none.
pub(crate) fn selected(manifest: Manifest, selector: &str) -> Result<Manifest, Failure> {
    let parsed: Selector = selector.parse().map_err(|error| {
        Failure::Message(format!(
            "the provided selector {selector} is not valid: {error}",
            selector = quoted(selector)
        ))
    })?;
    let matches = |read: &Result<Item, Failure>| {
        let Ok(item) = read else { return true };
        parsed.matches(|key| item.object.labels().find(|(label, _)| *label == key).map(|(_, value)| value))
    };
    Ok(manifest.into_iter().filter(matches).collect())
}

/// The objects of a manifest, and apart from them what could not be read.
pub(crate) fn split(manifest: Manifest) -> (Vec<Item>, Vec<Failure>) {
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
