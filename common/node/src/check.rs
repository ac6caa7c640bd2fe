//! `check`: the report and no more.

use crate::{
    FAILED, LACKS, Role, WRONG, complain,
    java::{self, Words},
    jvm::Given,
    load,
    load::Wanted,
    options::CheckOptions,
    print,
};
use plan::Report;
use std::process::ExitCode;

/// Prints what is to be said of a configuration on stdout.
pub(crate) fn check(role: Role, options: &CheckOptions, words: &Words) -> ExitCode {
    let messages = options.not_yet.messages();
    if !messages.is_empty() {
        complain(role, &messages.join("\n"));
        return ExitCode::from(WRONG);
    }
    let properties = java::all_properties(words);
    let not_text = java::not_text_variables(std::env::vars_os());
    not_text.iter().for_each(|text| complain(role, text));
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
        Ok(mut loaded) => {
            if let Some(java) = &loaded.java {
                java.probe(&mut loaded.report);
            }
            print(&text(&loaded.report, wanted.name));
            exit_code(&loaded.report, options.deny_warnings)
        }
        Err(text) => {
            complain(role, &text);
            ExitCode::from(WRONG)
        }
    }
}

/// The report, or that there is nothing to report.
pub(crate) fn text(report: &Report, name: Option<&str>) -> String {
    match report.to_string() {
        nothing if nothing.is_empty() => format!("agent `{}`: nothing is wrong\n", name.unwrap_or_default()),
        text => text,
    }
}

pub(crate) fn exit_code(report: &Report, deny_warnings: bool) -> ExitCode {
    if report.only_lacks() {
        ExitCode::from(LACKS)
    } else if report.has_errors() {
        ExitCode::from(WRONG)
    } else if deny_warnings && report.has_warnings() {
        ExitCode::from(FAILED)
    } else {
        ExitCode::SUCCESS
    }
}
