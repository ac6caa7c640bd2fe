//! Real processes: the cluster of the lesson and its drill, real Flume beside it, the duel.
//!
//! A [`cluster::Cluster`] is two agents and two collectors, each a process of its own with its console in a pipe. Tests
//! feed it lines, kill, stop and restart its nodes, and ask a [`ledger::Ledger`] what became of every single line.

pub mod binaries;
pub mod cluster;
pub mod console;
pub mod drill;
pub mod duel;
pub mod event_line;
pub mod flume;
pub mod http;
pub mod leave;
pub mod ledger;
pub mod lesson;
pub mod limit;
pub mod load;
pub mod node;
pub mod ports;
pub mod process;
pub mod solo;
pub mod stores;
pub mod storm;
pub mod vitals;
