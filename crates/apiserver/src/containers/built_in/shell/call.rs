//! The call of a command: one of the shell itself, such as `cd`, or a program.

use std::ops::ControlFlow;

use klient_apimachinery::BoxFuture;

use super::super::commands;
use super::io::Io;
use super::{Flow, NOT_FOUND, Shell, fail};

/// The number of variables that are exported before others run.
const PART: usize = 1024;

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
                ["cd"] => self.folder = self.path(self.variables.get("HOME").map_or("/", String::as_str)),
                ["cd", folder, ..] => {
                    let path = self.path(folder);
                    if !self.container.files().is_folder(&path) {
                        io.complain(format!("sh: cd: can't cd to {folder}: No such file or directory")).await;
                        return ControlFlow::Continue(2);
                    }
                    self.folder = path;
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
                    let flow = Box::pin(self.execute(args[1..].to_vec(), io)).await;
                    return ControlFlow::Break(match flow {
                        ControlFlow::Continue(code) | ControlFlow::Break(code) => code,
                    });
                }
                [":" | "set" | "trap", ..] => {}
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
}
