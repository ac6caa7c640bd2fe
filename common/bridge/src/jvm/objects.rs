//! Events of Java classes that are more than headers and a body. The JVM keeps the objects, and the batch that they came with has
//! beside it which they are: where it comes to a component of the same JVM, that gets the very objects. They are given up when the
//! last part of the batch is gone, so no channel has more of them than events.

use super::{Jvm, Shared};
use crate::protocol::to_jvm::{self, Known};
use event::Batch;
use std::sync::{Arc, Weak};

/// The objects of one batch.
#[derive(Debug)]
pub(super) struct Objects {
    id: u64,
    jvm: Weak<Shared>,
}

impl Objects {
    /// Those that `jvm` keeps under this number.
    pub(super) fn new(jvm: &Arc<Shared>, id: u64) -> Arc<Objects> {
        Arc::new(Objects { id, jvm: Arc::downgrade(jvm) })
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        if let Some(jvm) = self.jvm.upgrade() {
            jvm.send(to_jvm::release(self.id));
        }
    }
}

impl Jvm {
    /// The objects of `batch`, if this JVM has them.
    pub(crate) fn objects<'a>(&self, batch: &'a Batch) -> Option<Known<'a>> {
        let (objects, places) = batch.beside::<Objects>()?;
        self.is(&objects.jvm).then_some(Known { id: objects.id, places })
    }

    /// Whether `batch` had objects that have ended with a JVM before this one.
    pub(crate) fn has_lost_objects(&self, batch: &Batch) -> bool {
        batch.beside::<Objects>().is_some_and(|(objects, _)| !self.is(&objects.jvm))
    }
}
