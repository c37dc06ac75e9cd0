//! [`Api::copy_from`] and [`Api::copy_to`], files of containers, by `tar` in the container as `kubectl cp`.

mod archive;
mod extract;
mod pipe;
mod rationed;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use klient_apimachinery::codec::Wire;
use klient_apimachinery::{Addressable, BoxFuture, Object, Place, Unstructured, verbs};
use klient_streams::remote_command::{ExitStatus, Process};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::changes::BACKOFF;
use super::exec::{ExecOptions, Running};
use super::{Api, DynamicPlace};
use crate::error::{Error, ErrorKind, Exited, Problem};

/// The number of bytes of standard error that an error quotes.
const MAX_STDERR: usize = 4096;

/// The number of bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// Settings of copying.
#[derive(Clone, Debug, Default)]
pub struct CopyOptions {
    /// The container: see [`ExecOptions::container`].
    pub container: Option<String>,
    /// Does not keep owners and permissions in the container.
    pub no_preserve: bool,
    /// The number of times that copying from a container continues behind the last byte after its connection broke. It
    /// needs `sh` and `tail` in the container.
    pub retries: u32,
    /// Gets each file when it is copied.
    pub progress: Option<CopyProgress>,
}

/// A function that gets each file and folder when it is copied. It runs on a thread for blocking work.
#[derive(Clone)]
pub struct CopyProgress(Arc<dyn Fn(&CopiedEntry<'_>) + Send + Sync>);

/// A file or folder that was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopiedEntry<'a> {
    /// The local path.
    pub path: &'a Path,
    /// The length, in bytes; 0 for a folder.
    pub bytes: u64,
    /// The bytes of this and all files before.
    pub total: u64,
}

/// The files that were copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopySummary {
    /// The number of files and folders.
    pub entries: u64,
    /// The bytes of all files, each counted once, however many hard links it has.
    pub bytes: u64,
    /// Entries that were not copied, each with the reason: symbolic links, devices, sparse files, and names that point
    /// outside of the target. There are at most the first 100,000 of them.
    pub skipped: Vec<(PathBuf, String)>,
}

impl CopyProgress {
    /// Makes it of a function.
    pub fn new(progress: impl Fn(&CopiedEntry<'_>) + Send + Sync + 'static) -> Self {
        CopyProgress(Arc::new(progress))
    }
}

impl fmt::Debug for CopyProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CopyProgress")
    }
}

impl CopySummary {
    /// Counts a file or folder, and tells of it.
    fn add(&mut self, path: &Path, bytes: u64, progress: Option<&CopyProgress>) {
        self.entries += 1;
        self.bytes += bytes;
        if let Some(CopyProgress(progress)) = progress {
            progress(&CopiedEntry { path, bytes, total: self.bytes });
        }
    }
}

impl<K: Wire + Object, P: Place> Api<K, P> {
    /// Copies a file or folder from a container to a local path: a file into it if it is a folder, and otherwise to this
    /// path; what a folder has into it. It needs `tar` in the container.
    ///
    /// Nothing is written outside of the target; a target that is a symbolic link is written through. Names that lead
    /// there, also by symbolic links that the target has already, symbolic links, devices and sparse files are skipped, and
    /// are in [`CopySummary::skipped`].
    ///
    /// ```no_run
    /// # async fn f(client: klient_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use klient_api::core::v1::Pod;
    /// use klient_client::CopyOptions;
    ///
    /// let pods = client.api::<Pod>().namespace("shop");
    /// let copied = pods.copy_from("web-0", "/var/log", "logs", &CopyOptions::default()).await?;
    /// println!("{} bytes", copied.bytes);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`exec`](Self::exec); of kind [`Copy`](crate::ErrorKind::Copy) if `tar` fails or a local file cannot be
    /// written. What was copied before stays.
    #[doc(alias = "cp")]
    pub fn copy_from(
        &self,
        name: &str,
        remote: &str,
        local: impl AsRef<Path>,
        options: &CopyOptions,
    ) -> BoxFuture<'static, Result<CopySummary, Error>>
    where
        K: verbs::Exec,
        P: Addressable,
    {
        let copying = Copying::new(self.untyped(), name, options);
        let (remote, local) = (remote.to_owned(), local.as_ref().to_owned());
        Box::pin(async move { copying.download(&remote, local).await })
    }

