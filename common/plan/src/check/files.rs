//! Rules about files: who reads what this agent itself writes, and who writes what another one writes.

use super::Checker;
use super::special::own_names;
use crate::context::Context;
use crate::place::Place;
use crate::plan::{Plan, SourcePlan};
use crate::report::{Problem, quoted};

impl Checker<'_> {
    /// Checks what file sources and file sinks of one agent do to each other.
    pub(super) fn files(&mut self, plan: &Plan) {
        let tails: Vec<&SourcePlan> = plan.sources.iter().filter(|source| source.kind == "taildir").collect();
        for (index, source) in tails.iter().enumerate() {
            let path = self.position_file(&source.context);
            let at = self.about(&source.context);
            let others = &tails[..index];
            if let Some(other) = others.iter().find(|other| self.position_file(&other.context) == path) {
                self.one_position_file(other, source, &path, &at);
            }
            if is_device(&path) {
                let what = format!("the position file of the source `{}` is a device, {path}", source.name);
                let problem = Problem::warning("device-position-file", &at, what)
                    .flume("the same")
                    .here("no position is kept: every start reads all files from their beginning");
                self.report.add(problem.fix("`positionFile` with the path of a file"));
            }
        }
        for source in &tails {
            self.follows_own_files(source, &tails, plan);
        }
    }

    fn one_position_file(&mut self, one: &SourcePlan, other: &SourcePlan, path: &str, at: &Place) {
        let (agent, name) = (self.agent, &other.name);
        let what = format!("the sources `{}` and `{name}` have one position file, {path}", one.name);
        let problem = Problem::warning("shared-position-file", at, what)
            .flume("lets each of them overwrite what the other one wrote: after a restart one sends its files again")
            .here("both share it, and no position is lost");
        self.report.add(
            problem.fix(format!("`{agent}.sources.{name}.positionFile = FILE`, a file of its own for each")),
        );
    }

    fn follows_own_files(&mut self, source: &SourcePlan, tails: &[&SourcePlan], plan: &Plan) {
        let mut written: Vec<(String, String, &'static str)> = Vec::new();
        for tail in tails {
            let path = self.position_file(&tail.context);
            let (directory, name) = path.rsplit_once('/').unwrap_or((".", &path));
            written.push((directory.to_string(), name.to_string(), "the position file of this agent"));
        }
        for sink in plan.sinks.iter().filter(|sink| sink.kind == "file_roll") {
            let (directory, name) = own_names(&sink.context);
            written.push((directory, name, "files that a file_roll sink of this agent writes"));
        }
        for (group, path) in source.context.under("filegroups") {
            let Some((directory, pattern)) = path.rsplit_once('/') else { continue };
            let Ok(pattern) = java::Pattern::compile_whole(pattern) else { continue };
            for (of, name, whose) in &written {
                if plain(directory) != plain(of) || !pattern.is_found(name.as_bytes()) {
                    continue;
                }
                let key = format!("filegroups.{group}");
                let at = source.context.place(&key).unwrap_or(&self.at);
                let what = format!(
                    "`{}.sources.{}.{key}` = {} matches {whose}",
                    self.agent,
                    source.name,
                    quoted(path)
                );
                let problem = Problem::warning("follows-own-file", at, what)
                    .flume("follows them too: what it writes comes in again, without end")
                    .here("they are not followed");
                self.report
                    .add(problem.fix("another directory for one of them, or a pattern that leaves them out"));
            }
        }
    }

    /// Where a source keeps its positions; what is written is taken as it is.
    fn position_file(&self, context: &Context) -> String {
        let home = || {
            let home = self.environment.iter().find(|(key, _)| key == "HOME");
            home.map_or_else(|| "~".to_string(), |(_, home)| home.clone()) + "/.flume/taildir_position.json"
        };
        context.text("positionFile").map_or_else(home, str::to_string)
    }

    fn about(&self, context: &Context) -> Place {
        let place = context.place("positionFile").or_else(|| context.place("filegroups"));
        place.unwrap_or(&self.at).clone()
    }
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
