//! What every channel has to keep.

use super::{A_WHILE, Pairs, new_channel, until};
use crate::channel::{ChannelContext, ChannelRef};
use crate::component::Component;
use crate::error::ChannelError;
use crate::message::PutTimeout;
use crate::supervise::address::{AddressSetter, address_cell};
use crate::supervise::{Supervisor, Watch};
use crate::testing::{Heard, batch, numbers, put, take_now};
use actix::prelude::*;
use runtime::within::Within;
use std::sync::Arc;
use tokio::time::{sleep, timeout};

/// How a channel is made small. One bench is used for one test.
pub trait ChannelBench {
    /// The properties of a channel that holds `capacity` events, takes `transaction` at a time, and waits `keep_alive`
    /// seconds for room.
    fn properties(&self, capacity: usize, transaction: usize, keep_alive: u64) -> Pairs;

    /// Whether it can be full. Says why not when it cannot.
    fn fills(&self) -> Result<(), &'static str> {
        Ok(())
    }

    /// Whether a transaction can be too large for it. Says why not when none can.
    fn bounds_transactions(&self) -> Result<(), &'static str> {
        Ok(())
    }
}

/// A channel under test.
pub struct Suite<B> {
    /// The channel.
    pub channel: &'static Component,
    /// How it is made.
    pub bench: B,
}

/// A channel with its supervisor.
struct Running {
    channel: ChannelRef,
    setter: Arc<AddressSetter<crate::channel::ChannelAddress>>,
    heard: Heard,
    _boss: Addr<Supervisor>,
}

impl Running {
    /// Its actor ends, as after a panic: nobody can reach it any more.
    async fn dies(&self) {
        self.setter.clear();
        until("the supervisor to tell of the death", async || {
            self.heard.lines().iter().any(|line| line.contains("channel c1"))
        })
        .await;
    }

    async fn stop(self) {
        if let Some(stop) = self.channel.stop() {
            stop.within("the channel to stop").await.expect("it lives");
        }
        // Every actor is gone when nobody can reach it.
        drop(self);
        tokio::task::yield_now().await;
    }
}

impl<B: ChannelBench> Suite<B> {
    async fn start(&self, capacity: usize, transaction: usize, keep_alive: u64) -> Running {
        let new = new_channel(self.channel, self.bench.properties(capacity, transaction, keep_alive));
        let (setter, cell) = address_cell();
        let (setter, heard) = (Arc::new(setter), Heard::default());
        let channel = ChannelRef::new("c1", new.transaction, cell).of(new.fits, new.held);
        let (log, start, address) =
            (slog::Logger::root(heard.clone(), slog::o!()), new.start, setter.clone());
        let child_log = log.clone();
        let build = move |death_watch| {
            address.set(start(ChannelContext { name: "c1".into(), log: child_log.clone(), death_watch }));
            Ok(())
        };
        let supervisor = Supervisor::new(log).start();
        let watch = Watch { name: "channel c1".into(), build: Box::new(build) };
        supervisor.send(watch).within("the supervisor").await.expect("it lives");
        Running { channel, setter, heard, _boss: supervisor }
    }

    /// A short batch can be taken at once; nobody waits for more.
    pub async fn a_short_batch_can_be_taken_at_once(self) {
        let running = self.start(100, 10, 3).await;
        let waiting = running.channel.clone();
        let taken = actix_rt::spawn(async move { waiting.take(10).await });
        tokio::task::yield_now().await;
        put(&running.channel, 0..1).await;
        let lease = taken.within("the event").await.expect("no panic").expect("the channel lives");
        assert_eq!(numbers(lease.batches()), [0]);
        lease.commit();
        put(&running.channel, 1..4).await;
        assert_eq!(rest(&running.channel, 3).await, [1, 2, 3]);
        running.stop().await;
    }

    /// Who can wait waits for room, however long; who cannot is refused after the channel's `keep-alive`, with nothing of
    /// its batch stored. Order is kept.
    pub async fn a_full_channel_keeps_who_can_wait_and_refuses_who_cannot(self) {
        if self.bench.fills().is_err() {
            return;
        }
        let running = self.start(10, 10, 0).await;
        put(&running.channel, 0..10).await;
        let refused = running.channel.put(batch(99..100), PutTimeout::KeepAlive).within("a refusal").await;
        assert!(matches!(refused, Err(ChannelError::Full { .. })), "{refused:?}");
        let waiting = running.channel.clone();
        let mut stored =
            actix_rt::spawn(async move { waiting.put(batch(10..15), PutTimeout::Forever).await });
        assert!(timeout(A_WHILE, &mut stored).await.is_err(), "there is no room");
        let lease = running.channel.take(5).within("events").await.expect("the channel lives");
        lease.commit();
        stored.within("room").await.expect("no panic").expect("there is room now");
        assert_eq!(rest(&running.channel, 10).await, (5..15).collect::<Vec<_>>());
        running.stop().await;
    }

