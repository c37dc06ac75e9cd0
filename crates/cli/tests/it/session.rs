//! Sessions: files, and commands with what they print.

use std::collections::BTreeMap;

use crate::playground::{Playground, Program};

/// A server and a folder, and a transcript of what is done there.
pub(crate) struct Session {
    pub(crate) playground: Playground,
}

impl Session {
    /// In a namespace of its own, with files: each begins with a line `-- NAME --`.
    pub(crate) async fn new(files: &str) -> Self {
        let playground = Playground::new().await;
        playground.klient(&["create", "namespace", "shop"], None).await;
        let mut named = BTreeMap::new();
        let mut name = None;
        for line in files.lines() {
            match line.strip_prefix("-- ").and_then(|line| line.strip_suffix(" --")) {
                Some(next) => name = Some(next.to_owned()),
                None => {
                    *named.entry(name.clone().expect("a file's name")).or_insert_with(String::new) +=
                        &format!("{line}\n")
                }
            }
        }
        playground.write(&named);
        Session { playground }
    }

    /// Runs klient, called as kubectl, once for each line. A line may begin with variables of the environment; `''` is
    /// an empty argument.
    pub(crate) async fn run(&self, lines: &str) -> String {
        let mut transcript = String::new();
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let mut args = Vec::new();
            let mut env = Vec::new();
            for word in line.split_whitespace() {
                match word.split_once('=') {
                    Some((name, value)) if args.is_empty() && !name.starts_with('-') => {
                        env.push((name.to_owned(), value.replace('+', " ")));
                    }
                    _ => args.push(word.replace("''", "")),
                }
            }
            let done = self.playground.run_with(&Program::klient(), "admin", &env, &args, None).await;
            let done = done.normalized();
            transcript += &format!("$ {line}\n");
            for text in [&done.stdout, &done.stderr].into_iter().filter(|text| !text.is_empty()) {
                transcript += text;
                transcript += if text.ends_with('\n') { "" } else { "\n" };
            }
            if done.exit != 0 {
                transcript += &format!("exit {}\n", done.exit);
            }
        }
        transcript
    }
}
