//! The type checker, by the rules and with the messages of cel-go.

use std::collections::{HashMap, HashSet};

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, ListExpr, LiteralValue, MapExpr, StructExpr,
};

use crate::declaration::{FunctionDeclaration, Names};
use crate::issue::Issues;
use crate::offsets::Offsets;
use crate::parse::Parsed;
use crate::types::{Fields, Type, Types};
use crate::unify::{Bindings, is_less_specific, rename};

/// A checked expression: the types of its nodes, and what names stand for.
pub(crate) struct Checked {
    pub(crate) root: IdedExpr,
    pub(crate) types: HashMap<u64, Type>,
    /// The overloads that calls may be of.
    pub(crate) overloads: HashMap<u64, Vec<&'static str>>,
    /// The identifiers that are names of types.
    pub(crate) type_names: HashSet<u64>,
    /// The variables that the expression refers to.
    pub(crate) variables: HashSet<String>,
    pub(crate) offsets: Offsets,
}

impl Checked {
    pub(crate) fn ty(&self, expr: &IdedExpr) -> &Type {
        self.types.get(&expr.id).unwrap_or(&Type::Dyn)
    }

    pub(crate) fn overloads(&self, id: u64) -> &[&'static str] {
        self.overloads.get(&id).map_or(&[], Vec::as_slice)
    }
}

/// The parts of a type. `{x: x}` has twice those of `x`, so that they grow exponentially.
const TYPE_MAX: usize = 1_000;

/// Checks the types of an expression; problems are added to `issues`.
pub(crate) fn check(parsed: Parsed, names: Names<'_>, issues: &mut Issues<'_>) -> Checked {
    let Parsed { mut root, offsets } = parsed;
    let source_nodes = usize::try_from(offsets.first_added).unwrap_or(usize::MAX);
    let mut checker = Checker {
        issues,
        offsets: &offsets,
        names,
        scopes: Vec::new(),
        bindings: Bindings::of(offsets.added.len() + source_nodes),
        types: HashMap::new(),
        overloads: HashMap::new(),
        type_names: HashSet::new(),
        used: HashSet::new(),
        free: 0,
        is_too_large: false,
    };
    checker.check(&mut root);
    let Checker { bindings, mut types, overloads, type_names, used, .. } = checker;
    types.values_mut().for_each(|ty| *ty = bindings.substitute(ty, true));
    Checked { root, types, overloads, type_names, variables: used, offsets }
}

struct Checker<'c, 's> {
    issues: &'c mut Issues<'s>,
    offsets: &'c Offsets,
    names: Names<'c>,
    /// The variables of comprehensions, the innermost last.
    scopes: Vec<(String, Type)>,
    bindings: Bindings,
    types: HashMap<u64, Type>,
    overloads: HashMap<u64, Vec<&'static str>>,
    type_names: HashSet<u64>,
    used: HashSet<String>,
    /// The number of type parameters in use.
    free: usize,
    /// True after a type that is too large, which is reported once.
    is_too_large: bool,
}

impl Checker<'_, '_> {
    fn report(&mut self, id: u64, message: String) {
        self.issues.add_at(self.offsets.of(id), message);
    }

    fn set(&mut self, id: u64, ty: Type) {
        let is_too_large = self.bindings.is_exhausted() || ty.is_larger_than(TYPE_MAX);
        if is_too_large && !self.is_too_large {
            self.is_too_large = true;
            self.report(id, "type is too large: it has too many type parameters".to_owned());
        }
        self.types.insert(id, if is_too_large { Type::Error } else { ty });
    }

    fn ty(&self, expr: &IdedExpr) -> Type {
        self.types.get(&expr.id).cloned().unwrap_or(Type::Error)
    }

    fn free_type(&mut self) -> Type {
        self.free += 1;
        Type::Param(format!("_var{}", self.free - 1).into())
    }

    fn undeclared(&mut self, id: u64, name: &str) {
        self.report(id, format!("undeclared reference to '{name}' (in container '')"));
        self.set(id, Type::Error);
    }

    fn check(&mut self, expr: &mut IdedExpr) {
        let id = expr.id;
        match &mut expr.expr {
            Expr::Literal(literal) => self.set(id, literal_type(literal)),
            Expr::Ident(name) => {
                let name = name.trim_start_matches('.').to_owned();
                self.identifier(id, &name);
                expr.expr = Expr::Ident(name);
            }
            Expr::Select(_) => self.select(expr),
            Expr::Call(_) => self.call(expr),
            Expr::List(list) => self.list(id, list),
            Expr::Map(map) => self.map(id, map),
            Expr::Struct(object) => {
                self.structure(id, object);
            }
            Expr::Comprehension(fold) => self.comprehension(id, fold),
            Expr::Unspecified => self.set(id, Type::Error),
        }
    }

