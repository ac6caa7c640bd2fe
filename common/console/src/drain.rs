//! slog's way to the console.

use crate::{
    Routes,
    filter::Line,
    layout,
    lines::{LogOutput, Urgency},
    place,
    routes::Routed,
    stamp::{self, Stamp},
};
use slog::{Drain, Level, Never, OwnedKVList, Record};
use std::{
    cell::RefCell,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Instant, SystemTime},
};

/// Formats a record where it was said, then hands the line over: to the console, to log files.
pub(crate) struct ToConsole {
    pub(crate) outputs: Arc<[Arc<LogOutput>]>,
    pub(crate) routes: Option<Arc<Routes>>,
}

impl Drain for ToConsole {
    type Ok = ();
    type Err = Never;

    fn log(&self, record: &Record<'_>, context: &OwnedKVList) -> Result<(), Never> {
        let name = place::split(record.tag()).map_or_else(|| record.module(), |(_, location)| location);
        let routed = match &self.routes {
            Some(routes) if !routes.look_at(name, record.level()) => return Ok(()),
            Some(routes) => Some(self.route(routes, name, record, context)),
            None => None,
        };
        let (mut is_printed, mut is_said) = (false, false);
        for (n, output) in self.outputs.iter().enumerate() {
            let enabled = || output.levels.load().enabled(name, record.level());
            if routed.map_or_else(enabled, |routed| routed.goes_to(n, enabled)) {
                output.say(format(output, record, context), urgency(record.level()));
                is_printed |= n == 0;
                is_said = true;
            }
        }
        if is_said && !is_printed && record.level().is_at_least(Level::Warning) {
            self.stand_in(record, context);
        }
        Ok(())
    }

    fn is_enabled(&self, level: Level) -> bool {
        let printed =
            |output: &Arc<LogOutput>| output.levels.load().most().is_some_and(|most| level.is_at_least(most));
        self.outputs.iter().any(printed) || self.routes.as_ref().is_some_and(|routes| routes.may_accept())
    }
}

impl ToConsole {
    /// Prints a line that nobody may ever see else.
    fn stand_in(&self, record: &Record<'_>, context: &OwnedKVList) {
        if let Some(console) = self.outputs.first().filter(|console| console.queue.stands_in.load(Relaxed)) {
            console.say(format(console, record, context), urgency(record.level()));
        }
    }

    fn route(&self, routes: &Routes, name: &str, record: &Record<'_>, context: &OwnedKVList) -> Routed {
        let message = layout::message(record, context);
        let (millis, now) = (stamp::millis(SystemTime::now()), Instant::now());
        let tell = |text: &str| {
            self.outputs.first().into_iter().for_each(|console| console.tell(Level::Warning, text));
        };
        routes.route(name, &Line { level: record.level(), message: &message, millis, now, tell: &tell })
    }
}

fn format(output: &LogOutput, record: &Record<'_>, context: &OwnedKVList) -> Vec<u8> {
    let mut line = Vec::with_capacity(USUAL_LINE_BYTES);
    let (format, now) = (&output.format, SystemTime::now());
    let mut with = |stamp: &mut Stamp| layout::line(format, &mut line, stamp, now, record, context);
    // The stamp is out of reach when a value that is being formatted logs or panics, and when its thread ends.
    let done = STAMP.try_with(|stamp| stamp.try_borrow_mut().map(|mut stamp| with(&mut stamp)).is_ok());
    if done != Ok(true) {
        with(&mut Stamp::new(None));
    }
    line
}

fn urgency(level: Level) -> Urgency {
    if level.is_at_least(Level::Warning) { Urgency::MayWait } else { Urgency::GivesWay }
}

thread_local! {
    static STAMP: RefCell<Stamp> = RefCell::new(Stamp::new(None));
}

const USUAL_LINE_BYTES: usize = 256;
