//! Who died, and when to build it anew.

mod boss;
mod policy;
pub mod slot;

pub use boss::{Boss, Build, Guard, Watch};
