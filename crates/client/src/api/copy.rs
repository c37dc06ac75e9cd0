//! [`Api::copy_from`] and [`Api::copy_to`], files of containers, by `tar` in the container as `kubectl cp`.

mod archive;
mod extract;
mod pipe;
mod progress;
mod rationed;

use std::io;
use std::path::{Path, PathBuf};

use klient_apimachinery::codec::Wire;
use klient_apimachinery::{Addressable, BoxFuture, Object, Place, Unstructured, verbs};
use klient_streams::remote_command::{ExitStatus, Process};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::changes::BACKOFF;
use super::exec::{ExecOptions, Running, kind_of};
use super::{Api, DynamicPlace};
use crate::error::{Broken, Error, ErrorKind, Exited, Problem};

pub use progress::{CopiedEntry, CopyProgress};

/// The number of bytes of standard error that an error quotes.
const MAX_STDERR: usize = 4096;

/// The exit code of a program that does not exist.
const NOT_FOUND: u8 = 127;

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
    /// Gets each file while it is copied.
    pub progress: Option<CopyProgress>,
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
    /// outside of the target. There are at most the first 100,000 of them, and 16 MiB of their names and reasons.
    pub skipped: Vec<(PathBuf, String)>,
}

impl CopySummary {
    /// Counts a file or folder.
    fn add(&mut self, bytes: u64) {
        self.entries += 1;
        self.bytes += bytes;
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
    /// Those of [`exec`](Self::exec); of kind [`Copy`](crate::ErrorKind::Copy) if `tar` fails, its archive is not whole or a
    /// local file cannot be written. What was copied before stays.
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
    /// container. Symbolic links are copied as links. A folder does not replace a file.
    ///
    /// # Errors
    ///
    /// Those of [`exec`](Self::exec); of kind [`Copy`](crate::ErrorKind::Copy) if `tar` fails, a local file cannot be read,
    /// or the path is that of a file and a folder is copied. What was copied before stays.
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
        let shown = self.from(remote);
        let source = extract::Source::new(remote).map_err(|problem| self.failed(&shown, problem))?;
        let process = self.exec_tar(&source, 0).await?;
        let (writer, reader) = pipe::pipe();
        let progress = self.options.progress.clone();
        let (from, to) = (source.clone(), local.clone());
        let extracting = spawn_blocking(move || extract::extract(reader, &from, &to, progress.as_ref()));
        let read = self.read_archive(&source, process, writer).await;
        let extracted = extracting.await.map_err(|error| self.failed(&shown, error.to_string()))?;
        // An archive whose reading fails cannot be unpacked either.
        read?;
        let shown = format!("{shown} to {}", local.display());
        extracted.map_err(|error| self.failed(&shown, error.to_string()))
    }

