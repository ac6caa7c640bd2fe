//! The frames of the two pipes: int32 length of what follows, byte kind, int32 component, payload. No I/O.

use bytes::{Buf, Bytes, BytesMut};

/// A frame that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it is: a number of `protocol.rs`.
    pub kind: u8,
    /// Whose it is; 0 is the JVM itself.
    pub component: u32,
    /// The rest.
    pub payload: Bytes,
}

/// Why a stream of frames cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    /// Shorter than its own head.
    #[error("a frame of {0} bytes is announced: it has at least {HEAD}")]
    Short(u32),
    /// Longer than is taken.
    #[error("a frame of {bytes} bytes is announced: at most {most} are taken")]
    Long {
        /// What was announced.
        bytes: u32,
        /// What is allowed.
        most: usize,
    },
}

/// Cuts a stream into frames. It asks for memory as bytes come, not as they are announced.
pub struct FrameDecoder {
    buffer: BytesMut,
    most: usize,
}

impl FrameDecoder {
    /// Takes frames of up to `most` bytes.
    pub fn new(most: usize) -> FrameDecoder {
        FrameDecoder { buffer: BytesMut::new(), most }
    }

    /// Where to read into, with room for a read.
    pub fn room(&mut self) -> &mut BytesMut {
        let missing =
            self.announced().map_or(0, |length| (LENGTH + length).saturating_sub(self.buffer.len()));
        let want = missing.clamp(READ, READ.max(self.buffer.len()));
        if self.buffer.capacity() - self.buffer.len() < READ.min(want) {
            self.buffer.reserve(want);
        }
        &mut self.buffer
    }

    /// The next frame; `None` until it is complete.
    ///
    /// # Errors
    /// [`FrameFault`]: the stream has lost its beat and cannot be read on.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameFault> {
        let Some(length) = self.announced() else { return Ok(None) };
        if length < HEAD {
            return Err(FrameFault::Short(length as u32));
        }
        if length > self.most {
            return Err(FrameFault::Long { bytes: length as u32, most: self.most });
        }
        if self.buffer.len() < LENGTH + length {
            return Ok(None);
        }
        let mut payload = self.buffer.split_to(LENGTH + length).freeze();
        payload.advance(LENGTH);
        let (kind, component) = (payload.get_u8(), payload.get_u32());
        Ok(Some(Frame { kind, component, payload }))
    }

    /// Bytes of a frame that is not complete: at the end of a stream they are a frame that was cut off.
    pub fn rest(&self) -> usize {
        self.buffer.len()
    }

    fn announced(&self) -> Option<usize> {
        let length = self.buffer.first_chunk::<LENGTH>()?;
        Some(u32::from_be_bytes(*length) as usize)
    }
}

/// A frame on its way out: its head and its payload's beginning, then slices of batches that are not copied.
#[derive(Debug, Clone, Default)]
pub struct Outgoing {
    /// In order; together one frame.
    pub parts: Vec<Bytes>,
}

impl Outgoing {
    /// A frame whose payload is `start`, then `rest`.
    pub fn new(kind: u8, component: u32, start: &[u8], rest: impl IntoIterator<Item = Bytes>) -> Outgoing {
        let mut head = BytesMut::with_capacity(LENGTH + HEAD + start.len());
        head.extend_from_slice(&[0; LENGTH]);
        head.extend_from_slice(&[kind]);
        head.extend_from_slice(&component.to_be_bytes());
        head.extend_from_slice(start);
        let rest: Vec<Bytes> = rest.into_iter().collect();
        let length = HEAD + start.len() + rest.iter().map(Bytes::len).sum::<usize>();
        // Whoever makes a frame keeps it within the JVM's own limit, which is far below 4 GiB.
        head[..LENGTH].copy_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        let mut parts = Vec::with_capacity(1 + rest.len());
        parts.push(head.freeze());
        parts.extend(rest);
        Outgoing { parts }
    }

    /// How many bytes it has on the pipe.
    pub fn bytes(&self) -> usize {
        self.parts.iter().map(Bytes::len).sum()
    }
}

/// Bytes of the length field, which does not count itself.
const LENGTH: usize = 4;

/// Bytes of kind and component.
const HEAD: usize = 5;

/// What is read at a time, at least.
const READ: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(frames: &[Outgoing]) -> Vec<u8> {
        frames.iter().flat_map(|frame| frame.parts.iter().flatten().copied()).collect()
    }

    fn read(pieces: &[&[u8]], most: usize) -> (Vec<Frame>, Option<FrameFault>) {
        let (mut decoder, mut frames) = (FrameDecoder::new(most), Vec::new());
        for piece in pieces {
            decoder.room().extend_from_slice(piece);
            loop {
                match decoder.next_frame() {
                    Ok(Some(frame)) => frames.push(frame),
                    Ok(None) => break,
                    Err(fault) => return (frames, Some(fault)),
                }
            }
        }
        (frames, None)
    }

    fn some() -> Vec<Outgoing> {
        vec![
            Outgoing::new(1, 7, b"", []),
            Outgoing::new(0x90, u32::MAX, b"ab", [Bytes::from_static(b"cd"), Bytes::from_static(b"e")]),
            Outgoing::new(3, 0, &[9; 300], []),
        ]
    }

    #[test]
    fn a_stream_of_frames_is_the_same_wherever_it_is_cut() {
        let bytes = stream(&some());
        let (whole, _) = read(&[&bytes], 1 << 20);
        assert_eq!(whole.iter().map(|frame| frame.payload.len()).collect::<Vec<_>>(), [0, 5, 300]);
        assert_eq!(
            (whole[1].kind, whole[1].component, &whole[1].payload[..]),
            (0x90, u32::MAX, &b"abcde"[..])
        );
        for cut in 0..=bytes.len() {
            assert_eq!(read(&[&bytes[..cut], &bytes[cut..]], 1 << 20).0, whole, "cut at {cut}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(read(&single, 1 << 20).0, whole);
    }

    #[test]
    fn a_frame_that_is_announced_takes_no_memory_before_it_comes() {
        let mut decoder = FrameDecoder::new(1 << 30);
        decoder.room().extend_from_slice(&(1u32 << 29).to_be_bytes());
        assert_eq!(decoder.next_frame(), Ok(None));
        assert!(decoder.room().capacity() < 4 * READ);
        decoder.room().extend_from_slice(&vec![0; READ]);
        assert!(decoder.room().capacity() < 8 * READ);
    }

    #[test]
    fn lengths_that_cannot_be_are_told() {
        assert_eq!(read(&[&[0, 0, 0, 4, 1]], 100).1, Some(FrameFault::Short(4)));
        assert_eq!(read(&[&[0, 0, 0, 101]], 100).1, Some(FrameFault::Long { bytes: 101, most: 100 }));
        assert_eq!(read(&[&[0xff; 9]], 100).1, Some(FrameFault::Long { bytes: u32::MAX, most: 100 }));
    }
}
