//! Who died, and when to build it anew.

mod policy;
pub mod slot;
mod supervisor;

pub use supervisor::{Build, DeathWatch, Supervisor, Watch};
