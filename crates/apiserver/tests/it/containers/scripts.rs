//! Scripts in the built-in containers, among them those that would take the server's stack or memory, or never end.

use klient_apiserver::{Containers, Options, Server};
use klient_streams::remote_command::{Protocol, Streams};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::client::{Client, soon};
use crate::objects::{PODS, pod};
use crate::upgrades::process;

async fn running(client: &Client, name: &str) {
    let watch = format!("{PODS}?watch=true&fieldSelector=metadata.name={name}");
    let (_, mut events) = client.stream(&watch, &[]).await;
    loop {
        let event = soon("the start of the pod", events.line()).await.expect("the watch goes on");
        let event: Value = serde_json::from_str(&event).expect("an event");
        if event["object"]["status"]["phase"] == "Running" {
            return;
        }
    }
}

/// Runs a script in the pod `web`, and returns its outputs and its exit code.
async fn run(server: &klient_apiserver::Server, script: &str) -> (String, String, i32) {
    let command = "command=sh&command=-c&command=cat%3E/tmp/s%3Bsh%20/tmp/s";
    let path = format!("{PODS}/web/exec?{command}&stdin=true&stdout=true&stderr=true");
    let streams = Streams { stdin: true, stdout: true, stderr: true, tty: false };
    let mut process = process(server, &path, Protocol::WEBSOCKET_V5, streams).await.expect("a process");
    let mut stdin = process.stdin.take().expect("it has an input");
    stdin.write_all(script.as_bytes()).await.expect("it reads");
    stdin.shutdown().await.expect("it reads");
    let output = soon("the end of the script", process.wait_with_output()).await.expect("a status");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (text(output.stdout), text(output.stderr), i32::from(output.status.code()))
}

#[tokio::test]
async fn scripts_end_at_failures_with_set_e_and_run_their_exit_trap() {
    let (server, client) = super::server(Containers::built_in()).await;
    running(&client, "web").await;
    for (script, stdout, stderr, code) in [
        ("set -e; false; echo no", "", "", 1),
        ("set -o errexit; sh -c 'exit 3'; echo no", "", "", 3),
        ("sh -ec 'false; echo no'; echo $?", "1\n", "", 0),
        ("set -e; set +e; false; echo on", "on\n", "", 0),
        ("set -e; a=$(false); echo no", "", "", 1),
        ("set -e; true | false; echo no", "", "", 1),
        ("set -e; if false; then :; fi; false || ! true || false && true; echo on", "on\n", "", 0),
        ("set -e; while false; do :; done; ! true; echo on", "on\n", "", 0),
        ("set -e; true && false; echo no", "", "", 1),
        ("set -e; for a in b; do false; done; echo no", "", "", 1),
        ("set -e; if sh -c 'false; echo child'; then echo on; fi", "child\non\n", "", 0),
        ("set -eu; echo no", "", "sh: set: -eu is not known here\n", 2),
        ("set -o pipefail; echo no", "", "sh: set: -o pipefail is not known here\n", 2),
        ("trap 'echo t $?' EXIT; echo a; exit 4", "a\nt 4\n", "", 4),
        ("trap 'echo t; exit 5' EXIT; set -e; false; echo no", "t\n", "", 5),
        ("trap 'echo t' EXIT; trap - EXIT; echo a", "a\n", "", 0),
        ("trap 'echo t' EXIT; trap EXIT; echo a", "a\n", "", 0),
        ("trap 'echo t' TERM; echo a", "a\n", "sh: trap: TERM is not known here, only EXIT\n", 0),
    ] {
        assert_eq!(run(&server, script).await, (stdout.to_owned(), stderr.to_owned(), code), "{script}");
    }
}

