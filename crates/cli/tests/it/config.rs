//! `klient config`: sessions recorded from kubectl 1.37, on the files of `config/files.txt`.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use crate::KLIENT;

/// Plays the commands of a recorded session in a folder of their own, and compares what they print. Trailing spaces are
/// ignored; `cat FILE` shows a file.
#[track_caller]
fn check(recorded: &str) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("emptydir")).unwrap();
    let mut path = None;
    for line in include_str!("config/files.txt").lines() {
        match line.strip_prefix("-- ").and_then(|line| line.strip_suffix(" --")) {
            Some(name) => {
                path = Some(folder.path().join(name));
                fs::write(path.as_ref().unwrap(), "").unwrap();
            }
            None => {
                let path = path.as_ref().unwrap();
                fs::write(path, fs::read_to_string(path).unwrap() + line + "\n").unwrap();
            }
        }
    }
    let commands = recorded.lines().filter_map(|line| line.strip_prefix("$ "));
    let transcript: String = commands.map(|command| run(folder.path(), command)).collect();
    let transcript: Vec<&str> = transcript.lines().map(str::trim_end).collect();
    let recorded: Vec<&str> = recorded.lines().collect();
    for (line, (found, expected)) in transcript.iter().zip(&recorded).enumerate() {
        assert_eq!(found, expected, "line {}: {}", line + 1, transcript[..=line].join("\n"));
    }
    assert_eq!(transcript.len(), recorded.len());
}

fn run(folder: &Path, line: &str) -> String {
    let mut text = format!("$ {line}\n");
    if let Some(file) = line.strip_prefix("cat ") {
        return text + &fs::read_to_string(folder.join(file)).unwrap();
    }
    let mut command = Command::new(KLIENT);
    command.arg0("kubectl").current_dir(folder).env("HOME", folder).env("KUBECONFIG", "a.yaml");
    let mut arguments = line.split_whitespace().peekable();
    if let Some((name, value)) = arguments.peek().and_then(|word| word.split_once('=')) {
        command.env(name, value);
        arguments.next();
    }
    let output = command.args(arguments.map(|word| word.replace("''", ""))).output().unwrap();
    for stream in [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()) {
        text += &stream;
        text += if stream.is_empty() || stream.ends_with('\n') { "" } else { "\n" };
    }
    match output.status.code() {
        Some(0) => text,
        code => text + &format!("exit {}\n", code.unwrap_or(-1)),
    }
}

#[test]
fn it_prints_the_kubeconfig_as_kubectl_does() {
    check(include_str!("config/what_it_prints.txt"));
}

#[test]
fn contexts_are_changed_as_kubectl_changes_them() {
    check(include_str!("config/contexts_are_changed.txt"));
}

#[test]
fn clusters_are_changed_as_kubectl_changes_them() {
    check(include_str!("config/clusters_are_changed.txt"));
}

#[test]
fn users_are_changed_as_kubectl_changes_them() {
    check(include_str!("config/users_are_changed.txt"));
}

#[test]
fn single_fields_are_changed_as_kubectl_changes_them() {
    check(include_str!("config/single_fields_are_changed.txt"));
}

#[test]
fn help_names_the_files_and_a_missing_name_is_answered_as_by_kubectl() {
    let folder = tempfile::tempdir().unwrap();
    for (line, parts) in [
        (
            "config --help",
            &["$KUBECONFIG", "--kubeconfig", "~/.kube/config", "A new entry is written to"][..],
        ),
        ("config", &["$KUBECONFIG", "A change is written to the file that has the entry"][..]),
        ("config set-credentials --help", &["Name of the user"][..]),
        ("config rename-context --help", &["Present name and new name of the context"][..]),
        ("config delete-context", &["Delete a context", "Usage: kubectl config delete-context"][..]),
        ("config delete-context a b", &["Delete a context"][..]),
        ("config delete-cluster", &["Delete a cluster"][..]),
        ("config set-credentials", &["error: unexpected args: []\nexit 1\n"][..]),
        ("config set-credentials a b", &["error: unexpected args: [a b]\nexit 1\n"][..]),
        ("config set-cluster", &["error: Unexpected args: []\nexit 1\n"][..]),
    ] {
        let text = run(folder.path(), line);
        for part in parts {
            assert!(text.contains(part), "no {part:?} in {text}");
        }
        assert_eq!(
            text.contains("\nexit "),
            line.starts_with("config set-c") && !line.contains("--help"),
            "{text}"
        );
    }
}

#[test]
fn each_entry_is_changed_in_its_file() {
    check(include_str!("config/files_of_a_list_are_changed.txt"));
}

#[test]
fn an_entry_in_a_folder_keeps_its_paths_and_its_unknown_fields() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    let path = folder.path().join("sub/config");
    let text = "{clusters: [{name: c, more: 1, cluster: {server: 'https://h', certificate-authority: ca, new: [2]}}]}";
    fs::write(&path, text).unwrap();
    let run = |line: &str| run(folder.path(), &format!("KUBECONFIG=sub/config config {line}"));
    run("set-cluster c --server=https://i");
    run("set-cluster d --certificate-authority=sub/other");
    run("rename-context a b");
    let written = fs::read_to_string(&path).unwrap();
    let begin = "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority: ca\n    new:\n    - 2\n    server: \
                 https://i\n  more: 1\n  name: c\n- cluster:\n    certificate-authority: other\n    server: \"\"\n  name: d\n";
    assert!(written.starts_with(begin), "{written}");
}

#[test]
fn a_lock_of_another_program_is_told_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), "contexts: [{name: a}]").unwrap();
    fs::write(folder.path().join("a.yaml.lock"), "").unwrap();
    let text = run(folder.path(), "config use-context a");
    assert!(
        text.contains("\nerror: open a.yaml.lock: file exists: another program changes the kubeconfig"),
        "{text}"
    );
    assert_eq!(fs::read_to_string(folder.path().join("a.yaml")).unwrap(), "contexts: [{name: a}]");
}

/// A file that cannot be written whole stays as it is.
#[test]
fn a_disk_that_is_full_leaves_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    let users: String =
        (0..100).map(|user| format!("- name: user{user}\n  user: {{token: token}}\n")).collect();
    let text = format!("apiVersion: v1\nkind: Config\nusers:\n{users}");
    fs::write(&file, &text).unwrap();
    // Files have 1 KiB at most, and a longer one is an error instead of a signal.
    let limited = "trap '' XFSZ; ulimit -f 1; exec \"$@\"";
    let arguments = ["config", "set-context", "new", "--user=user1", "--kubeconfig"];
    let mut command = Command::new("bash");
    command.args(["-c", limited, "bash", KLIENT]).args(arguments).arg(&file);
    let output = command.output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("too large"), "{told}");
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}
