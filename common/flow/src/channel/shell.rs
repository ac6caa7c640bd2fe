//! The actor that every channel lives in.

use super::lease::{Lease, Settle};
use super::shared::Shared;
use super::store::{Bell, ChannelSettings, Level, Rung, Store, StoreRefusal, Stored};
use super::throttle::Throttle;
use super::{ChannelAddress, ChannelContext, DELIVERY_BYTES, NewChannel};
use crate::error::ChannelError;
use crate::message::{Describe, Fill, HowFull, Put, PutTimeout, Stop, Take};
use crate::supervise::DeathWatch;
use actix::prelude::*;
use event::Batch;
use runtime::clock::{self, Duration, Instant};
use runtime::told::Told;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::oneshot;

impl NewChannel {
    /// A channel that keeps its events in `store`.
    pub fn of<S: Store>(store: S, settings: ChannelSettings) -> NewChannel {
        let (store, bell) = (Shared::new(store), Bell::default());
        NewChannel {
            transaction: settings.transaction,
            fits: settings.fits.clone(),
            held: Some(Arc::new(store.clone())),
            start: Box::new(move |context| {
                address_of(ChannelActor::new(context, settings.clone(), store.clone(), bell.clone()).start())
            }),
        }
    }
}

/// The channel's actor: keeps those waiting who put into a full channel or take from an empty one.
pub(super) struct ChannelActor<S: Store> {
    name: Arc<str>,
    log: slog::Logger,
    settings: ChannelSettings,
    store: Shared<S>,
    puts: VecDeque<WaitingPut>,
    takes: VecDeque<WaitingTake>,
    throttle: Throttle,
    alarm: Option<(Instant, SpawnHandle)>,
    settling: Arc<Settling<S>>,
    full: Told,
    _death_watch: DeathWatch,
}

/// Where leases are settled.
struct Settling<S> {
    store: Shared<S>,
    bell: Bell,
}

impl<S: Store> Settle for Settling<S> {
    fn settle(&self, lease: u64, commit: bool) {
        self.store.open().settle(lease, commit);
        self.bell.ring();
    }
}

struct WaitingPut {
    batches: Vec<Batch>,
    since: Instant,
    deadline: Option<Instant>,
    answer: oneshot::Sender<Result<Stored, ChannelError>>,
}

struct WaitingTake {
    take: Take,
    answer: oneshot::Sender<Vec<Lease>>,
}

impl<S: Store> ChannelActor<S> {
    pub(super) fn new(
        context: ChannelContext,
        settings: ChannelSettings,
        store: Shared<S>,
        bell: Bell,
    ) -> ChannelActor<S> {
        let ChannelContext { name, log, death_watch } = context;
        let settling = Arc::new(Settling { store: store.clone(), bell });
        ChannelActor {
            name,
            log,
            settings,
            store,
            puts: VecDeque::new(),
            takes: VecDeque::new(),
            throttle: Throttle::default(),
            alarm: None,
            settling,
            full: Told::once(),
            _death_watch: death_watch,
        }
    }

    /// Why the first of `batches` is not stored.
    fn refusal(&self, refused: StoreRefusal, batches: &[Batch]) -> ChannelError {
        let batch = batches.first().cloned().unwrap_or_default();
        let (channel, events) = (self.name.to_string(), batch.len());
        match refused {
            StoreRefusal::NoRoom => {
                let Level { held, capacity, .. } = self.store.open().level();
                let keep_alive = self.settings.keep_alive.as_secs();
                ChannelError::Full { channel, held, capacity, events, keep_alive }
            }
            StoreRefusal::TooManyEvents => {
                ChannelError::TooLarge { channel, events, limit: self.settings.transaction }
            }
            StoreRefusal::TooManyBytes => ChannelError::TooManyBytes { channel, bytes: batch.event_bytes() },
            StoreRefusal::Failed(reason) => ChannelError::Failed { channel, reason },
        }
    }

    /// Room has been made: lets in those who wait, in their order.
    fn serve_puts(&mut self) {
        while let Some(first) = self.puts.front() {
            let stored = match self.store.open().put(&first.batches) {
                Ok(stored) => Ok(stored),
                Err(StoreRefusal::NoRoom) => return,
                Err(refused) => Err(refused),
            };
            let served = self.puts.pop_front().expect("it was just looked at");
            let answer = stored.map_err(|refused| self.refusal(refused, &served.batches));
            let _gone = served.answer.send(answer);
            self.serve_takes();
        }
        self.tell_room();
    }

