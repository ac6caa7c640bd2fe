//! What belongs to events and is none of their bytes.

use std::any::Any;
use std::sync::Arc;

/// What whoever has made a batch keeps beside it, for himself: nobody else can look into it, and it goes into no file and to no
/// peer. It lives as long as any part of that batch does, in whatever channel.
#[derive(Clone)]
pub(crate) struct Beside {
    what: Arc<dyn Any + Send + Sync>,
    // Of each event of the batch's index, its place among those that it was made with.
    places: Arc<[u32]>,
}

impl Beside {
    pub(crate) fn new(what: Arc<dyn Any + Send + Sync>, events: usize) -> Beside {
        Beside { what, places: (0..events as u32).collect() } // no batch has as many as that
    }

    /// For a batch that has, of these events, those at `kept`.
    pub(crate) fn part(&self, kept: impl Iterator<Item = usize>) -> Beside {
        Beside {
            what: self.what.clone(),
            places: kept.filter_map(|at| self.places.get(at).copied()).collect(),
        }
    }

    pub(crate) fn what<T: Any>(&self) -> Option<&T> {
        self.what.downcast_ref()
    }

    pub(crate) fn places(&self, from: u32, to: u32) -> &[u32] {
        self.places.get(from as usize..to as usize).unwrap_or_default()
    }
}
