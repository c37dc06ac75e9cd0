//! [`Loops`], the loops of a shell, and `break` and `continue`, which leave them.

use std::ops::ControlFlow;

use klient_apimachinery::BoxFuture;

use super::io::Io;
use super::syntax::{Node, Word};
use super::{Flow, Shell, fail};

/// The loops that the present command is part of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Loops {
    depth: usize,
    /// The command was `break` or `continue`, by which the shell goes back to a loop.
    leaving: Option<Leaving>,
}

/// The loops that `break` or `continue` still ends.
#[derive(Clone, Copy, Debug)]
struct Leaving {
    loops: usize,
    /// The last of them goes on with its next turn.
    continues: bool,
}

/// The next step of a loop.
enum Step {
    Next(u8),
    End(Flow),
}

impl Shell {
    /// `break` and `continue`, with the number of loops if there are more than one. Outside of loops they do nothing.
    pub(super) async fn leave(&mut self, words: &[&str], io: &Io) -> Flow {
        let number = words.get(1).map_or(Ok(1), |number| number.parse::<usize>());
        let Some(number) = number.ok().filter(|number| *number > 0) else {
            return fail(&format!("{}: Illegal number: {}", words[0], words[1]), io).await;
        };
        if self.loops.depth == 0 {
            return ControlFlow::Continue(0);
        }
        let loops = number.min(self.loops.depth);
        self.loops.leaving = Some(Leaving { loops, continues: words[0] == "continue" });
        ControlFlow::Break(0)
    }

    /// Runs the body while the condition holds, or, with `until`, while it does not.
    pub(super) fn run_while<'a>(
        &'a mut self,
        until: bool,
        condition: &'a Node,
        body: &'a Node,
        io: Io,
    ) -> BoxFuture<'a, Flow> {
        Box::pin(async move {
            let mut code = 0;
            loop {
                self.loops.depth += 1;
                let flow = match self.condition(condition, io.clone()).await {
                    ControlFlow::Continue(holds) if (holds == 0) == until => {
                        self.loops.depth -= 1;
                        return ControlFlow::Continue(code);
                    }
                    ControlFlow::Continue(_) => self.evaluate(body, io.clone()).await,
                    left => left,
                };
                match self.after_turn(flow) {
                    Step::Next(of_turn) => code = of_turn,
                    Step::End(flow) => return flow,
                }
            }
        })
    }

    /// Runs the body for each word.
    pub(super) fn run_for<'a>(
        &'a mut self,
        name: &'a str,
        words: &'a [Word],
        body: &'a Node,
        io: Io,
    ) -> BoxFuture<'a, Flow> {
        Box::pin(async move {
            let values = match self.expand(words, &io).await {
                Ok(values) => values,
                Err(problem) => return fail(&problem, &io).await,
            };
            // Loops in each other hold the words of all.
            let _memory = match self.reserve(&values) {
                Ok(memory) => memory,
                Err(problem) => return fail(problem, &io).await,
            };
            let mut code = 0;
            for value in values {
                if let Err(problem) = self.variables.set(name, value) {
                    return fail(problem, &io).await;
                }
                self.loops.depth += 1;
                let flow = self.evaluate(body, io.clone()).await;
                match self.after_turn(flow) {
                    Step::Next(of_turn) => code = of_turn,
                    Step::End(flow) => return flow,
                }
            }
            ControlFlow::Continue(code)
        })
    }

    /// Ends a turn of a loop.
    fn after_turn(&mut self, flow: Flow) -> Step {
        self.loops.depth -= 1;
        match (flow, self.loops.leaving.take()) {
            (ControlFlow::Continue(code), _) => Step::Next(code),
            (ControlFlow::Break(code), None) => Step::End(ControlFlow::Break(code)),
            (ControlFlow::Break(_), Some(Leaving { loops: 1, continues })) => match continues {
                true => Step::Next(0),
                false => Step::End(ControlFlow::Continue(0)),
            },
            (ControlFlow::Break(code), Some(Leaving { loops, continues })) => {
                self.loops.leaving = Some(Leaving { loops: loops - 1, continues });
                Step::End(ControlFlow::Break(code))
            }
        }
    }
}