    /// Events have come: gives them to those who wait.
    fn serve_takes(&mut self) {
        while let Some(waiting) = self.takes.front() {
            if waiting.answer.is_closed() {
                self.takes.pop_front();
                continue;
            }
            let Some(leases) = lease(&self.settling, &waiting.take) else { return };
            let waiting = self.takes.pop_front().expect("it was just looked at");
            // Whoever has gone meanwhile drops the leases, which rolls them back.
            let _gone = waiting.answer.send(leases);
        }
    }

    fn tell_full(&mut self) {
        if self.full.tell(clock::now()).is_some() {
            let Level { held, capacity, .. } = self.store.open().level();
            slog::warn!(
                self.log,
                "channel {} is full ({held} of {capacity} events): its sources wait until its sinks catch up; nothing is lost",
                self.name
            );
        }
    }

    fn tell_room(&mut self) {
        if !self.full.is_on() {
            return;
        }
        let Level { held, capacity, .. } = self.store.open().level();
        if held <= capacity / 2 {
            self.full.over();
            slog::info!(
                self.log,
                "channel {} has room again ({held} of {capacity} events): its sources go on",
                self.name
            );
        }
    }

    /// Looks at those who wait too long, and comes back when the next one will.
    fn watch_the_waiting(&mut self, ctx: &mut Context<Self>) {
        let now = clock::now();
        self.refuse_the_late(now);
        if self.puts.front().is_some_and(|first| first.since + NEWS_AFTER <= now) {
            self.tell_full();
        }
        let next = self.puts.iter().flat_map(|put| [put.deadline, Some(put.since + NEWS_AFTER)]).flatten();
        let Some(next) = next.filter(|at| *at > now).min() else { return };
        if let Some((_, alarm)) = self.alarm.take_if(|(at, _)| *at > next || *at <= now) {
            ctx.cancel_future(alarm);
        }
        if self.alarm.is_none() {
            let alarm = ctx.run_later(next - now, |channel, ctx| {
                channel.alarm = None;
                channel.watch_the_waiting(ctx);
            });
            self.alarm = Some((next, alarm));
        }
    }

    fn refuse_the_late(&mut self, now: Instant) {
        let late = |put: &WaitingPut| put.deadline.is_some_and(|deadline| deadline <= now);
        while let Some(at) = self.puts.iter().position(late) {
            let put = self.puts.remove(at).expect("it was just found");
            let _gone = put.answer.send(Err(self.refusal(StoreRefusal::NoRoom, &put.batches)));
        }
    }
}

/// Leases what there is, as `take` wants it; `None` when there is nothing.
fn lease<S: Store>(settling: &Arc<Settling<S>>, take: &Take) -> Option<Vec<Lease>> {
    let (mut leases, mut bytes, mut store) = (Vec::new(), 0, settling.store.open());
    while leases.len() < take.credit.deliveries && bytes < take.credit.bytes {
        let Some((id, batches)) = store.take(take.max, DELIVERY_BYTES) else { break };
        bytes += batches.iter().map(Batch::event_bytes).sum::<usize>();
        leases.push(Lease::new(id, batches, settling.clone()));
    }
    Some(leases).filter(|leases| !leases.is_empty())
}

pub(super) fn address_of<S: Store>(channel: Addr<ChannelActor<S>>) -> ChannelAddress {
    ChannelAddress {
        put: channel.clone().recipient(),
        take: channel.clone().recipient(),
        fill: channel.clone().recipient(),
        describe: channel.clone().recipient(),
        stop: S::ENDS.then(|| channel.recipient()),
    }
}

impl<S: Store> Actor for ChannelActor<S> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        // What bounds memory is `capacity` and that each sender awaits its answer; see message.rs.
        ctx.set_mailbox_capacity(0);
        let bell = &self.settling.bell;
        bell.hang(ctx.address().downgrade().recipient());
        self.store.open().start(bell.clone(), &self.name, &self.log);
    }
}

impl<S: Store> Handler<Put> for ChannelActor<S> {
    type Result = ResponseFuture<Option<Result<usize, ChannelError>>>;

