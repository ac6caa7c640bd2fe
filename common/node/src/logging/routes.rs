//! From loggers, references and appenders with their filters to the ways of lines.

use super::model::{Appender, Least, Logger, Model, Reference, To, stricter};
use console::{Filter, Levels, Route, Routes, RoutingLogger};
use std::{cell::Cell, collections::BTreeMap, sync::Arc};

/// Where the lines of appenders go.
#[derive(Debug, Default)]
pub(super) struct Places(BTreeMap<String, Place>);

#[derive(Debug)]
struct Place {
    /// 0 is the console, 1 the first log file.
    output: usize,
    threshold: Least,
    filter: Option<Arc<Filter>>,
}

impl Places {
    pub(super) fn add(&mut self, output: usize, appender: &Appender) {
        let (threshold, filter) = (appender.threshold, appender.filter.clone());
        self.0.insert(appender.name.clone(), Place { output, threshold, filter });
    }

    fn route(&self, reference: &Reference) -> Option<Route> {
        let place = self.0.get(&reference.name)?;
        let filters = reference.filters.iter().chain(&place.filter).cloned().collect();
        Some(Route { output: place.output, least: stricter(reference.least, place.threshold), filters })
    }
}

/// What an appender does that hands its lines to others.
struct Handing {
    threshold: Least,
    filter: Option<Arc<Filter>>,
    to: Vec<Reference>,
    /// What is to be said of it when it is used.
    notices: Vec<String>,
    is_used: Cell<bool>,
}

impl Model {
    /// The ways of lines, when there is a filter on any of them.
    pub(super) fn routes(&self, places: &Places, levels: &Levels) -> Option<Routes> {
        let mut of_references = self.loggers.iter().flat_map(|logger| &logger.appenders);
        let filtered = self.filter.is_some()
            || self.loggers.iter().any(|logger| logger.filter.is_some())
            || of_references.any(|reference| !reference.filters.is_empty())
            || places.0.values().any(|place| place.filter.is_some());
        let logger = |logger: &Logger| RoutingLogger {
            name: logger.name.clone(),
            filter: logger.filter.clone(),
            additive: logger.additive,
            to: logger.appenders.iter().filter_map(|reference| places.route(reference)).collect(),
        };
        let loggers = self.loggers.iter().map(logger).collect();
        filtered.then(|| Routes::new(self.filter.clone(), levels.clone(), loggers))
    }

    /// Puts the appenders that get the lines in the place of those that hand them on.
    pub(super) fn resolve(&mut self) {
        let mut handing = BTreeMap::new();
        for appender in &mut self.appenders {
            if let To::Others(to) = &mut appender.to {
                let handed = Handing {
                    threshold: appender.threshold,
                    filter: appender.filter.clone(),
                    to: std::mem::take(to),
                    notices: std::mem::take(&mut appender.notices),
                    is_used: Cell::new(false),
                };
                handing.insert(appender.name.clone(), handed);
            }
        }
        for logger in &mut self.loggers {
            let mut found = Found { handing: &handing, to: Vec::new(), steps: MOST_STEPS, is_cut: false };
            for reference in &logger.appenders {
                found.follow(reference.clone(), DEEPEST);
            }
            if found.is_cut {
                self.notices.push(format!(
                    "{}: appenders that hand lines on lead to one another, or to more than {MOST_STEPS} others; nothing goes to those behind, write fewer",
                    self.origin
                ));
            }
            logger.appenders = found.to;
        }
        self.notices.extend(
            handing.into_values().filter(|handing| handing.is_used.get()).flat_map(|handing| handing.notices),
        );
    }
}

/// Where the lines of one logger come to.
struct Found<'a> {
    handing: &'a BTreeMap<String, Handing>,
    to: Vec<Reference>,
    steps: usize,
    is_cut: bool,
}

impl Found<'_> {
    fn follow(&mut self, reference: Reference, depth: usize) {
        let Some(handing) = self.handing.get(&reference.name) else { return self.to.push(reference) };
        handing.is_used.set(true);
        for next in &handing.to {
            if depth == 0 || self.steps == 0 {
                self.is_cut = true;
                return;
            }
            self.steps -= 1;
            let least = stricter(stricter(reference.least, handing.threshold), next.least);
            let filters = reference.filters.iter().chain(&handing.filter).chain(&next.filters);
            let filters = filters.cloned().collect();
            self.follow(Reference { name: next.name.clone(), least, filters }, depth - 1);
        }
    }
}

/// Appenders that hand lines to such appenders.
const DEEPEST: usize = 8;

/// References that are followed for one logger.
const MOST_STEPS: usize = 1000;
