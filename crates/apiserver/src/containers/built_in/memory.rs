//! [`Memory`], the bound of what the programs of a server's containers hold at once, besides their files.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The unit in which memory is reserved, in bytes.
const PAGE: usize = 4096;

/// The bytes that all programs of a server hold at once.
const ALL: usize = 512 * 1024 * 1024;

/// The memory for the scripts, words, inputs and archives of programs, as much as all containers of a server share. Clones are the same
/// memory.
#[derive(Clone, Debug)]
pub(super) struct Memory(Arc<Semaphore>);

/// A part of the memory, which is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Reserved {
    memory: Memory,
    permit: OwnedSemaphorePermit,
}

impl Default for Memory {
    fn default() -> Self {
        Memory(Arc::new(Semaphore::new(ALL / PAGE)))
    }
}

impl Memory {
    /// Reserves memory for so many bytes. It does not wait for that of others, which may wait as well.
    pub(super) fn reserve(&self, bytes: usize) -> Result<Reserved, &'static str> {
        let exhausted = "Cannot allocate memory";
        let count = u32::try_from(bytes.div_ceil(PAGE).max(1)).map_err(|_| exhausted)?;
        let permit = self.0.clone().try_acquire_many_owned(count).map_err(|_| exhausted)?;
        Ok(Reserved { memory: self.clone(), permit })
    }
}

impl Reserved {
    /// Reserves more, until it is enough for so many bytes.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), &'static str> {
        let held = self.permit.num_permits() * PAGE;
        if bytes > held {
            self.permit.merge(self.memory.reserve(bytes - held)?.permit);
        }
        Ok(())
    }
}
