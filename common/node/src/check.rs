//! `check`: the report and no more.

use crate::{
    COMPONENTS, FAILED, LACKS, Role, WRONG, complain,
    java::{self, Words},
    jvm::Given,
    kerberos::JavaKerberos,
    load::{Checked, Loader, Wanted},
    options::CheckOptions,
    origin::{Choice, Texts},
    print,
};
use plan::{Fate, Report, Severity};
use runtime::clock::Duration;
use serde_json::json;
use slog::{Discard, Logger, o};
use std::{path::Path, process::ExitCode};

/// How long a place on another host is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Prints what is to be said of a configuration on stdout.
pub(crate) fn check(role: Role, options: &CheckOptions, words: &Words) -> ExitCode {
    let messages = options.central.messages();
    if !messages.is_empty() {
        complain(role, &messages.join("\n"));
        return ExitCode::from(WRONG);
    }
    let properties = java::all_properties(words);
    let not_text = java::not_text_variables(std::env::vars_os());
    not_text.iter().for_each(|text| complain(role, text));
    let jvm = Given::new(&options.java, words);
    let wanted = Wanted {
        name: options.name.clone(),
        properties,
        strict_flume: options.ours.strict_flume,
        in_part: options.ours.start_in_part,
        kerberos: JavaKerberos::of(&jvm),
        jvm,
    };
    if let [old, new] = &options.diff[..] {
        return diff(role, wanted, old, new);
    }
    let name = options.name.as_deref().unwrap_or_default();
    options
        .central
        .notices(&options.conf_file, &wanted.properties, &wanted.kerberos)
        .iter()
        .for_each(|text| complain(role, text));
    let choice = Choice {
        files: &options.conf_file,
        central: &options.central,
        conf: options.java.conf.as_deref(),
        class_path: options.java.classpath.as_deref(),
        once: true,
        patience: Some(PATIENCE),
        waits: |_| {},
        log: Logger::root(Discard, o!()),
    };
    let loaded = Texts::of(choice, &wanted).and_then(|mut texts| Loader::new(wanted).load(texts.read()));
    match loaded {
        Ok(mut loaded) => {
            loaded.probe();
            let report = &loaded.report;
            let code = exit_code(report, options.deny_warnings);
            if options.json {
                print(&json(report, name, code));
            } else {
                print(&text(report, name));
            }
            ExitCode::from(code)
        }
        Err(text) => {
            complain(role, &text);
            ExitCode::from(WRONG)
        }
    }
}

/// Prints what a reload does that leads from `old` to `new`.
fn diff(role: Role, wanted: Wanted, old: &Path, new: &Path) -> ExitCode {
    let name = wanted.name.clone().unwrap_or_default();
    let mut loader = Loader::new(wanted.clone());
    let mut plans = Vec::new();
    for path in [old, new] {
        let loaded = Texts::of_file(path, &wanted).and_then(|mut texts| {
            let read = texts.read();
            // The first is what runs.
            if plans.is_empty() {
                let loaded = loader.load(read)?;
                loader.taken(&loaded);
                return Ok(loaded);
            }
            loader.load_again(read)
        });
        match loaded {
            Ok(Checked { assembly: Some(assembly), .. }) => plans.push(assembly.plan),
            Ok(Checked { report, .. }) => {
                let path = path.display();
                print(&format!("{path} is not taken, and what ran before goes on\n{}", text(&report, &name)));
                return ExitCode::from(exit_code(&report, false));
            }
            Err(text) => {
                complain(role, &text);
                return ExitCode::from(WRONG);
            }
        }
    }
    let changes = plan::diff(&plans[0], &plans[1], COMPONENTS.ties());
    print(&changes.iter().map(|change| format!("{change}\n")).collect::<String>())
}

/// Whether the agent runs, and the report.
pub(crate) fn text(report: &Report, name: &str) -> String {
    format!("{}\n{report}", report.head(name))
}

/// The same for programs, on one line.
fn json(report: &Report, name: &str, code: u8) -> String {
    let lacking = report.lacking();
    let lacking = lacking.iter().map(|(what, times)| json!({ "what": what, "times": times }));
    let (in_flume, without) = match report.fate() {
        Fate::Runs => ("runs", Vec::new()),
        Fate::Part(without) => ("runs in part", without),
        Fate::Idle(why) => ("starts nothing", vec![why]),
        Fate::Ends(why) => ("ends", vec![why]),
    };
    let counts = [Severity::Error, Severity::Warning, Severity::Note].map(|severity| report.count(severity));
    let whole = json!({
        "agent": name,
        "head": report.head(name),
        "runs_here": !report.has_errors(),
        "without": report.without(),
        "exit_code": code,
        "lacks": lacking.collect::<Vec<_>>(),
        "in_flume": in_flume,
        "in_flume_because": without,
        "errors": counts[0],
        "warnings": counts[1],
        "notes": counts[2],
        "findings": report.findings(),
    });
    format!("{whole}\n")
}

/// What a process that finds this ends with.
pub(crate) fn exit_code(report: &Report, deny_warnings: bool) -> u8 {
    if report.is_wrong() {
        WRONG
    } else if report.has_errors() {
        LACKS
    } else if deny_warnings && report.has_warnings() {
        FAILED
    } else {
        0
    }
}
