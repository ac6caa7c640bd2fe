//! Who died, and when to build it anew.

mod boss;
mod policy;
pub(crate) mod slot;

pub(crate) use boss::{Boss, Build, Guard, Watch};
