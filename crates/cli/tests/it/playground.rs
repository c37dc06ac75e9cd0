//! [`Playground`], an embedded server with a working directory and a kubeconfig per user.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use klient_apiserver::{Options, Server};
use klient_client::{Client, Config, Patch};
use serde_json::json;

use crate::KLIENT;
use crate::cases::Expected;

/// Time-out of a wait, after which a test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for a future.
///
/// # Panics
///
/// After [`PATIENCE`].
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} does not come"))
}

/// klient or kubectl, and the name it is called with.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub path: PathBuf,
    /// Name that the program is called with.
    pub name: &'static str,
}

impl Program {
    /// klient, called as kubectl.
    pub(crate) fn klient() -> Self {
        Program { path: KLIENT.into(), name: "kubectl" }
    }

    /// kubectl 1.33, if this machine has it: in the path, or beside the kubectl there.
    pub(crate) fn kubectl() -> Option<Self> {
        let name = "kubectl.1.33";
        let paths = std::env::var_os("PATH")?;
        let beside = |folder: PathBuf| {
            let dispatcher = fs::canonicalize(folder.join("kubectl")).ok();
            [Some(folder), dispatcher.as_deref().and_then(Path::parent).map(Path::to_owned)]
        };
        let folders = std::env::split_paths(&paths).flat_map(beside).flatten();
        let path = folders.map(|folder| folder.join(name)).find(|path| path.is_file())?;
        Some(Program { path, name })
    }
}

/// An embedded server with a working directory.
pub(crate) struct Playground {
    server: Server,
    home: tempfile::TempDir,
    folder: tempfile::TempDir,
    closed_port: u16,
}

impl Playground {
    pub(crate) async fn new() -> Self {
        Playground::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let server = Server::start(options).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let closed_port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let playground = Playground { server, home, folder, closed_port };
        for (who, text) in playground.kubeconfigs() {
            fs::write(playground.kubeconfig(who), text).unwrap();
        }
        fs::create_dir(playground.folder.path().join("emptydir")).unwrap();
        playground
    }

