//! Which lines go where, where filters have a say: a line's logger is asked, then those above it, as log4j does it. Without any
//! filter [`Levels`] alone decide.
//!
//! Source: log4j 2.18 `Logger.PrivateConfig.filter`, `LoggerConfig.log`, `AppenderControl.callAppender`; log4j 1.2.17
//! `AppenderSkeleton.doAppend`. Different on purpose: a line that comes to an appender on two ways stands there once.

use crate::{
    Levels,
    filter::{Filter, Line, Outcome},
    level::{covers, names_of},
};
use slog::Level;
use std::sync::Arc;

/// Loggers with their filters, and the filter of all.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    all: Option<Filter>,
    /// Those of the loggers.
    levels: Levels,
    loggers: Vec<Known>,
    /// Places whose lines nothing here decides on, a bit each.
    free: Outputs,
}

/// A logger's part of it.
#[derive(Debug, Clone, Default)]
pub struct RoutingLogger {
    /// Empty for the root.
    pub name: String,
    /// What it holds back.
    pub filter: Option<Filter>,
    /// Whether its lines go to the logger above as well.
    pub additive: bool,
    /// The places its lines go to.
    pub to: Vec<Route>,
}

/// A logger, as it is looked for.
#[derive(Debug, Clone)]
struct Known {
    /// Its own, and those of our modules.
    names: Vec<String>,
    logger: RoutingLogger,
    /// Where the one above stands, if its lines go there.
    above: Option<usize>,
}

/// A way from a logger to a place.
#[derive(Debug, Clone)]
pub struct Route {
    /// 0 is the console, 1 the first log file.
    pub output: usize,
    /// The least that goes there; `None` for nothing.
    pub least: Option<Level>,
    /// What is held back on the way.
    pub filters: Vec<Arc<Filter>>,
}

/// Places, a bit each.
type Outputs = u128;

/// Where one line goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Routed {
    to: Outputs,
    /// Whatever the levels of places are.
    accepted: bool,
    free: Outputs,
}

impl Routes {
    /// `levels` are those of the loggers, `all` is asked before them.
    pub fn new(all: Option<Filter>, levels: Levels, loggers: Vec<RoutingLogger>) -> Routes {
        let above: Vec<_> = loggers.iter().map(|logger| above(&loggers, logger)).collect();
        let known = loggers.into_iter().zip(above);
        let known = known.map(|(logger, above)| Known { names: names_of(&logger.name), logger, above });
        Routes { all, levels, loggers: known.collect(), free: 0 }
    }

    /// Leaves a place to its levels.
    pub fn leave(&mut self, output: usize) {
        self.free |= bit(output);
    }

    /// Gives a logger another level.
    pub fn set_level(&mut self, name: &str, level: Option<Level>) {
        self.levels.set(name, level);
    }

    /// Whether a line may be printed whatever its level is.
    pub fn may_accept(&self) -> bool {
        self.all.as_ref().is_some_and(Filter::may_accept)
    }

    /// Whether it depends on its text and its time where a line goes.
    pub(crate) fn look_at(&self, name: &str, level: Level) -> bool {
        self.free != 0 || self.may_accept() || self.levels.enabled(name, level)
    }

    /// Where a line of the logger `name` goes.
    pub(crate) fn route(&self, name: &str, line: &Line<'_>) -> Routed {
        let asked = self.all.as_ref().map_or(Outcome::Neutral, |filter| filter.decide(line));
        let goes = match asked {
            Outcome::Accept => true,
            Outcome::Neutral => self.levels.enabled(name, line.level),
            Outcome::Deny => false,
        };
        let to = if goes { self.walk(name, line) } else { 0 };
        Routed { to, accepted: asked == Outcome::Accept, free: self.free }
    }

    /// From the line's logger to the root.
    fn walk(&self, name: &str, line: &Line<'_>) -> Outputs {
        let mut to = 0;
        let mut next = self.best(name);
        while let Some(Known { logger, above, .. }) = next {
            if logger.filter.as_ref().is_some_and(|filter| filter.decide(line) == Outcome::Deny) {
                break; // also for those above
            }
            let taking = logger.to.iter().filter(|route| to & bit(route.output) == 0 && route.takes(line));
            to = taking.fold(to, |to, route| to | bit(route.output));
            next = above.and_then(|above| self.loggers.get(above));
        }
        to
    }

    /// The logger of the longest name that rules over this one.
    fn best(&self, name: &str) -> Option<&Known> {
        let length = |known: &Known| {
            let ruling = known.names.iter().filter(|front| rules(front, name));
            ruling.map(String::len).max()
        };
        let ruling = self.loggers.iter().filter_map(|known| Some((length(known)?, known)));
        ruling.max_by_key(|(length, _)| *length).map(|(_, known)| known)
    }
}

/// Where the logger above stands; nothing for one whose lines do not go there.
fn above(all: &[RoutingLogger], logger: &RoutingLogger) -> Option<usize> {
    let is_above =
        |other: &RoutingLogger| other.name.len() < logger.name.len() && rules(&other.name, &logger.name);
    let above = all.iter().enumerate().filter(|(_, other)| logger.additive && is_above(other));
    above.max_by_key(|(_, other)| other.name.len()).map(|(n, _)| n)
}

