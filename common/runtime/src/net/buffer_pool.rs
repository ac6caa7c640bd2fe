//! Buffers that are full and of which somebody still holds slices.

use bytes::BytesMut;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// Remembers them until nobody does, and then hands them out again: a source in balance with its sink reads into the same
/// few buffers, and the kernel need not clear new pages for it. Shared by the connections of a source.
#[derive(Clone, Default)]
pub struct BufferPool(Rc<RefCell<VecDeque<(BytesMut, usize)>>>);

impl BufferPool {
    /// An empty buffer for `room` bytes or somewhat more, and its size: of those that are free the last one, which is still
    /// in the processor's cache, else a new one.
    pub fn take(&self, room: usize) -> (BytesMut, usize) {
        let mut pool = self.0.borrow_mut();
        // A large one would stay with a connection that has little to say.
        let fits = |(buffer, size): &mut (BytesMut, usize)| {
            (room..=room.saturating_mul(4)).contains(size) && buffer.try_reclaim(*size)
        };
        let free = (0..pool.len()).rev().find(|at| fits(&mut pool[*at]));
        free.and_then(|at| pool.remove(at)).unwrap_or_else(|| {
            let buffer = BytesMut::with_capacity(room);
            let size = buffer.capacity();
            (buffer, size)
        })
    }

    /// Remembers `buffer`, which had `size` bytes when it was taken, unless it is nothing to be used again.
    pub fn put(&self, mut buffer: BytesMut, size: usize) {
        if size == 0 || size > LARGEST {
            return;
        }
        buffer.clear();
        let mut pool = self.0.borrow_mut();
        pool.push_back((buffer, size));
        if pool.len() > MOST {
            pool.pop_front();
        }
    }
}

/// Buffers remembered.
const MOST: usize = 16;
/// Bytes of each, at most.
const LARGEST: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_when_its_slices_are_gone_and_not_before() {
        let pool = BufferPool::default();
        let (mut buffer, size) = pool.take(1000);
        let at = buffer.as_ptr();
        buffer.extend_from_slice(&[b'x'; 900]);
        let slice = buffer.split_to(890).freeze();
        pool.put(buffer, size);
        assert_ne!(pool.take(1000).0.as_ptr(), at, "still held");
        assert!(pool.take(50).0.capacity() < 100, "the end of a large one is no small one");
        drop(slice);
        assert_ne!(pool.take(100).0.as_ptr(), at, "too large");
        let (again, whole) = pool.take(1000);
        assert_eq!((again.as_ptr(), again.capacity(), whole), (at, size, size));
    }

    #[test]
    fn not_all_are_remembered() {
        let pool = BufferPool::default();
        for _ in 0..MOST + 2 {
            pool.put(BytesMut::with_capacity(10), 10);
        }
        pool.put(BytesMut::with_capacity(LARGEST + 1), LARGEST + 1);
        pool.put(BytesMut::new(), 0);
        assert_eq!(pool.0.borrow().len(), MOST);
    }
}
