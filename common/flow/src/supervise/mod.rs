//! Who died, and when to build it anew.

pub mod address;
mod policy;
mod supervisor;

pub use supervisor::{Build, DeathWatch, Supervisor, Watch};
pub(crate) use supervisor::{Care, Order};
