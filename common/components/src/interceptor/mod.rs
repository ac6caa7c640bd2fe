//! Interceptors: what a source's events pass before they are stored.
//!
//! Flume runs them one after another, each over the whole list of events. Here all of them pass over a batch together,
//! and each event is written at most once, into one new buffer. What the chain holds decides how much of that is
//! needed; [`Rewrite`] has the choices. The outcome is Flume's, with two differences that [`extract`] names.

mod body;
mod draft;
mod extract;
mod header;
pub(crate) mod host;
mod memo;
mod rows;
mod step;
mod uuid;

pub(crate) use rows::{COMPONENTS, SERIALIZERS};

use bytes::{Bytes, BytesMut};
use draft::{Desk, Draft, Fixed};
use event::{Batch, Event, Recycler};
use flow::interceptor::{Interceptors, MOST_BYTES, Oversized};
use host::HostInfo;
use memo::Memo;
use plan::ComponentPlan;
use runtime::build::BuildError;
use slog::{Logger, warn};
use step::{Rewrite, Step, apply, apply_to_body};

/// A source's interceptors, in order.
#[derive(Debug)]
pub(crate) struct InterceptorChain {
    steps: Vec<Step>,
    rewrite: Rewrite,
    /// Some step writes the time of the batch.
    tells_time: bool,
    /// Some step has a regex, or reads dates.
    reads_texts: bool,
    fixed: Fixed,
    desk: Desk,
    memo: Memo,
    encoded: Vec<u8>, // one event's new header map
    told_at: Option<i64>,
    told_given_up_at: Option<i64>,
    log: Logger,
}

/// See [`flow::interceptor::MakeInterceptors`].
pub fn make(plans: &[ComponentPlan], log: &Logger) -> Result<Box<dyn Interceptors>, BuildError> {
    Ok(Box::new(InterceptorChain::build(plans, log)?))
}

impl InterceptorChain {
    /// Builds the interceptors of one source, on this machine.
    ///
    /// # Errors
    /// [`BuildError`] for the first one that cannot work as its properties say.
    pub(crate) fn build(plans: &[ComponentPlan], log: &Logger) -> Result<InterceptorChain, BuildError> {
        let host_info = HostInfo { host: &host::look_up, zone: HostInfo::zone() };
        InterceptorChain::build_in(&host_info, plans, log)
    }

    /// As [`InterceptorChain::build`], on a machine as told.
    ///
    /// # Errors
    /// As there.
    fn build_in(
        host_info: &HostInfo<'_>,
        plans: &[ComponentPlan],
        log: &Logger,
    ) -> Result<InterceptorChain, BuildError> {
        let mut fixed = Fixed::new();
        let mut steps = Vec::with_capacity(plans.len());
        for plan in plans {
            steps.extend(Step::build(plan, host_info, &mut fixed, log)?);
        }
        let tells_time = steps.iter().any(|step| matches!(step, Step::Set(set) if set.tells_time()));
        Ok(InterceptorChain {
            rewrite: Rewrite::of(&steps),
            tells_time,
            reads_texts: steps.iter().any(|step| step.pattern().is_some()),
            steps,
            fixed,
            desk: Desk::new(),
            memo: Memo::new(tells_time),
            encoded: Vec::new(),
            told_at: None,
            told_given_up_at: None,
            log: log.clone(),
        })
    }

    fn filter(&self, batch: Batch) -> Batch {
        if !self.leaves_out() {
            return batch;
        }
        let passes = |event: &Event<'_>| self.steps.iter().all(|step| step.lets_pass(event.body()));
        let first = batch.events().take_while(passes).count();
        if first == batch.len() {
            return batch;
        }
        let mut index = 0;
        batch.filter(|event| {
            index += 1;
            index <= first || (index > first + 1 && passes(event))
        })
    }

    fn rewrite_headers(&mut self, batch: Batch, recycler: &mut Recycler) -> Result<Batch, Oversized> {
        let Self { steps, fixed, memo, .. } = self;
        if steps.iter().all(|step| matches!(step, Step::Filter(_))) {
            return Ok(batch);
        }
        if let Some(model) = batch.model() {
            let known = memo.recall(model, steps, fixed);
            if !known.changes {
                return Ok(batch);
            }
            let batch = batch.with_headers(Bytes::copy_from_slice(&known.output));
            return check(batch.event_bytes()).map(|()| batch);
        }
        if batch.events().all(|event| !memo.recall(event, steps, fixed).changes) {
            return Ok(batch);
        }
        let mut builder = recycler.builder();
        builder.reserve(batch.event_bytes() + batch.len() * memo.growth());
        for event in batch.events() {
            let known = memo.recall(event, steps, fixed);
            check(builder.bytes() + known.output.len() + event.body().len())?;
            builder.push_with_headers(&known.output, &event, known.input.len());
        }
        Ok(lent(builder.finish(), recycler))
    }

