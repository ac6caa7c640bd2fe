//! What clients of Hadoop have in common.

mod principal;
mod site;
mod variables;

pub use principal::own_principal;
pub use site::{SiteProperties, SiteXml};