    /// Starts a process that prints the archive from a position.
    async fn exec_tar(&self, source: &extract::Source, position: u64) -> Result<Process, Error> {
        let next = (position + 1).to_string();
        // The exit code of a pipeline is that of `tail`, so that a `tar` that fails ends the shell.
        let script = r#"sh -c 'tar cf - "$1" || kill -TERM "$2"' sh "$1" $$ | tail -c+"$2""#;
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
            (_, Ok(status)) if !status.success() => {
                Err(self.exited(&self.from(source.argument()), status, &complaint))
            }
            (Ok(()), Ok(_)) => Ok(None),
            (_, Err(error)) => Ok(Some(self.broken(&self.from(source.argument()), error))),
            (Err(error), Ok(_)) => {
                let problem = Broken(error.to_string());
                let what = format!("copying {}", self.from(source.argument()));
                Ok(Some(Error::new(ErrorKind::Connection, what, problem)))
            }
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
        let shown = self.to(&local);
        std::fs::symlink_metadata(&local).map_err(|error| self.failed(&shown, error.to_string()))?;
        let mut process = self.exec(&command, true).await?;
        let mut stdin = process.stdin.take().expect("it is requested");
        let mut stderr = process.stderr.take().expect("it is requested");
        let (writer, mut reader) = pipe::pipe();
        let progress = self.options.progress.clone();
        let marks = progress.as_ref().map(|_| progress::Marks::default());
        let marking = marks.clone();
        let archiving = spawn_blocking(move || archive::archive(writer, &local, &target.name, marking));
        let tell = |sent: u64| {
            if let (Some(marks), Some(progress)) = (&marks, &progress) {
                marks.tell(sent, progress);
            }
        };
        let pump = async {
            let mut sent = 0;
            while let Some(chunk) = reader.next().await {
                // `tar` that ends early says why on standard error.
                if stdin.write_all(&chunk).await.is_err() {
                    break;
                }
                // A chunk is on its way when the buffer of the connection takes the next one.
                tell(sent);
                sent += chunk.len() as u64;
            }
            drop(reader);
            drop(stdin);
        };
        let ((), complaint, status) = tokio::join!(pump, complaint(&mut stderr), process.wait());
        let archived = archiving.await.map_err(|error| self.failed(&shown, error.to_string()))?;
        match (archived, status) {
            (_, Ok(status)) if !status.success() => {
                Err(self.exited(&format!("{shown}, as {remote}"), status, &complaint))
            }
            (_, Err(error)) => Err(self.broken(&shown, error)),
            (Err(error), _) => Err(self.failed(&shown, error.to_string())),
            (Ok(summary), Ok(_)) => {
                tell(u64::MAX);
                Ok(summary)
            }
        }
    }

    /// The folder and name in the container: within the path if it is a folder there.
    async fn target(&self, local: &Path, remote: &str) -> Result<archive::Target, Error> {
        if remote.is_empty() {
            return Err(Error::request(format!("copy to pod {}", self.pod), "filepath can not be empty"));
        }
        let is_folder = self.test("-d", remote, local).await?;
        // `tar` would replace the file.
        if !is_folder && local.is_dir() && self.test("-e", remote, local).await? {
            let problem = format!("{remote} is a file there, which a folder does not replace");
            return Err(self.failed(&self.to(local), problem));
        }
        let target = archive::Target::new(local, remote, is_folder);
        target.ok_or_else(|| self.failed(&self.to(local), "it has no name".to_owned()))
    }

    /// Tests a path in the container; false if it has no `test`.
    async fn test(&self, condition: &str, remote: &str, local: &Path) -> Result<bool, Error> {
        let mut process = self.exec(&["test", condition, remote], false).await?;
        match process.wait().await {
            Ok(status) => Ok(status.success()),
            Err(error) if error.kind() == klient_streams::ErrorKind::Refused => Ok(false),
            Err(error) => Err(self.broken(&self.to(local), error)),
        }
    }

    /// A path in the container, for errors: `/etc/hosts from pod web-0`.
    fn from(&self, remote: &str) -> String {
        format!("{remote} from pod {}", self.pod)
    }

    /// A local path, for errors: `site to pod web-0`.
    fn to(&self, local: &Path) -> String {
        format!("{} to pod {}", local.display(), self.pod)
    }

    fn failed(&self, what: &str, problem: String) -> Error {
        Error::new(ErrorKind::Copy, what, Problem(problem))
    }

    fn broken(&self, what: &str, error: klient_streams::Error) -> Error {
        Error::new(kind_of(&error), format!("copying {what}"), error)
    }

    /// The error of a `tar` that failed, with what it printed.
    fn exited(&self, what: &str, status: ExitStatus, complaint: &str) -> Error {
        let code = status.code();
        // GNU tar tells this of each absolute path, which is no fault.
        let is_notice = |line: &&str| line.to_ascii_lowercase().starts_with("tar: removing leading ");
        let reasons: Vec<&str> = complaint.lines().filter(|line| !is_notice(line)).collect();
        let problem = match &reasons[..] {
            [] if code == NOT_FOUND => {
                format!("command terminated with exit code {code}: the container has no tar")
            }
            [] => format!("command terminated with exit code {code}"),
            reasons => format!("command terminated with exit code {code}: {}", reasons.join("\n")),
        };
        Error::new(ErrorKind::Copy, what, Exited { problem, code })
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
