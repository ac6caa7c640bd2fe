//! `header_and_text`.

use event::{Batch, Event};
use java::{Printed, hash_order};

/// The text of the last header map: neighbours mostly came with the same headers.
#[derive(Debug, Default)]
pub struct HeaderText {
    headers: Vec<u8>,
    received: u32,
    text: Vec<u8>,
    order: Vec<Printed>,
}

impl HeaderText {
    /// Appends each event: its header map, a blank, its body.
    pub(crate) fn write(&mut self, batch: &Batch, newline: bool, out: &mut Vec<u8>) {
        out.reserve(batch.event_bytes() + batch.len() * self.text.len());
        for event in batch.events() {
            self.learn(&event);
            out.extend_from_slice(&self.text);
            out.extend_from_slice(event.body());
            if newline {
                out.push(b'\n');
            }
        }
    }

    fn learn(&mut self, event: &Event<'_>) {
        if event.has_header_bytes(&self.headers) && self.received == event.received() {
            return;
        }
        self.headers.clear();
        self.headers.extend_from_slice(event.header_bytes());
        self.received = event.received();
        let pairs: Vec<_> = event.headers().collect();
        hash_order(&pairs, event.received(), &mut self.order);
        self.text.clear();
        let mut between: &[u8] = b"{";
        for header in &self.order {
            self.text.extend_from_slice(between);
            push_readable(&mut self.text, pairs[header.key].0);
            self.text.push(b'=');
            push_readable(&mut self.text, pairs[header.value].1);
            between = b", ";
        }
        self.text.extend_from_slice(if self.order.is_empty() { b"{} " } else { b"} " });
    }
}

/// Appends `bytes` as Java prints what it took for UTF-8.
fn push_readable(text: &mut Vec<u8>, bytes: &[u8]) {
    text.extend_from_slice(String::from_utf8_lossy(bytes).as_bytes());
}
