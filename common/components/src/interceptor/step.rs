//! One interceptor of a chain, and how dear it is.

use super::body::{RegexFilter, SearchReplace};
use super::draft::{Draft, Fixed};
use super::extract::{RegexExtractor, Unparsed};
use super::header::{RemoveHeader, SetHeader};
use super::host::HostInfo;
use super::uuid::{SetUuid, UUID};
use java::Pattern;
use plan::{ComponentPlan, Properties};
use runtime::build::BuildError;
use slog::{Logger, info, warn};

/// One interceptor.
#[derive(Debug)]
pub(super) enum Step {
    Set(SetHeader),
    Remove(RemoveHeader),
    Filter(RegexFilter),
    Replace(Box<SearchReplace>),
    Extract(Box<RegexExtractor>),
    Uuid(Box<SetUuid>),
}

/// How a batch passes, by rising cost: the dearest that a step needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rewrite {
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

impl Step {
    /// Builds one interceptor; none for a `host` whose name or address is not found, which Flume leaves out too.
    pub(super) fn build(
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

    pub(super) fn apply_to_headers(&self, draft: &mut Draft<'_>) {
        match self {
            Step::Set(set) => set.apply(draft),
            Step::Remove(remove) => remove.apply(draft),
            Step::Filter(_) | Step::Replace(_) | Step::Extract(_) | Step::Uuid(_) => {}
        }
    }

    /// The regex that runs on events.
    pub(super) fn pattern(&self) -> Option<&Pattern> {
        match self {
            Step::Set(_) | Step::Uuid(_) => None,
            Step::Remove(remove) => remove.pattern(),
            Step::Filter(filter) => Some(filter.pattern()),
            Step::Replace(replace) => Some(replace.pattern()),
            Step::Extract(extract) => Some(extract.pattern()),
        }
    }

    /// The dates that it could not read.
    pub(super) fn take_unparsed(&mut self) -> Option<Unparsed> {
        match self {
            Step::Extract(extract) => extract.take_unparsed(),
            _ => None,
        }
    }

    pub(super) fn lets_pass(&self, body: &[u8]) -> bool {
        match self {
            Step::Filter(filter) => filter.passes(body),
            _ => true,
        }
    }
}

impl Rewrite {
    pub(super) fn of(steps: &[Step]) -> Rewrite {
        let rewrite = |step: &Step| match step {
            Step::Set(_) | Step::Remove(_) | Step::Filter(_) => Rewrite::Headers,
            Step::Replace(_) => Rewrite::Apart,
            Step::Extract(_) | Step::Uuid(_) => Rewrite::Each,
        };
        steps.iter().map(rewrite).max().unwrap_or(Rewrite::Untouched)
    }
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
