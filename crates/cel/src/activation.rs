//! [`Activation`], the values of the variables of an environment, for several expressions.

use std::sync::Arc;

use crate::environment::Environment;
use crate::evaluate::{Composites, Frame};
use crate::expression::{Evaluation, Expression, Limits, Variable, evaluated, on_evaluation_stack};
use crate::schema::Schema;
use crate::value::Value;

/// The values of the variables of an environment, for several expressions. A composited variable is evaluated once.
#[derive(Debug)]
pub struct Activation<'a> {
    values: Vec<Option<Value<'a>>>,
    composites: Composites<'a>,
}

impl<'a> Activation<'a> {
    /// The values of variables by their names. Those that are left out are not available.
    pub fn new(environment: &'a Environment, variables: &[(&str, Variable<'a>)]) -> Self {
        let value = |(name, (schema, optional)): (&String, &'a (Arc<Schema>, bool))| {
            let (_, variable) = variables.iter().find(|(own, _)| own == name)?;
            // A value that its schema does not allow cannot be read.
            variable.value(schema, *optional).ok().flatten()
        };
        Activation {
            values: environment.names.iter().zip(&environment.variables).map(value).collect(),
            composites: Composites {
                variables: &environment.composited,
                values: vec![None; environment.composited.len()],
                cost: 0,
                budget: 0,
            },
        }
    }

    /// Evaluates an expression that was compiled in the environment, up to [`Limits::COST`]. The cost of the evaluation
    /// includes that of the composited variables that it reads first; `budget` is the most that is worth spending on
    /// both.
    pub fn evaluate(&mut self, expression: &Expression, budget: u64) -> Evaluation {
        on_evaluation_stack(expression.depth(), || self.evaluate_here(expression, budget))
    }

    fn evaluate_here(&mut self, expression: &Expression, budget: u64) -> Evaluation {
        self.composites.cost = 0;
        self.composites.budget = budget;
        let mut frame = Frame::new(&self.values, Limits::COST);
        frame.composites = Some(&mut self.composites);
        let result = evaluated(&mut frame, expression.root());
        let spent = frame.spent;
        Evaluation { result, cost: spent.saturating_add(self.composites.cost) }
    }
}