    fn identifier(&mut self, id: u64, name: &str) {
        if let Some((_, ty)) = self.scopes.iter().rev().find(|(own, _)| own == name) {
            let ty = ty.clone();
            return self.set(id, ty);
        }
        if let Some(ty) = self.names.variables.get(name) {
            let ty = ty.clone();
            self.used.insert(name.to_owned());
            return self.set(id, ty);
        }
        match self.names.named_type(name) {
            Some(ty) => {
                self.type_names.insert(id);
                self.set(id, Type::Meta(Some(ty.into())));
            }
            None => self.undeclared(id, name),
        }
    }

    /// An object literal: of the types of patches, if there are these.
    fn structure(&mut self, id: u64, object: &mut StructExpr) {
        let name = object.type_name.trim_start_matches('.').to_owned();
        object.type_name.clone_from(&name);
        let ty = self.names.object_type(&name);
        match (&ty, self.names.named_type(&name)) {
            (Some(ty), _) => self.set(id, ty.clone()),
            (None, Some(_)) => {
                self.report(id, format!("'{name}' is not a message type"));
                self.set(id, Type::Error);
            }
            (None, None) => return self.undeclared(id, &name),
        }
        for entry in &mut object.entries {
            let EntryExpr::StructField(field) = &mut entry.expr else { continue };
            self.check(&mut field.value);
            let declared = match &ty {
                Some(Type::Struct(own)) => own.field(&field.field).unwrap_or_else(|| {
                    // The type of patches has all fields in cel-go, those that it does not know without a type.
                    let message = if name == "JSONPatch" {
                        let value = self.bindings.substitute(&self.ty(&field.value), true);
                        let field = &field.field;
                        format!("expected type of field '{field}' is '' but provided type is '{value}'")
                    } else {
                        format!("undefined field '{}'", field.field)
                    };
                    self.report(entry.id, message);
                    Type::Error
                }),
                _ => Type::Error,
            };
            let mut value = self.ty(&field.value);
            if field.optional {
                value = self.optional_value(&field.value, value);
            }
            if !self.bindings.assign(&declared, &value) {
                let (field, value) = (&field.field, self.bindings.substitute(&value, true));
                let message = format!(
                    "expected type of field '{field}' is '{declared}' but provided type is '{value}'"
                );
                self.report(entry.id, message);
            }
        }
    }

    fn select(&mut self, expr: &mut IdedExpr) {
        let id = expr.id;
        if let Some(name) = qualified_name(expr)
            && !self.scopes.iter().any(|(own, _)| *own == name)
        {
            if let Some(ty) = self.names.variables.get(&name) {
                let ty = ty.clone();
                self.used.insert(name.clone());
                self.set(id, ty);
                expr.expr = Expr::Ident(name);
                return;
            }
            if let Some(ty) = self.names.named_type(&name) {
                self.type_names.insert(id);
                self.set(id, Type::Meta(Some(ty.into())));
                expr.expr = Expr::Ident(name);
                return;
            }
        }
        let Expr::Select(select) = &mut expr.expr else { return };
        let ty = self.field(id, &mut select.operand, &select.field, false);
        let ty = if select.test { Type::Bool } else { self.bindings.substitute(&ty, false) };
        self.set(id, ty);
    }

    fn field(&mut self, id: u64, operand: &mut IdedExpr, field: &str, optional: bool) -> Type {
        self.check(operand);
        let operand = self.bindings.substitute(&self.ty(operand), false);
        let unwrapped = operand.unwrap_optional().cloned();
        let is_optional = unwrapped.is_some() || optional;
        let target = unwrapped.unwrap_or(operand);
        let result = match &target {
            Type::Map(entry) => entry.1.clone(),
            Type::Struct(own) => own.field(field).unwrap_or_else(|| {
                let message = match own.fields {
                    Fields::None => format!("unexpected failed resolution of '{}'", own.name),
                    _ => format!("undefined field '{field}'"),
                };
                self.report(id, message);
                Type::Error
            }),
            Type::Param(_) => {
                self.bindings.assign(&Type::Dyn, &target);
                Type::Dyn
            }
            target => {
                if !target.is_dyn_or_error() {
                    self.report(id, format!("type '{target}' does not support field selection"));
                }
                Type::Dyn
            }
        };
        if is_optional { Type::optional(result) } else { result }
    }

