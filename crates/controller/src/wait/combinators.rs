//! [`And`], [`Or`] and [`Not`], conditions of conditions.

use std::fmt;
use std::marker::PhantomData;

use super::Condition;

/// Both conditions: see [`Condition::and`].
pub struct And<K, A, B>(A, B, PhantomData<fn(&K)>);

/// One of two conditions: see [`Condition::or`].
pub struct Or<K, A, B>(A, B, PhantomData<fn(&K)>);

/// The opposite of a condition: see [`Condition::not`].
pub struct Not<K, C>(C, PhantomData<fn(&K)>);

impl<K, A, B> And<K, A, B> {
    pub(super) fn new(one: A, other: B) -> Self {
        And(one, other, PhantomData)
    }
}

impl<K, A, B> Or<K, A, B> {
    pub(super) fn new(one: A, other: B) -> Self {
        Or(one, other, PhantomData)
    }
}

impl<K, C> Not<K, C> {
    pub(super) fn new(condition: C) -> Self {
        Not(condition, PhantomData)
    }
}

impl<K, A: Condition<K>, B: Condition<K>> Condition<K> for And<K, A, B> {
    fn is_met(&mut self, object: Option<&K>) -> Result<bool, String> {
        // Each is asked, since one may fail for good while the other is not met.
        let (one, other) = (self.0.is_met(object)?, self.1.is_met(object)?);
        Ok(one && other)
    }

    fn seen(&self, object: &K) -> String {
        format!("{}; {}", self.0.seen(object), self.1.seen(object))
    }

    fn describe(&self) -> String {
        format!("{} and {}", self.0.describe(), self.1.describe())
    }
}

impl<K, A: Condition<K>, B: Condition<K>> Condition<K> for Or<K, A, B> {
    fn is_met(&mut self, object: Option<&K>) -> Result<bool, String> {
        match (self.0.is_met(object), self.1.is_met(object)) {
            (Err(one), Err(other)) => Err(format!("{one}; {other}")),
            (one, other) => Ok(one == Ok(true) || other == Ok(true)),
        }
    }

    fn seen(&self, object: &K) -> String {
        format!("{}; {}", self.0.seen(object), self.1.seen(object))
    }

    fn describe(&self) -> String {
        format!("{} or {}", self.0.describe(), self.1.describe())
    }
}

impl<K, C: Condition<K>> Condition<K> for Not<K, C> {
    fn is_met(&mut self, object: Option<&K>) -> Result<bool, String> {
        Ok(self.0.is_met(object) != Ok(true))
    }

    fn seen(&self, object: &K) -> String {
        self.0.seen(object)
    }

    fn describe(&self) -> String {
        format!("the opposite of {}", self.0.describe())
    }
}

impl<K, A: fmt::Debug, B: fmt::Debug> fmt::Debug for And<K, A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("And").field(&self.0).field(&self.1).finish()
    }
}

impl<K, A: fmt::Debug, B: fmt::Debug> fmt::Debug for Or<K, A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Or").field(&self.0).field(&self.1).finish()
    }
}

impl<K, C: fmt::Debug> fmt::Debug for Not<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Not").field(&self.0).finish()
    }
}
