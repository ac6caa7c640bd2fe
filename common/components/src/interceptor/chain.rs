//! The way of a batch through a source's interceptors, from top to bottom: [`Interceptors::process`] first, then what it
//! calls, in the order of the calls; how a chain is built comes last.

use super::draft::{Desk, Draft, Fixed};
use super::host::{self, HostInfo};
use super::memo::Memo;
use super::news::News;
use super::step::{Rewrite, Step};
use bytes::{Bytes, BytesMut};
use event::{Batch, Event, Recycler};
use flow::interceptor::{Interceptors, MOST_BYTES, Oversized};
use plan::ComponentPlan;
use runtime::build::BuildError;
use slog::Logger;

/// A source's interceptors, in order.
#[derive(Debug)]
pub(crate) struct InterceptorChain {
    pub(super) steps: Vec<Step>,
    rewrite: Rewrite,
    /// Some step writes the time of the batch.
    tells_time: bool,
    /// Some step has a regex, or reads dates.
    reads_texts: bool,
    fixed: Fixed,
    workspace: Workspace,
    pub(super) news: News,
}

/// What is used again from event to event, and from batch to batch.
#[derive(Debug)]
struct Workspace {
    desk: Desk,
    /// For headers that are worked out while an event lies on the other one.
    headers: Desk,
    memo: Memo,
    /// One event's new header map.
    encoded: Vec<u8>,
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
        if self.tells_time && self.fixed.set_now(now_millis) {
            self.workspace.memo.forget();
        }
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
            self.news.tell(&mut self.steps);
        }
        self.workspace.tidy();
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

impl InterceptorChain {
    /// Leaves out what a filter does not let pass; the rest is not copied.
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

    /// All steps look at headers alone.
    fn rewrite_headers(&mut self, batch: Batch, recycler: &mut Recycler) -> Result<Batch, Oversized> {
        let Self { steps, fixed, workspace: Workspace { headers: desk, memo, .. }, .. } = self;
        if steps.iter().all(|step| matches!(step, Step::Filter(_))) {
            return Ok(batch);
        }
        if let Some(model) = batch.model() {
            let known = memo.recall(model, |out| headers_of(model, steps, fixed, desk, out));
            if !known.changes {
                return Ok(batch);
            }
            let batch = batch.with_headers(Bytes::copy_from_slice(&known.output));
            return check(batch.event_bytes()).map(|()| batch);
        }
        let mut is_kept =
            |event| !memo.recall(event, |out| headers_of(event, steps, fixed, desk, out)).changes;
        if batch.events().all(&mut is_kept) {
            return Ok(batch);
        }
        let mut builder = recycler.builder();
        builder.reserve(batch.event_bytes() + batch.len() * memo.growth());
        for event in batch.events() {
            let known = memo.recall(event, |out| headers_of(event, steps, fixed, desk, out));
            check(builder.bytes() + known.output.len() + event.body().len())?;
            builder.push_with_headers(&known.output, &event, known.input.len());
        }
        Ok(lent(builder.finish(), recycler))
    }

    /// Headers as in [`InterceptorChain::rewrite_headers`], bodies each.
    fn rewrite_apart(&mut self, batch: &Batch, recycler: &mut Recycler) -> Result<Batch, Oversized> {
        let Self { steps, fixed, workspace: Workspace { desk, headers, memo, .. }, .. } = self;
        let mut builder = recycler.builder();
        for event in batch.events() {
            let mut draft = Draft::of_body(event, fixed, desk);
            if !apply_to_body(steps, &mut draft)? {
                continue;
            }
            let known = memo.recall(event, |out| headers_of(event, steps, fixed, headers, out));
            let body = draft.read(draft.body());
            check(builder.bytes() + known.output.len() + body.len())?;
            builder.push_encoded(&known.output, event.received(), body);
        }
        Ok(lent(builder.finish(), recycler))
    }

    /// All of it for each event.
    fn rewrite_each(&mut self, batch: &Batch, recycler: &mut Recycler) -> Result<Batch, Oversized> {
        let Self { steps, fixed, workspace: Workspace { desk, encoded, .. }, .. } = self;
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
}

/// Writes what becomes of this event's headers.
fn headers_of(event: Event<'_>, steps: &[Step], fixed: &Fixed, desk: &mut Desk, out: &mut Vec<u8>) {
    let mut draft = Draft::of(event, fixed, desk);
    steps.iter().for_each(|step| step.apply_to_headers(&mut draft));
    draft.encode_headers(out);
}

/// Passes one event's body by the steps that are about bodies; whether it is kept.
fn apply_to_body(steps: &mut [Step], draft: &mut Draft<'_>) -> Result<bool, Oversized> {
    for step in steps {
        match step {
            Step::Filter(filter) if !filter.passes(draft.read(draft.body())) => return Ok(false),
            Step::Replace(replace) => replace.apply(draft)?,
            _ => {}
        }
    }
    Ok(true)
}

/// Passes one event by all steps; whether it is kept.
fn apply(steps: &mut [Step], draft: &mut Draft<'_>) -> Result<bool, Oversized> {
    for step in steps {
        match step {
            Step::Filter(filter) if !filter.passes(draft.read(draft.body())) => return Ok(false),
            Step::Replace(replace) => replace.apply(draft)?,
            Step::Extract(extract) => extract.apply(draft)?,
            Step::Uuid(uuid) => uuid.apply(draft)?,
            other => other.apply_to_headers(draft),
        }
    }
    Ok(true)
}

/// Checks that a batch may become so large.
fn check(bytes: usize) -> Result<(), Oversized> {
    if bytes > MOST_BYTES { Err(Oversized) } else { Ok(()) }
}

fn lent(batch: Batch, recycler: &mut Recycler) -> Batch {
    recycler.lend(&batch);
    batch
}

impl Workspace {
    fn new() -> Workspace {
        Workspace { desk: Desk::new(), headers: Desk::new(), memo: Memo::default(), encoded: Vec::new() }
    }

    /// A batch has ended: lets go of what large events needed.
    fn tidy(&mut self) {
        self.desk.tidy();
        self.headers.tidy();
        self.memo.tidy();
    }
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
    pub(super) fn build_in(
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
            workspace: Workspace::new(),
            news: News::new(log),
        })
    }
}
