//! What clients of Hadoop have in common.

mod principal;

pub use principal::own_principal;
