//! [`Bindings`], the types of type parameters, by the rules of cel-go's checker.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::types::Type;

/// The visits of parts of types, besides those for each node.
const VISITS: usize = 1_000_000;

/// The visits of parts of types for each node of an expression.
const VISITS_PER_NODE: usize = 300;

/// The types that type parameters stand for.
pub(crate) struct Bindings {
    types: HashMap<Arc<str>, Type>,
    /// The types that parameters stood for before the changes of the attempt.
    undo: Vec<(Arc<str>, Option<Type>)>,
    /// The visits of parts of types that are left. A parameter may stand for a type with many parameters: the parts may
    /// be more than an expression is worth.
    visits: Cell<usize>,
}

impl Bindings {
    /// No bindings yet, for an expression with this number of nodes.
    pub(crate) fn of(nodes: usize) -> Self {
        let visits = Cell::new(nodes.saturating_mul(VISITS_PER_NODE).saturating_add(VISITS));
        Bindings { types: HashMap::new(), undo: Vec::new(), visits }
    }

    /// Returns true if no visits are left: types are no longer what they should be.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.visits.get() == 0
    }

    /// Counts a visit; returns false if there are none left.
    fn visits(&self) -> bool {
        let left = self.visits.get().saturating_sub(1);
        self.visits.set(left);
        left > 0
    }

    /// Returns true if a value of the first type may be used as one of the second; otherwise nothing changes.
    pub(crate) fn assign(&mut self, from: &Type, to: &Type) -> bool {
        self.undo.clear();
        let fits = self.is_assignable(from, to);
        if !fits {
            self.roll_back();
        }
        fits
    }

    /// Returns true if values of these types may be used as arguments; otherwise nothing changes.
    pub(crate) fn assign_all(&mut self, from: &[Type], to: &[Type]) -> bool {
        self.undo.clear();
        let fits =
            from.len() == to.len() && from.iter().zip(to).all(|(from, to)| self.is_assignable(from, to));
        if !fits {
            self.roll_back();
        }
        fits
    }

    fn roll_back(&mut self) {
        while let Some((name, before)) = self.undo.pop() {
            match before {
                Some(ty) => self.types.insert(name, ty),
                None => self.types.remove(&name),
            };
        }
    }

    fn bind(&mut self, name: &Arc<str>, ty: Type) {
        let before = self.types.insert(Arc::clone(name), ty);
        self.undo.push((Arc::clone(name), before));
    }

    fn is_assignable(&mut self, from: &Type, to: &Type) -> bool {
        if !self.visits() {
            return false;
        }
        if let Type::Param(name) = to {
            let (fits, bound) = self.substitutes(from, name, to);
            if fits {
                return true;
            }
            if bound {
                return false;
            }
        }
        if let Type::Param(name) = from {
            return self.substitutes(to, name, from).0;
        }
        if from.is_dyn_or_error() || to.is_dyn_or_error() {
            return true;
        }
        match (from, to) {
            (Type::Null, to) => is_nullable(to),
            (from, Type::Null) => is_nullable(from),
            (Type::Meta(_), Type::Meta(_)) => true,
            (Type::List(from), Type::List(to)) => self.is_assignable(from, to),
            (Type::Map(from), Type::Map(to)) => {
                self.is_assignable(&from.0, &to.0) && self.is_assignable(&from.1, &to.1)
            }
            (Type::Opaque(one, ours), Type::Opaque(other, theirs)) => {
                one == other
                    && ours.len() == theirs.len()
                    && ours.iter().zip(&**theirs).all(|(from, to)| self.is_assignable(from, to))
            }
            (from, to) => from.is(to),
        }
    }

    /// Returns true if a type may take the place of a parameter, and true if the parameter stands for a type already.
    fn substitutes(&mut self, ty: &Type, name: &Arc<str>, parameter: &Type) -> (bool, bool) {
        if ty.is(parameter) {
            return (true, true);
        }
        if let Some(bound) = self.types.get(name).cloned() {
            if ty.is(&bound) {
                return (true, true);
            }
            if self.is_assignable(ty, &bound) {
                let general = if is_less_specific(ty, &bound) { ty.clone() } else { bound };
                if !self.occurs(parameter, &general) {
                    self.bind(name, general);
                }
                return (true, true);
            }
            return (false, true);
        }
        if self.occurs(parameter, ty) {
            return (false, false);
        }
        self.bind(name, ty.clone());
        (true, false)
    }

    /// Returns true if a parameter occurs in a type.
    fn occurs(&self, parameter: &Type, within: &Type) -> bool {
        if !self.visits() || parameter.is(within) {
            return true;
        }
        match within {
            Type::Param(name) => self.types.get(name).is_some_and(|bound| self.occurs(parameter, bound)),
            within => within.parameters().into_iter().any(|inner| self.occurs(parameter, inner)),
        }
    }

    /// The type with bound parameters replaced; those that are not bound become `dyn` if `free_to_dyn` is set.
    pub(crate) fn substitute(&self, ty: &Type, free_to_dyn: bool) -> Type {
        let inner = |ty: &Type| self.substitute(ty, free_to_dyn);
        match ty {
            Type::Param(_) | Type::List(_) | Type::Map(_) | Type::Opaque(..) | Type::Meta(_)
                if !self.visits() =>
            {
                Type::Error
            }
            Type::Param(name) => match self.types.get(name) {
                Some(bound) => inner(bound),
                None if free_to_dyn => Type::Dyn,
                None => ty.clone(),
            },
            Type::List(item) => Type::list(inner(item)),
            Type::Map(entry) => Type::map(inner(&entry.0), inner(&entry.1)),
            Type::Opaque(name, parameters) => {
                Type::Opaque(Arc::clone(name), parameters.iter().map(inner).collect())
            }
            Type::Meta(Some(ty)) => Type::Meta(Some(Arc::new(inner(ty)))),
            ty => ty.clone(),
        }
    }
}

