//! Files that this agent writes itself, so that it does not read them.

pub(crate) mod own;
pub(crate) mod rules;
