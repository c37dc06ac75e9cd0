//! Composition: variables that are expressions themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::environment::{COMPOSITION_TYPE, Environment};
use crate::expression::{CompileError, Expression};
use crate::plan::{COMPOSITION, Composited};
use crate::types::{Fields, Type};

/// The depth of an expression with the composited variables that it reads.
const DEPTH_MAX: usize = 2_000;

impl Environment {
    /// Adds a field of `variables` whose value is that of an expression. Expressions that are compiled afterwards can
    /// refer to it; it is evaluated when it is first read. One that does not compile is `dyn`, and an error when it is
    /// read.
    ///
    /// # Errors
    ///
    /// Those of [`Expression::compile`].
    pub fn compose(&mut self, name: &str, source: &str) -> Result<(), CompileError> {
        let compiled = Expression::compile(source, self).and_then(|expression| {
            if expression.depth() <= DEPTH_MAX {
                return Ok(expression);
            }
            let message = format!("ERROR: <input>:-1:0: expression recursion limit exceeded: {DEPTH_MAX}");
            Err(CompileError::Issues(message))
        });
        let ty = compiled.as_ref().map_or(Type::Dyn, |expression| as_declared(expression.ty()));
        let mut fields = match self.types.remove(COMPOSITION) {
            Some(Type::Struct(own)) => match Arc::unwrap_or_clone(own).fields {
                Fields::Declared(fields) => Arc::unwrap_or_clone(fields),
                _ => BTreeMap::new(),
            },
            _ => BTreeMap::new(),
        };
        fields.insert(name.to_owned(), ty);
        let ty = Type::object(COMPOSITION_TYPE, Fields::Declared(Arc::new(fields)));
        self.types.insert(COMPOSITION.to_owned(), ty);
        let (depth, root, result) = match compiled {
            Ok(expression) => (expression.depth(), Ok(expression.into_root()), Ok(())),
            Err(error) => (0, Err(error.reported()), Err(error)),
        };
        // A name that is taken gets the new expression; those that refer to it already keep the old one.
        self.composited.push(Composited { name: name.to_owned(), depth, root });
        result
    }
}

/// The type of a composited variable: types other than scalars, lists and maps are not known to expressions.
fn as_declared(ty: &Type) -> Type {
    match ty {
        Type::List(item) => Type::list(as_declared(item)),
        Type::Map(entry) => Type::map(as_declared(&entry.0), as_declared(&entry.1)),
        scalar if scalar.is_scalar() => scalar.clone(),
        _ => Type::Dyn,
    }
}
