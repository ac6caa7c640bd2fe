//! From the bytes of a stream to UTF-8.

use super::{Coding, Order, Single};
use encoding_rs::DecoderResult;

/// What becomes of bytes that are no text in a charset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnMalformed {
    /// They end the stream.
    Report,
    /// U+FFFD stands for them.
    Replace,
    /// They are left out.
    Ignore,
}

/// The stream holds bytes that are no text in its charset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedBytes;

/// Reads a stream of one charset, in whatever pieces it comes.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    pending: Vec<u8>, // the beginning of a character, no more than three bytes
    on_malformed: OnMalformed,
}

#[derive(Debug)]
enum State {
    Ascii,
    Latin1,
    Utf8,
    Utf16(Mark),
    Utf32(Mark),
    Single(Box<Single>),
    Many(Box<encoding_rs::Decoder>),
}

/// Byte order, once it is known.
#[derive(Debug, Clone, Copy)]
struct Mark {
    big: bool,
    /// A byte order mark may come, and it may turn `big` around.
    awaited: bool,
    obeyed: bool,
}

/// What the next bytes are.
enum Next {
    /// A character, of so many bytes.
    Char(char, usize),
    /// So many bytes that belong to no text.
    Skip(usize),
    Malformed(usize),
    /// The beginning of a character.
    Part,
}

impl Decoder {
    pub(super) fn new(kind: Coding, on_malformed: OnMalformed) -> Decoder {
        let mark = |order, always| match order {
            Order::Big => Mark { big: true, awaited: always, obeyed: false },
            Order::Little => Mark { big: false, awaited: always, obeyed: false },
            Order::Marked(big) => Mark { big, awaited: true, obeyed: true },
        };
        let state = match kind {
            Coding::Ascii => State::Ascii,
            Coding::Latin1 => State::Latin1,
            Coding::Utf8 => State::Utf8,
            Coding::Utf16(order) => State::Utf16(mark(order, false)),
            Coding::Utf32(order) => State::Utf32(mark(order, true)),
            Coding::Single(encoding, rest) => State::Single(Box::new(Single::new(encoding, rest))),
            Coding::Many(encoding) => State::Many(Box::new(encoding.new_decoder_without_bom_handling())),
        };
        Decoder { state, pending: Vec::new(), on_malformed }
    }

    /// Appends to `out`, in UTF-8, what `bytes` are behind those before; `last` if no more will come.
    ///
    /// # Errors
    /// [`MalformedBytes`] if they are reported; what stands in front of them is in `out`.
    pub fn decode(&mut self, bytes: &[u8], last: bool, out: &mut Vec<u8>) -> Result<(), MalformedBytes> {
        if let State::Many(_) = self.state {
            return self.decode_many(bytes, last, out);
        }
        if self.pending.is_empty() {
            return self.decode_all(bytes, last, out);
        }
        let mut joined = std::mem::take(&mut self.pending);
        joined.extend_from_slice(bytes);
        self.decode_all(&joined, last, out)
    }

    fn decode_all(&mut self, mut bytes: &[u8], last: bool, out: &mut Vec<u8>) -> Result<(), MalformedBytes> {
        while !bytes.is_empty() {
            let plain = self.state.plain(bytes);
            out.extend_from_slice(&bytes[..plain]);
            bytes = &bytes[plain..];
            let taken = match self.state.next(bytes) {
                Next::Char(char, taken) => {
                    out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                    taken
                }
                Next::Skip(taken) => taken,
                Next::Malformed(taken) => {
                    self.malformed(out)?;
                    taken
                }
                Next::Part if bytes.is_empty() => 0,
                Next::Part if last => {
                    self.malformed(out)?;
                    bytes.len()
                }
                Next::Part => {
                    self.pending.extend_from_slice(bytes);
                    bytes.len()
                }
            };
            bytes = &bytes[taken.min(bytes.len())..];
        }
        Ok(())
    }