    fn handle(&mut self, Put { batches, wait }: Put, ctx: &mut Self::Context) -> Self::Result {
        // Nobody overtakes those who wait already.
        let stored = if self.puts.is_empty() {
            let mut store = self.store.open();
            store.put(&batches).map(|stored| (stored, store.bytes()))
        } else {
            Err(StoreRefusal::NoRoom)
        };
        let answer = match stored {
            Ok((stored, held)) => {
                self.serve_takes();
                let bytes = batches[..stored.batches].iter().map(Batch::event_bytes).sum();
                let pause = self.throttle.stored(bytes, held, wait == PutTimeout::Forever);
                if pause.is_none() && stored.later.is_none() {
                    Ok(stored.batches)
                } else {
                    let channel = self.name.clone();
                    return Box::pin(async move {
                        if let Some(pause) = pause {
                            pause.await;
                        }
                        Some(stored.safe(&channel).await)
                    });
                }
            }
            Err(StoreRefusal::NoRoom)
                if wait == PutTimeout::Forever
                    || (wait == PutTimeout::KeepAlive && !self.settings.keep_alive.is_zero()) =>
            {
                let (answer, waiting) = oneshot::channel();
                let since = clock::now();
                let deadline = (wait == PutTimeout::KeepAlive).then_some(since + self.settings.keep_alive);
                self.puts.push_back(WaitingPut { batches, since, deadline, answer });
                if self.puts.len() == 1 || deadline.is_some() {
                    self.watch_the_waiting(ctx);
                }
                let channel = self.name.clone();
                return Box::pin(async move {
                    match answer_of(waiting).await? {
                        Ok(stored) => Some(stored.safe(&channel).await),
                        Err(error) => Some(Err(error)),
                    }
                });
            }
            Err(refused) => Err(self.refusal(refused, &batches)),
        };
        Box::pin(std::future::ready(Some(answer)))
    }
}

impl<S: Store> Handler<Take> for ChannelActor<S> {
    type Result = ResponseFuture<Option<Vec<Lease>>>;

    fn handle(&mut self, take: Take, _: &mut Self::Context) -> Self::Result {
        if self.takes.is_empty()
            && let Some(leases) = lease(&self.settling, &take)
        {
            return Box::pin(std::future::ready(Some(leases)));
        }
        let (answer, waiting) = oneshot::channel();
        self.takes.push_back(WaitingTake { take, answer });
        Box::pin(answer_of(waiting))
    }
}

/// The sender lives in the actor and goes with it. This future does not: actix runs a response apart from its actor.
async fn answer_of<T>(waiting: oneshot::Receiver<T>) -> Option<T> {
    waiting.await.ok()
}

impl<S: Store> Handler<Rung> for ChannelActor<S> {
    type Result = ();

    fn handle(&mut self, _: Rung, _: &mut Self::Context) {
        self.settling.bell.is_heard();
        if !self.puts.is_empty() || self.full.is_on() {
            self.serve_puts();
        }
        self.throttle.freed(|| self.store.open().bytes());
        self.serve_takes();
    }
}

impl<S: Store> Handler<HowFull> for ChannelActor<S> {
    type Result = MessageResult<HowFull>;

    fn handle(&mut self, _: HowFull, _: &mut Self::Context) -> Self::Result {
        let waiting: usize = self.puts.iter().flat_map(|put| &put.batches).map(Batch::len).sum();
        let Level { held, taken, .. } = self.store.open().level();
        MessageResult(Fill { events: held + waiting, taken })
    }
}

impl<S: Store> Handler<Stop> for ChannelActor<S> {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Stop, _: &mut Self::Context) -> Self::Result {
        let ends = self.store.open().stop();
        Box::pin(async move {
            if let Some(ends) = ends {
                let _at_its_end = ends.await;
            }
        })
    }
}

impl<S: Store> Handler<Describe> for ChannelActor<S> {
    type Result = MessageResult<Describe>;

    fn handle(&mut self, _: Describe, _: &mut Self::Context) -> Self::Result {
        let Level { held, leased, bytes, taken, capacity } = self.store.open().level();
        let puts = match self.puts.front() {
            Some(first) => format!(
                "{} of its sources wait for room, the first for {:.1} s",
                self.puts.len(),
                (clock::now() - first.since).as_secs_f64()
            ),
            None => "no source waits for room".to_owned(),
        };
        MessageResult(format!(
            "{held} of {} events, {bytes} bytes; {leased} of them are with its sinks; {taken} have left since the start; {puts}; {} sinks wait for events",
            capacity,
            self.takes.iter().filter(|take| !take.answer.is_closed()).count()
        ))
    }
}

/// Back-pressure for a moment is how a loaded channel works; only when it lasts is it news.
const NEWS_AFTER: Duration = Duration::from_secs(1);
