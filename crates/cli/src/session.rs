//! [`Session`], what every command is given.

use crate::cluster::Cluster;
use crate::connection::ConnectionArgs;
use crate::console::Console;
use crate::failure::Failure;
use crate::interrupt::Interrupt;

/// What every command is given.
pub(crate) struct Session {
    /// What the program was called as; messages name it.
    pub(crate) program: String,
    /// Where to write.
    pub(crate) console: Console,
    /// How to reach the cluster.
    pub(crate) connection: ConnectionArgs,
    /// The signals that end the program.
    pub(crate) interrupt: Interrupt,
}

impl Session {
    /// The cluster. Nothing is sent yet.
    pub(crate) fn cluster(&self) -> Result<Cluster, Failure> {
        Cluster::new(&self.connection)
    }
}
