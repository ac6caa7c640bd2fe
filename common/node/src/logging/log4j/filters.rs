//! `log4j.appender.NAME.filter.ID`: what an appender holds back.
//!
//! Source: log4j 1.2.17 `PropertyConfigurator.parseAppenderFilters`, and its package `varia`; log4j's extras have the same
//! filters in another one.

use super::{
    super::model::{Appender, MOST_NAME},
    Options, level,
};
use console::{Filter, Outcome, Test, parse_level};
use slog::Level;
use std::{collections::BTreeSet, sync::Arc};

/// Reads the filters of an appender, which are asked in the order of their IDs.
pub(super) fn read(appender: &mut Appender, options: &Options<'_>) {
    let ids: BTreeSet<&str> = options
        .0
        .iter()
        .filter_map(|(key, _)| key.strip_prefix("filter."))
        .map(|key| key.split_once('.').map_or(key, |(id, _)| id))
        .collect();
    let mut filters = Vec::new();
    for id in ids {
        let Some(class) = options.get(&format!("filter.{id}")).map(str::trim) else {
            let id = plan::cut(id, MOST_NAME);
            appender.say(format_args!(
                "its filter {id} has no class, so that it holds nothing back, in Flume neither"
            ));
            continue;
        };
        match one(class, &|name| options.get(&format!("filter.{id}.{name}")), appender) {
            Some(filter) => filters.push(filter),
            None => {
                let shown = plan::cut(class, MOST_NAME);
                appender.lack(
                    class,
                    format_args!("its filter {shown} is not there: what it would hold back is written"),
                );
            }
        }
    }
    if !filters.is_empty() {
        appender.filter = Some(Arc::new(Filter::all(filters)));
    }
}

/// A filter of `class` with these options.
fn one<'a>(class: &str, get: &dyn Fn(&str) -> Option<&'a str>, appender: &mut Appender) -> Option<Filter> {
    let ours = ["org.apache.log4j.varia.", "org.apache.log4j.filter."];
    let name = ours.iter().find_map(|package| class.strip_prefix(package))?;
    let accepts = |default| match get("acceptOnMatch").map(str::trim) {
        Some(text) if text.eq_ignore_ascii_case("true") => true,
        Some(text) if text.eq_ignore_ascii_case("false") => false,
        _ => default,
    };
    let of_match = if accepts(true) { Outcome::Accept } else { Outcome::Deny };
    let nothing = || {
        Filter::new(Test::always(true), Outcome::Neutral, Outcome::Neutral) // as in log4j
    };
    Some(match name {
        "DenyAllFilter" => Filter::new(Test::always(true), Outcome::Deny, Outcome::Deny),
        "LevelMatchFilter" => match get("levelToMatch").map(parse_level) {
            Some(Ok(level)) => Filter::new(Test::levels(level, level), of_match, Outcome::Neutral),
            Some(Err(unknown)) => {
                appender.say(format_args!("its {name}: {unknown}. It holds nothing back, in Flume neither"));
                nothing()
            }
            None => {
                appender.say(format_args!(
                    "its {name} has no LevelToMatch, so that it holds nothing back, in Flume neither"
                ));
                nothing()
            }
        },
        "LevelRangeFilter" => {
            // None but OFF is more severe than FATAL, and no line is OFF.
            let most = get("levelMax").and_then(|text| level(text, Level::Debug));
            let least = get("levelMin").map_or(Some(Level::Trace), |text| level(text, Level::Debug));
            let inside = if accepts(false) { Outcome::Accept } else { Outcome::Neutral };
            Filter::new(Test::levels(most, least), inside, Outcome::Deny)
        }
        "StringMatchFilter" => match get("stringToMatch") {
            Some(text) => Filter::new(Test::contains(text), of_match, Outcome::Neutral),
            None => {
                appender.say(format_args!(
                    "its {name} has no StringToMatch, so that it holds nothing back, in Flume neither"
                ));
                nothing()
            }
        },
        _ => return None,
    })
}
