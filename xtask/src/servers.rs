//! [`Server`], an API server in a process of its own: a real kube-apiserver, or the embedded one.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::SystemTime;

use crate::root;

/// The release of Kubernetes in `e2e/apiserver/go.mod`, as the server tells it.
const KUBERNETES: &str = "v1.37.1";

/// The folder, in that of the server, with all that a kube-apiserver stores.
const DATA: &str = "data";

/// A server that ends when dropped.
pub(crate) struct Server {
    child: Child,
    /// The kubeconfig of its administrator.
    pub(crate) kubeconfig: PathBuf,
}

impl Server {
    /// Builds a kube-apiserver, unless that is done, and starts it with nothing in it. What it writes goes to a folder.
    ///
    /// # Errors
    ///
    /// Without Go, and if it cannot be built or does not start.
    pub(crate) fn kube_apiserver(folder: &Path) -> Result<Server, String> {
        let binary = build_kube_apiserver(folder)?;
        // There is none the first time.
        let _ = fs::remove_dir_all(folder.join(DATA));
        Server::start_kube_apiserver(&binary, folder)
    }

    /// Starts a kube-apiserver with what one that has [ended](Self::end) has left in a folder of the same folder.
    ///
    /// # Errors
    ///
    /// As [`kube_apiserver`](Self::kube_apiserver).
    pub(crate) fn kube_apiserver_again(folder: &Path, left: &str) -> Result<Server, String> {
        let binary = build_kube_apiserver(folder)?;
        let data = folder.join(DATA);
        // There is none the first time.
        let _ = fs::remove_dir_all(&data);
        copy(&folder.join(left), &data)
            .map_err(|error| format!("cannot copy {left} in {}: {error}", folder.display()))?;
        Server::start_kube_apiserver(&binary, folder)
    }

    fn start_kube_apiserver(binary: &Path, folder: &Path) -> Result<Server, String> {
        let data = folder.join(DATA);
        let mut command = Command::new(binary);
        command.arg("-data").arg(&data);
        Server::start(command, &folder.join("kube-apiserver.log"), "ready ", data.join("kubeconfig"))
    }

    /// Ends a kube-apiserver in order, and keeps what it has stored in a folder of the same folder.
    ///
    /// # Errors
    ///
    /// If it fails, or its files cannot be moved.
    pub(crate) fn end(mut self, folder: &Path, left: &str) -> Result<(), String> {
        drop(self.child.stdin.take());
        let status = self.child.wait().map_err(|error| format!("cannot wait for kube-apiserver: {error}"))?;
        if !status.success() {
            return Err(format!("kube-apiserver has failed: see its log in {}", folder.display()));
        }
        // There is none the first time.
        let _ = fs::remove_dir_all(folder.join(left));
        fs::rename(folder.join(DATA), folder.join(left))
            .map_err(|error| format!("cannot keep what kube-apiserver has stored: {error}"))
    }

    /// Starts an embedded server: the `klient` that is in a file.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub(crate) fn embedded(klient: &Path, folder: &Path) -> Result<Server, String> {
        // As beside a kube-apiserver alone, no pod runs.
        Server::start_embedded(klient, folder, &["--no-containers"])
    }

    /// Starts an embedded server whose pods run in the built-in containers.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub(crate) fn with_containers(klient: &Path, folder: &Path) -> Result<Server, String> {
        Server::start_embedded(klient, folder, &[])
    }

    fn start_embedded(klient: &Path, folder: &Path, options: &[&str]) -> Result<Server, String> {
        let kubeconfig = folder.join("klient.kubeconfig");
        let mut command = Command::new(klient);
        command.args(["server", "--listen", "127.0.0.1:0", "--write-kubeconfig"]).arg(&kubeconfig);
        command.args(options);
        Server::start(command, &folder.join("klient.log"), "Serving at ", kubeconfig)
    }

    /// Starts a server, and waits for the line that says it serves.
    fn start(mut command: Command, log: &Path, ready: &str, kubeconfig: PathBuf) -> Result<Server, String> {
        let name = command.get_program().to_string_lossy().into_owned();
        let stderr = File::create(log).map_err(|error| format!("cannot write {}: {error}", log.display()))?;
        // A kube-apiserver ends when nobody holds its standard input any more.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr);
        let mut child = command.spawn().map_err(|error| format!("cannot run {name}: {error}"))?;
        let stdout = child.stdout.take().expect("it was asked for");
        let server = Server { child, kubeconfig };
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        if !lines.any(|line| line.starts_with(ready)) {
            return Err(format!("{name} has ended before it served: see {}", log.display()));
        }
        // Nobody reads it, but it must not be full.
        thread::spawn(move || lines.for_each(drop));
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let copied = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &copied)?;
        } else {
            fs::copy(entry.path(), copied)?;
        }
    }
    Ok(())
}

/// Builds a kube-apiserver into a folder, if what it is built from is newer than what is there.
fn build_kube_apiserver(folder: &Path) -> Result<PathBuf, String> {
    let (source, binary) = (root().join("e2e/apiserver"), folder.join("kube-apiserver"));
    fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let time = |path: &Path| -> Option<SystemTime> { fs::metadata(path).ok()?.modified().ok() };
    let newest =
        ["main.go", "go.mod", "go.sum"].into_iter().filter_map(|name| time(&source.join(name))).max();
    if time(&binary) > newest {
        return Ok(binary);
    }
    let numbers: Vec<&str> = KUBERNETES.trim_start_matches('v').split('.').collect();
    let [major, minor, _] = numbers[..] else { unreachable!("a release has three numbers") };
    let version = "k8s.io/component-base/version";
    let flags = format!(
        "-s -w -X {version}.gitVersion={KUBERNETES} -X {version}.gitMajor={major} -X {version}.gitMinor={minor}"
    );
    let status = Command::new("go")
        .args(["build", "-trimpath", "-ldflags", &flags, "-o"])
        .arg(&binary)
        .arg(".")
        .env("CGO_ENABLED", "0")
        .current_dir(&source)
        .status()
        .map_err(|error| format!("cannot run go, with which kube-apiserver is built: {error}"))?;
    if status.success() { Ok(binary) } else { Err("kube-apiserver cannot be built: see above".to_owned()) }
}

/// The folder that programs for tests and benches against a real cluster are in.
pub(crate) fn folder() -> PathBuf {
    root().join("target/e2e")
}

#[test]
fn the_release_is_the_one_that_is_built() {
    let modules = fs::read_to_string(root().join("e2e/apiserver/go.mod")).expect("it is committed");
    assert!(
        modules.contains(&format!("k8s.io/kubernetes {KUBERNETES}\n")),
        "another release than {KUBERNETES}"
    );
}
