//! Where events come from, and what every source does with them before they are stored.

mod context;
mod count;
mod parts;
mod shell;

pub use context::{Doing, SourceContext};
pub(crate) use shell::SourceAddress;
pub use shell::{Pausing, Question, Source, SourceActor, Stage, Stopping};

use crate::channel::ChannelRef;
use crate::counters::{Counted, SourceCounters};
use crate::error::ChannelError;
use crate::interceptor::{Elsewhere, Interceptors, MakeElsewhere, MakeInterceptors, Passed};
use crate::message::PutTimeout;
use crate::selector::{ChannelSelector, MakeSelector, Selected};
use bytes::BytesMut;
use event::{Batch, BatchBuilder, Origin, Recycler};
use futures_util::{StreamExt, stream};
use plan::ComponentPlan;
use runtime::build::BuildError;
use runtime::clock;
use runtime::told::Told;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

/// Makes a source.
pub type MakeSource = Box<dyn Fn() -> Box<dyn Source> + Send>;

/// A source, with what stands between it and its channels.
pub struct NewSource {
    /// Its name in the configuration.
    pub name: String,
    /// Whether it may wait for a disk: then it gets a thread of its own.
    pub blocks: bool,
    /// The names of its channels, in order.
    pub channels: Vec<String>,
    /// Makes it, as often as it has to be built anew.
    pub make: MakeSource,
    /// Makes its channel selector.
    pub selector: MakeSelector,
    /// Its interceptors, in order.
    pub interceptors: Vec<ComponentPlan>,
    /// Makes them.
    pub chain: MakeInterceptors,
    /// Makes what stands for them, or for the selector, in another process.
    pub elsewhere: Option<MakeElsewhere>,
}

/// Flume's channel processor: interceptors, then the selector, then the channels.
///
/// A clone works on the same interceptors: the connections of one source share one channel processor. It lives on its
/// source's thread.
#[derive(Clone)]
pub struct ChannelProcessor {
    inner: Rc<RefCell<Inner>>,
    channels: Rc<[ChannelRef]>,
    /// Stores under way.
    storing: Rc<Cell<usize>>,
    /// What stands for the interceptors, or for the selector, in another process.
    elsewhere: Option<Rc<dyn Elsewhere>>,
    counters: Arc<SourceCounters>,
    counted: Rc<Cell<Counted>>,
}

struct Inner {
    chain: Box<dyn Interceptors>,
    selector: Box<dyn ChannelSelector>,
    recycler: Recycler,
    log: slog::Logger,
    told_dropped: Told,
}

impl Inner {
    fn select(&mut self, batch: &Batch) -> Selected {
        let selected = self.selector.select(batch);
        if selected.dropped > 0 && self.told_dropped.tell(clock::now()).is_some() {
            slog::warn!(
                self.log,
                "events whose header has no mapping are dropped, as in Flume ({} in this batch; reported once): set selector.default to keep them",
                selected.dropped
            );
        }
        selected
    }
}

impl ChannelProcessor {
    /// Builds what stands between `source` and its channels.
    ///
    /// # Errors
    /// [`BuildError`] for an interceptor that cannot work as its properties say.
    pub fn build(
        source: &NewSource,
        channels: &HashMap<String, ChannelRef>,
        log: &slog::Logger,
    ) -> Result<ChannelProcessor, BuildError> {
        let chain = (source.chain)(&source.interceptors, log)?;
        let selector = (source.selector)();
        let channels = source.channels.iter().filter_map(|name| channels.get(name)).cloned().collect();
        let inner = Inner {
            chain,
            selector,
            recycler: Recycler::new(BUFFERS, BUFFER_BYTES),
            log: log.clone(),
            told_dropped: Told::once(),
        };
        let elsewhere = source.elsewhere.as_ref().map(|make| make(log));
        Ok(ChannelProcessor {
            inner: Rc::new(RefCell::new(inner)),
            channels,
            storing: Rc::default(),
            counters: Arc::default(),
            counted: Rc::new(Cell::new(Counted::Batches)),
            elsewhere,
        })
    }

    /// Events in one transaction that all channels of this source take.
    pub fn transaction(&self) -> usize {
        self.channels.iter().map(|channel| channel.transaction).min().unwrap_or(usize::MAX)
    }

    /// Of the channels that must have all that comes, the one that takes the fewest events in one transaction: what is
    /// more is refused whatever it is. `None` where one must look first: events are left out, or dealt out.
    pub fn narrowest(&self) -> Option<&ChannelRef> {
        if self.elsewhere.is_some() {
            return None;
        }
        let inner = self.inner.borrow();
        let required = if inner.chain.leaves_out() { &[] } else { inner.selector.required() };
        required.iter().map(|index| &self.channels[*index]).min_by_key(|channel| channel.transaction)
    }

