//! From Flume's properties files to a checked plan of one agent.
//!
//! Pure but for the loader, which reads the named files: no socket, no clock of its own, no runtime. What goes in is text,
//! what comes out is a [`Plan`] of typed places where components stand, each with its own keys in a [`Context`],
//! and a report of everything that is wrong or doubtful, all at once.

mod context;
mod layers;
mod place;
mod plan;
pub mod properties;
mod report;
pub mod schema;
mod substitute;

pub use context::Context;
pub use layers::Text;
pub use place::Place;
pub use plan::{ChannelPlan, GroupPlan, InterceptorPlan, Plan, SelectorPlan, SinkPlan, SourcePlan};
pub use report::{Problem, Report, Severity};
