//! From Flume's properties files to a checked plan of one agent.
//!
//! Pure but for [`load`], which reads the named files: no socket, no clock of its own, no runtime. What goes in is text,
//! what comes out is a [`Plan`]: the components that run, each with its own [`Properties`], and a [`Report`] of
//! everything that is wrong or doubtful, all at once.
//!
//! The way of a key: [`properties`] reads it, `layers` lets a later file, the environment or the command line win over
//! it, `substitute` resolves `${...}`, `check` asks the
//! [`Catalogue`] what it may be, and puts it into [`Properties`]. This crate knows no component by name.

mod check;
mod component;
mod diff;
mod fate;
mod finding;
mod findings;
pub mod input;
mod layers;
mod load;
mod owner;
mod part;
mod place;
mod plan;
mod problem;
pub mod properties;
mod quote;
mod report;
pub mod secret;
mod settings;
mod substitute;

pub use check::hosted::needs_java;
pub use check::nearest::nearest;
pub use component::{
    Availability, Bad, Catalogue, Descriptor, Kind, Names, Property, Traits, Value, Written,
};
pub use diff::{Action, Change, Part, Step, Ties, Turn, diff, steps};
pub use fate::{Dropped, Fate};
pub use finding::{Finding, Spot};
pub use findings::Findings;
pub use layers::{Text, named};
pub use load::{
    Answers, CredentialStore, JavaFilter, Loaded, Options, Sources, load, load_texts, load_without,
    read_files,
};
pub use owner::Owner;
pub use part::Without;
pub use place::Place;
pub use plan::{Aside, GroupPlan, Plan, SinkPlan, SourcePlan};
pub use problem::{Problem, Severity};
pub use quote::{cut, quoted};
pub use report::Report;
pub use secret::Secret;
pub use settings::{ComponentPlan, Properties};
pub use substitute::system_property;
