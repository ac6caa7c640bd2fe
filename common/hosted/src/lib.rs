//! Components that run in a JVM, as actors of a flow: what has no native version, and an operator's own classes.
//!
//! [`Hosting`] judges such components and makes actors of them. Each holds a handle of the crate `bridge`; when the JVM
//! dies, it makes a new one, and what was not acknowledged is the channel's again. The JVM starts with the first
//! component that needs it, or when somebody wants the counters over JMX ([`Hosting::show`]).

mod aside;
mod asked;
mod bare;
mod chain;
mod channel;
mod deliveries;
mod group;
mod host;
mod jmx;
mod judge;
mod probe;
mod say;
mod sink;
mod source;

pub use host::{Find, Host};
pub use jmx::{Beans, Jmx, Shown};
pub use judge::Hosting;