    /// The header map, intercepted already, of an event born with `headers`, when that is the same for all events of this
    /// moment: a source of lines then writes each event once, and stores it as finished. Nothing is appended to `out` and
    /// the answer is `false` when the interceptors must see each event.
    pub fn prefix(&self, headers: &[(&str, &str)], out: &mut BytesMut) -> bool {
        self.elsewhere.is_none() && self.inner.borrow().chain.prefix(headers, clock::epoch_millis(), out)
    }

    /// Stores `batch` in all channels it is for; see [`ChannelProcessor::store_all`].
    ///
    /// # Errors
    /// Why it is not stored.
    pub async fn store(&self, batch: Batch, finished: bool, wait: PutTimeout) -> Result<(), ChannelError> {
        self.store_all(vec![batch], finished, wait).await.refused.map_or(Ok(()), Err)
    }

    /// Passes `batches` through the interceptors, unless they are `finished`, and stores them in their order in all channels
    /// they are for, until all are stored or one is refused. Required channels before the one that refuses have stored that
    /// batch: a sender that tries again doubles it there.
    pub async fn store_all(&self, mut batches: Vec<Batch>, finished: bool, wait: PutTimeout) -> Receipt {
        let (calls, events) = (batches.len(), count::events(&batches));
        self.count_received(calls, events);
        if let Some(elsewhere) = self.elsewhere.as_ref().filter(|_| !finished) {
            let receipt = self.store_from(elsewhere, batches, wait).await;
            match &receipt.refused {
                None => self.count_accepted(calls, events),
                Some(error) => self.count_refused(error),
            }
            return receipt;
        }
        let oversized = if finished { None } else { self.intercept(&mut batches) };
        let mut receipt = Receipt { stored: 0, refused: None };
        while receipt.refused.is_none() && receipt.stored < batches.len() {
            match self.pass_on(&batches[receipt.stored..], wait).await {
                Ok(more) => receipt.stored += more,
                Err(error) => receipt.refused = Some(error),
            }
        }
        receipt.refused = receipt.refused.or(oversized);
        match &receipt.refused {
            None => self.count_accepted(calls, events),
            Some(error) => {
                // Events that an interceptor has left out of a batch that was stored are not known any more.
                self.count_accepted(receipt.stored, count::events(&batches[..receipt.stored]));
                self.count_refused(error);
            }
        }
        receipt
    }

    /// Passes `batches` through interceptors in another process, all at once, and stores them in their order.
    async fn store_from(
        &self,
        elsewhere: &Rc<dyn Elsewhere>,
        batches: Vec<Batch>,
        wait: PutTimeout,
    ) -> Receipt {
        let _storing = Storing::begin(&self.storing);
        let origins: Vec<_> = batches.iter().map(Batch::origin).collect();
        // Those behind the first are on their way while it is stored; a few calls keep both sides at work.
        let passing = stream::iter(batches).map(|batch| elsewhere.pass(batch, wait)).buffered(CALLS);
        let mut passing = std::pin::pin!(passing.zip(stream::iter(origins)));
        let mut stored = 0;
        while let Some((passed, origin)) = passing.next().await {
            let outcome = match passed {
                Ok(Passed { batch, .. }) if batch.is_empty() => Ok(()),
                Ok(Passed { batch, routes: None }) => {
                    self.store_some(&[batch.with_origin(origin)], wait).await.map(drop)
                }
                Ok(Passed { routes: Some(selected), .. }) => {
                    self.store_selected(selected, origin, wait).await
                }
                Err(error) => Err(error),
            };
            if let Err(error) = outcome {
                return Receipt { stored, refused: Some(error) };
            }
            stored += 1;
        }
        Receipt { stored, refused: None }
    }

    async fn store_selected(
        &self,
        selected: Selected,
        origin: Option<Origin>,
        wait: PutTimeout,
    ) -> Result<(), ChannelError> {
        let with = |parts: Vec<(usize, Batch)>| {
            parts.into_iter().map(|(index, batch)| (index, batch.with_origin(origin))).collect()
        };
        let Selected { required, optional, dropped } = selected;
        self.store_dealt(Selected { required: with(required), optional, dropped }, wait).await
    }

    /// Stores `batch`, which needs no interceptor, in this one of the source's channels.
    ///
    /// # Errors
    /// Why it is not stored.
    pub async fn store_in(&self, channel: usize, batch: Batch, wait: PutTimeout) -> Result<(), ChannelError> {
        let _storing = Storing::begin(&self.storing);
        match self.channels.get(channel) {
            Some(channel) => channel.put(batch, wait).await,
            None => Err(ChannelError::Class {
                reason: format!("its selector names a channel {channel} that it does not have"),
            }),
        }
    }

