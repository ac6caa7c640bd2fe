//! Runs an agent, from the options to its end.

use crate::{
    FAILED, LOST, Role, WRONG, check, complain,
    java::{self, Words},
    jvm::Given,
    kerberos::JavaKerberos,
    limits,
    load::{Checked, Loader, Showing, Wanted},
    log4j,
    logging::{self, Logging},
    options::RunOptions,
    origin::{Choice, Texts},
    panic, print,
    starter::Starter,
};
use console::Console;
use flow::counters::Registry;
use flow::{Assembly, Ended};
use hosted::Shown;
use plan::{Report, Severity};
use sd_notify::NotifyState;
use slog::{Level, Logger, error, info, warn};
use std::{process::ExitCode, sync::Arc, time::Duration};

/// Runs the agent that `options` name and returns when it has stopped.
pub(crate) fn run(role: Role, options: &RunOptions, words: &Words, starter: Starter) -> ExitCode {
    let messages = options.central.messages();
    if !messages.is_empty() {
        complain(role, &messages.join("\n"));
        return ExitCode::from(WRONG);
    }
    let properties = java::all_properties(words);
    let mut jvm = Given::new(&options.java, words);
    let kerberos = JavaKerberos::of(&jvm);
    let mut notices = options.central.notices(&options.conf_file, &properties, &kerberos);
    let logging = logging(options, &properties, &jvm, starter);
    let is_by_log4j = logging.settings.records.is_some();
    jvm.least = logging.least;
    let wanted = Wanted {
        name: options.name.clone(),
        properties: properties.clone(),
        strict_flume: options.ours.strict_flume,
        in_part: options.ours.start_in_part,
        jvm,
        kerberos,
    };
    notices.extend(logging.notices);
    let console = starter.console(logging.settings);
    let _flushed = console.flush_on_drop(LAST_LINES);
    if let Some(place) = &logging.place {
        console.tell(Level::Info, place);
    }
    let choice = Choice {
        files: &options.conf_file,
        central: &options.central,
        conf: options.java.conf.as_deref(),
        class_path: options.java.classpath.as_deref(),
        once: options.no_reload_conf || starter == Starter::Storm,
        patience: options.dryrun.then_some(check::PATIENCE),
        // Waiting for its configuration, a service has started: else systemd would end it for being late.
        waits: |log| tell_systemd(log, NotifyState::Ready),
        log: console.logger(),
    };
    let mut loader = Loader::new(wanted.clone());
    let loaded = Texts::of(choice, &wanted).and_then(|mut texts| Ok((loader.load(texts.read())?, texts)));
    match loaded {
        Err(text) => {
            complain(role, &text);
            ExitCode::from(WRONG)
        }
        Ok((mut loaded, _)) if options.dryrun => {
            loaded.probe();
            print(&check::text(&loaded.report, options.name.as_deref().unwrap_or_default()));
            ExitCode::from(check::exit_code(&loaded.report, false))
        }
        Ok((loaded, mut texts)) => {
            if loaded.assembly.is_some() {
                texts.kept();
            }
            loader.taken(&loaded);
            if loaded.elsewhere().is_none() {
                notices.extend(without_a_jvm(options, words, is_by_log4j));
            }
            if let Some(text) = starter.objection(role, &loaded) {
                complain(role, &text);
                return ExitCode::from(WRONG);
            }
            let watches = !options.no_reload_conf && starter == Starter::Anybody;
            let watched = watches.then_some((texts, loader));
            run_loaded(role, options, console, (loaded, watched), notices)
        }
    }
}

/// How this run logs. A dry run writes no file, and a topology has its own.
fn logging(
    options: &RunOptions,
    properties: &[(String, String)],
    given: &Given,
    starter: Starter,
) -> Logging {
    let all: Vec<(String, String)> = given.env_file.of_logging().chain(properties).cloned().collect();
    if options.dryrun || starter == Starter::Storm {
        logging::on_the_console(&all, &options.log_format)
    } else {
        let log4j = |file| log4j::find(given, file);
        logging::settings(&all, given.conf.as_deref(), &options.log_format, Some(&log4j))
    }
}

fn run_loaded(
    role: Role,
    options: &RunOptions,
    console: Arc<Console>,
    (checked, watched): (Checked, Option<(Texts, Loader)>),
    mut notices: Vec<String>,
) -> ExitCode {
    let log = console.logger();
    panic::log_panics(Arc::clone(&console));
    notices.extend(java::not_text_variables(std::env::vars_os()));
    notices.extend(limits::raise_open_files());
    for notice in notices {
        warn!(log, "{notice}");
    }
    say_report(&log, &checked.report);
    let elsewhere = checked.elsewhere();
    match checked.assembly {
        Some(assembly) => {
            let counters = start_monitoring(checked.monitoring, &log);
            elsewhere.into_iter().for_each(|elsewhere| counters.add_elsewhere(elsewhere));
            let shown = checked.jmx.and_then(|jmx| show(jmx, &counters, &log));
            let reloading =
                watched.and_then(|(texts, loader)| watch(texts, loader.counting_in(counters.clone()), &log));
            start(role, options, (assembly, reloading), (counters, shown), log, console)
        }
        None => {
            let name = options.name.as_deref().unwrap_or_default();
            let text = format!(
                "agent {name} does not start: {}; `{role} check` with the same options prints the findings for reading",
                checked.report.blocks()
            );
            say_end(&console, &log, &text);
            ExitCode::from(check::exit_code(&checked.report, false))
        }
    }
}

