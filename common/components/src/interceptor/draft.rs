//! One event while interceptors work on it: its headers as a Java map would hold them, and its body.

use event::{Event, Malformed, Zigzag, read_block, read_length};
use flow::interceptor::{MOST_BYTES, Oversized};
use std::collections::HashMap;

/// A piece of text, by where it stands: so a draft borrows nothing and is used again for the next event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text {
    sheet: Sheet,
    from: u32,
    to: u32,
}

impl Text {
    /// The part of it from byte `from` to byte `to`.
    pub(crate) fn part(self, from: usize, to: usize) -> Text {
        // Within a text that `Draft` has measured, so it fits.
        Text { sheet: self.sheet, from: self.from + from as u32, to: self.from + to as u32 }
    }
}

#[derive(Debug, Clone, Copy)]
enum Sheet {
    /// Begins with the event's header map.
    Map,
    Body,
    Fixed,
    Scratch,
}

/// Keys and values that are the same for every event, and the time of the batch.
#[derive(Debug, Clone)]
pub(crate) struct Fixed {
    bytes: Vec<u8>, // room for the time comes first
    now: Text,
}

impl Fixed {
    /// With nothing but the time 0.
    pub(crate) fn new() -> Fixed {
        let now = Text { sheet: Sheet::Fixed, from: 0, to: 0 };
        let mut fixed = Fixed { bytes: vec![0; MILLIS_DIGITS], now };
        fixed.set_now(0);
        fixed
    }

    /// Adds `text`.
    pub(crate) fn add(&mut self, text: &str) -> Text {
        let from = self.bytes.len();
        self.bytes.extend_from_slice(text.as_bytes());
        // What a configuration file says, far from 4 GiB.
        Text { sheet: Sheet::Fixed, from: from as u32, to: self.bytes.len() as u32 }
    }

    /// Sets the time of the batch, in milliseconds since 1970 UTC. Answers whether it is another one.
    pub(crate) fn set_now(&mut self, millis: i64) -> bool {
        let mut digits = [0; MILLIS_DIGITS];
        let digits = decimal(millis, &mut digits);
        let is_other = self.bytes[..self.now.to as usize] != *digits;
        self.bytes[..digits.len()].copy_from_slice(digits);
        self.now.to = digits.len() as u32;
        is_other
    }
}

/// What is used again from event to event.
#[derive(Debug)]
pub(crate) struct Desk {
    scratch: Vec<u8>,
    headers: Vec<(Text, Text)>,
    body: Text,
}

impl Desk {
    /// With nothing on it.
    pub(crate) fn new() -> Desk {
        Desk { scratch: Vec::new(), headers: Vec::new(), body: Text { sheet: Sheet::Body, from: 0, to: 0 } }
    }

    /// Lets go of what one large event needed.
    pub(crate) fn tidy(&mut self) {
        self.scratch.clear();
        self.scratch.shrink_to(KEPT_BYTES);
        self.headers.clear();
        self.headers.shrink_to(KEPT_BYTES / size_of::<(Text, Text)>());
    }
}

/// One event on a desk.
pub(crate) struct Draft<'a> {
    map: &'a [u8],
    body: &'a [u8],
    fixed: &'a Fixed,
    desk: &'a mut Desk,
}

