//! [`Variables`], the variables and parameters of a shell.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The number of bytes that the variables of a shell take at most.
const MAX_SIZE: usize = 2 * 1024 * 1024;

/// The bytes that a variable takes besides its name and its value.
const OVERHEAD: usize = 2 * size_of::<String>();

/// The variables of a shell. Clones share them until they differ.
#[derive(Clone, Default)]
pub(in super::super) struct Variables {
    values: Arc<BTreeMap<String, String>>,
    /// The bytes that they take, kept so that a variable is set without adding up the others.
    size: usize,
}

impl Variables {
    pub(super) fn new(values: BTreeMap<String, String>) -> Self {
        let size = values.iter().map(|(name, value)| length(name, value)).sum();
        Variables { values: Arc::new(values), size }
    }

    pub(in super::super) fn get(&self, name: &str) -> Option<&String> {
        self.values.get(name)
    }

    /// The variables in the order of their names.
    pub(in super::super) fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.values.iter()
    }

    /// The bytes that they take.
    pub(in super::super) fn size(&self) -> usize {
        self.size
    }

    /// Sets a variable, unless the variables take too much memory then.
    pub(in super::super) fn set(&mut self, name: &str, value: String) -> Result<(), &'static str> {
        let before = self.values.get(name).map_or(0, |value| length(name, value));
        let size = self.size - before + length(name, &value);
        if size > MAX_SIZE {
            return Err("out of memory for variables");
        }
        self.size = size;
        Arc::make_mut(&mut self.values).insert(name.to_owned(), value);
        Ok(())
    }

    /// Gives a variable the value that it had, if any, for which there is always room.
    pub(super) fn restore(&mut self, name: &str, value: Option<String>) {
        self.remove(name);
        if let Some(value) = value {
            self.size += length(name, &value);
            Arc::make_mut(&mut self.values).insert(name.to_owned(), value);
        }
    }

    pub(super) fn remove(&mut self, name: &str) {
        if let Some(value) = self.values.get(name) {
            self.size -= length(name, value);
            Arc::make_mut(&mut self.values).remove(name);
        }
    }

    /// The parameters `$1`, `$2` and so on.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &String> {
        (1_usize..).map_while(|number| self.values.get(&number.to_string()))
    }

    /// Removes the parameters `$0`, `$1` and so on.
    pub(super) fn remove_parameters(&mut self) {
        if self.values.keys().any(|name| is_parameter(name)) {
            Arc::make_mut(&mut self.values).retain(|name, _| !is_parameter(name));
            self.size = self.values.iter().map(|(name, value)| length(name, value)).sum();
        }
    }
}

fn length(name: &str, value: &str) -> usize {
    OVERHEAD + name.len() + value.len()
}

/// Returns true for the name of a parameter of a script, which is no variable of the environment.
pub(in super::super) fn is_parameter(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_digit())
}
