//! [`DiskCache`], the folders of a discovery cache in kubectl's layout.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use http::Uri;
use klient_apimachinery::codec::{DecodeError, Wire as _};
use klient_apimachinery::meta::v1::APIResourceList;

use super::api_resource::ApiGroup;
use super::documents::{Documents, GroupList};

/// The time for which kubectl takes its documents for current.
const KUBECTL_TTL: Duration = Duration::from_secs(6 * 60 * 60);

/// The folders of a discovery cache on disk, in the layout of kubectl and of client-go's `disk` package.
///
/// A folder that cannot be written and a file that cannot be read are warnings: the server is asked then.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use klient_client::{Client, Config};
/// # let server = klient_apiserver::TestServer::start().await?;
/// # let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
/// use klient_client::DiskCache;
///
/// # let folder = tempfile::tempdir()?;
/// # let cache = DiskCache::below(folder.path(), &client.config().url);
/// # if false {
/// // The cache of kubectl for this server.
/// let folder = DiskCache::default_folder().ok_or("there is no home directory")?;
/// let cache = DiskCache::below(&folder, &client.config().url);
/// # }
/// let discovery = client.discovery().disk_cached(cache);
/// assert!(discovery.resources().await?.preferred().any(|resource| resource.info.plural == "pods"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct DiskCache {
    /// The folder of the documents of one server: `servergroups.json`, and `GROUP/VERSION/serverresources.json`.
    pub discovery: PathBuf,
    /// The folder of responses with their ETags, of any server; `None` if none are kept.
    pub http: Option<PathBuf>,
    /// The time after which a document is asked for again.
    pub ttl: Duration,
}

impl DiskCache {
    /// The folders that kubectl has for a server below its cache folder: `discovery/HOST` and `http`, with six hours.
    pub fn below(folder: &Path, server: &Uri) -> DiskCache {
        let host = server.authority().map_or("", http::uri::Authority::as_str);
        let mut discovery = folder.join("discovery");
        // A path in the URL is one in the cache.
        let parts = [host].into_iter().chain(server.path().split('/'));
        for part in parts.filter(|part| !matches!(*part, "" | "." | "..")) {
            let is_kept = |c: char| c.is_ascii_alphanumeric() || "_.()".contains(c);
            discovery.push(part.chars().map(|c| if is_kept(c) { c } else { '_' }).collect::<String>());
        }
        DiskCache { discovery, http: Some(folder.join("http")), ttl: KUBECTL_TTL }
    }

    /// The cache folder of kubectl: `$KUBECACHEDIR`, or else `~/.kube/cache`; `None` without a home directory.
    pub fn default_folder() -> Option<PathBuf> {
        match std::env::var_os("KUBECACHEDIR").filter(|folder| !folder.is_empty()) {
            Some(folder) => Some(folder.into()),
            None => {
                let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
                home.map(|home| home.join(".kube").join("cache"))
            }
        }
    }

    /// Reads the documents; `None` if one is not there or too old.
    pub(super) fn load(&self) -> Result<Option<Documents>, Broken> {
        let groups = self.read(&self.discovery.join("servergroups.json"), |bytes| {
            let list: GroupList = serde_json::from_slice(bytes).map_err(DecodeError::of_document)?;
            let groups = list.groups();
            if groups.is_empty() { Err(DecodeError::of_document("it lists no groups")) } else { Ok(groups) }
        })?;
        let Some(groups) = groups else { return Ok(None) };
        let mut lists = BTreeMap::new();
        for group_version in groups.iter().flat_map(ApiGroup::group_versions) {
            let Some(file) = self.file(&group_version) else { return Ok(None) };
            let list = self.read(&file, |bytes| {
                let list = APIResourceList::from_json(bytes)?;
                match list.group_version.as_str() == group_version {
                    true => Ok(list),
                    false => Err(DecodeError::of_document("it is of another group-version")),
                }
            })?;
            let Some(list) = list else { return Ok(None) };
            lists.insert(group_version, list);
        }
        Ok(Some(Documents { groups, lists, failed: BTreeMap::new() }))
    }

    /// Writes the documents. As in client-go, empty ones are not kept.
    pub(super) fn store(&self, documents: &Documents) -> io::Result<()> {
        if documents.groups.is_empty() {
            return Ok(());
        }
        for (group_version, list) in &documents.lists {
            if let Some(file) = self.file(group_version).filter(|_| !list.resources.is_empty()) {
                let mut json = Vec::new();
                list.to_json(&mut json);
                json.push(b'\n');
                write(&file, &json)?;
            }
        }
        // Last, so that whoever finds it finds the others too.
        let mut json = serde_json::to_vec(&GroupList::new(&documents.groups))?;
        json.push(b'\n');
        write(&self.discovery.join("servergroups.json"), &json)
    }

    /// The file of a group-version. A name that would lead out of the folder has none.
    fn file(&self, group_version: &str) -> Option<PathBuf> {
        let is_plain = |part: &str| {
            let is_kept = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
            !matches!(part, "" | "." | "..") && part.chars().all(is_kept)
        };
        let parts: Vec<&str> = group_version.split('/').collect();
        let is_plain = parts.len() <= 2 && parts.into_iter().all(is_plain);
        is_plain.then(|| self.discovery.join(group_version).join("serverresources.json"))
    }

    fn read<T>(
        &self,
        file: &Path,
        decode: impl Fn(&[u8]) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, Broken> {
        let broken = |problem: String| Broken { file: file.to_owned(), problem };
        let read = || -> io::Result<Option<Vec<u8>>> {
            let modified = fs::metadata(file)?.modified()?;
            // A time in the future, as after a change of the clock, is not too old.
            let age = SystemTime::now().duration_since(modified).unwrap_or_default();
            if age > self.ttl { Ok(None) } else { fs::read(file).map(Some) }
        };
        match read() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(broken(error.to_string())),
            Ok(None) => Ok(None),
            Ok(Some(bytes)) => decode(&bytes).map(Some).map_err(|error| broken(error.to_string())),
        }
    }
}

/// A file that cannot be read, or is no document.
#[derive(Debug)]
pub(super) struct Broken {
    file: PathBuf,
    problem: String,
}

impl Broken {
    pub(super) fn warn(&self) {
        tracing::warn!(file = %self.file.display(), error = self.problem, "the discovery cache is not used");
    }
}

/// Writes a file and its folders with kubectl's modes. Other programs see the old file or the new one.
pub(super) fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o750);
    builder.create(folder)?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(bytes)?;
    #[cfg(unix)]
    temporary.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o660))?;
    temporary.persist(file)?;
    Ok(())
}

/// A warning that is logged once.
#[derive(Debug, Default)]
pub(super) struct Warning(AtomicBool);

impl Warning {
    pub(super) fn once(&self, folder: &Path, error: &io::Error) {
        if !self.0.swap(true, Ordering::Relaxed) {
            tracing::warn!(folder = %folder.display(), %error, "the discovery cache cannot be written");
        }
    }
}