fn rules(front: &str, name: &str) -> bool {
    front.is_empty() || covers(front, name)
}

impl Route {
    fn takes(&self, line: &Line<'_>) -> bool {
        self.least.is_some_and(|least| line.level.is_at_least(least))
            && self.filters.iter().all(|filter| filter.decide(line) != Outcome::Deny)
    }
}

impl Routed {
    /// Whether the line goes to this place. `enabled` is what its levels say.
    pub(crate) fn goes_to(self, output: usize, enabled: impl FnOnce() -> bool) -> bool {
        if self.free & bit(output) != 0 {
            return enabled();
        }
        self.to & bit(output) != 0 && (self.accepted || enabled())
    }
}

fn bit(output: usize) -> Outputs {
    u32::try_from(output).ok().and_then(|output| 1u128.checked_shl(output)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Test;
    use std::time::{Duration, Instant};

    const NONE: [usize; 0] = [];

    const SINK: &str = "org.apache.flume.sink.LoggerSink.process(LoggerSink.java:95)";

    fn deny(text: &str) -> Filter {
        Filter::new(Test::contains(text), Outcome::Deny, Outcome::Neutral)
    }

    fn route(output: usize, filters: &[Filter]) -> Route {
        let filters = filters.iter().cloned().map(Arc::new).collect();
        Route { output, least: Some(Level::Trace), filters }
    }

    fn logger(name: &str, additive: bool, filter: Option<Filter>, to: Vec<Route>) -> RoutingLogger {
        RoutingLogger { name: name.to_owned(), filter, additive, to }
    }

    /// To which of three places a line goes when all their levels are INFO.
    fn places(routes: &Routes, name: &str, level: Level, message: &str) -> Vec<usize> {
        let line = Line { level, message: message.as_bytes(), millis: 0, now: Instant::now(), tell: &|_| {} };
        let routed = routes.route(name, &line);
        (0..3).filter(|n| routed.goes_to(*n, || level.is_at_least(Level::Info))).collect()
    }

    #[test]
    fn a_loggers_filter_holds_back_from_those_above_too() {
        let loggers = vec![
            logger("", true, Some(deny("root")), vec![route(0, &[]), route(1, &[deny("one")])]),
            logger("org.apache.flume.sink", true, Some(deny("sink")), vec![route(2, &[])]),
            logger("com.quiet", false, None, vec![]),
        ];
        let routes = Routes::new(None, Levels::bare(Some(Level::Info)), loggers);
        let to = |name, message| places(&routes, name, Level::Info, message);
        assert_eq!(to("flow", "x"), [0, 1]);
        assert_eq!(to("flow", "one"), [0]);
        assert_eq!(to("flow", "root"), NONE);
        assert_eq!(to(SINK, "x"), [0, 1, 2]);
        assert_eq!(to(SINK, "root"), [2]);
        assert_eq!(to(SINK, "sink"), NONE);
        assert_eq!(to("components::sink::avro", "sink"), NONE, "our name of it");
        assert_eq!(to("com.quiet.X", "x"), NONE);
        assert_eq!(places(&routes, "flow", Level::Debug, "x"), NONE);
    }

    #[test]
    fn what_all_accept_needs_no_level() {
        let all = Filter::new(Test::contains("loud"), Outcome::Accept, Outcome::Neutral);
        let loggers = vec![logger("", true, None, vec![route(0, &[]), route(1, &[deny("one")])])];
        let mut routes = Routes::new(Some(all), Levels::bare(Some(Level::Info)), loggers);
        assert_eq!(places(&routes, "flow", Level::Debug, "loud"), [0, 1]);
        assert_eq!(places(&routes, "flow", Level::Debug, "loud one"), [0]);
        assert_eq!(places(&routes, "flow", Level::Debug, "x"), NONE);
        assert!(routes.look_at("flow", Level::Trace));
        routes.leave(2);
        assert_eq!(places(&routes, "flow", Level::Info, "x"), [0, 1, 2]);
        assert_eq!(places(&routes, "flow", Level::Debug, "loud"), [0, 1], "its own levels decide");
    }

    #[test]
    fn a_filter_that_counts_is_asked_once_a_line() {
        let burst = Test::burst(Some(Level::Info), 2, Duration::from_secs(100));
        let burst = Filter::new(burst, Outcome::Neutral, Outcome::Deny);
        let loggers = vec![logger("", true, Some(burst), vec![route(0, &[]), route(1, &[])])];
        let routes = Routes::new(None, Levels::bare(Some(Level::Info)), loggers);
        let all: Vec<_> = (0..3).map(|_| places(&routes, "flow", Level::Info, "x")).collect();
        assert_eq!(all, [vec![0, 1], vec![0, 1], vec![]]);
        assert_eq!(places(&routes, "flow", Level::Error, "x"), [0, 1], "it is more severe");
    }
}