    fn rewrite_apart(&mut self, batch: &Batch, recycler: &mut Recycler) -> Result<Batch, Oversized> {
        let Self { steps, fixed, memo, desk, .. } = self;
        let mut builder = recycler.builder();
        for event in batch.events() {
            let mut draft = Draft::of_body(event, fixed, desk);
            if !apply_to_body(steps, &mut draft)? {
                continue;
            }
            let known = memo.recall(event, steps, fixed);
            let body = draft.read(draft.body());
            check(builder.bytes() + known.output.len() + body.len())?;
            builder.push_encoded(&known.output, event.received(), body);
        }
        Ok(lent(builder.finish(), recycler))
    }

    fn rewrite_each(&mut self, batch: &Batch, recycler: &mut Recycler) -> Result<Batch, Oversized> {
        let Self { steps, fixed, encoded, desk, .. } = self;
        let mut builder = recycler.builder();
        for event in batch.events() {
            let mut draft = Draft::of(event, fixed, desk);
            if !apply(steps, &mut draft)? {
                continue;
            }
            encoded.clear();
            draft.encode_headers(encoded);
            let body = draft.read(draft.body());
            check(builder.bytes() + encoded.len() + body.len())?;
            builder.push_encoded(encoded, event.received(), body);
        }
        Ok(lent(builder.finish(), recycler))
    }

    /// Says in how many events a regex was given up, once in a while.
    fn tell_given_up(&mut self, now_millis: i64) {
        if is_recent(self.told_given_up_at, now_millis) {
            return;
        }
        for pattern in self.steps.iter().filter_map(Step::pattern) {
            let texts = pattern.take_given_up();
            if texts > 0 {
                self.told_given_up_at = Some(now_millis);
                warn!(self.log, "the regex tries too many ways on some texts and gives up; they count as texts that do \
                    not match (Flume goes on for as long as it takes). Write it so that only one way can match";
                    "regex" => pattern.as_str(), "texts" => texts);
            }
        }
    }

    /// Says which dates did not parse, once in a while.
    fn tell_unparsed(&mut self, now_millis: i64) {
        if is_recent(self.told_at, now_millis) {
            return;
        }
        let extractors = self.steps.iter_mut().filter_map(|step| match step {
            Step::Extract(extract) => extract.take_unparsed(),
            _ => None,
        });
        for unparsed in extractors {
            self.told_at = Some(now_millis);
            warn!(self.log, "regex_extractor cannot read dates by its serializer's pattern; these events pass without \
                that header (Flume fails the whole batch)"; "dates" => unparsed.count, "first" => unparsed.example);
        }
    }
}

impl Interceptors for InterceptorChain {
    fn process(
        &mut self,
        batch: Batch,
        now_millis: i64,
        recycler: &mut Recycler,
    ) -> Result<Batch, Oversized> {
        if batch.is_empty() {
            return Ok(batch);
        }
        if self.tells_time {
            self.fixed.set_now(now_millis);
        }
        self.memo.begin(now_millis);
        let passed = match self.rewrite {
            Rewrite::Untouched => Ok(batch),
            Rewrite::Headers => {
                let batch = self.filter(batch);
                self.rewrite_headers(batch, recycler)
            }
            Rewrite::Apart => self.rewrite_apart(&batch, recycler),
            Rewrite::Each => self.rewrite_each(&batch, recycler),
        };
        if self.reads_texts {
            self.tell_unparsed(now_millis);
            self.tell_given_up(now_millis);
        }
        self.desk.tidy();
        self.memo.end();
        passed
    }

    fn prefix(&self, headers: &[(&str, &str)], now_millis: i64, out: &mut BytesMut) -> bool {
        if self.rewrite > Rewrite::Headers || self.leaves_out() {
            return false;
        }
        let (mut fixed, mut desk) = (self.fixed.clone(), Desk::new());
        fixed.set_now(now_millis);
        let Ok(mut draft) = Draft::of_pairs(headers, &fixed, &mut desk) else { return false };
        self.steps.iter().for_each(|step| step.apply_to_headers(&mut draft));
        let mut encoded = Vec::new();
        draft.encode_headers(&mut encoded);
        out.extend_from_slice(&encoded);
        true
    }

    fn leaves_out(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Filter(_)))
    }
}

/// Checks that a batch may become so large.
fn check(bytes: usize) -> Result<(), Oversized> {
    if bytes > MOST_BYTES { Err(Oversized) } else { Ok(()) }
}

/// Whether it was told at most a minute ago.
fn is_recent(told_at: Option<i64>, now_millis: i64) -> bool {
    told_at.is_some_and(|at| (at..at.saturating_add(TELL_EVERY_MILLIS)).contains(&now_millis))
}

fn lent(batch: Batch, recycler: &mut Recycler) -> Batch {
    recycler.lend(&batch);
    batch
}

/// Between two lines about dates that do not parse, or about a regex that gives up.
const TELL_EVERY_MILLIS: i64 = 60_000;

#[cfg(test)]
mod tests;