/// What components count in.
fn start_monitoring(settings: Option<monitor::Settings>, log: &Logger) -> Registry {
    let Some(settings) = settings else { return Registry::default() };
    let counters = Registry::watched();
    if let Err(cause) = monitor::start(settings, counters.clone(), log.clone()) {
        error!(log, "monitoring: the system gives no thread for it; the agent runs, and its counters cannot be read"; "error" => #%cause);
    }
    counters
}

/// Has a JVM show the counters.
fn show(jmx: Showing, counters: &Registry, log: &Logger) -> Option<Shown> {
    let shown = jmx.begin(counters.clone(), log.clone());
    shown.map_err(|cause| warn!(log, "monitoring: {cause}; the agent runs without it")).ok()
}

/// Has changes of the configuration taken over.
fn watch(texts: Texts, loader: Loader, log: &Logger) -> Option<flow::Reloading> {
    match texts.watch(loader, log.clone(), say_report) {
        Ok(reloading) => Some(reloading),
        Err(cause) => {
            error!(log, "the system gives no thread to watch the configuration; a change is not taken before the next start"; "error" => #%cause);
            None
        }
    }
}

fn start(
    role: Role,
    options: &RunOptions,
    (assembly, reloading): (Assembly, Option<flow::Reloading>),
    (counters, shown): (Registry, Option<Shown>),
    log: Logger,
    console: Arc<Console>,
) -> ExitCode {
    let (ready, stop, screen) = (log.clone(), log.clone(), Arc::clone(&console));
    let settings = flow::Settings {
        log: log.clone(),
        console,
        counters,
        drain_timeout: options.drain_timeout,
        reloading,
        on_ready: Box::new(move || tell_systemd(&ready, NotifyState::Ready)),
        on_stop: Box::new(move || {
            components::leave_storm();
            tell_systemd(&stop, NotifyState::Stopping);
        }),
    };
    let ended = flow::run(assembly, settings);
    if !matches!(ended, Ok(Ended::Cut(_))) {
        shown.into_iter().for_each(Shown::stop);
    }
    match ended {
        Ok(Ended::Stopped) => ExitCode::SUCCESS,
        Ok(Ended::Lost) => ExitCode::from(LOST),
        // As a shell shows a process that a signal has ended.
        Ok(Ended::Cut(signal)) => ExitCode::from(u8::try_from(128 + signal).unwrap_or(FAILED)),
        Err(cause) => {
            say_end(&screen, &log, &format!("{role} does not start: {cause:#}"));
            ExitCode::from(FAILED)
        }
    }
}

/// Says why nothing runs: in the log, and on the console also where log lines go to files alone, which may be what fails.
fn say_end(console: &Console, log: &Logger, text: &str) {
    error!(log, "{text}");
    console.tell_unseen(Level::Error, text);
}

/// What was given for a JVM, where no component needs one. The one in which log4j writes has the class path, and properties.
fn without_a_jvm(options: &RunOptions, words: &Words, is_by_log4j: bool) -> Vec<String> {
    let mut notices = Vec::new();
    if !words.flags.is_empty() {
        notices.push(format!("no component needs a JVM, so these are ignored: {}", flags(&words.flags)));
    }
    for (name, path) in
        [("--classpath", &options.java.classpath), ("--plugins-path", &options.java.plugins_path)]
    {
        if path.is_some() && !is_by_log4j {
            notices.push(format!("no component needs a JVM, so {name} is ignored"));
        }
    }
    notices
}

/// Without what stands behind a `=`: an agent of a JVM may be given a password there.
fn flags(flags: &[String]) -> String {
    let names = flags.iter().filter_map(|flag| flag.split('=').next()).collect::<Vec<_>>();
    plan::cut(&names.join(" "), MOST_SHOWN)
}

/// Bytes of flags that are shown.
const MOST_SHOWN: usize = 500;

/// Says every finding as one log line.
fn say_report(log: &Logger, report: &Report) {
    for finding in report.findings() {
        let line = finding.one_line();
        match finding.severity {
            Severity::Error => error!(log, "{line}"),
            Severity::Warning => warn!(log, "{line}"),
            Severity::Note => info!(log, "{line}"),
        }
    }
    if !report.has_errors() && !report.without().is_empty() {
        error!(
            log,
            "the agent runs in part, as --start-in-part says: without {}; what is wrong with that stands above",
            report.without().join(", ")
        );
    }
}

/// Tells systemd how things stand; without systemd nobody is told.
fn tell_systemd(log: &Logger, state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        warn!(log, "cannot report the state to systemd; systemd may wait for it in vain"; "error" => %error);
    }
}

/// How long the last log lines may take at the end.
const LAST_LINES: Duration = Duration::from_secs(1);

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use console::{Levels, Settings};
    use flow::testing::Paper;

    /// What stands on a console that has log lines from `level` on; `None` where they go to files alone.
    pub(crate) fn printed(level: Option<Level>, say: impl Fn(&Console)) -> String {
        let paper = Paper::default();
        let settings = Settings { levels: Levels::bare(level), ..Settings::default() };
        let console = Console::to(paper.clone(), settings);
        say(&console);
        console.flush(Duration::from_secs(10));
        paper.text()
    }

    #[test]
    fn why_nothing_starts_is_seen_once_wherever_log_lines_go() {
        for level in [None, Some(Level::Info)] {
            let text = printed(level, |console| say_end(console, &console.logger(), "does not start: x"));
            assert_eq!(text.matches("does not start: x").count(), 1, "{text}");
        }
    }
}
