//! The same properties file and the same input for real Flume and for a command of ours, and what came out of each.
//!
//! A [`Case`] is data; [`run`] carries it out on one [`Side`] and gives an [`Outcome`], whose text is compared.

mod case;
mod node;
mod outcome;
mod run;

pub use case::{Case, Differs, Done, Events, Step};
pub use node::{Node, Side};
pub use outcome::Outcome;
pub use run::{Failure, run};
