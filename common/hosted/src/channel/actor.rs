//! The actor of a channel in the JVM.

use super::{Books, Settling, settle};
use actix::prelude::*;
use flow::channel::lease::Lease;
use flow::channel::{ChannelAddress, ChannelContext};
use flow::error::ChannelError;
use flow::message::{Describe, Fill, HowFull, Put, Stop, Take};
use flow::supervise::DeathWatch;
use std::sync::{Arc, atomic::Ordering::Relaxed};
use tokio::sync::mpsc;

struct HostedChannel {
    books: Arc<Books>,
    settling: Arc<Settling>,
    log: slog::Logger,
    death_watch: DeathWatch,
}

/// Starts the actor over `books`.
pub(crate) fn start(books: Arc<Books>, context: ChannelContext) -> ChannelAddress {
    let ChannelContext { log, death_watch, .. } = context;
    let (ends, ended) = mpsc::unbounded_channel();
    actix_rt::spawn(settle(books.clone(), ended, log.clone()));
    let settling = Arc::new(Settling { books: books.clone(), ends });
    let channel = HostedChannel { books, settling, log, death_watch }.start();
    ChannelAddress {
        put: channel.clone().recipient(),
        take: channel.clone().recipient(),
        fill: channel.clone().recipient(),
        describe: channel.clone().recipient(),
        stop: Some(channel.recipient()),
    }
}

impl Actor for HostedChannel {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(0); // each sender awaits its answer
        let (books, log) = (self.books.clone(), self.log.clone());
        // It replays its log now, not when the first event comes.
        actix_rt::spawn(async move {
            if let Err(error) = books.made(&log).await {
                books.tell(&error, &log);
            }
        });
    }
}

impl Handler<Put> for HostedChannel {
    type Result = ResponseFuture<Option<Result<usize, ChannelError>>>;

    fn handle(&mut self, Put { batches, wait }: Put, _: &mut Self::Context) -> Self::Result {
        let (books, log) = (self.books.clone(), self.log.clone());
        Box::pin(async move { Some(books.put_some(&batches, wait, &log).await) })
    }
}

impl Handler<Take> for HostedChannel {
    type Result = ResponseFuture<Option<Vec<Lease>>>;

    fn handle(&mut self, take: Take, _: &mut Self::Context) -> Self::Result {
        let (books, settling, log) = (self.books.clone(), self.settling.clone(), self.log.clone());
        Box::pin(async move {
            if !books.overlap {
                // Else it would begin before the taker's last one has ended, by another thread.
                let mut ending = books.ending.subscribe();
                let _always_there = ending.wait_for(|ending| *ending == 0).await.is_ok();
            }
            let Some(taking) = books.take(take.max, &log).await else {
                return std::future::pending().await; // nothing comes any more, and its group is about to be stopped
            };
            let (lease, batch) = (books.next_lease.fetch_add(1, Relaxed), taking.batch.clone());
            let events = batch.len();
            books.leased.fetch_add(events, Relaxed);
            books.open().insert(lease, (taking, events));
            Some(vec![Lease::new(lease, vec![batch], settling)])
        })
    }
}

impl Handler<HowFull> for HostedChannel {
    type Result = ResponseFuture<Fill>;

    /// What is on a disk needs no drain, as it is there at the next start, unless the channel leaves.
    fn handle(&mut self, _: HowFull, _: &mut Self::Context) -> Self::Result {
        let books = self.books.clone();
        Box::pin(async move {
            let mut before = 0;
            if books.leaving.load(Relaxed) && books.held() == 0 {
                // Empty is what is so twice: a class does not count what it has given and is still on its way here.
                before = books.on_disk.load(Relaxed);
                if before > 0 {
                    books.look_at_disk().await;
                }
            }
            let events = books.lost_with_it().max(before) + books.storing.load(Relaxed);
            Fill { events, taken: books.taken.load(Relaxed) }
        })
    }
}

impl Handler<Describe> for HostedChannel {
    type Result = MessageResult<Describe>;

    fn handle(&mut self, _: Describe, _: &mut Self::Context) -> Self::Result {
        let books = &self.books;
        MessageResult(format!(
            "runs in the JVM as {}; it held {} events when that began, since then {} were stored and {} have left; {} are with its sinks, {} are being stored",
            books.spec.class,
            books.found.load(Relaxed),
            books.stored.load(Relaxed),
            books.taken.load(Relaxed),
            books.leased.load(Relaxed),
            books.storing.load(Relaxed)
        ))
    }
}

impl Handler<Stop> for HostedChannel {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Stop, _: &mut Self::Context) -> Self::Result {
        self.death_watch.release();
        self.books.stopping.store(true, Relaxed);
        self.books.moved.notify_waiters();
        let (books, log) = (self.books.clone(), self.log.clone());
        Box::pin(async move {
            // Not one that is still being made: its JVM ends with the agent.
            let made = books.made.try_lock().ok().and_then(|made| made.clone());
            if let Some(channel) = made
                && let Err(error) = channel.stop().await
            {
                slog::warn!(log, "{error}");
            }
        })
    }
}
