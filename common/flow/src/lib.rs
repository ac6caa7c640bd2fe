//! Sources, channels and sinks as actors: `run(plan)` is the only way in.

mod build;
mod channel;
mod clock;
mod error;
mod interceptor;
mod message;
mod net;
mod processor;
mod random;
mod selector;
mod serializer;
mod sink;
mod source;
mod supervise;
