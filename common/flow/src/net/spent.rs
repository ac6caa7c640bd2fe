//! Read buffers that are full and of which somebody still holds slices.

use bytes::BytesMut;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// Remembers them until nobody does, and then hands them out again: a source in balance with its sink reads into the same
/// few buffers, and the kernel need not clear new pages for it. Shared by the connections of a source.
#[derive(Clone, Default)]
pub(crate) struct Spent(Rc<RefCell<VecDeque<BytesMut>>>);

impl Spent {
    /// A buffer of `room` bytes or somewhat more: of those that are free the last one, which is still in the processor's
    /// cache, else a new one.
    pub(super) fn take(&self, room: usize) -> BytesMut {
        let mut spent = self.0.borrow_mut();
        // A large one would stay with a connection that has little to say.
        let fits =
            |buffer: &mut BytesMut| buffer.try_reclaim(room) && buffer.capacity() <= room.saturating_mul(4);
        let free = (0..spent.len()).rev().find(|at| fits(&mut spent[*at]));
        free.and_then(|at| spent.remove(at)).unwrap_or_else(|| BytesMut::with_capacity(room))
    }

    /// Remembers `buffer`.
    pub(super) fn put(&self, mut buffer: BytesMut) {
        buffer.clear();
        let mut spent = self.0.borrow_mut();
        spent.push_back(buffer);
        if spent.len() > MOST {
            spent.pop_front();
        }
    }
}

/// Buffers remembered.
const MOST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_when_its_slices_are_gone_and_not_before() {
        let spent = Spent::default();
        let mut buffer = spent.take(1000);
        let at = buffer.as_ptr();
        buffer.extend_from_slice(&[b'x'; 1000]);
        let slice = buffer.split_to(990).freeze();
        spent.put(buffer);
        assert_ne!(spent.take(1000).as_ptr(), at, "still held");
        drop(slice);
        assert_ne!(spent.take(100).as_ptr(), at, "too large");
        assert_eq!(spent.take(1000).as_ptr(), at);
    }
}
