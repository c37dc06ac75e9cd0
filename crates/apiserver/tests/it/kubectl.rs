//! The built-in containers, as an unmodified kubectl sees them. The tests are skipped where none is installed.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use klient_apiserver::{Containers, Options, Server};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::client::{Client, soon};
use crate::objects::PODS;

/// The programs that are looked for: one that prefers WebSocket, and one that has SPDY only.
const NAMES: [&str; 2] = ["kubectl.1.33", "kubectl.1.28"];

/// A program in the path, or beside the kubectl there.
fn program(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    let beside = |folder: PathBuf| {
        let dispatcher = std::fs::canonicalize(folder.join("kubectl")).ok();
        [Some(folder), dispatcher.as_deref().and_then(Path::parent).map(Path::to_owned)]
    };
    let folders = std::env::split_paths(&paths).flat_map(beside).flatten();
    folders.map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// A server whose pods run, and a kubectl.
struct Playground {
    _server: Server,
    client: Client,
    folder: tempfile::TempDir,
    program: PathBuf,
}

impl Playground {
    /// One for each kubectl that is installed.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    async fn each() -> Vec<Playground> {
        let mut all = Vec::new();
        for name in NAMES {
            let Some(program) = program(name) else {
                eprintln!("skipped: {name} is not installed");
                continue;
            };
            let options = Options { containers: Some(Containers::built_in()), ..Options::default() };
            let server = Server::start(options).await.expect("a server starts");
            let client = Client::admin(&server).await;
            let folder = tempfile::tempdir().expect("there is room");
            std::fs::write(folder.path().join("kubeconfig"), server.kubeconfig()).expect("there is room");
            all.push(Playground { _server: server, client, folder, program });
        }
        all
    }

    /// Creates a pod with one container, and changes to its spec.
    async fn pod(&self, name: &str, annotation: &str, container: Value) {
        let mut spec = json!({"name": "c", "image": "busybox:1"});
        for (field, value) in container.as_object().expect("fields") {
            spec[field] = value.clone();
        }
        let pod = json!({
            "metadata": {"name": name, "annotations": {"containers.klient.dev/log": annotation}},
            "spec": {"containers": [spec], "restartPolicy": "Never"},
        });
        self.client.post(PODS, &pod).await.expect(201);
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).current_dir(self.folder.path()).env("HOME", self.folder.path());
        command.env("KUBECONFIG", self.folder.path().join("kubeconfig"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    fn start(&self, args: &[&str]) -> Child {
        self.command(args).spawn().expect("kubectl starts")
    }

    /// Runs a command to its end: exit code, standard output, standard error.
    async fn run(&self, args: &[&str], stdin: &[u8]) -> (i32, Vec<u8>, String) {
        let mut child = self.start(args);
        let mut input = child.stdin.take().expect("it is piped");
        // A program that does not read its standard input exits before all is written.
        let write = async {
            let _ = input.write_all(stdin).await;
            drop(input);
        };
        let (Output { status, stdout, stderr }, ()) = soon(&args.join(" "), async {
            tokio::join!(async { child.wait_with_output().await.expect("it ends") }, write)
        })
        .await;
        (status.code().unwrap_or(-1), stdout, String::from_utf8(stderr).expect("kubectl writes UTF-8"))
    }

    /// Runs a command that succeeds, and returns its output.
    async fn text(&self, args: &[&str]) -> String {
        let (code, stdout, stderr) = self.run(args, b"").await;
        assert_eq!(code, 0, "{}: {args:?}: {stderr}", self.program.display());
        String::from_utf8(stdout).expect("kubectl writes UTF-8")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exec_has_input_output_and_exit_codes() {
    for kubectl in Playground::each().await {
        kubectl.pod("web", "", json!({"env": [{"name": "COLOR", "value": "blue"}]})).await;
        assert_eq!(kubectl.text(&["exec", "web", "--", "echo", "a  b"]).await, "a  b\n");
        let large: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
        let (code, stdout, stderr) = kubectl.run(&["exec", "-i", "web", "--", "cat"], &large).await;
        assert!(code == 0 && stdout == large, "{code}: {stderr}");
        let script = "echo $COLOR $HOSTNAME; echo no >&2; false || exit 7";
        let (code, stdout, stderr) = kubectl.run(&["exec", "web", "--", "sh", "-c", script], b"").await;
        assert_eq!((code, &stdout[..]), (7, &b"blue web\n"[..]));
        assert!(stderr.starts_with("no\n") && stderr.contains("exit code 7"), "{stderr}");
        let (code, _, stderr) = kubectl.run(&["exec", "web", "--", "vim"], b"").await;
        assert_eq!(code, 1);
        assert!(stderr.contains("executable file not found in $PATH"), "{stderr}");
        let script =
            "for x in 1 2 3; do echo $x; done | tail -n 2 > /tmp/f; cat /tmp/f | wc -l; cat < /tmp/f";
        assert_eq!(kubectl.text(&["exec", "web", "--", "sh", "-c", script]).await, "2\n2\n3\n");
        let (code, stdout, _) =
            kubectl.run(&["exec", "-i", "web", "--", "sh"], b"cd /tmp\npwd\nexit 3\necho no\n").await;
        assert_eq!((code, &stdout[..]), (3, &b"/tmp\n"[..]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exec_has_a_terminal() {
    let Some(script) = program("script") else { return eprintln!("skipped: script is not installed") };
    for kubectl in Playground::each().await {
        kubectl.pod("web", "", json!({})).await;
        let line = format!("{} exec -it web -- sh", kubectl.program.display());
        let mut command = Command::new(&script);
        command.args(["-qec", &line, "/dev/null"]).current_dir(kubectl.folder.path());
        command
            .env("KUBECONFIG", kubectl.folder.path().join("kubeconfig"))
            .env("HOME", kubectl.folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let (mut keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut shown = String::new();
        let mut until = async |text: &str| {
            let mut part = [0; 1024];
            while !shown.contains(text) {
                let count = soon(text, screen.read(&mut part)).await.unwrap();
                assert!(count > 0, "{shown:?}");
                shown.push_str(&String::from_utf8_lossy(&part[..count]));
            }
            shown.clear();
        };
        until("/ # ").await;
        keys.write_all(b"echo a$HOSTNAMEx\x7f\r").await.unwrap();
        until("aweb\r\n/ # ").await;
        keys.write_all(b"echo go; sleep 1000\r").await.unwrap();
        until("1000\r\ngo\r\n").await;
        keys.write_all(&[3]).await.unwrap();
        until("/ # ").await;
        keys.write_all(b"exit 5\r").await.unwrap();
        assert_eq!(soon("the end", child.wait()).await.unwrap().code(), Some(5));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cp_copies_files_and_folders_both_ways() {
    for kubectl in Playground::each().await {
        kubectl.pod("web", "", json!({})).await;
        let there = kubectl.folder.path().join("there");
        std::fs::create_dir_all(there.join("deep/er")).unwrap();
        let large: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
        std::fs::write(there.join("deep/er/large"), &large).unwrap();
        std::fs::write(there.join("a"), "hello\n").unwrap();
        std::os::unix::fs::symlink("a", there.join("link")).unwrap();
        kubectl.text(&["cp", "there", "web:/tmp/here"]).await;
        assert_eq!(kubectl.text(&["exec", "web", "--", "cat", "/tmp/here/a"]).await, "hello\n");
        // Links are kept on the way to a container, and left out on the way back.
        assert_eq!(kubectl.text(&["exec", "web", "--", "readlink", "/tmp/here/link"]).await, "a\n");
        let (code, _, stderr) = kubectl.run(&["cp", "web:/tmp/here", "back"], b"").await;
        assert!(code == 0 && stderr.contains("skipping symlink: \"back/link\" -> \"a\""), "{code}: {stderr}");
        let back = kubectl.folder.path().join("back");
        assert!(std::fs::read(back.join("deep/er/large")).unwrap() == large && !back.join("link").exists());
        kubectl.text(&["cp", "there/a", "web:/tmp"]).await;
        kubectl.text(&["cp", "web:tmp/a", "single"]).await;
        assert_eq!(std::fs::read(kubectl.folder.path().join("single")).unwrap(), b"hello\n");
        let (code, _, stderr) = kubectl.run(&["cp", "web:/tmp/none", "none"], b"").await;
        assert!(code != 0 || stderr.contains("No such file"), "{code}: {stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn port_forward_reaches_declared_ports() {
    for kubectl in Playground::each().await {
        kubectl.pod("web", "", json!({"ports": [{"containerPort": 80}]})).await;
        let mut child = kubectl.start(&["port-forward", "web", ":80", ":81"]);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut ports = std::collections::BTreeMap::new();
        while ports.len() < 2 {
            let line = soon("a port", lines.next_line()).await.unwrap().expect("kubectl listens");
            if let Some((local, remote)) =
                line.strip_prefix("Forwarding from 127.0.0.1:").and_then(|l| l.split_once(" -> "))
            {
                ports.insert(remote.to_owned(), local.to_owned());
            }
        }
        for round in 0..3 {
            let mut connection = TcpStream::connect(format!("127.0.0.1:{}", ports["80"])).await.unwrap();
            let request = format!("GET /{round} HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n");
            connection.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            soon("the answer", connection.read_to_string(&mut answer)).await.unwrap();
            assert!(
                answer.ends_with(&format!("Hello from default/web, port 80: GET /{round}\n")),
                "{answer}"
            );
        }
        let mut connection = TcpStream::connect(format!("127.0.0.1:{}", ports["81"])).await.unwrap();
        let mut nothing = Vec::new();
        let _ = soon("the end", connection.read_to_end(&mut nothing)).await;
        assert!(nothing.is_empty());
        let mut complaints = BufReader::new(child.stderr.take().unwrap()).lines();
        while let Some(line) = soon("a complaint", complaints.next_line()).await.unwrap() {
            if line.contains("connection refused") {
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_have_the_lines_of_the_annotation_and_of_the_main_process() {
    for kubectl in Playground::each().await {
        kubectl.pod("web", "one\ntwo", json!({})).await;
        assert_eq!(kubectl.text(&["logs", "web"]).await, "one\ntwo\n");
        assert_eq!(kubectl.text(&["logs", "web", "--tail=1", "--prefix"]).await, "[pod/web/c] two\n");
        let stamped =
            kubectl.text(&["logs", "web", "--timestamps", "--since=1h", "--limit-bytes=1000"]).await;
        assert_eq!(stamped.lines().count(), 2, "{stamped}");
        let mut child = kubectl.start(&["logs", "-f", "web", "--tail=1"]);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut next = async || soon("a line", lines.next_line()).await.unwrap();
        assert_eq!(next().await.as_deref(), Some("two"));
        let more = json!({"metadata": {"annotations": {"containers.klient.dev/log": "one\ntwo\nthree"}}});
        kubectl.client.patch(&format!("{PODS}/web"), "merge", &more).await.expect(200);
        assert_eq!(next().await.as_deref(), Some("three"));
        kubectl.text(&["delete", "pod", "web", "--wait=false"]).await;
        assert_eq!(next().await, None);
        assert!(soon("the end", child.wait()).await.unwrap().success());

        kubectl
            .pod("job", "", json!({"command": ["sh", "-c", "echo begins; sleep 0.1; echo ends >&2; exit 4"]}))
            .await;
        assert_eq!(kubectl.text(&["logs", "-f", "job"]).await, "begins\nends\n");
        let wait = ["wait", "pod/job", "--for=jsonpath={.status.phase}=Failed", "--timeout=20s"];
        kubectl.text(&wait).await;
        let code = "jsonpath={.status.containerStatuses[0].state.terminated.exitCode}";
        assert_eq!(kubectl.text(&["get", "pod", "job", "-o", code]).await, "4");
        let (code, _, stderr) = kubectl.run(&["exec", "job", "--", "true"], b"").await;
        assert_eq!(code, 1, "{stderr}");
        let (code, _, stderr) = kubectl.run(&["logs", "-p", "job"], b"").await;
        assert_eq!(code, 1);
        assert!(stderr.contains("previous terminated container \"c\" in pod \"job\" not found"), "{stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attach_and_run_reach_the_main_process() {
    for kubectl in Playground::each().await {
        kubectl
            .pod("web", "", json!({"command": ["sh", "-c", "while true; do echo tick; sleep 0.05; done"]}))
            .await;
        let mut child = kubectl.start(&["attach", "web"]);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for _ in 0..3 {
            assert_eq!(soon("a line", lines.next_line()).await.unwrap().as_deref(), Some("tick"));
        }
        drop(child);
        let run = ["run", "once", "-i", "--rm", "--quiet", "--image=busybox", "--restart=Never", "--", "sh"];
        let (code, stdout, stderr) = kubectl.run(&run, b"echo in $HOSTNAME\nexit 6\n").await;
        assert_eq!((code, String::from_utf8_lossy(&stdout).contains("in once")), (6, true), "{stderr}");
        kubectl.client.get(&format!("{PODS}/once")).await.expect(404);
        let wait = ["wait", "pod/web", "--for=condition=Ready", "--timeout=20s"];
        kubectl.text(&wait).await;
        let row = kubectl.text(&["get", "pod", "web", "--no-headers"]).await;
        let row: Vec<&str> = row.split_whitespace().take(4).collect();
        assert_eq!(row, ["web", "1/1", "Running", "0"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn debug_adds_a_container_to_a_pod_that_runs() {
    for kubectl in Playground::each().await {
        kubectl.pod("web", "", json!({})).await;
        let debug = ["debug", "web", "-i", "-q", "--image=busybox", "-c", "tools", "--", "sh"];
        // Without `stdinOnce` kubectl is detached at the end of its input, and the shell goes on until it is told.
        let (code, _, stderr) = kubectl.run(&debug, b"echo here; exit\n").await;
        assert_eq!(code, 0, "{stderr}");
        let state = "jsonpath={.status.ephemeralContainerStatuses[0].state.terminated.reason}=Completed";
        kubectl.text(&["wait", "pod/web", "--for", state, "--timeout=20s"]).await;
        assert_eq!(kubectl.text(&["logs", "web", "-c", "tools"]).await, "here\n");
        assert_eq!(kubectl.text(&["get", "pod", "web", "-o", "jsonpath={.status.phase}"]).await, "Running");
        let copy =
            ["debug", "web", "-q", "--copy-to=copy", "--image=busybox", "-c", "more", "--attach=false"];
        kubectl.text(&copy).await;
        assert_eq!(kubectl.text(&["exec", "copy", "-c", "more", "--", "hostname"]).await, "copy\n");
    }
}
