//! A channel that takes its time to store.

use super::tests::Bench;
use event::{Batch, Origin};
use flow::channel::NewChannel;
use flow::channel::store::{ChannelSettings, Level, Store, StoreRefusal, Stored};
use flow::message::Describe;
use flow::testing::started;
use runtime::clock::Duration;
use runtime::within::Within;
use tokio::sync::{mpsc, oneshot};

/// A channel that tells of each put, and has it stored when the test says so.
struct Slow(mpsc::UnboundedSender<Put>);

/// So many events, and the way to say that they are stored.
type Put = (usize, oneshot::Sender<Result<(), String>>);

impl Store for Slow {
    fn put(&mut self, batches: &[Batch]) -> Result<Stored, StoreRefusal> {
        let (answer, later) = oneshot::channel();
        let _the_test_has_ended = self.0.send((batches.iter().map(Batch::len).sum(), answer));
        Ok(Stored { batches: batches.len(), later: Some(later) })
    }

    fn take(&mut self, _: usize, _: usize) -> Option<(u64, Vec<Batch>)> {
        None
    }

    fn settle(&mut self, _: u64, _: bool) {}

    fn bytes(&self) -> usize {
        0
    }

    fn level(&self) -> Level {
        Level::default()
    }

    fn origins(&self) -> Vec<(Option<Origin>, usize)> {
        Vec::new()
    }

    fn give_back(&mut self, _: &dyn Fn(Origin) -> bool) {}
}

#[actix::test]
async fn what_is_read_while_a_channel_stores_goes_together_and_is_bounded() {
    let mut bench = Bench::new("a", &[("batchSize", "64")]);
    let (tell, mut puts) = mpsc::unbounded_channel();
    let settings = ChannelSettings { transaction: 1000, keep_alive: Duration::from_secs(3), fits: None };
    bench.channel = started("c1", NewChannel::of(Slow(tell), settings));
    let line = format!("{}\n", "x".repeat(255));
    bench.append("a", &line.repeat(16_384)); // 4 MiB
    bench.start().await;
    let source = bench.source.clone().unwrap();
    let (first, mut stored) = puts.recv().within("the first put").await.unwrap();
    let read_ahead = async {
        let mut read: u64 = 0;
        while read < 1 << 20 {
            let said = source.send(Describe).await.unwrap();
            let number = said.split("read to ").nth(1).and_then(|rest| rest.split(',').next());
            read = number.map_or(0, |number| number.parse().unwrap());
        }
    };
    read_ahead.within("the source to read ahead").await;
    let (mut all, mut largest) = (first, 0);
    while all < 16_384 {
        stored.send(Ok(())).expect("the source waits");
        let (events, next) = puts.recv().within("the next put").await.unwrap();
        (all, largest, stored) = (all + events, largest.max(events), next);
    }
    assert!(first <= 1024 && (3 * 1024..=8 * 1024).contains(&largest), "{first}, {largest}");
    stored.send(Ok(())).expect("the source waits");
    bench.stop().await;
    assert_eq!((all, bench.position_of("a")), (16_384, Some(4 << 20)));
}