impl<'a> Draft<'a> {
    /// Lays out `event`, without its headers.
    pub(crate) fn of_body(event: Event<'a>, fixed: &'a Fixed, desk: &'a mut Desk) -> Draft<'a> {
        desk.scratch.clear();
        desk.headers.clear();
        let (map, body) = (event.map(), event.body());
        desk.body = Text { sheet: Sheet::Body, from: 0, to: body.len() as u32 };
        Draft { map, body, fixed, desk }
    }

    /// Lays out `event`.
    pub(crate) fn of(event: Event<'a>, fixed: &'a Fixed, desk: &'a mut Desk) -> Draft<'a> {
        let mut draft = Draft::of_body(event, fixed, desk);
        // Ends early, without a word, at bytes that are no header map: whoever made the batch has checked them.
        let _checked = draft.load_headers();
        draft
    }

    /// Lays out headers that are in memory. A key written twice keeps its first place and its last value.
    pub(crate) fn of_pairs(
        pairs: &[(&str, &str)],
        fixed: &'a Fixed,
        desk: &'a mut Desk,
    ) -> Result<Draft<'a>, Oversized> {
        desk.scratch.clear();
        desk.headers.clear();
        let mut draft = Draft { map: &[], body: &[], fixed, desk };
        for (key, value) in pairs {
            let key = draft.write(key.as_bytes())?;
            let value = draft.write(value.as_bytes())?;
            draft.put(key, value);
        }
        Ok(draft)
    }

    /// Reads the header map.
    fn load_headers(&mut self) -> Result<(), Malformed> {
        let bytes = self.map;
        let mut at = 0;
        let mut seen = HashMap::new();
        loop {
            let count = read_block(bytes, &mut at)?;
            if count == 0 {
                return Ok(());
            }
            for _ in 0..count {
                let key = string(bytes, &mut at)?;
                let value = string(bytes, &mut at)?;
                self.load(key, value, &mut seen);
            }
        }
    }

    /// Takes one header in. A key written twice keeps its first place and its last value.
    fn load(&mut self, key: Text, value: Text, seen: &mut HashMap<&'a [u8], usize>) {
        if self.desk.headers.len() < FEW {
            return self.put(key, value);
        }
        // A peer may send a map of millions: comparing each with each would stand still.
        let map = self.map;
        let name = |key: Text| &map[key.from as usize..key.to as usize];
        if seen.is_empty() {
            seen.extend(self.desk.headers.iter().map(|(key, _)| name(*key)).zip(0..));
        }
        let place = *seen.entry(name(key)).or_insert(self.desk.headers.len());
        match self.desk.headers.get_mut(place) {
            Some(header) => header.1 = value,
            None => self.desk.headers.push((key, value)),
        }
    }

    /// What `text` says.
    pub(crate) fn read(&self, text: Text) -> &[u8] {
        let sheet = match text.sheet {
            Sheet::Map => self.map,
            Sheet::Body => self.body,
            Sheet::Fixed => &self.fixed.bytes,
            Sheet::Scratch => &self.desk.scratch,
        };
        &sheet[text.from as usize..text.to as usize]
    }

    /// Keeps `bytes` until the next event.
    ///
    /// # Errors
    /// [`Oversized`].
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<Text, Oversized> {
        let from = self.desk.scratch.len();
        if bytes.len() > MOST_BYTES - from {
            return Err(Oversized);
        }
        self.desk.scratch.extend_from_slice(bytes);
        Ok(Text { sheet: Sheet::Scratch, from: from as u32, to: self.desk.scratch.len() as u32 })
    }

    /// Keeps `number`, in decimal, until the next event.
    ///
    /// # Errors
    /// [`Oversized`].
    pub(crate) fn write_number(&mut self, number: i64) -> Result<Text, Oversized> {
        self.write(decimal(number, &mut [0; MILLIS_DIGITS]))
    }

    /// Keeps a copy of `text` behind what was written last.
    ///
    /// # Errors
    /// [`Oversized`].
    pub(crate) fn copy(&mut self, text: Text) -> Result<(), Oversized> {
        let (from, to) = (text.from as usize, text.to as usize);
        if to - from > MOST_BYTES - self.desk.scratch.len() {
            return Err(Oversized);
        }
        match text.sheet {
            Sheet::Map => self.desk.scratch.extend_from_slice(&self.map[from..to]),
            Sheet::Body => self.desk.scratch.extend_from_slice(&self.body[from..to]),
            Sheet::Fixed => self.desk.scratch.extend_from_slice(&self.fixed.bytes[from..to]),
            Sheet::Scratch => self.desk.scratch.extend_from_within(from..to),
        }
        Ok(())
    }

    /// Where the next write goes.
    pub(crate) fn mark(&self) -> usize {
        self.desk.scratch.len()
    }

    /// All that was written since `mark`.
    pub(crate) fn since(&self, mark: usize) -> Text {
        Text { sheet: Sheet::Scratch, from: mark as u32, to: self.desk.scratch.len() as u32 }
    }

    /// The time of the batch, in milliseconds since 1970 UTC.
    pub(crate) fn now(&self) -> Text {
        self.fixed.now
    }

    /// The body.
    pub(crate) fn body(&self) -> Text {
        self.desk.body
    }

    /// Sets the body.
    pub(crate) fn set_body(&mut self, body: Text) {
        self.desk.body = body;
    }

    /// Whether there is a header `key`.
    pub(crate) fn has(&self, key: Text) -> bool {
        self.place(key).is_some()
    }

    /// Sets a header as Java's `HashMap.put`: a key that is there keeps its place, a new one comes last.
    pub(crate) fn put(&mut self, key: Text, value: Text) {
        match self.place(key) {
            Some(place) => self.desk.headers[place].1 = value,
            None => self.desk.headers.push((key, value)),
        }
    }

    fn place(&self, key: Text) -> Option<usize> {
        let wanted = self.read(key);
        self.desk.headers.iter().position(|(key, _)| self.read(*key) == wanted)
    }

    /// Removes the headers for whose keys `unwanted` holds.
    pub(crate) fn remove(&mut self, unwanted: impl Fn(&[u8]) -> bool) {
        let mut kept = 0;
        for place in 0..self.desk.headers.len() {
            let header = self.desk.headers[place];
            if !unwanted(self.read(header.0)) {
                self.desk.headers[kept] = header;
                kept += 1;
            }
        }
        self.desk.headers.truncate(kept);
    }

    /// Appends the header map in its Avro form: one block, or the single byte `00` when there are none.
    pub(crate) fn encode_headers(&self, out: &mut Vec<u8>) {
        if !self.desk.headers.is_empty() {
            push_number(out, self.desk.headers.len());
        }
        for text in self.desk.headers.iter().flat_map(|(key, value)| [key, value]) {
            let text = self.read(*text);
            push_number(out, text.len());
            out.extend_from_slice(text);
        }
        out.push(0);
    }
}

/// A string of the header map at `at`, which moves behind it.
fn string(bytes: &[u8], at: &mut usize) -> Result<Text, Malformed> {
    let length = read_length(bytes, at)?;
    let from = *at;
    *at += length;
    // An event lies within a batch, whose spans have 32 bits.
    Ok(Text { sheet: Sheet::Map, from: from as u32, to: *at as u32 })
}

fn push_number(out: &mut Vec<u8>, number: usize) {
    match number {
        ..64 => out.push(2 * number as u8),
        _ => out.extend_from_slice(&Zigzag::new(number as i64)),
    }
}

/// `value` in decimal, in the end of `room`.
fn decimal(value: i64, room: &mut [u8; MILLIS_DIGITS]) -> &[u8] {
    let mut at = room.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        room[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        at -= 1;
        room[at] = b'-';
    }
    &room[at..]
}

/// What is kept from batch to batch for the next event.
pub(crate) const KEPT_BYTES: usize = 1 << 20;

/// Of `i64::MIN`.
const MILLIS_DIGITS: usize = 20;

/// Up to so many headers, a double is looked for by comparing with each.
const FEW: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_of_many_doubles_is_read_as_java_does() {
        let names: Vec<String> = (0..5000).map(|n| (n % 100).to_string()).collect();
        let values: Vec<String> = (0..5000).map(|n| n.to_string()).collect();
        let mut builder = event::BatchBuilder::default();
        builder.push(names.iter().map(String::as_str).zip(values.iter().map(String::as_str)), b"");
        let batch = builder.finish();
        let (fixed, mut desk) = (Fixed::new(), Desk::new());
        let draft = Draft::of(batch.events().next().expect("one"), &fixed, &mut desk);
        let mut encoded = Vec::new();
        draft.encode_headers(&mut encoded);
        let mut builder = event::BatchBuilder::default();
        builder.push_encoded(&encoded, 0, b"");
        let batch = builder.finish();
        let read: Vec<_> = batch.events().next().expect("one").headers().collect();
        assert_eq!(read.len(), 100);
        assert_eq!((read[0], read[99]), ((&b"0"[..], &b"4900"[..]), (&b"99"[..], &b"4999"[..])));
    }

    #[test]
    fn every_number_of_milliseconds_is_written() {
        let mut fixed = Fixed::new();
        for millis in [0, 7, -1, 1_542_098_088_198, i64::MAX, i64::MIN] {
            fixed.set_now(millis);
            let mut desk = Desk::new();
            let draft = Draft { map: &[], body: &[], fixed: &fixed, desk: &mut desk };
            assert_eq!(draft.read(draft.now()), millis.to_string().as_bytes());
        }
    }
}