    /// Copies a local file or folder to a path in a container, or into it if it is a folder there. It needs `tar` in the
    /// container. Symbolic links are copied as links.
    ///
    /// # Errors
    ///
    /// Those of [`exec`](Self::exec); of kind [`Copy`](crate::ErrorKind::Copy) if `tar` fails or a local file cannot be
    /// read. What was copied before stays.
    #[doc(alias = "cp")]
    pub fn copy_to(
        &self,
        name: &str,
        local: impl AsRef<Path>,
        remote: &str,
        options: &CopyOptions,
    ) -> BoxFuture<'static, Result<CopySummary, Error>>
    where
        K: verbs::Exec,
        P: Addressable,
    {
        let copying = Copying::new(self.untyped(), name, options);
        let (remote, local) = (remote.to_owned(), local.as_ref().to_owned());
        Box::pin(async move { copying.upload(local, &remote).await })
    }
}

/// A copy to or from a container.
struct Copying {
    pods: Api<Unstructured, DynamicPlace>,
    pod: String,
    options: CopyOptions,
}

impl Copying {
    fn new(pods: Api<Unstructured, DynamicPlace>, pod: &str, options: &CopyOptions) -> Self {
        Copying { pods, pod: pod.to_owned(), options: options.clone() }
    }

    async fn exec(&self, command: &[&str], stdin: bool) -> Result<Process, Error> {
        let container = self.options.container.clone();
        let options = ExecOptions { container, stdin, ..Default::default() };
        let command = command.iter().map(|word| (*word).to_owned()).collect();
        // `tar` waits for the end of its input.
        let running =
            Running { name: self.pod.clone(), subresource: "exec", command, options, must_end_stdin: stdin };
        running.start(&self.pods).await
    }

    async fn download(&self, remote: &str, local: PathBuf) -> Result<CopySummary, Error> {
        let source = extract::Source::new(remote).map_err(|problem| self.failed(remote, problem))?;
        let process = self.exec_tar(&source, 0).await?;
        let (writer, reader) = pipe::pipe();
        let progress = self.options.progress.clone();
        let (from, to) = (source.clone(), local.clone());
        let extracting = spawn_blocking(move || extract::extract(reader, &from, &to, progress.as_ref()));
        let read = self.read_archive(&source, process, writer).await;
        let extracted = extracting.await.map_err(|error| self.failed(remote, error.to_string()))?;
        // An archive whose reading fails cannot be unpacked either.
        read?;
        extracted.map_err(|error| self.failed(&local.display().to_string(), error.to_string()))
    }

    /// Starts a process that prints the archive from a position.
    async fn exec_tar(&self, source: &extract::Source, position: u64) -> Result<Process, Error> {
        let next = (position + 1).to_string();
        let script = r#"tar cf - "$1" | tail -c+"$2""#;
        let command: &[&str] = match position {
            0 => &["tar", "cf", "-", source.argument()],
            _ => &["sh", "-c", script, "sh", source.argument(), &next],
        };
        self.exec(command, false).await
    }

    /// Reads the archive that `tar` prints, by another process behind the last byte if a connection breaks. If the archive
    /// cannot be unpacked, it ends without an error.
    async fn read_archive(
        &self,
        source: &extract::Source,
        process: Process,
        archive: pipe::Writer,
    ) -> Result<(), Error> {
        let (mut position, mut backoff) = (0_u64, BACKOFF);
        let mut started = Ok(process);
        let mut retries = self.options.retries;
        loop {
            let broken = match started {
                Ok(process) => match self.read_output(source, process, &mut position, &archive).await? {
                    None => return Ok(()),
                    Some(broken) => broken,
                },
                Err(error) => error,
            };
            if retries == 0 {
                return Err(broken);
            }
            retries -= 1;
            sleep(backoff.step()).await;
            started = self.exec_tar(source, position).await;
        }
    }

    /// Reads the archive that one process prints to its end; the error of a connection that broke before.
    async fn read_output(
        &self,
        source: &extract::Source,
        mut process: Process,
        position: &mut u64,
        archive: &pipe::Writer,
    ) -> Result<Option<Error>, Error> {
        let mut stdout = process.stdout.take().expect("it is requested");
        let mut stderr = process.stderr.take().expect("it is requested");
        let pump = async {
            loop {
                let mut chunk = Vec::with_capacity(CHUNK);
                if stdout.read_buf(&mut chunk).await? == 0 {
                    return Ok::<_, io::Error>(());
                }
                *position += chunk.len() as u64;
                archive.send(chunk.into()).await?;
            }
        };
        let all = async { tokio::join!(pump, complaint(&mut stderr), process.wait()) };
        let (pumped, complaint, status) = tokio::select! {
            all = all => all,
            () = archive.abandoned() => return Ok(None),
        };
        match (pumped, status) {
            (_, Ok(status)) if !status.success() => Err(self.exited(source.argument(), status, &complaint)),
            (Ok(()), Ok(_)) => Ok(None),
            (Err(error), _) => Ok(Some(self.broken(source.argument(), error.to_string()))),
            (Ok(()), Err(error)) => Ok(Some(self.broken(source.argument(), error.to_string()))),
        }
    }

