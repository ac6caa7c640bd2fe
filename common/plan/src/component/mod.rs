//! What a component says of itself: its names, its properties with their defaults, what it is like.
//!
//! A [`Descriptor`] stands beside the code of its component, and is all that the check knows of it. Names, defaults and
//! what Flume does with a bad value come from Flume 1.11's code, not from its User Guide, where the two differ.

mod catalogue;
mod descriptor;
mod kind;
mod property;
mod written;

pub use catalogue::Catalogue;
pub(crate) use descriptor::short;
pub use descriptor::{Availability, Descriptor, Names, Traits};
pub use kind::Kind;
pub(crate) use kind::LISTS;
pub use property::{Bad, Property, Value};
pub use written::Written;