    fn optional_select(&mut self, id: u64, args: &mut [IdedExpr]) {
        let [operand, field] = args else { return };
        let Expr::Literal(LiteralValue::String(name)) = &field.expr else { return };
        let name = name.inner().to_owned();
        self.set(field.id, Type::String);
        let ty = self.field(id, operand, &name, true);
        let ty = self.bindings.substitute(&ty, false);
        self.set(id, ty);
        self.overloads.insert(id, vec!["select_optional_field"]);
    }

    fn call(&mut self, expr: &mut IdedExpr) {
        let id = expr.id;
        let Expr::Call(call) = &mut expr.expr else { return };
        if call.func_name == "_?._" {
            return self.optional_select(id, &mut call.args);
        }
        call.args.iter_mut().for_each(|argument| self.check(argument));
        let name = call.func_name.trim_start_matches('.').to_owned();
        let Some(target) = &mut call.target else {
            call.func_name.clone_from(&name);
            match self.names.function(&name) {
                Some(function) => self.resolve(id, function, None, call),
                None => self.undeclared(id, &name),
            }
            return;
        };
        if let Some(prefix) = qualified_name(target)
            && let Some(function) = self.names.function(&format!("{prefix}.{name}"))
        {
            call.func_name = function.name.to_owned();
            call.target = None;
            return self.resolve(id, function, None, call);
        }
        self.check(target);
        let target = self.ty(target);
        match self.names.function(&name) {
            Some(function) => self.resolve(id, function, Some(target), call),
            None => self.undeclared(id, &name),
        }
    }

    fn resolve(
        &mut self,
        id: u64,
        function: &'static FunctionDeclaration,
        target: Option<Type>,
        call: &CallExpr,
    ) {
        let is_member = target.is_some();
        let arguments: Vec<Type> =
            target.into_iter().chain(call.args.iter().map(|argument| self.ty(argument))).collect();
        if matches!(function.name, "_&&_" | "_||_") {
            return self.logical(id, function, &arguments, call);
        }
        let mut found: Vec<&'static str> = Vec::new();
        let mut result: Option<Type> = None;
        for overload in function.overloads.iter().filter(|overload| overload.is_member == is_member) {
            let fits;
            let own_result;
            if overload.parameters.is_empty() {
                fits = self.bindings.assign_all(&arguments, &overload.arguments);
                own_result = overload.result.clone();
            } else {
                let names: HashMap<&str, Type> =
                    overload.parameters.iter().map(|name| (*name, self.free_type())).collect();
                let wanted: Vec<Type> = overload.arguments.iter().map(|ty| rename(ty, &names)).collect();
                fits = self.bindings.assign_all(&arguments, &wanted);
                own_result = rename(&overload.result, &names);
            }
            if !fits {
                continue;
            }
            found.push(overload.id);
            let own_result = self.bindings.substitute(&own_result, false);
            result = Some(match result {
                None => own_result,
                Some(before) if matches!(before, Type::Dyn) || own_result.is(&before) => before,
                Some(_) => Type::Dyn,
            });
        }
        match result {
            Some(ty) => {
                self.set(id, ty);
                self.overloads.insert(id, found);
            }
            None => {
                let arguments: Vec<Type> =
                    arguments.iter().map(|ty| self.bindings.substitute(ty, true)).collect();
                let signature = match arguments.split_first() {
                    Some((target, rest)) if is_member => format!("{target}.({})", Types(rest)),
                    _ => format!("({})", Types(&arguments)),
                };
                let name = function.name;
                self.report(id, format!("found no matching overload for '{name}' applied to '{signature}'"));
                self.set(id, Type::Error);
            }
        }
    }

    fn logical(
        &mut self,
        id: u64,
        function: &'static FunctionDeclaration,
        arguments: &[Type],
        call: &CallExpr,
    ) {
        let mut good = true;
        for (ty, argument) in arguments.iter().zip(&call.args) {
            if !self.bindings.assign(ty, &Type::Bool) {
                let found = self.bindings.substitute(ty, false);
                self.report(argument.id, format!("expected type 'bool' but found '{found}'"));
                good = false;
            }
        }
        self.set(id, if good { Type::Bool } else { Type::Error });
        if good {
            self.overloads.insert(id, function.overloads.iter().map(|overload| overload.id).collect());
        }
    }

    /// The type of a value that may be left out.
    fn optional_value(&mut self, value: &IdedExpr, ty: Type) -> Type {
        if let Some(inner) = ty.unwrap_optional() {
            return inner.clone();
        }
        if !matches!(ty, Type::Dyn) {
            let expected = Type::optional(ty.clone());
            self.report(value.id, format!("expected type '{expected}' but found '{ty}'"));
        }
        ty
    }