    fn kubeconfigs(&self) -> BTreeMap<&'static str, String> {
        let in_shop = |text: String| text.replace("namespace: default", "namespace: shop");
        let admin = in_shop(self.server.kubeconfig());
        let url = self.server.url();
        let with_url = |other: &str| admin.replace(&url, other);
        let token = |token: &str| in_shop(self.server.kubeconfig_for(token));
        let ca = admin.lines().find(|line| line.contains("certificate-authority-data")).expect("a CA");
        BTreeMap::from([
            ("user", token(&self.server.token("low-user", &[]))),
            ("badtoken", token("no-such-token")),
            ("down", with_url(&format!("https://127.0.0.1:{}", self.closed_port))),
            ("nohost", with_url("https://no-such-host.invalid:6443")),
            ("badca", admin.replace(ca, "").replace("\n\n", "\n")),
            ("badname", admin.replace(ca, &format!("{ca}\n    tls-server-name: other.example"))),
            ("admin", admin.clone()),
        ])
    }

    /// Returns the path of a user's kubeconfig; the file does not exist for an unknown user.
    pub(crate) fn kubeconfig(&self, who: &str) -> PathBuf {
        self.home.path().join(format!("{who}.kubeconfig"))
    }

    /// Writes a kubeconfig derived from that of the admin.
    pub(crate) fn write_kubeconfig(&self, who: &str, change: impl FnOnce(String) -> String) {
        fs::write(self.kubeconfig(who), change(self.server.kubeconfig())).unwrap();
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(Config::from_kubeconfig_file(self.kubeconfig("admin")).unwrap()).unwrap()
    }

    pub(crate) fn write(&self, files: &BTreeMap<String, String>) {
        for (name, text) in files {
            let path = self.folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    /// The path of a file in the working folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, and gives its path.
    pub(crate) fn write_bytes(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.display().to_string()
    }

    /// Writes a file below the home folder of the programs.
    pub(crate) fn write_at_home(&self, name: &str, text: &str) {
        let path = self.home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A command in the working folder.
    pub(crate) fn command(&self, program: &Program, who: &str) -> Command {
        let mut command = Command::new(&program.path);
        command
            .arg0(program.name)
            .current_dir(self.folder.path())
            .env("HOME", self.home.path())
            .env("KUBECONFIG", self.kubeconfig(who))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a program to its end.
    pub(crate) async fn run(
        &self,
        program: &Program,
        who: &str,
        args: &[String],
        stdin: Option<&str>,
    ) -> Expected {
        self.run_with(program, who, &[], args, stdin).await
    }

    /// The same, with variables in its environment.
    pub(crate) async fn run_with(
        &self,
        program: &Program,
        who: &str,
        env: &[(String, String)],
        args: &[String],
        stdin: Option<&str>,
    ) -> Expected {
        let mut command = self.command(program, who);
        command.envs(env.iter().map(|(name, value)| (name, value))).args(args);
        let stdin = stdin.unwrap_or_default().to_owned();
        let output = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().unwrap();
            // A program that does not read its standard input exits before all is written.
            let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
            child.wait_with_output().unwrap()
        });
        let output = output.await.unwrap();
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            text.replace(&format!("127.0.0.1:{}", self.closed_port), "127.0.0.1:6999")
                .replace(&self.server.address().to_string(), "127.0.0.1:6443")
                .replace(&self.folder.path().display().to_string(), "/dir")
        };
        Expected {
            exit: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Runs a program as admin, whose output may be any bytes. The names of the programs are the same.
    pub(crate) async fn run_lossy(
        &self,
        program: &Program,
        args: &[String],
        stdin: Option<&str>,
    ) -> Expected {
        let mut command = self.command(program, "admin");
        command.args(args);
        let stdin = stdin.unwrap_or_default().to_owned();
        let output = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().unwrap();
            let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
            child.wait_with_output().unwrap()
        });
        let output = output.await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(program.name, "kubectl");
        // kubectl reads before it has made its streams, and logs the server's first, empty message if that comes at once.
        let is_early = |line: &&str| line.contains("websocket.go") && line.contains("Unknown stream id");
        let stderr = text(&output.stderr);
        Expected {
            exit: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: stderr.split_inclusive('\n').filter(|line| !is_early(line)).collect(),
        }
    }

    /// Runs klient as admin, and returns its output.
    ///
    /// # Panics
    ///
    /// If the exit code is not 0, or there is output on standard error.
    pub(crate) async fn klient(&self, args: &[&str], stdin: Option<&str>) -> String {
        let args: Vec<String> = args.iter().map(|argument| (*argument).to_owned()).collect();
        let done = self.run(&Program::klient(), "admin", &args, stdin).await;
        assert_eq!((done.exit, done.stderr.as_str()), (0, ""), "{args:?}");
        done.stdout
    }

    /// Runs a setup step: with klient, or with the library for verbs that klient does not have.
    pub(crate) async fn set_up(&self, args: &[String], stdin: Option<&str>) {
        let words: Vec<&str> =
            args.iter().map(String::as_str).filter(|word| *word != "-n" && *word != "shop").collect();
        let kind = |version: &str, kind: &str, plural: &str| {
            let (version, kind, plural) = (version.to_owned(), kind.to_owned(), plural.to_owned());
            klient_apimachinery::ResourceInfo {
                group: "".into(),
                version: version.into(),
                kind: kind.into(),
                plural: plural.into(),
                namespaced: true,
            }
        };
        match words[..] {
            ["run", name, image] => {
                let image = image.trim_start_matches("--image=");
                let pod = json!({
                    "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"run": name}},
                    "spec": {"containers": [{"name": name, "image": image}]},
                });
                let pods = self.client().dynamic(kind("v1", "Pod", "pods")).namespace("shop");
                pods.create(&serde_json::from_value(pod).unwrap()).await.unwrap();
            }
            ["patch", "cm", name, "--type=merge", "-p", patch] => {
                let config_maps =
                    self.client().dynamic(kind("v1", "ConfigMap", "configmaps")).namespace("shop");
                let patch = Patch::Merge(serde_json::from_str(patch).unwrap());
                // An object that waited for this to go is gone then.
                let _ = config_maps.patch(name, &patch).await;
            }
            _ => {
                let folder = self.folder.path().display().to_string();
                let mut args: Vec<String> = args.iter().map(|arg| arg.replace("/dir", &folder)).collect();
                if args[0] == "delete" {
                    // The object does not exist if the case that creates it does not match yet.
                    args.push("--ignore-not-found".to_owned());
                }
                let done = self.run(&Program::klient(), "admin", &args, stdin).await;
                assert_eq!(done.exit, 0, "{args:?}: {}", done.stderr);
            }
        }
    }
}