    fn decode_many(&mut self, mut bytes: &[u8], last: bool, out: &mut Vec<u8>) -> Result<(), MalformedBytes> {
        loop {
            let State::Many(decoder) = &mut self.state else { return Ok(()) };
            let most = decoder.max_utf8_buffer_length_without_replacement(bytes.len());
            let start = out.len();
            out.resize(start + most.unwrap_or(4 * bytes.len() + 16), 0);
            let (result, read, written) =
                decoder.decode_to_utf8_without_replacement(bytes, &mut out[start..], last);
            out.truncate(start + written);
            bytes = &bytes[read..];
            match result {
                DecoderResult::InputEmpty => return Ok(()),
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => self.malformed(out)?,
            }
        }
    }

    fn malformed(&mut self, out: &mut Vec<u8>) -> Result<(), MalformedBytes> {
        match self.on_malformed {
            OnMalformed::Report => return Err(MalformedBytes),
            OnMalformed::Replace => out.extend_from_slice("\u{fffd}".as_bytes()),
            OnMalformed::Ignore => {}
        }
        Ok(())
    }
}

impl State {
    /// How many of the next bytes are their own UTF-8.
    fn plain(&self, bytes: &[u8]) -> usize {
        match self {
            State::Utf8 => match std::str::from_utf8(bytes) {
                Ok(_) => bytes.len(),
                Err(error) => error.valid_up_to(),
            },
            State::Ascii | State::Latin1 | State::Single(_) => {
                bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or(bytes.len())
            }
            State::Utf16(_) | State::Utf32(_) | State::Many(_) => 0,
        }
    }

    fn next(&mut self, bytes: &[u8]) -> Next {
        let Some(first) = bytes.first() else { return Next::Part };
        match self {
            State::Ascii => Next::Malformed(1),
            State::Latin1 => Next::Char(char::from(*first), 1),
            State::Single(table) => {
                table.decode(*first).map_or(Next::Malformed(1), |char| Next::Char(char, 1))
            }
            // Half of a UTF-16 pair, which Java takes for one piece. What is text was taken already.
            State::Utf8 if *first == 0xed && matches!(bytes.get(1), Some(0xa0..0xc0)) => match bytes.get(2) {
                None => Next::Part,
                Some(0x80..0xc0) => Next::Malformed(3),
                Some(_) => Next::Malformed(1),
            },
            State::Utf8 => match std::str::from_utf8(bytes).err().and_then(|error| error.error_len()) {
                Some(length) => Next::Malformed(length),
                None => Next::Part,
            },
            State::Utf16(mark) => utf16(mark, bytes),
            State::Utf32(mark) => utf32(mark, bytes),
            State::Many(_) => Next::Part,
        }
    }
}

impl Mark {
    /// What to make of the first character, which is `code` in the order supposed and `turned` in the other one.
    fn is_one(&mut self, code: u32, turned: u32) -> bool {
        if !std::mem::replace(&mut self.awaited, false) {
            return false;
        }
        if self.obeyed && turned == 0xfeff {
            self.big = !self.big;
            return true;
        }
        code == 0xfeff
    }
}

fn utf16(mark: &mut Mark, bytes: &[u8]) -> Next {
    let big = mark.big;
    let unit = |at: usize| {
        let two = [*bytes.get(at)?, *bytes.get(at + 1)?];
        Some(if big { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) })
    };
    let Some(first) = unit(0) else { return Next::Part };
    if mark.is_one(first.into(), first.swap_bytes().into()) {
        return Next::Skip(2);
    }
    match first {
        0xd800..0xdc00 => match unit(2) {
            None => Next::Part,
            Some(second) => match char::decode_utf16([first, second]).next() {
                Some(Ok(char)) => Next::Char(char, 4),
                _ => Next::Malformed(4),
            },
        },
        other => char::from_u32(other.into()).map_or(Next::Malformed(2), |char| Next::Char(char, 2)),
    }
}

fn utf32(mark: &mut Mark, bytes: &[u8]) -> Next {
    let Some(four) = bytes.first_chunk() else { return Next::Part };
    let code = if mark.big { u32::from_be_bytes(*four) } else { u32::from_le_bytes(*four) };
    if mark.is_one(code, code.swap_bytes()) {
        return Next::Skip(4);
    }
    char::from_u32(code).map_or(Next::Malformed(4), |char| Next::Char(char, 4))
}
