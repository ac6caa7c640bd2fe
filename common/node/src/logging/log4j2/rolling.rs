//! `<RollingFile>`: when it is rolled, and what becomes of it then.

use super::{
    super::{
        log4j::uncompressed,
        model::{Appender, MOST_NAME},
        rolled, sizes,
    },
    Reader, elements, is, kind,
};
use console::{DatePrinter, FileSettings, NamePattern, Names, Size, Triggers};
use jiff::tz::TimeZone;
use roxmltree::Node;
use std::path::Path;

impl Reader<'_> {
    pub(super) fn rolling(&self, node: Node<'_, '_>, appender: &mut Appender) -> Option<FileSettings> {
        let mut file = self.file(node, appender)?;
        let text = self.get(node, "filePattern").unwrap_or_default();
        let Some((dated, without)) = rolled::dated(&text) else {
            let text = plan::cut(&text, MOST_NAME);
            let said = format!(
                "its filePattern {text} has a variable that is not known here; the file is not rolled"
            );
            appender.lack(&text, said);
            return Some(file);
        };
        let short = uncompressed(&dated, appender);
        let pattern = match NamePattern::parse(short) {
            Ok(pattern) if !text.is_empty() => pattern,
            Ok(_) => {
                appender.say("it has no filePattern; the file is not rolled");
                return Some(file);
            }
            Err(why) => {
                appender.say(format_args!("filePattern={text}: {why}. The file is not rolled"));
                return Some(file);
            }
        };
        let period = NamePattern::parse(&without).ok().and_then(|pattern| pattern.last_date().cloned());
        let within =
            elements(node).filter(|element| is(*element, "Policies")).flat_map(|policies| elements(policies));
        let is_policy =
            |element: &Node<'_, '_>| kind(*element).to_ascii_lowercase().ends_with("triggeringpolicy");
        for policy in elements(node).chain(within).filter(is_policy) {
            self.policy(policy, period.as_ref(), &mut file.triggers, appender);
        }
        let kept = pattern.kept();
        let written = Written { file: &file.path, end: &dated[short.len()..], like: &kept.name };
        file.names = self.strategy(node, pattern, &written, appender);
        Some(file)
    }

    fn policy(
        &self,
        node: Node<'_, '_>,
        period: Option<&DatePrinter>,
        triggers: &mut Triggers,
        appender: &mut Appender,
    ) {
        match kind(node).to_ascii_lowercase().as_str() {
            "sizebasedtriggeringpolicy" => {
                let text = self.get(node, "size");
                let bytes = text.as_deref().map_or(Some(10 << 20), sizes::bytes);
                if bytes.is_none() {
                    appender
                        .say(format_args!("size={} is no size; 10 MB is taken", text.unwrap_or_default()));
                }
                triggers.size = Some(Size::Passed(bytes.unwrap_or(10 << 20)));
            }
            "timebasedtriggeringpolicy" => {
                if self.get(node, "interval").is_some_and(|text| text.trim() != "1") {
                    appender.lack("interval", "an interval other than 1 is not there: it is rolled whenever the date of its filePattern changes");
                }
                if period.is_none() {
                    appender.say("its filePattern has no date to be rolled by; it is not rolled by time");
                }
                triggers.period = period.cloned();
                triggers.old_at_start = true;
            }
            "crontriggeringpolicy" => {
                let schedule = self.get(node, "schedule").unwrap_or_else(|| DAILY.to_owned());
                let period = sizes::cron(&schedule).unwrap_or_else(|| {
                    appender.lack(&schedule, format_args!(
                        "the schedule `{schedule}` is not there: it is rolled at midnight. The starts of minutes, hours, days and months are"
                    ));
                    "yyyyMMdd"
                });
                triggers.period = DatePrinter::compile(period, TimeZone::system()).ok();
                triggers.old_at_start |= self.flag(node, "evaluateOnStartup", false);
            }
            "onstartuptriggeringpolicy" => {
                let least = self.get(node, "minSize").and_then(|text| sizes::bytes(&text));
                triggers.at_start = Some(least.unwrap_or(1));
            }
            _ => {
                let name = format!("<{}>", kind(node));
                appender.lack(&name, format_args!("{name} is not there; it is not rolled by that"));
            }
        }
    }

    fn strategy(
        &self,
        node: Node<'_, '_>,
        pattern: NamePattern,
        written: &Written<'_>,
        appender: &mut Appender,
    ) -> Names {
        let is_strategy = |element: &Node<'_, '_>| kind(*element).to_ascii_lowercase().ends_with("strategy");
        let strategy = elements(node).find(is_strategy);
        let number = |name: &str, default: u32| {
            strategy
                .and_then(|node| self.get(node, name))
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or(default)
        };
        let (first, last) = (number("min", 1), number("max", 7));
        let index = strategy.and_then(|node| self.get(node, "fileIndex")).unwrap_or_default();
        let last = (!index.eq_ignore_ascii_case("nomax")).then_some(last);
        let newest_is_last = !index.eq_ignore_ascii_case("min");
        let mut delete = None;
        if let Some(other) = strategy.filter(|node| !is(*node, "DefaultRolloverStrategy")) {
            let name = format!("<{}>", kind(other));
            appender.lack(&name, format_args!("{name} is not there; DefaultRolloverStrategy is taken"));
        }
        for action in strategy.into_iter().flat_map(|node| elements(node)) {
            let read = if is(action, "Delete") { self.delete(action, written) } else { None };
            match read {
                Some(read) => {
                    let before = delete.replace(read);
                    if before.is_some() {
                        appender.lack("<Delete>", "of several <Delete> only the last is done, so that files may pile up; write a <RollingFile> for each");
                    }
                }
                None if action.attributes().len() + elements(action).count() > 0 => appender.lack(
                    &format!("<{}>", kind(action)),
                    format_args!(
                        "its <{}> is not there, or has a condition that is not, or none: it is not done, so that files may pile up",
                        kind(action)
                    ),
                ),
                None => {}
            }
        }
        let pattern = self.compressed(strategy, pattern, appender);
        Names::Pattern { pattern, first, last, newest_is_last, delete }
    }

    fn compressed(
        &self,
        strategy: Option<Node<'_, '_>>,
        pattern: NamePattern,
        appender: &mut Appender,
    ) -> NamePattern {
        let text = strategy.and_then(|node| self.get(node, "compressionLevel"));
        match text.as_deref().map(|text| text.trim().parse::<i32>()) {
            None | Some(Ok(-1)) => pattern,
            Some(Ok(level @ 0..=9)) => pattern.compressed_by(level.unsigned_abs()),
            Some(_) => {
                appender.say(format_args!(
                    "compressionLevel={} is no level from 0 to 9; log4j's own is taken",
                    plan::cut(&text.unwrap_or_default(), MOST_NAME)
                ));
                pattern
            }
        }
    }
}

/// A log file that is rolled.
pub(super) struct Written<'a> {
    pub(super) file: &'a Path,
    /// What its rolled files would end in if they were compressed.
    pub(super) end: &'a str,
    /// What the names of its rolled files are like.
    pub(super) like: &'a str,
}

/// log4j 2's own default.
const DAILY: &str = "0 0 0 * * ?";