fn is_nullable(ty: &Type) -> bool {
    matches!(ty, Type::Null | Type::Opaque(..) | Type::Struct(_) | Type::Duration | Type::Timestamp)
}

/// Returns true if the first type is the second, with `dyn` in some places.
pub(crate) fn is_less_specific(one: &Type, other: &Type) -> bool {
    match (one, other) {
        (Type::Dyn | Type::Param(_), _) => true,
        (_, Type::Dyn | Type::Param(_)) => false,
        (Type::List(one), Type::List(other)) => is_less_specific(one, other),
        (Type::Map(one), Type::Map(other)) => {
            is_less_specific(&one.0, &other.0) && is_less_specific(&one.1, &other.1)
        }
        (Type::Opaque(one, ours), Type::Opaque(other, theirs)) => {
            one == other
                && ours.len() == theirs.len()
                && ours.iter().zip(&**theirs).all(|(one, other)| is_less_specific(one, other))
        }
        (Type::Meta(_), Type::Meta(_)) => true,
        (one, other) => one.is(other),
    }
}

/// An overload's types, with new names for its parameters.
pub(crate) fn rename(ty: &Type, names: &HashMap<&str, Type>) -> Type {
    match ty {
        Type::Param(name) => names.get(&**name).cloned().unwrap_or_else(|| ty.clone()),
        Type::List(item) => Type::list(rename(item, names)),
        Type::Map(entry) => Type::map(rename(&entry.0, names), rename(&entry.1, names)),
        Type::Opaque(name, parameters) => {
            Type::Opaque(Arc::clone(name), parameters.iter().map(|ty| rename(ty, names)).collect())
        }
        Type::Meta(Some(ty)) => Type::Meta(Some(Arc::new(rename(ty, names)))),
        ty => ty.clone(),
    }
}
