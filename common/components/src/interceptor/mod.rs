//! Interceptors: what a source's events pass before they are stored.
//!
//! Flume runs them one after another, each over the whole list of events. Here all of them pass over a batch together,
//! and each event is written at most once, into one new buffer. What the chain holds decides how much of that is
//! needed; [`Rewrite`](step::Rewrite) has the choices. The outcome is Flume's, with two differences that [`extract`]
//! names. The way of a batch is [`chain`]; what it needs stands in the other files.

mod body;
mod chain;
mod draft;
mod extract;
mod header;
pub(crate) mod host;
mod memo;
mod news;
mod rows;
mod step;
#[cfg(test)]
mod tests;
mod uuid;

pub(crate) use chain::InterceptorChain;
pub(crate) use rows::{COMPONENTS, SERIALIZERS};

use flow::interceptor::Interceptors;
use plan::ComponentPlan;
use runtime::build::BuildError;
use slog::Logger;

/// See [`flow::interceptor::MakeInterceptors`].
pub fn make(plans: &[ComponentPlan], log: &Logger) -> Result<Box<dyn Interceptors>, BuildError> {
    Ok(Box::new(InterceptorChain::build(plans, log)?))
}