    fn list(&mut self, id: u64, list: &mut ListExpr) {
        let mut common = None;
        for (index, item) in list.elements.iter_mut().enumerate() {
            self.check(item);
            let mut ty = self.ty(item);
            if list.optional_indices.contains(&index) {
                ty = self.optional_value(item, ty);
            }
            common = Some(self.join(common, ty));
        }
        let item = common.unwrap_or_else(|| self.free_type());
        self.set(id, Type::list(item));
    }

    fn map(&mut self, id: u64, map: &mut MapExpr) {
        let (mut keys, mut values) = (None, None);
        for entry in &mut map.entries {
            let EntryExpr::MapEntry(entry) = &mut entry.expr else { continue };
            self.check(&mut entry.key);
            let ty = self.ty(&entry.key);
            keys = Some(self.join(keys, ty));
            self.check(&mut entry.value);
            let mut ty = self.ty(&entry.value);
            if entry.optional {
                ty = self.optional_value(&entry.value, ty);
            }
            values = Some(self.join(values, ty));
        }
        let key = keys.unwrap_or_else(|| self.free_type());
        let value = values.unwrap_or_else(|| self.free_type());
        self.set(id, Type::map(key, value));
    }

    /// The common type of two items.
    fn join(&mut self, before: Option<Type>, ty: Type) -> Type {
        let Some(before) = before else { return ty };
        if !self.bindings.assign(&before, &ty) {
            return Type::Dyn;
        }
        if is_less_specific(&before, &ty) { before } else { ty }
    }

    fn comprehension(&mut self, id: u64, fold: &mut ComprehensionExpr) {
        self.check(&mut fold.iter_range);
        self.check(&mut fold.accu_init);
        let range = self.bindings.substitute(&self.ty(&fold.iter_range), false);
        let accumulated = self.ty(&fold.accu_init);
        let outer = self.scopes.len();
        self.scopes.push((fold.accu_var.clone(), accumulated.clone()));
        let two = fold.iter_var2.is_some();
        let (first, second) = match &range {
            Type::List(item) if two => (Type::Int, (**item).clone()),
            Type::List(item) => ((**item).clone(), Type::Dyn),
            Type::Map(entry) => (entry.0.clone(), entry.1.clone()),
            Type::Dyn | Type::Error | Type::Param(_) => {
                self.bindings.assign(&Type::Dyn, &range);
                (Type::Dyn, Type::Dyn)
            }
            range => {
                let message = format!(
                    "expression of type '{range}' cannot be range of a comprehension (must be list, map, or dynamic)"
                );
                self.report(fold.iter_range.id, message);
                (Type::Error, Type::Error)
            }
        };
        self.scopes.push((fold.iter_var.clone(), first));
        if let Some(name) = &fold.iter_var2 {
            self.scopes.push((name.clone(), second));
        }
        self.check(&mut fold.loop_cond);
        self.assert(&fold.loop_cond, &Type::Bool);
        self.check(&mut fold.loop_step);
        self.assert(&fold.loop_step, &accumulated);
        self.scopes.truncate(outer + 1);
        self.check(&mut fold.result);
        self.scopes.truncate(outer);
        let result = self.bindings.substitute(&self.ty(&fold.result), false);
        self.set(id, result);
    }

    fn assert(&mut self, expr: &IdedExpr, expected: &Type) {
        let found = self.ty(expr);
        if !self.bindings.assign(expected, &found) {
            self.report(expr.id, format!("expected type '{expected}' but found '{found}'"));
        }
    }
}

fn literal_type(literal: &LiteralValue) -> Type {
    match literal {
        LiteralValue::Boolean(_) => Type::Bool,
        LiteralValue::Bytes(_) => Type::Bytes,
        LiteralValue::Double(_) => Type::Double,
        LiteralValue::Int(_) => Type::Int,
        LiteralValue::Null => Type::Null,
        LiteralValue::String(_) => Type::String,
        LiteralValue::UInt(_) => Type::Uint,
    }
}

/// The name that an identifier and the fields selected on it spell.
fn qualified_name(expr: &IdedExpr) -> Option<String> {
    match &expr.expr {
        Expr::Ident(name) => Some(name.trim_start_matches('.').to_owned()),
        Expr::Select(select) if !select.test => {
            let mut name = qualified_name(&select.operand)?;
            name.push('.');
            name.push_str(&select.field);
            Some(name)
        }
        _ => None,
    }
}
