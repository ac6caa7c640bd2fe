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
mod uuid;

pub(crate) use rows::{COMPONENTS, SERIALIZERS};

use body::{RegexFilter, SearchReplace};
use bytes::{Bytes, BytesMut};
use draft::{Desk, Draft, Fixed};
use event::{Batch, Event, Recycler};
use extract::RegexExtractor;
use flow::interceptor::{Interceptors, MOST_BYTES, Oversized};
use header::{HostLookup, RemoveHeader, SetHeader};
use java::{Pattern, Zone};
use memo::Memo;
use plan::{ComponentPlan, Properties};
use rows::UUID;
use runtime::build::BuildError;
use slog::{Logger, info, warn};
use uuid::SetUuid;

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

/// One interceptor.
#[derive(Debug)]
enum Step {
    Set(SetHeader),
    Remove(RemoveHeader),
    Filter(RegexFilter),
    Replace(Box<SearchReplace>),
    Extract(Box<RegexExtractor>),
    Uuid(Box<SetUuid>),
}

/// How a batch passes, by rising cost: the dearest that a step needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rewrite {
    /// No interceptor: untouched.
    Untouched,
    /// Events are left out, which copies none unless few stay; then headers are set or removed whatever the body is: worked
    /// out once for all events that came with the same ones.
    Headers,
    /// Bodies are rewritten: headers as in `Headers`, bodies each.
    Apart,
    /// Headers come from bodies, or are other ones for each event: all of it for each event.
    Each,
}

/// What a chain needs to know about the machine, to be built.
pub(crate) struct HostInfo<'a> {
    host: HostLookup<'a>,
    zone: Zone,
}

impl HostInfo<'_> {
    /// This machine's.
    fn zone() -> Zone {
        let now = jiff::Timestamp::from_millisecond(runtime::clock::epoch_millis()).unwrap_or_default();
        let zone = jiff::tz::TimeZone::system();
        let year = now.to_zoned(zone.clone()).year();
        Zone { zone, year }
    }
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
    pub(crate) fn build_in(
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

impl Step {
    /// Builds one interceptor; none for a `host` whose name or address is not found, which Flume leaves out too.
    fn build(
        plan: &ComponentPlan,
        host_info: &HostInfo<'_>,
        fixed: &mut Fixed,
        log: &Logger,
    ) -> Result<Option<Step>, BuildError> {
        let prefix = String::new();
        let properties = &plan.properties;
        Ok(Some(match plan.kind() {
            "timestamp" => Step::Set(SetHeader::timestamp(properties, fixed)),
            "static" => Step::Set(SetHeader::constant(properties, fixed)),
            "host" => match SetHeader::host(properties, fixed, host_info.host) {
                Ok(set) => Step::Set(set),
                Err(error) => {
                    warn!(log, "this machine's own address or name is not found, so events get no such header: add its \
                        host name to /etc/hosts"; "interceptor" => &plan.name, "error" => %error);
                    return Ok(None);
                }
            },
            "remove_header" => Step::Remove(RemoveHeader::build(properties, &prefix)?),
            "regex_filter" => Step::Filter(RegexFilter::build(properties, &prefix)?),
            "search_replace" => Step::Replace(Box::new(SearchReplace::build(properties, &prefix)?)),
            "regex_extractor" => {
                let extract = RegexExtractor::build(properties, &prefix, &host_info.zone)?;
                tell_mismatch(&extract, &plan.name, log);
                Step::Extract(Box::new(extract))
            }
            UUID => Step::Uuid(Box::new(SetUuid::build(properties, fixed))),
            other => {
                let properties = Properties::of(plan.descriptor, [("type", other)]);
                return Err(BuildError::new(
                    &properties,
                    &prefix,
                    "type",
                    "there is no such interceptor here",
                ));
            }
        }))
    }

    fn apply_to_headers(&self, draft: &mut Draft<'_>) {
        match self {
            Step::Set(set) => set.apply(draft),
            Step::Remove(remove) => remove.apply(draft),
            Step::Filter(_) | Step::Replace(_) | Step::Extract(_) | Step::Uuid(_) => {}
        }
    }

    /// The regex that runs on events.
    fn pattern(&self) -> Option<&Pattern> {
        match self {
            Step::Set(_) | Step::Uuid(_) => None,
            Step::Remove(remove) => remove.pattern(),
            Step::Filter(filter) => Some(filter.pattern()),
            Step::Replace(replace) => Some(replace.pattern()),
            Step::Extract(extract) => Some(extract.pattern()),
        }
    }

    fn lets_pass(&self, body: &[u8]) -> bool {
        match self {
            Step::Filter(filter) => filter.passes(body),
            _ => true,
        }
    }
}

impl Rewrite {
    fn of(steps: &[Step]) -> Rewrite {
        let rewrite = |step: &Step| match step {
            Step::Set(_) | Step::Remove(_) | Step::Filter(_) => Rewrite::Headers,
            Step::Replace(_) => Rewrite::Apart,
            Step::Extract(_) | Step::Uuid(_) => Rewrite::Each,
        };
        steps.iter().map(rewrite).max().unwrap_or(Rewrite::Untouched)
    }
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

fn tell_mismatch(extract: &RegexExtractor, name: &str, log: &Logger) {
    let (groups, serializers) = extract.counts();
    if groups > serializers {
        info!(log, "groups of the regex beyond the serializers give no header; write them `(?:`";
            "interceptor" => name, "groups" => groups, "serializers" => serializers);
    }
    if groups < serializers {
        warn!(log, "there are more serializers than groups in the regex: the last ones' headers are never set";
            "interceptor" => name, "groups" => groups, "serializers" => serializers);
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