#[tokio::test]
async fn scripts_leave_loops() {
    let (server, client) = super::server(Containers::built_in()).await;
    running(&client, "web").await;
    for (script, stdout, stderr, code) in [
        ("while true; do echo a; break; echo no; done; echo b", "a\nb\n", "", 0),
        ("for a in 1 2 3; do if [ $a = 2 ]; then continue; fi; echo $a; done", "1\n3\n", "", 0),
        ("for a in 1 2; do for b in 3 4; do echo $a$b; break 2; done; done; echo on", "13\non\n", "", 0),
        ("for a in 1 2; do for b in 3 4; do echo $a$b; continue 2; done; done", "13\n23\n", "", 0),
        ("for a in 1 2; do break 9; done; echo on", "on\n", "", 0),
        ("while break; do echo no; done; echo on", "on\n", "", 0),
        ("set -e; for a in 1 2; do false || continue; echo no; done; echo on", "on\n", "", 0),
        ("while true; do break; done && exit 4", "", "", 4),
        ("while true; do exit 3; done; echo no", "", "", 3),
        ("break; echo on", "on\n", "", 0),
        ("for a in 1; do break x; done", "", "sh: break: Illegal number: x\n", 2),
    ] {
        assert_eq!(run(&server, script).await, (stdout.to_owned(), stderr.to_owned(), code), "{script}");
    }
}