    /// What a destination that is down gives back stands in its old place, before what came later; again and again.
    pub async fn what_is_given_back_keeps_its_place(self) {
        let running = self.start(100, 10, 3).await;
        put(&running.channel, 0..10).await;
        for _ in 0..3 {
            let first = running.channel.take(4).within("events").await.expect("the channel lives");
            let second = running.channel.take(4).within("events").await.expect("the channel lives");
            assert_eq!(
                (numbers(first.batches()), numbers(second.batches())),
                (vec![0, 1, 2, 3], vec![4, 5, 6, 7])
            );
            drop(second);
            drop(first);
        }
        put(&running.channel, 10..12).await;
        let first = running.channel.take(4).within("events").await.expect("the channel lives");
        let second = running.channel.take(4).within("events").await.expect("the channel lives");
        drop(first);
        second.commit();
        assert_eq!(rest(&running.channel, 8).await, [0, 1, 2, 3, 8, 9, 10, 11]);
        running.stop().await;
    }

    /// A channel that is stopped half way gives nothing twice; a durable one has the rest at its next start, the other one
    /// nothing.
    pub async fn a_stop_half_way_keeps_the_rest_where_it_is_durable(self) {
        let running = self.start(100, 10, 3).await;
        put(&running.channel, 0..10).await;
        running.channel.take(4).within("events").await.expect("the channel lives").commit();
        let leased = running.channel.take(2).within("events").await.expect("the channel lives");
        running.stop().await;
        drop(leased);
        let running = self.start(100, 10, 3).await;
        put(&running.channel, 10..12).await;
        let kept: &[u64] = if self.channel.descriptor.traits.durable { &[4, 5, 6, 7, 8, 9] } else { &[] };
        assert_eq!(rest(&running.channel, kept.len() + 2).await, [kept, &[10, 11]].concat());
        running.stop().await;
    }

    /// An actor that dies is built anew with what the channel held; leases that are out count all the same.
    pub async fn a_channel_that_dies_is_built_anew_with_what_it_held(self) {
        let running = self.start(100, 10, 3).await;
        put(&running.channel, 0..10).await;
        let arrives = running.channel.take(2).within("events").await.expect("the channel lives");
        let comes_back = running.channel.take(2).within("events").await.expect("the channel lives");
        running.dies().await;
        arrives.commit();
        drop(comes_back);
        put(&running.channel, 10..12).await;
        assert_eq!(rest(&running.channel, 10).await, (2..12).collect::<Vec<_>>());
        running.stop().await;
    }

    /// A batch that can never fit is refused at once, even to who waits for ever, and holds nobody up.
    pub async fn a_batch_that_never_fits_is_refused_at_once(self) {
        if self.bench.bounds_transactions().is_err() {
            return;
        }
        let running = self.start(100, 10, 3).await;
        put(&running.channel, 0..2).await;
        for wait in [PutTimeout::Forever, PutTimeout::KeepAlive, PutTimeout::Now] {
            let refused = running.channel.put(batch(50..61), wait).within("a refusal").await;
            assert!(matches!(refused, Err(ChannelError::TooLarge { .. })), "{refused:?}");
        }
        put(&running.channel, 2..4).await;
        sleep(std::time::Duration::ZERO).await;
        assert_eq!(rest(&running.channel, 4).await, [0, 1, 2, 3]);
        running.stop().await;
    }
}

/// Takes so many events, however they come, and all that is there beside them.
async fn rest(channel: &ChannelRef, events: usize) -> Vec<u64> {
    let mut taken = Vec::new();
    while taken.len() < events {
        let lease =
            channel.take(usize::MAX).within("the rest of the events").await.expect("the channel lives");
        taken.extend(numbers(lease.batches()));
        lease.commit();
    }
    taken.extend(take_now(channel).await);
    taken
}
