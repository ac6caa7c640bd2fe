//! HBase's protocol, without I/O: messages, frames, and what stands in ZooKeeper and in `hbase:meta`.

mod cells;
mod frame;
pub(crate) mod message;
mod meta;

pub(crate) use cells::Cell;
pub(crate) use frame::{Answer, Answers, call, preamble};
pub(crate) use meta::{Row, State, located, meta_server, row_of, server_of, state, state_of};
