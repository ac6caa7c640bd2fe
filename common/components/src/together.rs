//! What components of one agent do to each other, mostly by way of files: who reads what this agent itself writes, and who
//! writes what another one writes.

use crate::channel::storm;
use crate::missing;
use crate::sink::file_roll;
use crate::source::taildir::{self, OwnFiles, PositionFiles, Rolled};
use flow::component::Shared;
use plan::{ComponentPlan, Place, Plan, Problem, Report, SourcePlan, quoted};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Judges what file sources and file sinks of one agent do to each other; what they share is which files it writes.
pub fn together(plan: &Plan, report: &mut Report) -> Shared {
    judge(plan, report);
    missing::judge(plan, report);
    storm::judge(plan, report);
    Arc::new(own_files(plan))
}

/// The files that the components of an agent write.
fn own_files(plan: &Plan) -> OwnFiles {
    let mut positions = Vec::new();
    let shared = PositionFiles::default();
    for source in plan.sources.iter().filter(|source| source.component.kind() == "taildir") {
        let path = taildir::position_file(&source.component.properties);
        shared.expect(&path);
        if !positions.contains(&path) {
            positions.push(path);
        }
    }
    let rolled = plan.sinks.iter().filter(|sink| sink.component.kind() == "file_roll").map(|sink| {
        let (directory, prefix, suffix) = file_roll::names(&sink.component.properties);
        Rolled { directory, prefix, suffix }
    });
    OwnFiles {
        positions,
        rolled: rolled.collect(),
        prints: plan.sinks.iter().any(|sink| sink.component.kind() == "logger"),
        shared,
    }
}

/// What a `TAILDIR` source depends on besides its own properties: the files that the agent writes where it reads, and the
/// sources that it shares its position file with.
pub fn ties(plan: &Plan, source: &SourcePlan) -> String {
    if source.component.kind() != "taildir" {
        return String::new();
    }
    let properties = &source.component.properties;
    let OwnFiles { positions, rolled, prints, .. } = own_files(plan);
    let groups = properties.under("filegroups");
    let directories: Vec<_> =
        groups.filter_map(|(_, path)| Some(real(Path::new(path.rsplit_once('/')?.0)))).collect();
    let is_read = |directory: &Path| directories.contains(&real(directory));
    let position_file = taildir::position_file(properties);
    let beside: Vec<_> = positions.iter().filter(|path| path.parent().is_some_and(is_read)).collect();
    let rolled: Vec<_> = rolled.iter().filter(|rolled| is_read(&rolled.directory)).collect();
    let sharing = plan.sources.iter().map(|other| &other.component);
    let sharing = sharing.filter(|other| {
        other.kind() == "taildir" && taildir::position_file(&other.properties) == position_file
    });
    let sharing: BTreeMap<_, BTreeMap<_, _>> =
        sharing.map(|other| (&other.name, other.properties.iter().collect())).collect();
    let shared = if sharing.len() > 1 { format!("{sharing:?}") } else { String::new() };
    format!("{beside:?} {rolled:?} {} {shared}", prints && taildir::console_is_a_file())
}

/// A directory by the name that it has without links.
fn real(directory: &Path) -> PathBuf {
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    std::fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned())
}

/// Checks what file sources and file sinks of one agent do to each other.
fn judge(plan: &Plan, report: &mut Report) {
    let tails: Vec<&SourcePlan> =
        plan.sources.iter().filter(|source| source.component.kind() == "taildir").collect();
    for (index, source) in tails.iter().enumerate() {
        let path = position_file(&source.component);
        let at = about(&source.component);
        let others = &tails[..index];
        if let Some(other) = others.iter().find(|other| position_file(&other.component) == path) {
            report.add(one_position_file(other, source, &path, &at));
        }
        if is_device(&path) {
            let what =
                format!("the position file of the source `{}` is a device, {path}", source.component.name);
            let problem = Problem::warning("device-position-file", &at, what)
                .flume("the same")
                .here("no position is kept: every start reads all files from their beginning");
            report.add(problem.fix("`positionFile` with the path of a file"));
        }
    }
    for source in &tails {
        follows_own_files(source, &tails, plan, report);
    }
}

fn one_position_file(one: &SourcePlan, other: &SourcePlan, path: &str, at: &Place) -> Problem {
    let (prefix, name) = (&other.component.owner.prefix, &other.component.name);
    let what = format!("the sources `{}` and `{name}` have one position file, {path}", one.component.name);
    let problem = Problem::warning("shared-position-file", at, what)
        .flume(
            "lets each of them overwrite what the other one wrote: after a restart one sends its files again",
        )
        .here("both share it, and no position is lost");
    problem.fix(format!("`{prefix}positionFile = FILE`, a file of its own for each"))
}

fn follows_own_files(source: &SourcePlan, tails: &[&SourcePlan], plan: &Plan, report: &mut Report) {
    let mut written: Vec<(String, String, &'static str)> = Vec::new();
    for tail in tails {
        let path = position_file(&tail.component);
        let (directory, name) = path.rsplit_once('/').unwrap_or((".", &path));
        written.push((directory.to_string(), name.to_string(), "the position file of this agent"));
    }
    for sink in plan.sinks.iter().filter(|sink| sink.component.kind() == "file_roll") {
        let (directory, name) = own_names(&sink.component);
        written.push((directory, name, "files that a file_roll sink of this agent writes"));
    }
    for (group, path) in source.component.properties.under("filegroups") {
        let Some((directory, pattern)) = path.rsplit_once('/') else { continue };
        let Ok(pattern) = java::Pattern::compile_whole(pattern) else { continue };
        for (of, name, whose) in &written {
            if plain(directory) != plain(of) || !pattern.is_found(name.as_bytes()) {
                continue;
            }
            let key = format!("filegroups.{group}");
            let at = source.component.properties.place(&key).unwrap_or(&source.component.owner.at);
            let what = format!("`{}{key}` = {} matches {whose}", source.component.owner.prefix, quoted(path));
            let problem = Problem::warning("follows-own-file", at, what)
                .flume("follows them too: what it writes comes in again, without end")
                .here("they are not followed");
            report.add(problem.fix("another directory for one of them, or a pattern that leaves them out"));
        }
    }
}

/// Where a source keeps its positions; what is written is taken as it is.
fn position_file(source: &ComponentPlan) -> String {
    taildir::position_file(&source.properties).display().to_string()
}

fn about(source: &ComponentPlan) -> Place {
    let place = source.properties.place("positionFile").or_else(|| source.properties.place("filegroups"));
    place.unwrap_or(&source.owner.at).clone()
}

/// Where a `file_roll` sink writes, and a name such as it gives.
fn own_names(sink: &ComponentPlan) -> (String, String) {
    let (directory, prefix, suffix) = file_roll::names(&sink.properties);
    (directory.display().to_string(), format!("{prefix}1700000000000-1{suffix}"))
}

/// A path without what changes nothing: `//`, `/./` and a last `/`.
fn plain(path: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if path.starts_with('/') {
        parts.insert(0, "/");
    }
    parts
}

fn is_device(path: &str) -> bool {
    matches!(plain(path)[..], ["/", "dev", _])
}