#[tokio::test]
async fn scripts_have_all_their_parameters() {
    let (server, client) = super::server(Containers::built_in()).await;
    running(&client, "web").await;
    for (script, stdout) in [
        (r#"set -- a 'b  c' ''; echo $#; for p in "$@"; do echo "[$p]"; done"#, "3\n[a]\n[b  c]\n[]\n"),
        (
            r#"set -- a 'b  c'; for p in $@ "$*" x"$@"y; do echo "[$p]"; done"#,
            "[a]\n[b]\n[c]\n[a b  c]\n[xa]\n[b  cy]\n",
        ),
        (r#"set --; for p in "$@" "" "${@}"; do echo "[$p]"; done; echo $# ${#}"#, "[]\n0 0\n"),
        (r#"sh -c 'for p in "$@"; do echo "$0 $p"; done' name a b"#, "name a\nname b\n"),
        (r#"a=; for p in "$a" "$a$a"; do echo "[$p]"; done"#, "[]\n[]\n"),
    ] {
        assert_eq!(run(&server, script).await, (stdout.to_owned(), String::new(), 0), "{script}");
    }
}

#[tokio::test]
async fn commands_end_at_their_timeout() {
    let (server, client) = super::server(Containers::built_in()).await;
    running(&client, "web").await;
    for (script, stdout, stderr, code) in [
        ("timeout 0.1 sleep infinity; echo $?", "124\n", "", 0),
        ("timeout -s KILL -k 1 0.1s sh -c 'echo a; sleep 1h; echo no'", "a\n", "", 124),
        ("timeout 1h sh -c 'exit 3'", "", "", 3),
        ("timeout 0 echo a", "a\n", "", 0),
        ("timeout x echo a", "", "timeout: invalid number 'x'\n", 125),
        ("timeout 1", "", "timeout: missing operand\n", 125),
        ("timeout 1 none", "", "sh: none: not found\n", 127),
    ] {
        assert_eq!(run(&server, script).await, (stdout.to_owned(), stderr.to_owned(), code), "{script}");
    }
}

#[tokio::test]
async fn hostile_scripts_end_and_leave_the_server_alone() {
    let (server, client) = super::server(Containers::built_in()).await;
    running(&client, "web").await;
    let too_deep = "sh: too many nested calls\n";
    let mut deep = "if true; then ".repeat(25) + "sh /tmp/s";
    deep.push_str(&"; fi".repeat(25));
    for (script, stdout, stderr, code) in [
        ("! ".repeat(100_000) + "true", "", "", 0),
        ("! ".repeat(100_001) + "true", "", "", 1),
        ("true".to_owned() + &"&&true".repeat(100_000) + "&&echo all", "all\n", "", 0),
        ("false".to_owned() + &"||false".repeat(100_000), "", "", 1),
        (
            "if false; then :; ".to_owned() + &"elif false; then :; ".repeat(20_000) + "else echo x; fi",
            "x\n",
            "",
            0,
        ),
        ("[ ".to_owned() + &"! ".repeat(50_000) + "a ]", "", "sh: Argument list too long\n", 2),
        ("[ ".to_owned() + &"! ".repeat(30_000) + "a ]", "", "", 0),
        ("env ".repeat(10_000) + "true", "", too_deep, 2),
        ("exec ".repeat(10_000) + "true", "", too_deep, 2),
        ("sh /tmp/s".to_owned(), "", too_deep, 2),
        (deep, "", too_deep, 2),
        ("true|sh /tmp/s".to_owned(), "", &too_deep.repeat(2), 2),
        (
            "true".to_owned() + &"|true".repeat(100),
            "",
            "sh: can't fork: Resource temporarily unavailable\n",
            2,
        ),
        ("mkdir -p ".to_owned() + &"a/".repeat(50_000), "", "", 1),
        ("A=xx; while true; do A=\"$A$A\" || exit 3; done".to_owned(), "", "sh: Argument list too long\n", 3),
        ("while true; do echo x; done | head -c 1".to_owned(), "x", "", 0),
        ("while true; do true | echo x; done | head -n 2".to_owned(), "x\nx\n", "", 0),
        ("for a in 1 2; do while true; do echo $a; done | head -n 1; done".to_owned(), "1\n2\n", "", 0),
        ("x ".repeat(600_000), "", "sh: the script is too long\n", 2),
        ("$(".repeat(50_000), "", "sh: syntax error: the commands are nested too deeply\n", 2),
        (
            "`".to_owned() + &"\\`".repeat(50_000),
            "",
            "sh: syntax error: unterminated backquote substitution\n",
            2,
        ),
        ("echo $(sh /tmp/s)".to_owned(), "\n", too_deep, 0),
        ("x=$(while true; do echo aaaaaaaaaa; done)".to_owned(), "", "sh: Argument list too long\n", 2),
        ("cd /; echo ".to_owned() + &"*/../".repeat(2000) + "*", "", "sh: Argument list too long\n", 2),
        ("echo ".to_owned() + &"*a".repeat(100_000) + " | wc -c", "200001\n", "", 0),
        ("echo ".to_owned() + &"?".repeat(200_000), "", "sh: Argument list too long\n", 2),
    ] {
        let start = &script[..script.len().min(70)];
        let (out, err, status) = run(&server, &script).await;
        assert_eq!((out.as_str(), status), (stdout, code), "{start}: {err}");
        if !start.starts_with("mkdir") {
            assert_eq!(err, stderr, "{start}");
        }
    }
    client.get(&format!("{PODS}/web")).await.expect(200);
}

#[tokio::test]
async fn a_pod_with_a_long_working_folder_runs_in_the_root() {
    let (server, client) = super::server(Containers::built_in()).await;
    let mut deep = pod("deep");
    deep["spec"]["containers"][0]["workingDir"] = json!("/a".repeat(50_000));
    client.post(PODS, &deep).await.expect(201);
    running(&client, "deep").await;
    server.stop().await;
}

#[tokio::test]
async fn scripts_have_parameters_exit_codes_and_files_as_those_of_sh() {
    let (server, client) = super::server(Containers::built_in()).await;
    running(&client, "web").await;
    for (script, stdout, code) in [
        ("sh -c 'echo $1' sh a", "a\n", 0),
        ("sh -c 'echo \"$0 $2x\" $1' name 'a  b' c; echo $1", "name cx a b\n\n", 0),
        ("echo 'echo $0 $1' >/tmp/t; sh /tmp/t a", "/tmp/t a\n", 0),
        ("sh -c env sh secret | head -n 0; sh -c 'echo $1'", "\n", 0),
        ("exit 256", "", 0),
        ("exit -1", "", 255),
        ("exit 7", "", 7),
        ("true && false || echo c && echo d", "c\nd\n", 0),
        ("false && echo b || echo c", "c\n", 0),
        ("if false; then echo 1; elif true; then echo 2; else echo 3; fi", "2\n", 0),
        ("! true | false", "", 0),
        ("echo >/tmp/a; >/tmp/b; [ -s /tmp/a ] && [ ! -s /tmp/b ] && [ ! ! -e /tmp/b ]", "", 0),
        (
            "for i in 1 2 3; do echo $i >>/tmp/c; done; cat /tmp/c; touch /tmp/c; wc -l /tmp/c",
            "1\n2\n3\n3\n",
            0,
        ),
        ("printf '%s-%s\\n' a b c d", "a-b\nc-d\n", 0),
        ("printf 'a\\nb\\nc' >/l; tail -n 1 /l; tail -n 2 /l; tail -n 0 /l; tail -n 9 /l", "cb\nca\nb\nc", 0),
        (
            "printf 'a\\n\\nc\\n' >/l; tail -n 1 /l; tail -n 2 /l; tail -n +3 /l; tail -n +9 /l",
            "c\n\nc\nc\n",
            0,
        ),
        (
            "A=1; A=2 env | head -n 1; A=3 B=4 true; echo $A$B; export C=5 A=6; unset C; echo $A$C",
            "A=2\n1\n6\n",
            0,
        ),
        (
            "mkdir /n; tar cf /t / 2>/dev/null && tar xf /t -C /n && cat /n/etc/hostname && [ -d /n/bin ]",
            "web\n",
            0,
        ),
        (
            "cd /tmp; mkdir /u; tar cf /t ../etc 2>/dev/null; tar xf /t -C /u; ls /u; cat /u/etc/hostname",
            "etc\nweb\n",
            0,
        ),
        ("mkdir -p /q/w/e; ls /q /q/w", "/q:\nw\n\n/q/w:\ne\n", 0),
        ("printf 'a\\nb\\nc\\n' | head -n 2; printf 'a\\nb\\nc\\n' | tail -n 1", "a\nb\nc\n", 0),
        ("mkdir /f; echo a >/f/a; echo b >/b; cd /; tar cf /t f; rm -r /f; tar xf /t; cat /f/a", "a\n", 0),
        ("cd /; echo x >/g; tar cf /t g; rm /g; mkdir /g; tar xf /t 2>/dev/null || ls -l /g", "total 0\n", 0),
        (
            "echo x >/h; while cat /h /h >/i 2>/dev/null; do cat /i /i >/h 2>/dev/null; done; echo end",
            "end\n",
            0,
        ),
    ] {
        let (out, err, status) = run(&server, script).await;
        assert_eq!((out.as_str(), status), (stdout, code), "{script}: {err}");
    }
}

#[tokio::test]
async fn symbolic_links_are_followed_shown_and_kept_in_archives() {
    let (server, client) = super::server(Containers::built_in()).await;
    running(&client, "web").await;
    for (script, stdout, stderr, code) in [
        (
            "echo a >/tmp/a; ln -s a /tmp/l; cat /tmp/l; echo b >/tmp/l; cat /tmp/a; readlink /tmp/l",
            "a\nb\na\n",
            "",
            0,
        ),
        ("ls -l /tmp/l | grep -c ' /tmp/l -> a$'; ls /tmp/l; rm /tmp/l; [ -f /tmp/a ]", "1\n/tmp/l\n", "", 0),
        (
            "ln -s /var/log /tmp/d; touch /tmp/d/x; ls /var/log; cd /tmp/d; pwd; cd ..; pwd; ls /tmp/d/../log",
            "x\n/tmp/d\n/tmp\nx\n",
            "",
            0,
        ),
        (
            "ln -s gone /tmp/g; [ -e /tmp/g ] || [ -L /tmp/g ] && cat /tmp/g",
            "",
            "cat: can't open '/tmp/g': No such file or directory\n",
            1,
        ),
        ("echo made >/tmp/g; cat /tmp/gone", "made\n", "", 0),
        (
            "ln -s /tmp/o /tmp/p; ln -s /tmp/p /tmp/o; cat /tmp/o",
            "",
            "cat: can't open '/tmp/o': Too many levels of symbolic links\n",
            1,
        ),
        ("ln -s b /tmp/a", "", "ln: /tmp/a: File exists\n", 1),
        (
            "ln -sf b /tmp/a; readlink /tmp/a; ln /tmp/gone /tmp/hard",
            "b\n",
            "ln: /tmp/hard: Operation not permitted\n",
            1,
        ),
        (
            "cd /; mkdir -p t/in u; ln -s ../../etc t/in/etc; echo t >t/f; ln -s f t/l; tar cf - t | tar xf - -C /u; \
             readlink /u/t/in/etc; cat /u/t/l; rm -r t; [ -d /etc ]",
            "../../etc\nt\n",
            "",
            0,
        ),
        (
            "cd /; echo one >w; ln -s w v; tar chf - v | tar tf -; tar cf - v | tar xf - -C /tmp; readlink /tmp/v",
            "v\nw\n",
            "",
            0,
        ),
        (
            "rm -rf /tmp/q; mkdir /tmp/q; cp /tmp/gone /tmp/q; cp -r /tmp/q /tmp/r; mv /tmp/r /tmp/q; ls /tmp/q /tmp/q/r",
            "/tmp/q:\ngone\nr\n\n/tmp/q/r:\ngone\n",
            "",
            0,
        ),
        ("mv /tmp/q /tmp/q/x", "", "mv: /tmp/q: Invalid argument\n", 1),
    ] {
        let (out, err, status) = run(&server, script).await;
        assert_eq!((out.as_str(), err.as_str(), status), (stdout, stderr, code), "{script}");
    }
}

#[tokio::test]
async fn first_words_of_a_newcomer_are_there() {
    let (server, client) = super::server(Containers::built_in()).await;
    running(&client, "web").await;
    for (script, stdout, code) in [
        ("whoami; id -u; hostname; pwd; uname; uname -n", "root\n0\nweb\n/\nLinux\nweb\n", 0),
        ("cd /etc; pwd; cd; pwd; cd -; echo $OLDPWD", "/etc\n/root\n/etc\n/root\n", 0),
        (
            "cat /etc/hosts | grep -c localhost; grep -v root /etc/passwd; grep -n ROOT -i /etc/passwd; true",
            "2\n",
            0,
        ),
        ("grep -in ROOT /etc/passwd", "1:root:x:0:0:root:/root:/bin/sh\n", 0),
        ("which ls sh /bin/cat nothing", "/bin/ls\n/bin/sh\n/bin/cat\n", 1),
        ("command -v ls cd; type ls cd", "/bin/ls\ncd\nls is /bin/ls\ncd is a shell builtin\n", 0),
        (
            "touch .hidden a; ls; ls -a; ls -d /tmp",
            "a\nbin\netc\nroot\ntmp\nvar\n.\n..\n.hidden\na\nbin\netc\nroot\ntmp\nvar\n/tmp\n",
            0,
        ),
        (
            "ls -la /var | head -n 1; ls -l / | grep -c '^drwxr-xr-x    2 root     root          4096 '",
            "total 12\n5\n",
            0,
        ),
        ("seq 2 4; basename /a/b.c .c; dirname /a/b.c; rmdir /tmp", "2\n3\n4\nb\n/a\n", 1),
        (
            "echo 'echo $1' >/tmp/x; chmod +x /tmp/x; /tmp/x a; ls -l /tmp/x | grep -c '^-rwxr-xr-x '",
            "a\n1\n",
            0,
        ),
        ("echo a >/tmp/y; /tmp/y", "", 126),
        ("/etc", "", 126),
        ("vim; echo $?; /no/where", "127\n", 127),
        ("tty; stty size", "not a tty\n", 1),
        ("kill -0 $$; kill 77777", "", 1),
        ("kill $$; sleep 1000", "", 143),
        ("kill -9 $$; sleep 1000", "", 137),
        ("kill -9 1; kill -CONT 1", "", 0),
    ] {
        let (out, err, status) = run(&server, script).await;
        assert_eq!((out.as_str(), status), (stdout, code), "{script}: {err}");
    }
    let processes = run(&server, "ps").await.0;
    let first = "PID   USER     TIME  COMMAND\n    1 root      0:00 nginx\n";
    assert!(processes.starts_with(first) && processes.contains("sh -c"), "{processes}");
}

#[tokio::test]
async fn programs_that_cannot_be_executed_have_the_words_of_containerd() {
    let (server, client) = super::server(Containers::built_in()).await;
    running(&client, "web").await;
    for (program, problem) in [
        ("vim", "executable file not found in $PATH"),
        ("/bin/vim", "stat /bin/vim: no such file or directory"),
        ("/etc", "is a directory"),
        ("/etc/passwd", "permission denied"),
    ] {
        let path = format!("{PODS}/web/exec?command={}&stdout=true", encoded(program));
        let streams = Streams { stdout: true, ..Streams::default() };
        let mut process = process(&server, &path, Protocol::WEBSOCKET_V5, streams).await.expect("a process");
        let error = soon("the refusal", process.wait()).await.expect_err("it is refused").to_string();
        let (head, rest) = error.split_once("failed to start exec \"").expect(&error);
        assert!(
            head.ends_with("error executing command in container: failed to exec in container: "),
            "{error}"
        );
        let (id, rest) = rest.split_once('"').expect(&error);
        assert!(id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{error}");
        let runtime = "OCI runtime exec failed: exec failed: unable to start container process";
        assert_eq!(rest, format!(": {runtime}: exec: \"{program}\": {problem}: unknown"));
    }
}

/// A text as a value of a query.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Runs a program in the pod `web` with an input, and returns its outputs and its exit code.
async fn exec(server: &klient_apiserver::Server, args: &[&str], stdin: &[u8]) -> (String, String, i32) {
    let command: String = args.iter().map(|arg| format!("command={}&", encoded(arg))).collect();
    let path = format!("{PODS}/web/exec?{command}stdin=true&stdout=true&stderr=true");
    let streams = Streams { stdin: true, stdout: true, stderr: true, tty: false };
    let mut process = process(server, &path, Protocol::WEBSOCKET_V5, streams).await.expect("a process");
    let mut input = process.stdin.take().expect("it has an input");
    input.write_all(stdin).await.expect("it reads");
    input.shutdown().await.expect("it reads");
    let output = soon("the end of the program", process.wait_with_output()).await.expect("a status");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (text(output.stdout), text(output.stderr), i32::from(output.status.code()))
}

/// An archive of entries, each with a name, a kind and the name that it links to.
fn archive(entries: &[(&[u8], tar::EntryType, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, kind, to) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        header.set_mode(0o644);
        header.set_entry_type(*kind);
        if !to.is_empty() {
            header.set_link_name(to).expect("a short name");
        }
        let name: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(name);
        archive.append_data(&mut header, name, std::io::empty()).expect("memory");
    }
    archive.into_inner().expect("memory")
}

#[tokio::test]
async fn an_archive_is_unpacked_whole_or_tar_says_what_is_missing() {
    use tar::EntryType::{Fifo, Link, Regular, Symlink};

    let (server, client) = super::server(Containers::built_in()).await;
    running(&client, "web").await;
    let extract = ["tar", "xf", "-", "-C", "/tmp"];
    let failing = "tar: exiting with failure status due to previous errors\n";
    let names: Vec<String> = (0..200).map(|number| format!("all/{number}")).collect();
    let many: Vec<_> = names.iter().map(|name| (name.as_bytes(), Regular, "")).collect();
    let deep = "a/".repeat(1000) + "f";
    let same = vec![(deep.as_bytes(), Regular, ""); 400];
    let odd: [(&[u8], _, _); 5] = [
        (b"one", Regular, ""),
        (b"soft", Symlink, "one"),
        (b"hard", Link, "one"),
        (b"pipe", Fifo, ""),
        (b"two", Regular, ""),
    ];
    let links = "tar: can't create hardlink 'hard' to 'one': Operation not supported\n\
                 tar: can't create node 'pipe': Operation not supported\n";
    let no_text = "tar: can't open 'x\u{fffd}': Invalid or incomplete multibyte or wide character\n";
    for (what, archive, stderr, code) in [
        ("more entries than a part", archive(&many), String::new(), 0),
        ("a deep folder", archive(&same), String::new(), 0),
        ("links", archive(&odd), format!("{links}{failing}"), 1),
        ("bytes that are no text", archive(&[(b"x\xff", Regular, "")]), no_text.to_owned(), 1),
    ] {
        let (_, err, status) = exec(&server, &extract, &archive).await;
        assert_eq!((err, status), (stderr, code), "{what}");
    }
    let (out, _, _) = run(&server, "ls /tmp/all | wc -l; ls /tmp").await;
    assert_eq!(out, "200\na\nall\none\ns\nsoft\ntwo\n");
}

#[tokio::test]
async fn neighbours_are_served_while_a_program_reads_memory() {
    // One thread for all.
    let containers = Some(Containers::built_in());
    let options = Options { containers, threads: None, ..Options::default() };
    let server = Server::start(options).await.expect("a server starts");
    let client = Client::admin(&server).await;
    client.post(PODS, &pod("web")).await.expect(201);
    running(&client, "web").await;
    let fill = ["sh", "-c", "cat >/tmp/b; cat /tmp/b /tmp/b /tmp/b /tmp/b >/tmp/c"];
    let (_, err, code) = exec(&server, &fill, &vec![b'a'; 4 * 1024 * 1024]).await;
    assert_eq!((err.as_str(), code), ("", 0));
    for program in ["wc /tmp/c", "tail -c 1 /tmp/b /tmp/b /tmp/b", "sh </tmp/c", "cat /tmp/c >/tmp/d"] {
        let script = encoded(&format!("echo; {program} >/tmp/out 2>/tmp/out"));
        let path = format!("{PODS}/web/exec?command=sh&command=-c&command={script}&stdout=true");
        let streams = Streams { stdin: false, stdout: true, stderr: false, tty: false };
        let mut process = process(&server, &path, Protocol::WEBSOCKET_V5, streams).await.expect("a process");
        let begun = process.stdout.as_mut().expect("it has an output").read_u8();
        assert_eq!(soon("the begin of the program", begun).await.expect("it prints"), b'\n');
        let web = format!("{PODS}/web");
        let served = client.get(&web);
        tokio::select! {
            biased;
            ended = process.wait() => panic!("{program} held up the server: {ended:?}"),
            served = served => drop(served.expect(200)),
        }
        soon("the end", process.wait()).await.expect("a status");
    }
}

#[tokio::test]
async fn words_have_the_output_of_commands() {
    let (server, client) = super::server(Containers::built_in()).await;
    running(&client, "web").await;
    for (script, stdout, code) in [
        ("echo $(echo a; echo b) \"$(echo c; echo d)\" `echo e`", "a b c\nd e\n", 0),
        ("echo x$(printf ' a b ')y \"x$(printf ' a b ')y\"", "x a b y x a b y\n", 0),
        ("a=$(printf 'one  two\n\n\n'); echo \"[$a]\" [$a]", "[one  two] [one two]\n", 0),
        ("echo $(echo $(echo $(hostname)))", "web\n", 0),
        ("for f in $(seq 1 3); do echo -$f; done", "-1\n-2\n-3\n", 0),
        (
            "a=$(false) || echo $?; b=$(exit 7); echo $?; c=d; echo $?; true $(false); echo $?",
            "1\n7\n0\n0\n",
            0,
        ),
        ("a=1; b=$(a=2; cd /etc; echo $a$(pwd)); echo $a $b $(pwd)", "1 2/etc /\n", 0),
        ("$(echo echo) '$(x)' \\`y\\`; $(true); echo \"$()\"", "$(x) `y`\n\n", 0),
        ("echo \"$(echo \"a  $(echo 'b)')\")\" $(echo c # d)\n)", "a  b) c\n", 0),
        ("echo a >$(echo /tmp/out); cat <\"$(echo /tmp/out)\" $(echo)", "a\n", 0),
        ("printf 'one\ntwo\n' | echo $(read line; echo $line) $(cat)", "one two\n", 0),
        ("[ \"$(cat /etc/hostname)\" = web ] && echo $(! true) $?", "0\n", 0),
    ] {
        let (out, err, status) = run(&server, script).await;
        assert_eq!((out.as_str(), status), (stdout, code), "{script}: {err}");
    }
}

#[tokio::test]
async fn patterns_stand_for_paths() {
    let (server, client) = super::server(Containers::built_in()).await;
    running(&client, "web").await;
    let (_, err, code) = run(
        &server,
        "mkdir -p /p/one/x /p/two/x /p/.hidden; cd /p; touch a.txt b.txt 'c d.txt' '*' [ one/f two/f two/g .dot; ln -s gone l",
    )
    .await;
    assert_eq!((err.as_str(), code), ("", 0));
    for (script, stdout) in [
        ("echo *", "* [ a.txt b.txt c d.txt l one two\n"),
        ("echo *.txt ?.txt [ab].txt [!a].txt", "a.txt b.txt c d.txt a.txt b.txt a.txt b.txt b.txt\n"),
        ("echo '*.txt' \"*.txt\" \\*.txt \"a\"* *\".txt\"", "*.txt *.txt *.txt a.txt a.txt b.txt c d.txt\n"),
        ("echo */ */f /p/*/[gx] ./o*", "one/ two/ one/f two/f /p/one/x /p/two/g /p/two/x ./one\n"),
        ("echo .[dh]* l* none* [", ".dot .hidden l none* [\n"),
        ("for f in *.txt; do echo \"<$f>\"; done", "<a.txt>\n<b.txt>\n<c d.txt>\n"),
        ("a='*.txt'; echo $a \"$a\"; b=*; echo \"$b\"", "a.txt b.txt c d.txt *.txt\n*\n"),
        ("echo $(echo 'a*') ; echo /p//*/../a.tx?", "a.txt\n/p//one/../a.txt /p//two/../a.txt\n"),
        ("[ -f a.txt ] && rm *.txt; ls; echo x >*.new; cat '*.new'", "*\n[\nl\none\ntwo\nx\n"),
    ] {
        let (out, err, status) = run(&server, &format!("cd /p; {script}")).await;
        assert_eq!((out.as_str(), err.as_str(), status), (stdout, "", 0), "{script}");
    }
}

#[tokio::test]
async fn commands_run_in_the_background() {
    let (server, client) = super::server(Containers::built_in()).await;
    running(&client, "web").await;
    for (script, stdout, stderr, code) in [
        ("sleep 1000 & echo started $?; kill $!; wait $!; echo $?", "started 0\n143\n", "", 0),
        ("echo a >/tmp/o & wait; cat /tmp/o; echo b 2>&1 & wait; echo c&wait&wait", "a\nb\nc\n", "", 0),
        (
            "sh -c 'exit 7' & p=$!; sh -c 'exit 3' & wait $p; echo $?; wait $! && exit; echo $?; wait $p; echo $?",
            "7\n3\n127\n",
            "",
            0,
        ),
        (
            "for i in 1 2 3; do echo $i >/tmp/j$i & done; wait; cat /tmp/j1 /tmp/j2 /tmp/j3",
            "1\n2\n3\n",
            "",
            0,
        ),
        (
            "t=1000; sleep \"$t\" & ps | grep -c ' sleep 1000$'; kill -9 $!; wait; ps | grep -c ' sleep 1000$'",
            "1\n0\n",
            "",
            1,
        ),
        (
            "printf 'a\\nb\\n' >/tmp/i; sh -c 'cat & wait; read l; echo $l' </tmp/i; echo x | cat & wait",
            "a\nx\n",
            "",
            0,
        ),
        (
            "true && sleep 1000 & sh -c wait; true | wait; echo $(wait) $?; kill $!; wait; echo $?",
            "0\n0\n",
            "",
            0,
        ),
        (
            "x=$(sleep 1000 >/dev/null & echo $!); kill $x; echo $?; x=$(echo late &); echo $x",
            "0\nlate\n",
            "",
            0,
        ),
        (
            "echo [$!]; wait; echo $?; wait 99; echo $?; wait x",
            "[]\n0\n127\n",
            "sh: wait: Illegal number: x\n",
            2,
        ),
        (
            "a=1; a=2 & wait; echo $a; cd /etc & wait; pwd; type wait",
            "1\n/\nwait is a shell builtin\n",
            "",
            0,
        ),
        ("for i in $(seq 1 500); do true & wait $!; done; echo $i", "500\n", "", 0),
        (
            "while true; do sleep 1000 & [ $? = 0 ] || exit 3; done",
            "",
            "sh: can't fork: Resource temporarily unavailable\n",
            3,
        ),
    ] {
        let (out, err, status) = run(&server, script).await;
        assert_eq!((out.as_str(), err.as_str(), status), (stdout, stderr, code), "{script}");
    }
}

#[tokio::test]
async fn commands_in_the_background_end_with_their_exec() {
    let (server, client) = super::server(Containers::built_in()).await;
    running(&client, "web").await;
    let (out, err, code) = exec(&server, &["sh", "-c", "sleep 1000 & echo started"], b"").await;
    assert_eq!((out.as_str(), err.as_str(), code), ("started\n", "", 0));
    let (out, _, _) = run(&server, "ps | grep -c sleep").await;
    assert_eq!(out, "0\n");

    let script = encoded("sleep 1000 & sh -c 'sleep 2000 & wait' & echo; wait");
    let path = format!("{PODS}/web/exec?command=sh&command=-c&command={script}&stdout=true");
    let streams = Streams { stdin: false, stdout: true, stderr: false, tty: false };
    let mut process = process(&server, &path, Protocol::WEBSOCKET_V5, streams).await.expect("a process");
    let begun = process.stdout.as_mut().expect("it has an output").read_u8();
    assert_eq!(soon("the begin of the jobs", begun).await.expect("it prints"), b'\n');
    let sleeping = async |count: &str| {
        while run(&server, "ps | grep -c ' sleep [12]000$'").await.0 != count {}
    };
    soon("both jobs", sleeping("2\n")).await;
    drop(process);
    soon("the end of the jobs", sleeping("0\n")).await;
}
