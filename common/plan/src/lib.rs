//! From Flume's properties files to a checked plan of one agent.
//!
//! Pure but for [`load`], which reads the named files: no socket, no clock of its own, no runtime. What goes in is text,
//! what comes out is a [`Plan`]: the components that run, each with its own keys in a [`Context`], and a [`Report`] of
//! everything that is wrong or doubtful, all at once.
//!
//! The way of a key: [`properties`] reads it, `layers` lets a later file, the environment or the command line win over
//! it, `substitute` resolves `${...}`, `check` asks [`schema`] what it may be, and puts it into a [`Context`].

mod check;
mod context;
pub mod input;
mod layers;
mod load;
mod place;
mod plan;
pub mod properties;
mod report;
pub mod schema;
pub mod secret;
mod substitute;

pub use context::Context;
pub use layers::Text;
pub use load::{Loaded, Options, Sources, load, load_texts};
pub use place::Place;
pub use plan::{ChannelPlan, GroupPlan, InterceptorPlan, Plan, SelectorPlan, SinkPlan, SourcePlan};
pub use report::{Problem, Report, Severity, cut};