    async fn upload(&self, local: PathBuf, remote: &str) -> Result<CopySummary, Error> {
        let target = self.target(&local, remote).await?;
        let mut command = vec!["tar", "-xmf", "-"];
        if self.options.no_preserve {
            command = vec!["tar", "--no-same-permissions", "--no-same-owner", "-xmf", "-"];
        }
        if !target.folder.is_empty() {
            command.extend(["-C", target.folder.as_str()]);
        }
        // Before a process is started for it.
        let shown = local.display().to_string();
        std::fs::symlink_metadata(&local).map_err(|error| self.failed(&shown, error.to_string()))?;
        let mut process = self.exec(&command, true).await?;
        let mut stdin = process.stdin.take().expect("it is requested");
        let mut stderr = process.stderr.take().expect("it is requested");
        let (writer, mut reader) = pipe::pipe();
        let progress = self.options.progress.clone();
        let archiving =
            spawn_blocking(move || archive::archive(writer, &local, &target.name, progress.as_ref()));
        let pump = async {
            while let Some(chunk) = reader.next().await {
                // `tar` that ends early says why on standard error.
                if stdin.write_all(&chunk).await.is_err() {
                    break;
                }
            }
            drop(reader);
            drop(stdin);
        };
        let ((), complaint, status) = tokio::join!(pump, complaint(&mut stderr), process.wait());
        let archived = archiving.await.map_err(|error| self.failed(&shown, error.to_string()))?;
        match (archived, status) {
            (_, Ok(status)) if !status.success() => Err(self.exited(remote, status, &complaint)),
            (_, Err(error)) => Err(self.broken(remote, error.to_string())),
            (Err(error), _) => Err(self.failed(&shown, error.to_string())),
            (Ok(summary), Ok(_)) => Ok(summary),
        }
    }

    /// The folder and name in the container: within the path if it is a folder there.
    async fn target(&self, local: &Path, remote: &str) -> Result<archive::Target, Error> {
        if remote.is_empty() {
            return Err(Error::request(format!("copy to pod {}", self.pod), "filepath can not be empty"));
        }
        let mut process = self.exec(&["test", "-d", remote], false).await?;
        let is_folder = match process.wait().await {
            Ok(status) => status.success(),
            // The container has no `test`.
            Err(error) if error.kind() == klient_streams::ErrorKind::Refused => false,
            Err(error) => return Err(self.broken(remote, error.to_string())),
        };
        let target = archive::Target::new(local, remote, is_folder);
        target.ok_or_else(|| self.failed(&local.display().to_string(), "it has no name".to_owned()))
    }

    fn failed(&self, path: &str, problem: String) -> Error {
        Error::new(ErrorKind::Copy, format!("{path} with pod {}", self.pod), Problem(problem))
    }

    fn broken(&self, path: &str, problem: String) -> Error {
        Error::new(ErrorKind::Connection, format!("{path} with pod {}", self.pod), Problem(problem))
    }

    /// The error of a `tar` that failed, with what it printed.
    fn exited(&self, path: &str, status: ExitStatus, complaint: &str) -> Error {
        let code = status.code();
        let problem = match complaint {
            "" => format!("command terminated with exit code {code}"),
            complaint => format!("command terminated with exit code {code}: {complaint}"),
        };
        Error::new(ErrorKind::Copy, format!("{path} with pod {}", self.pod), Exited { problem, code })
    }
}

/// Reads standard error to its end; its beginning.
async fn complaint(stderr: &mut klient_streams::remote_command::Reader) -> String {
    let mut bytes = Vec::new();
    // A part that is missing is no fault of its own.
    let _ = (&mut *stderr).take(MAX_STDERR as u64).read_to_end(&mut bytes).await;
    let _ = tokio::io::copy(stderr, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&bytes).trim().to_owned()
}
