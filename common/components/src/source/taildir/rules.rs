//! What the check says of file groups.

use super::super::POLLED;
use super::TailDir;
use super::config::TailDirConfig;
use super::own::OwnFiles;
use flow::component::{Component, Configure};
use java::{Pattern, glob_as_regex, looks_like_glob, with_ended_counts};
use plan::{Bad, Descriptor, Findings, Kind, Problem, Properties, Property, Value, nearest, quoted};
use std::sync::Arc;

/// Its row in the catalogue.
pub(crate) const COMPONENT: Component = Component {
    descriptor: Descriptor::new(
        Kind::Source,
        "taildir",
        "org.apache.flume.source.taildir.TaildirSource",
        &[PROPERTIES, POLLED],
    )
    .spelled("TAILDIR")
    .mistaken(&[("tail", ""), ("tailsource", "")])
    .batch("batchSize")
    .blocks()
    .rereadable(),
    configure: Configure::Source(|properties, site, findings| {
        file_groups(properties, findings);
        position_file(properties, findings);
        let config = Arc::new(TailDirConfig::new(properties, site.shared::<OwnFiles>()));
        Some(Box::new(move || Box::new(TailDir(config.clone()))))
    }),
};

const PROPERTIES: &[Property] = &[
    Property::required("filegroups", Value::List),
    Property::optional("filegroups.", Value::Path),
    Property::optional("positionFile", Value::Path),
    Property::optional("headers.", Value::Text),
    Property::with("byteOffsetHeader", Value::Flag, "false"),
    Property::with("skipToEnd", Value::Flag, "false"),
    Property::with("idleTimeout", Value::at_least(0, "ms"), "120000")
        .outside(Bad::Says("closes each file as soon as it looks")),
    Property::with("writePosInterval", Value::at_least(1, "ms"), "3000")
        .outside(Bad::Says("fails to start, and tries again every 3 s for ever")),
    Property::with("batchSize", Value::at_least(1, "events"), "100").outside(Bad::Says("reads nothing")),
    Property::with("maxBatchCount", Value::long(1, "batches"), "9223372036854775807").outside(Bad::Default),
    Property::with("cachePatternMatching", Value::Flag, "true"),
    Property::with("fileHeader", Value::Flag, "false"),
    Property::with("fileHeaderKey", Value::Text, "file"),
];

/// Flume makes the directory above it, and fails where the path has none.
fn position_file(properties: &Properties, findings: &mut Findings<'_>) {
    let Some(path) = properties.text("positionFile").filter(|path| !path.contains('/')) else { return };
    let key = findings.key("positionFile");
    let what = format!("`{key} = {path}` names no directory");
    let problem = Problem::note("no-directory", findings.at("positionFile"), what)
        .flume(
            findings
                .owner
                .dropped
                .in_words("up to 1.11 fails with a NullPointerException, and leaves the source out"),
        )
        .here("the file is in the working directory")
        .fix(format!("`{key} = ./{path}`, or better a whole path"));
    findings.add(problem);
}

fn file_groups(properties: &Properties, findings: &mut Findings<'_>) {
    let groups = properties.words("filegroups");
    let with_path: Vec<&str> = groups
        .iter()
        .copied()
        .filter(|group| properties.text(&format!("filegroups.{group}")).is_some())
        .collect();
    for group in groups.iter().filter(|group| !with_path.contains(group)) {
        let what = format!("the file group {} of the {} has no path", quoted(group), findings.owner.noun);
        let at = findings.word_at("filegroups", group);
        let problem = if with_path.is_empty() {
            Problem::error("no-path", &at, what).flume(&findings.owner.dropped)
        } else {
            Problem::warning("no-path", &at, what).flume("ignores the group").here("it is ignored")
        };
        let fix = format!("`{} = /DIRECTORY/REGEX`", findings.key(&format!("filegroups.{group}")));
        findings.add(problem.fix(fix));
    }
    for (group, path) in properties.under("filegroups") {
        if groups.contains(&group) {
            file_group(group, path, findings);
        } else {
            not_a_group(group, &format!("filegroups.{group}"), &groups, findings);
        }
    }
    for (key, _) in properties.under("headers") {
        match key.split_once('.') {
            Some((group, header)) if !header.is_empty() && groups.contains(&group) => {}
            Some((group, header)) if !header.is_empty() => {
                not_a_group(group, &format!("headers.{key}"), &groups, findings);
            }
            _ => {
                let key = format!("headers.{key}");
                let what = format!("`{}` names no header", findings.key(&key));
                let problem =
                    Problem::error("bad-value", findings.at(&key), what).flume(&findings.owner.dropped);
                let fix = format!("`{} = VALUE`", findings.key("headers.GROUP.HEADER"));
                findings.add(problem.fix(fix));
            }
        }
    }
}

