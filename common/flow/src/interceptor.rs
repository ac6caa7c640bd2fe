//! The contract of interceptors: what a source's events pass before they are stored.

use crate::error::ChannelError;
use crate::message::PutTimeout;
use crate::selector::Selected;
use bytes::BytesMut;
use event::{Batch, Recycler};
use futures_util::future::LocalBoxFuture;
use plan::ComponentPlan;
use runtime::build::BuildError;
use slog::Logger;
use std::rc::Rc;
use thiserror::Error;

/// Makes the interceptors of one source, all of them together: they pass over a batch in one go.
///
/// # Errors
/// For the first one that cannot work as its properties say.
pub type MakeInterceptors = fn(&[ComponentPlan], &Logger) -> Result<Box<dyn Interceptors>, BuildError>;

/// A source's interceptors, in order.
pub trait Interceptors {
    /// Passes `batch` through all interceptors. `now_millis` is the time that `timestamp` writes, in milliseconds since
    /// 1970 UTC; a new buffer comes from `recycler`, which gets to know it.
    ///
    /// # Errors
    /// [`Oversized`]: the batch would grow beyond what one may hold. No event of it has passed.
    fn process(&mut self, batch: Batch, now_millis: i64, recycler: &mut Recycler)
    -> Result<Batch, Oversized>;

    /// Appends the finished header map (in its Avro form) of an event that is born with `headers`, when that is the same
    /// for all events of this moment: then a source of lines writes each event once, as if it had passed already.
    /// Nothing is appended, and the answer is `false`, when each event must be looked at.
    fn prefix(&self, headers: &[(&str, &str)], now_millis: i64, out: &mut BytesMut) -> bool;

    /// Whether fewer events may come out than go in.
    fn leaves_out(&self) -> bool;
}

/// Makes what stands for [`Elsewhere`]; it logs where it is told.
pub type MakeElsewhere = Box<dyn Fn(&Logger) -> Rc<dyn Elsewhere> + Send>;

/// A source's interceptors, its channel selector, or both, in another process. They stand in place of the native ones.
pub trait Elsewhere {
    /// Passes a batch through. Calls may overlap.
    ///
    /// # Errors
    /// Why it has not passed. Nothing of it is stored, and it may pass later.
    fn pass(&self, batch: Batch, wait: PutTimeout) -> LocalBoxFuture<'static, Result<Passed, ChannelError>>;
}

/// A batch after its interceptors.
pub struct Passed {
    /// What is left of it.
    pub batch: Batch,
    /// Where that goes, when it is not for the native selector to say.
    pub routes: Option<Selected>,
}

/// Interceptors would make a batch, or one event, larger than it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("its interceptors would make the batch larger than {} MiB; send smaller batches", MOST_BYTES >> 20)]
pub struct Oversized;

/// What one batch, and one event, may grow to by its interceptors: a batch's index has 32 bits, and a peer that sends
/// many empty events must not fill the memory with what we add to each.
pub const MOST_BYTES: usize = 1 << 30;
