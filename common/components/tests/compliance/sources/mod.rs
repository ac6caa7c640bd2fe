//! How each source is fed.

mod calls;
mod files;
mod lines;
mod port;

pub(crate) use calls::{Avro, Http, Thrift};
pub(crate) use files::{Seq, SpoolDir, Taildir};
pub(crate) use lines::{Netcat, NetcatUdp, Syslog, SyslogUdp};
pub(crate) use port::free_port;