/// A path whose last part is a regular expression; what stands in front of it is literal.
fn file_group(group: &str, path: &str, findings: &mut Findings<'_>) {
    let short = format!("filegroups.{group}");
    let (key, at) = (findings.key(&short), findings.at(&short).clone());
    let fails = "starts, fails, and tries again every 3 s for ever";
    let Some((directory, name)) = path.rsplit_once('/') else {
        let what = format!("`{key}` is {}: no directory", quoted(path));
        let problem = Problem::error("bad-value", &at, what).flume(fails);
        return findings.add(problem.fix(format!("`{key} = /DIRECTORY/REGEX`")));
    };
    if let Err(wrong) = Pattern::compile_whole(name) {
        let what = format!("`{key}`: {} is a regular expression, and {wrong}", quoted(name));
        let flume = if wrong.is_javas() { fails } else { "follows the files whose names match" };
        let problem = Problem::error("bad-value", &at, what).flume(flume);
        let meant = with_ended_counts(name).or_else(|| glob_as_regex(name));
        let meant = meant.unwrap_or_else(|| "REGEX".into());
        findings.add(problem.fix(format!("`{key} = {directory}/{meant}`")));
    } else if let Some(meant) = glob_as_regex(name).filter(|_| looks_like_glob(name)) {
        let what = format!(
            "`{key}`: {} is a regular expression, where `*` and `?` repeat the letter in front of them, and looks like a pattern of a shell",
            quoted(name)
        );
        let problem = Problem::warning("glob", &at, what)
            .flume("takes it for a regular expression, and follows the files whose whole names match")
            .here("the same");
        findings.add(problem.fix(format!("`{key} = {directory}/{meant}`")));
    }
    if directory.contains(['*', '[', '(', '?', '+']) {
        let what = format!("`{key}` has a pattern in its directory, {}", quoted(directory));
        let problem = Problem::warning("literal-directory", &at, what)
            .flume("takes the directory as it is written; only the file name is a pattern")
            .here("the same");
        findings.add(problem.fix("a group for each directory"));
    }
}

fn not_a_group(group: &str, key: &str, groups: &[&str], findings: &mut Findings<'_>) {
    let list = findings.key("filegroups");
    let what =
        format!("`{}` is about a file group {} that is not in `{list}`", findings.key(key), quoted(group));
    let problem = Problem::warning("not-listed", findings.at(key), what)
        .flume("ignores it silently")
        .here("it is ignored");
    let header = group.split_once('.').filter(|(group, header)| groups.contains(group) && !header.is_empty());
    let fix = match (header, nearest(group, groups.iter().copied())) {
        (Some((group, header)), _) => {
            let value = findings.shown(key).unwrap_or_else(|| "VALUE".into());
            format!(
                "`{} = {value}`, if a header is meant",
                findings.key(&format!("headers.{group}.{header}"))
            )
        }
        (None, Some(meant)) => format!("`{meant}`, if that is meant"),
        (None, None) => format!("`{list} = {} {group}`", groups.join(" ")),
    };
    findings.add(problem.fix(fix));
}