    /// Leaves the batches that have passed, and says why the next one has not.
    fn intercept(&self, batches: &mut Vec<Batch>) -> Option<ChannelError> {
        let Inner { chain, recycler, .. } = &mut *self.inner.borrow_mut();
        let now = clock::epoch_millis();
        for index in 0..batches.len() {
            let origin = batches[index].origin();
            match chain.process(std::mem::take(&mut batches[index]), now, recycler) {
                Ok(passed) => batches[index] = passed.with_origin(origin),
                Err(_) => {
                    batches.truncate(index);
                    return Some(ChannelError::Oversized);
                }
            }
        }
        None
    }

    /// Stores the first of `batches`, which need no interceptor any more, and as many behind it as there is room for; says
    /// how many.
    ///
    /// # Errors
    /// Why the first is not stored.
    pub async fn store_some(&self, batches: &[Batch], wait: PutTimeout) -> Result<usize, ChannelError> {
        let stored = self.pass_on(batches, wait).await;
        match &stored {
            Ok(stored) => {
                let events = count::events(&batches[..*stored]);
                self.count_received(*stored, events);
                self.count_accepted(*stored, events);
            }
            Err(error) => self.count_refused(error),
        }
        stored
    }

    async fn pass_on(&self, batches: &[Batch], wait: PutTimeout) -> Result<usize, ChannelError> {
        let _storing = Storing::begin(&self.storing);
        if let [channel] = &*self.channels
            && self.inner.borrow().selector.is_plain()
        {
            return channel.put_some(batches, wait).await;
        }
        match batches.first() {
            Some(first) => self.select_and_store(first, wait).await.map(|()| 1),
            None => Ok(0),
        }
    }

    async fn select_and_store(&self, batch: &Batch, wait: PutTimeout) -> Result<(), ChannelError> {
        let selected = self.inner.borrow_mut().select(batch);
        self.store_dealt(selected, wait).await
    }

    async fn store_dealt(&self, selected: Selected, wait: PutTimeout) -> Result<(), ChannelError> {
        for (index, batch) in selected.required {
            self.channels[index].put(batch, wait).await?;
        }
        for (index, batch) in selected.optional {
            let (events, batch) = (batch.len(), batch.with_origin(None)); // nobody sends it again for this channel
            if let Err(error) = self.channels[index].put(batch, PutTimeout::KeepAlive).await {
                slog::error!(
                    self.inner.borrow().log,
                    "an optional channel did not take {events} events: {error}"
                );
            }
        }
        Ok(())
    }

    /// What of `source` is still in the channels that must have it: for each part, where the first of it begins, and how
    /// many events there are at most in one channel.
    pub fn undelivered(&self, source: u64) -> BTreeMap<u64, (u64, usize)> {
        let mut parts: BTreeMap<u64, (u64, usize)> = BTreeMap::new();
        for channel in &*self.channels {
            let mut here: HashMap<u64, usize> = HashMap::new();
            for (origin, events) in channel.origins() {
                let Some(origin) = origin.filter(|origin| origin.source == source) else { continue };
                let sum = here.entry(origin.part).or_default();
                *sum += events;
                let part = parts.entry(origin.part).or_insert((origin.start, *sum));
                *part = (part.0.min(origin.start), part.1.max(*sum));
            }
        }
        parts
    }

    /// Has the channels forget what of `source` it will read again: the parts for which `again` holds.
    pub fn give_back(&self, source: u64, again: impl Fn(u64) -> bool) {
        let again = |origin: Origin| origin.source == source && again(origin.part);
        self.channels.iter().for_each(|channel| channel.give_back(&again));
    }

    /// A builder for events that are born here, over a buffer that was used before when one is free.
    pub fn builder(&self) -> BatchBuilder {
        self.inner.borrow_mut().recycler.builder()
    }

    /// Finishes `builder` and remembers its buffer, to be used again when the batch is gone.
    pub fn finish(&self, builder: BatchBuilder) -> Batch {
        let batch = builder.finish();
        self.inner.borrow_mut().recycler.lend(&batch);
        batch
    }
}

/// A store under way.
struct Storing<'a>(&'a Cell<usize>);

impl Storing<'_> {
    fn begin(count: &Cell<usize>) -> Storing<'_> {
        count.set(count.get() + 1);
        Storing(count)
    }
}

impl Drop for Storing<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// How far batches that were stored together came.
#[derive(Debug)]
pub struct Receipt {
    /// So many are stored: the first ones.
    pub stored: usize,
    /// Why the next one is not, and none behind it was tried.
    pub refused: Option<ChannelError>,
}

/// Batches of one store that are in another process at a time.
const CALLS: usize = 8;

/// Buffers of batches on their way that a source hopes to get back, and bytes in them.
const BUFFERS: usize = 128;
const BUFFER_BYTES: usize = 6 << 20;
