//! Runs an agent, from the options to its end.

use crate::{
    FAILED, LOST, Role, WRONG, check, complain, env_file,
    java::{self, Words},
    jvm::Given,
    limits,
    load::{self, Checked, Wanted},
    logging,
    options::RunOptions,
    panic, print,
};
use console::Console;
use flow::counters::Registry;
use flow::{Assembly, Ended};
use plan::{Report, Severity};
use sd_notify::NotifyState;
use slog::{Logger, error, info, warn};
use std::{process::ExitCode, sync::Arc, time::Duration};

/// Runs the agent that `options` name and returns when it has stopped.
pub(crate) fn run(role: Role, options: &RunOptions, words: &Words) -> ExitCode {
    let messages = options.not_yet.messages();
    if !messages.is_empty() {
        complain(role, &messages.join("\n"));
        return ExitCode::from(WRONG);
    }
    let properties = java::all_properties(words);
    let mut notices = Vec::new();
    let wanted = Wanted {
        name: options.name.as_deref(),
        files: &options.conf_file,
        properties: &properties,
        strict_flume: options.ours.strict_flume,
        jvm: Given::new(
            options.conf.as_deref(),
            options.classpath.as_deref(),
            options.plugins_path.as_deref(),
            words,
        ),
    };
    match load::load(&wanted) {
        Err(text) => {
            complain(role, &text);
            ExitCode::from(WRONG)
        }
        Ok(mut loaded) if options.dryrun => {
            if let Some(java) = &loaded.java {
                java.probe(&mut loaded.report);
            }
            print(&check::text(&loaded.report, wanted.name.unwrap_or_default()));
            ExitCode::from(check::exit_code(&loaded.report, false))
        }
        Ok(loaded) => {
            if loaded.java.is_none() {
                notices.extend(without_a_jvm(options, words));
            }
            run_loaded(role, options, &properties, loaded, notices)
        }
    }
}

fn run_loaded(
    role: Role,
    options: &RunOptions,
    properties: &[(String, String)],
    checked: Checked,
    mut notices: Vec<String>,
) -> ExitCode {
    let (settings, told) = logging::settings(properties, &options.log_format);
    notices.extend(told);
    let console = Console::stderr(settings);
    let _flushed = console.flush_on_drop(LAST_LINES);
    let log = console.logger();
    panic::log_panics(log.clone());
    notices.extend(java::not_text_variables(std::env::vars_os()));
    notices.extend(limits::raise_open_files());
    for notice in notices {
        warn!(log, "{notice}");
    }
    say_report(&log, &checked.report);
    match checked.assembly {
        Some(assembly) => {
            let counters = start_monitoring(checked.monitoring, &log);
            start(role, options, assembly, counters, log, console)
        }
        None => {
            let name = options.name.as_deref().unwrap_or_default();
            error!(
                log,
                "agent {name} does not start: {}; `{role} check` with the same options prints the findings for reading",
                checked.report.blocks()
            );
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

fn start(
    role: Role,
    options: &RunOptions,
    assembly: Assembly,
    counters: Registry,
    log: Logger,
    console: Arc<Console>,
) -> ExitCode {
    let (ready, stop) = (log.clone(), log.clone());
    let settings = flow::Settings {
        log: log.clone(),
        console,
        counters,
        drain_timeout: options.drain_timeout,
        on_ready: Box::new(move || tell_systemd(&ready, NotifyState::Ready)),
        on_stop: Box::new(move || tell_systemd(&stop, NotifyState::Stopping)),
    };
    match flow::run(assembly, settings) {
        Ok(Ended::Stopped) => ExitCode::SUCCESS,
        Ok(Ended::Lost) => ExitCode::from(LOST),
        // As a shell shows a process that a signal has ended.
        Ok(Ended::Cut(signal)) => ExitCode::from(u8::try_from(128 + signal).unwrap_or(FAILED)),
        Err(cause) => {
            error!(log, "{role} does not start"; "error" => #%cause);
            ExitCode::from(FAILED)
        }
    }
}

/// What was given for a JVM, where no component needs one.
fn without_a_jvm(options: &RunOptions, words: &Words) -> Vec<String> {
    let mut notices = Vec::new();
    if !words.flags.is_empty() {
        notices.push(format!("no component needs a JVM, so these are ignored: {}", flags(&words.flags)));
    }
    for (name, given) in [("--classpath", &options.classpath), ("--plugins-path", &options.plugins_path)] {
        if given.is_some() {
            notices.push(format!("no component needs a JVM, so {name} is ignored"));
        }
    }
    notices.extend(options.conf.as_deref().and_then(env_file::notice));
    notices.extend(env_file::options_file(options.conf.as_deref()));
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
}

/// Tells systemd how things stand; without systemd nobody is told.
fn tell_systemd(log: &Logger, state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        warn!(log, "cannot report the state to systemd; systemd may wait for it in vain"; "error" => %error);
    }
}

/// How long the last log lines may take at the end.
const LAST_LINES: Duration = Duration::from_secs(1);
