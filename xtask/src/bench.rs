//! `cargo xtask bench`: klient beside its peers, in one run, as ratios of medians.

mod apply;
mod build;
mod cel;
mod client;
mod controller;
mod gateway;
mod informers;
mod klog;
mod peer;
mod queue;
mod row;
mod runs;
mod server;
mod streams;
mod wire;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::root;
pub(crate) use apply::apply;
pub(crate) use build::children_seconds;
pub(crate) use cel::cel;
pub(crate) use client::client;
pub(crate) use controller::controller;
pub(crate) use gateway::gateway;
pub(crate) use informers::informers;
pub(crate) use klog::klog;
use peer::{Peer, Server};
pub(crate) use queue::queue;
use row::{Row, Rows};
pub(crate) use server::server;
pub(crate) use streams::streams;
pub(crate) use wire::wire;

/// The folder of the programs' files, relative to the one that they run in.
const DATA: &str = "target/data";

/// The programs, and where they are run.
struct Bench {
    folder: PathBuf,
    server: Peer,
    client_go: Peer,
    kube: Peer,
    klient: Peer,
}

impl Bench {
    /// Builds everything.
    fn build() -> Result<Self, String> {
        let folder = folder()?;
        let binaries = folder.join("target/release");
        build::cargo(&folder, &["build", "--release"])?;
        Ok(Bench {
            server: go(&folder, "server")?,
            client_go: go(&folder, "gopeer")?,
            kube: Peer::new(binaries.join("kube-peer"), &folder),
            klient: Peer::new(binaries.join("klient-bench"), &folder),
            folder,
        })
    }

    /// Writes a list of so many pods as files.
    fn dump(&self, pods: usize) -> Result<(), String> {
        self.server.run(&format!("-dump -n {pods} -data {DATA}")).map(drop)
    }

    fn serve(&self) -> Result<Server, String> {
        Server::start(&self.server)
    }
}

/// The folder that the programs run in, with one for their files.
fn folder() -> Result<PathBuf, String> {
    let folder = root().join("bench");
    let data = folder.join(DATA);
    fs::create_dir_all(&data).map_err(|error| format!("cannot make {}: {error}", data.display()))?;
    Ok(folder)
}

/// Builds the program of klient alone.
fn klient(folder: &Path) -> Result<Peer, String> {
    build::cargo(folder, &["build", "--release", "--package", "klient-bench"])?;
    Ok(Peer::new(folder.join("target/release/klient-bench"), folder))
}

/// Keeps figures beside the programs.
fn record(name: &str, rows: &Rows) -> Result<(), String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let record = root().join(format!("bench/target/{name}-{now}.tsv"));
    fs::write(&record, rows.to_string())
        .map_err(|error| format!("cannot write {}: {error}", record.display()))
}

/// Builds a Go program, which has a folder of its own.
fn go(folder: &Path, name: &str) -> Result<Peer, String> {
    let binary = folder.join("target").join(name);
    build::go(&folder.join(name), &binary)?;
    Ok(Peer::new(binary, folder))
}
