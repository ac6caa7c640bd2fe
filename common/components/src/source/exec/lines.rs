//! A command's output, turned into batches.

use bytes::{Buf, BytesMut};
use event::{Batch, BatchBuilder, Span};
use flow::channel::DELIVERY_BYTES;
use flow::message::PutTimeout;
use flow::source::ChannelProcessor;
use futures_util::future::{FutureExt, LocalBoxFuture};
use runtime::clock;
use runtime::told::Told;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};
use wire::line::{Ends, LineCutter};

/// Stores lines the moment they are there, in as few transactions as it takes. Bytes stay what they are: Flume decodes
/// and encodes them by `charset`, which changes only what was malformed.
pub(super) struct OutputReader<'a, R> {
    output: R,
    processor: &'a ChannelProcessor,
    log: &'a slog::Logger,
    cutter: LineCutter,
    input: BytesMut,
    prefix: BytesMut,
    most: usize,
    told_long: Told,
    /// What was read last, on its way: lines that have left `input` are nowhere else.
    storing: Option<LocalBoxFuture<'static, ()>>,
}

impl<'a, R: AsyncRead + Unpin> OutputReader<'a, R> {
    /// `most`: lines in a batch.
    pub(super) fn new(
        output: R,
        processor: &'a ChannelProcessor,
        most: usize,
        log: &'a slog::Logger,
    ) -> OutputReader<'a, R> {
        OutputReader {
            output,
            processor,
            log,
            cutter: LineCutter::new(Ends::Any),
            input: BytesMut::new(),
            prefix: BytesMut::new(),
            most,
            told_long: Told::once(),
            storing: None,
        }
    }

    /// Whether lines that were read are not stored yet.
    pub(super) fn is_storing(&self) -> bool {
        self.storing.is_some()
    }

    /// Stores all lines until the output ends; the last one need not be ended. May be dropped at any time and called
    /// again: it goes on where it was.
    pub(super) async fn store_all(&mut self) {
        self.stored().await;
        loop {
            self.prefix.clear();
            let finished = self.processor.prefix(&[], &mut self.prefix);
            if !finished {
                self.prefix.extend_from_slice(NO_HEADERS);
            }
            let more = self.read().now_or_never().is_some_and(|read| read.is_ok_and(|read| read > 0));
            let batches = self.cut_all(more);
            if !batches.is_empty() {
                let store = store(self.processor.clone(), batches, finished, self.log.clone());
                self.storing = Some(store.boxed_local());
                self.stored().await;
            }
            if more {
                continue;
            }
            match self.read().await {
                Ok(read) if read > 0 => {}
                Ok(_) | Err(_) if self.input.is_empty() => return,
                Ok(_) | Err(_) => self.input.extend_from_slice(b"\n"), // ends the last line
            }
        }
    }

    /// Waits until all that was read is stored.
    async fn stored(&mut self) {
        if let Some(storing) = &mut self.storing {
            storing.await;
            self.storing = None;
        }
    }

    async fn read(&mut self) -> io::Result<usize> {
        self.input.reserve(READ_BYTES);
        self.output.read_buf(&mut self.input).await
    }

    /// What was read, in batches. When there was `more` at once, what is left behind them and would make a small batch waits
    /// for the next read: that comes at once.
    fn cut_all(&mut self, more: bool) -> Vec<Batch> {
        let (mut batches, mut before, mut last) = (Vec::new(), self.input.len(), 0);
        while !more || self.input.len() >= last {
            let Some(batch) = self.cut() else { break };
            batches.push(batch);
            last = before - self.input.len();
            before = self.input.len();
        }
        batches
    }

    /// The next batch of what was read.
    fn cut(&mut self) -> Option<Batch> {
        if self.input.is_empty() {
            return None;
        }
        let prefix = &self.prefix[..];
        let mut builder = self.processor.builder();
        let mut lines = self.cutter.cut(&self.input);
        while builder.len() < self.most && builder.bytes() < DELIVERY_BYTES {
            let Some(line) = lines.next() else { break };
            builder.push_encoded(prefix, Span::BORN_HERE, line);
        }
        let taken = lines.taken();
        self.input.advance(taken);
        if builder.is_empty() && self.input.len() >= MOST_LINE {
            take_long(&mut self.cutter, &mut self.input, &mut builder, prefix);
            if self.told_long.tell(clock::now()).is_some() {
                slog::warn!(
                    self.log,
                    "the command has printed a line of more than {MOST_LINE} bytes: it becomes several events"
                );
            }
        }
        if builder.is_empty() {
            return None;
        }
        Some(self.processor.finish(builder))
    }
}

/// Stores all of `batches`, in parts where a channel cannot hold one. It waits for room as long as it takes; the pipe fills meanwhile and the command waits too.
async fn store(processor: ChannelProcessor, mut batches: Vec<Batch>, finished: bool, log: slog::Logger) {
    while !batches.is_empty() {
        let fitting = batches.iter().take_while(|batch| processor.fits(batch)).count();
        let receipt = processor.store_all(batches[..fitting].to_vec(), finished, PutTimeout::Forever).await;
        batches.drain(..receipt.stored);
        if receipt.stored == fitting && fitting > 0 || batches.is_empty() {
            continue;
        }
        for (events, stored) in processor.store_parts(batches.remove(0), finished, PutTimeout::Forever).await
        {
            if let Err(error) = stored {
                slog::error!(log, "{events} lines of the command are lost: {error}");
            }
        }
    }
}

fn take_long(cutter: &mut LineCutter, input: &mut BytesMut, builder: &mut BatchBuilder, prefix: &[u8]) {
    if let Some(line) = cutter.rest(input) {
        builder.push_encoded(prefix, Span::BORN_HERE, line);
    }
    input.clear();
}

/// A header map in its Avro form, with nothing in it.
const NO_HEADERS: &[u8] = &[0];
/// Bytes asked for in a read.
const READ_BYTES: usize = 256 << 10;
/// A line is cut here: nobody's output takes memory without bound.
const MOST_LINE: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{memory_channel, silent, source_context, take_now};
    use runtime::clock::Duration;
    use tokio::time::timeout;

    #[actix::test]
    async fn who_stops_listening_for_a_moment_loses_no_line() {
        tokio::time::pause();
        let channel = memory_channel(&[("capacity", "10"), ("transactionCapacity", "4")]);
        let (context, log) = (source_context(&channel).0, silent());
        let output: String = (0..25).map(|number| format!("{number}\n")).collect();
        let mut lines = OutputReader::new(output.as_bytes(), &context.processor, 4, &log);
        let mut all = Vec::new();
        while timeout(Duration::from_secs(1), lines.store_all()).await.is_err() {
            assert!(lines.is_storing());
            all.extend(take_now(&channel).await);
        }
        assert!(!lines.is_storing());
        all.extend(take_now(&channel).await);
        assert_eq!(all, (0..25).collect::<Vec<u64>>());
    }
}
