//! Levels of single loggers, as the command line gives them.

use console::{Levels, UnknownLevel, parse_level};
use slog::Level;

/// The levels of the command line under names that log4j knows, each once. One for a module of ours rules Java's logger of that name as
/// well, which others may share: log4j only ever gets to print more by it, and what is to print less is not handed over.
pub(super) fn levels_for_log4j(of_file: &Levels, properties: &[(String, String)]) -> Vec<(String, String)> {
    let mut given: Vec<(String, Option<Level>)> = Vec::new();
    let mut levels = of_file.clone();
    let mut set = |name: &str, level: Option<Level>, is_ours: bool| {
        if is_ours && level.is_none_or(|level| levels.enabled(name, level)) {
            return;
        }
        levels.set(name, level);
        given.retain(|(known, _)| known != name);
        given.push((name.to_owned(), level));
    };
    for are_ours in [false, true] {
        for (name, level) in properties.iter().filter_map(|(name, value)| level_of(name, value)) {
            let known = console::name_in_flume(name);
            if let Ok(level) = level
                && (known != name) == are_ours
            {
                set(&known, level, are_ours);
            }
        }
    }
    let name = |level: Option<Level>| level.map_or("OFF", console::level_name).to_owned();
    given.into_iter().map(|(logger, level)| (logger, name(level))).collect()
}

/// A logger, and the level that a property gives it.
pub(super) fn level_of<'a>(
    name: &'a str,
    value: &str,
) -> Option<(&'a str, Result<Option<Level>, UnknownLevel>)> {
    let logger = name.strip_prefix(LEVEL_OF).filter(|logger| !logger.is_empty())?;
    Some((logger, parse_level(value)))
}

/// Behind it stands the name of a logger, or its front part.
const LEVEL_OF: &str = "flume.log.level.";
