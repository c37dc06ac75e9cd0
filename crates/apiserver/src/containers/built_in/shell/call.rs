//! The call of a command: one of the shell itself, such as `cd`, or a program.

use std::ops::ControlFlow;

use klient_apimachinery::BoxFuture;

use super::super::commands;
use super::super::files::absolute;
use super::io::Io;
use super::{Flow, NOT_FOUND, Shell, fail};

/// The number of variables that are exported before others run.
const PART: usize = 1024;

/// The names of the commands of the shell.
const BUILT_IN: [&str; 14] = [
    ":", "break", "cd", "command", "continue", "exec", "exit", "export", "read", "set", "trap", "type",
    "unset", "wait",
];

impl Shell {
    /// Runs a command.
    pub(super) fn call(&mut self, args: Vec<String>, io: Io) -> BoxFuture<'_, Flow> {
        Box::pin(async move {
            let words: Vec<&str> = args.iter().map(String::as_str).collect();
            match words[..] {
                ["exit"] => return ControlFlow::Break(self.code),
                ["exit", code, ..] => {
                    let code = code.parse::<i64>().ok().and_then(|code| code.rem_euclid(256).try_into().ok());
                    return ControlFlow::Break(code.unwrap_or(2));
                }
                ["cd", ref rest @ ..] => {
                    let home = self.variables.get("HOME").map_or("/", String::as_str);
                    let folder = match rest {
                        [] => home.to_owned(),
                        ["-", ..] => self.variables.get("OLDPWD").cloned().unwrap_or_default(),
                        [folder, ..] => (*folder).to_owned(),
                    };
                    // A link remains a part of it, so that `..` leads back.
                    let path = absolute(&self.folder, &folder);
                    let problem = match self.read(&path) {
                        Err("Is a directory") => None,
                        Ok(_) => Some("Not a directory"),
                        Err(problem) => Some(problem),
                    };
                    if let Some(problem) = problem {
                        io.complain(format!("sh: cd: can't cd to {folder}: {problem}")).await;
                        return ControlFlow::Continue(2);
                    }
                    let before = if self.folder.is_empty() { "/".to_owned() } else { self.folder.clone() };
                    if let Err(problem) = self.variables.set("OLDPWD", before) {
                        return fail(problem, &io).await;
                    }
                    self.folder = path;
                    if rest.first() == Some(&"-") {
                        io.print(format!("{}\n", if self.folder.is_empty() { "/" } else { &self.folder }))
                            .await;
                    }
                }
                ["type", ref names @ ..] | ["command", "-v" | "-V", ref names @ ..] => {
                    let mut code = 0;
                    for name in names {
                        let path = match BUILT_IN.contains(name) {
                            true => (*name).to_owned(),
                            false if commands::exists(name) => {
                                format!("/bin/{}", name.trim_start_matches("/bin/"))
                            }
                            false => {
                                code = NOT_FOUND;
                                if words[0] == "type" {
                                    io.complain(format!("{name}: not found")).await;
                                }
                                continue;
                            }
                        };
                        let text = match words[0] {
                            "type" if path == *name => format!("{name} is a shell builtin\n"),
                            "type" => format!("{name} is {path}\n"),
                            _ => format!("{path}\n"),
                        };
                        io.print(text).await;
                    }
                    return ControlFlow::Continue(code);
                }
                ["command", _, ..] => {
                    return Box::pin(self.execute(args[1..].to_vec(), io)).await;
                }
                ["export", ref names @ ..] => {
                    let pairs = names.iter().filter_map(|pair| pair.split_once('='));
                    for (index, (name, value)) in pairs.enumerate() {
                        if index % PART == PART - 1 {
                            tokio::task::yield_now().await;
                        }
                        if let Err(problem) = self.variables.set(name, value.to_owned()) {
                            return fail(problem, &io).await;
                        }
                    }
                }
                ["unset", ref names @ ..] => {
                    for name in names {
                        self.variables.remove(name);
                    }
                }
                ["exec", _, ..] => {
                    self.exit_trap = None;
                    let flow = Box::pin(self.execute(args[1..].to_vec(), io)).await;
                    return ControlFlow::Break(match flow {
                        ControlFlow::Continue(code) | ControlFlow::Break(code) => code,
                    });
                }
                ["break" | "continue", ..] => return self.leave(&words, &io).await,
                ["wait", ref pids @ ..] => return self.wait(pids, &io).await,
                ["set", ref rest @ ..] => return self.set(rest, &io).await,
                ["trap", ref rest @ ..] => return self.trap(rest, &io).await,
                [":", ..] => {}
                ["read", name, ..] => match io.line().await {
                    Some(line) => {
                        if let Err(problem) = self.variables.set(name, line) {
                            return fail(problem, &io).await;
                        }
                    }
                    None => return ControlFlow::Continue(1),
                },
                [] => {}
                _ => {
                    let code = match commands::run(self, &args, &io).await {
                        Some(code) => code,
                        None => {
                            io.complain(format!("sh: {}: not found", args[0])).await;
                            NOT_FOUND
                        }
                    };
                    return ControlFlow::Continue(code);
                }
            }
            ControlFlow::Continue(0)
        })
    }

    /// `set`, with the option `-e` and parameters. Other options end the shell.
    async fn set(&mut self, words: &[&str], io: &Io) -> Flow {
        let mut words = words;
        loop {
            let (is_on, option) = match words {
                [] => return ControlFlow::Continue(0),
                ["-o" | "+o", "errexit", ..] => (words[0] == "-o", "e"),
                ["--", ..] => break words = &words[1..],
                [word, ..] => match (word.strip_prefix('-'), word.strip_prefix('+')) {
                    (Some(option), _) => (true, option),
                    (None, Some(option)) => (false, option),
                    (None, None) => break,
                },
            };
            if option != "e" {
                let (shown, name) = (words[0], words.get(1).filter(|_| option == "o").unwrap_or(&""));
                let shown = format!("{shown} {name}");
                io.complain(format!("sh: set: {} is not known here", shown.trim_end())).await;
                return ControlFlow::Break(2);
            }
            self.errexit.is_on = is_on;
            words = &words[if words[0].ends_with('o') { 2 } else { 1 }..];
        }
        let name = self.value("0");
        let parameters: Vec<&str> = std::iter::once(name.as_str()).chain(words.iter().copied()).collect();
        match self.set_parameters(&parameters) {
            Ok(()) => ControlFlow::Continue(0),
            Err(problem) => fail(problem, io).await,
        }
    }

    /// `trap`, with commands for the end of the shell. Those for signals are refused, since signals end each process.
    async fn trap(&mut self, words: &[&str], io: &Io) -> Flow {
        let (commands, signals) = match words {
            [] => {
                if let Some((commands, _)) = &self.exit_trap {
                    io.print(format!("trap -- '{}' EXIT\n", commands.replace('\'', "'\\''"))).await;
                }
                return ControlFlow::Continue(0);
            }
            ["EXIT" | "0"] => {
                self.exit_trap = None;
                return ControlFlow::Continue(0);
            }
            ["--", commands, signals @ ..] | [commands, signals @ ..] => (*commands, signals),
        };
        for signal in signals {
            if !matches!(*signal, "EXIT" | "0") {
                if commands == "-" {
                    continue;
                }
                io.complain(format!("sh: trap: {signal} is not known here, only EXIT")).await;
                return ControlFlow::Continue(1);
            }
            self.exit_trap = match self.container.memory.reserve(commands.len()) {
                _ if matches!(commands, "" | "-") => None,
                Ok(memory) => Some((commands.to_owned(), memory)),
                Err(problem) => return fail(problem, io).await,
            };
        }
        ControlFlow::Continue(0)
    }
}
