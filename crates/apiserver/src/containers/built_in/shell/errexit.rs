//! [`Errexit`], the option `set -e`: a command that fails ends the shell, unless its exit code is a condition.

use std::ops::ControlFlow;

use klient_apimachinery::BoxFuture;

use super::io::Io;
use super::syntax::Node;
use super::{Flow, Shell};

/// The option `-e` of a shell.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Errexit {
    pub(in super::super) is_on: bool,
    /// The number of conditions that the present command is part of.
    conditions: usize,
}

impl Errexit {
    /// The end of the shell if a command has failed that is to end it.
    pub(super) fn after(self, node: &Node, flow: Flow) -> Flow {
        let may_end = matches!(node, Node::Command { .. } | Node::Pipeline(_));
        match flow {
            ControlFlow::Continue(code) if code != 0 && may_end && self.is_on && self.conditions == 0 => {
                ControlFlow::Break(code)
            }
            flow => flow,
        }
    }
}

impl Shell {
    /// Runs commands whose exit code is a condition.
    pub(super) fn condition<'a>(&'a mut self, node: &'a Node, io: Io) -> BoxFuture<'a, Flow> {
        Box::pin(async move {
            self.errexit.conditions += 1;
            let flow = self.evaluate(node, io).await;
            self.errexit.conditions -= 1;
            flow
        })
    }

    /// Turns the option on or off for a script of its own.
    pub(in super::super) fn set_errexit(&mut self, is_on: bool) {
        self.errexit = Errexit { is_on, conditions: 0 };
    }
}
