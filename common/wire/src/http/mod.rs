//! What Flume's HTTP handlers make of a request: [`events`] of JSON, [`parameters`] of a query.

mod json;
mod query;

pub use json::{BadJson, events};
pub use query::parameters;
