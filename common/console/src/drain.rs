//! slog's way to the console.

use crate::{
    layout,
    lines::{LogOutput, Urgency},
    place,
    stamp::Stamp,
};
use slog::{Drain, Level, Never, OwnedKVList, Record};
use std::{cell::RefCell, sync::Arc, time::SystemTime};

/// Formats a record where it was said, then hands the line over: to the console, to log files.
pub(crate) struct ToConsole(pub(crate) Arc<[Arc<LogOutput>]>);

impl Drain for ToConsole {
    type Ok = ();
    type Err = Never;

    fn log(&self, record: &Record<'_>, context: &OwnedKVList) -> Result<(), Never> {
        let name = place::split(record.tag()).map_or_else(|| record.module(), |(_, location)| location);
        for output in self.0.iter().filter(|output| output.levels.load().enabled(name, record.level())) {
            output.say(format(output, record, context), urgency(record.level()));
        }
        Ok(())
    }

    fn is_enabled(&self, level: Level) -> bool {
        let printed =
            |output: &Arc<LogOutput>| output.levels.load().most().is_some_and(|most| level.is_at_least(most));
        self.0.iter().any(printed)
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
