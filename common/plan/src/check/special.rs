//! What only one type of component asks for.

use java::{Charset, Pattern};

use super::sources::below;
use super::tree::{Component, Key};
use super::values::Owner;
use super::{Checker, nearest::nearest};
use crate::context::{Context, words};
use crate::place::Place;
use crate::report::{Problem, quoted};
use crate::schema::Kind;

impl Checker<'_> {
    pub(super) fn special_source(&mut self, owner: &Owner, kind: &str, context: &Context, found: &Component) {
        match kind {
            "avro" => {
                self.tls(owner, context);
                self.address_rules(owner, context);
                self.memory(owner, context);
            }
            "exec" => {
                self.command(owner, context);
                self.wide_lines(owner, context);
            }
            "taildir" => self.file_groups(owner, context, found),
            _ => {}
        }
    }

    /// A frame of the largest size must pass, with the index of its events, beside what is kept for smaller ones.
    fn memory(&mut self, owner: &Owner, context: &Context) {
        let (frame, frames) = (context.number("maxFrameBytes", 100_663_296_u64), 3);
        let memory = context.number("maxMemoryBytes", u64::MAX);
        if memory >= frame * frames {
            return;
        }
        let at = context.place("maxMemoryBytes").unwrap_or(&owner.at);
        let what = format!(
            "`{}maxMemoryBytes` is {memory}: a frame of `maxFrameBytes` ({frame}) could not pass",
            owner.prefix
        );
        let fix = format!(
            "`{0}maxMemoryBytes = {1}` or more, or `{0}maxFrameBytes = {2}` or less",
            owner.prefix,
            frame * frames,
            memory / frames
        );
        let problem = Problem::error("bad-value", at, what).flume("has neither of them and ignores both");
        self.report.add(problem.fix(fix));
    }

    pub(super) fn special_sink(&mut self, owner: &Owner, kind: &str, context: &Context, found: &Component) {
        match kind {
            "logger" if context.text("maxBytesToLog").is_some() => {
                let at = context.place("maxBytesToLog").unwrap_or(&owner.at);
                let note =
                    Problem::note("honoured-here", at, format!("`{}maxBytesToLog` is set", owner.prefix));
                self.report.add(note.flume("ignores it: it always shows 16 bytes").here("it is done"));
            }
            "file_roll" => {
                self.part(owner, context, found, "sink.serializer", Kind::Serializer);
                self.part(owner, context, found, "sink.pathManager", Kind::PathManager);
            }
            "avro" => self.client_hosts(owner, context),
            _ => {}
        }
    }

    /// Answers the context with what serializers need put right.
    pub(super) fn special_interceptor(
        &mut self,
        owner: &Owner,
        kind: &str,
        context: Context,
        keys: &[Key],
    ) -> Context {
        match kind {
            "regex_extractor" => self.serializers(owner, &context, keys),
            "remove_header"
                if !keys
                    .iter()
                    .any(|key| ["withName", "fromList", "matching"].contains(&key.name.as_str())) =>
            {
                let what = format!("the {} removes nothing", owner.noun);
                let problem =
                    Problem::warning("no-effect", &owner.at, what).flume("the same").here("it does nothing");
                self.report.add(problem.fix(format!("`{}withName`, `fromList` or `matching`", owner.prefix)));
            }
            _ => {}
        }
        context
    }

    /// A keystore is needed as soon as `ssl` is true, from the component or from the process.
    fn tls(&mut self, owner: &Owner, context: &Context) {
        if !context.flag("ssl", false) {
            return;
        }
        let given = |key: &str, property: &str, variable: &str| {
            context.text(key).is_some() || has(self.properties, property) || has(self.environment, variable)
        };
        let needed = [
            ("keystore", given("keystore", "javax.net.ssl.keyStore", "FLUME_SSL_KEYSTORE_PATH")),
            (
                "keystore-password",
                given("keystore-password", "javax.net.ssl.keyStorePassword", "FLUME_SSL_KEYSTORE_PASSWORD"),
            ),
        ];
        for (key, _) in needed.into_iter().filter(|(_, there)| !there) {
            let what = format!("the {} has `ssl = true` and no `{key}`", owner.noun);
            let at = context.place("ssl").unwrap_or(&owner.at);
            let fix = format!("`{}{key} = ...`", owner.prefix);
            self.report.add(Problem::error("missing-property", at, what).flume(&owner.dropped).fix(fix));
        }
    }

    /// A command without `shell` is split at blanks and started as it is.
    fn command(&mut self, owner: &Owner, context: &Context) {
        let (Some(command), None) = (context.text("command"), context.text("shell")) else { return };
        let Some(sign) =
            ["|", ">", "<", ";", "&&", "`", "$(", "\"", "'"].iter().find(|sign| command.contains(**sign))
        else {
            return;
        };
        let at = context.place("command").unwrap_or(&owner.at);
        let what = format!("the command of the {} has `{sign}`, which only a shell understands", owner.noun);
        let problem = Problem::warning("no-shell", at, what)
            .flume("splits the command at blanks and hands the words to the program as they are")
            .here("the same");
        self.report.add(problem.fix(format!("`{}shell = /bin/sh -c`", owner.prefix)));
    }

    /// Lines are cut before they are decoded, if ever they are: a line feed must be one byte.
    fn wide_lines(&mut self, owner: &Owner, context: &Context) {
        let wide =
            context.text("charset").and_then(Charset::for_name).filter(|charset| !charset.keeps_lines());
        let Some(charset) = wide else { return };
        let at = context.place("charset").unwrap_or(&owner.at);
        let what =
            format!("the command of the {} prints {}, which is not supported", owner.noun, charset.name());
        let problem = Problem::error("bad-value", at, what).flume("decodes it");
        self.report
            .add(problem.fix("a command that prints UTF-8: put `| iconv -f UTF-16 -t UTF-8` behind it"));
    }

    fn file_groups(&mut self, owner: &Owner, context: &Context, found: &Component) {
        let groups: Vec<&str> = context.words("filegroups");
        let with_path: Vec<&str> = groups
            .iter()
            .copied()
            .filter(|group| context.text(&format!("filegroups.{group}")).is_some())
            .collect();
        let at = |key: &str| context.place(key).unwrap_or(&owner.at).clone();
        for group in groups.iter().filter(|group| !with_path.contains(group)) {
            let what = format!("the file group {} of the {} has no path", quoted(group), owner.noun);
            let problem = if with_path.is_empty() {
                Problem::error("no-path", &at("filegroups"), what).flume(&owner.dropped)
            } else {
                Problem::warning("no-path", &at("filegroups"), what)
                    .flume("ignores the group")
                    .here("it is ignored")
            };
            self.report.add(problem.fix(format!("`{}filegroups.{group} = /DIRECTORY/REGEX`", owner.prefix)));
        }
        for (group, path) in context.under("filegroups") {
            let at = at(&format!("filegroups.{group}"));
            if groups.contains(&group) {
                self.file_group(owner, group, path, &at);
            } else {
                self.report.add(not_a_group(owner, group, &format!("filegroups.{group}"), &groups, &at));
            }
        }
        for key in below(&found.keys, "headers.") {
            match key.name.split_once('.') {
                Some((group, header)) if !header.is_empty() && groups.contains(&group) => {}
                Some((group, header)) if !header.is_empty() => {
                    self.report.add(not_a_group(
                        owner,
                        group,
                        &format!("headers.{}", key.name),
                        &groups,
                        &key.entry.key_at,
                    ));
                }
                _ => {
                    let what = format!("`{}` names no header", key.entry.key);
                    let problem = Problem::error("bad-value", &key.entry.key_at, what).flume(&owner.dropped);
                    self.report.add(problem.fix(format!("`{}headers.GROUP.HEADER = VALUE`", owner.prefix)));
                }
            }
        }
    }

    /// A path whose last part is a regular expression; what stands in front of it is literal.
    fn file_group(&mut self, owner: &Owner, group: &str, path: &str, at: &Place) {
        let key = format!("{}filegroups.{group}", owner.prefix);
        let fails = "starts, fails, and tries again every 3 s for ever";
        let Some((directory, name)) = path.rsplit_once('/') else {
            let what = format!("`{key}` is {}: no directory", quoted(path));
            let problem = Problem::error("bad-value", at, what).flume(fails);
            return self.report.add(problem.fix(format!("`{key} = /DIRECTORY/REGEX`")));
        };
        if let Err(wrong) = Pattern::compile_whole(name) {
            let what = format!("`{key}`: {} is a regular expression, and {wrong}", quoted(name));
            let problem = Problem::error("bad-value", at, what).flume(if wrong.is_javas() {
                fails
            } else {
                "follows the files whose names match"
            });
            let meant = as_regex(name).unwrap_or_else(|| "REGEX".into());
            self.report.add(problem.fix(format!("`{key} = {directory}/{meant}`")));
        }
        if directory.contains(['*', '[', '(', '?', '+']) {
            let what = format!("`{key}` has a pattern in its directory, {}", quoted(directory));
            let problem = Problem::warning("literal-directory", at, what)
                .flume("takes the directory as it is written; only the file name is a pattern")
                .here("the same");
            self.report.add(problem.fix("a group for each directory"));
        }
    }

    /// The avro sink hands its keys to a client that may have hosts of its own.
    fn client_hosts(&mut self, owner: &Owner, context: &Context) {
        for alias in context.words("hosts") {
            let key = format!("hosts.{alias}");
            let port = |text: &str| {
                text.rsplit_once(':')
                    .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
            };
            if context.text(&key).is_some_and(port) {
                continue;
            }
            let at = context.place(&key).or(context.place("hosts")).unwrap_or(&owner.at);
            let what = format!("`{}{key}` is not `HOST:PORT`", owner.prefix);
            let problem = Problem::error("bad-value", at, what)
                .flume("never gets a client, and tries again every 5 s for ever");
            self.report.add(problem.fix(format!("`{}{key} = HOST:PORT`", owner.prefix)));
        }
    }

    /// A type inside a sink with keys of its own below the same name.
    fn part(&mut self, owner: &Owner, context: &Context, found: &Component, name: &str, kind: Kind) {
        let keys = below(&found.keys, &format!("{name}."));
        let given = found.key(name).filter(|_| context.text(name).is_some());
        let at = given.map_or(&owner.at, |key| &key.entry.key_at);
        let inner = owner.inner(format!("{} of the {}", kind.noun(), owner.noun), &format!("{name}."), at);
        let default = if kind == Kind::Serializer { "text" } else { "default" };
        let known = match given {
            Some(key) => self.type_of(kind, &inner, Some(key)),
            None => kind.find(default),
        };
        if let Some(known) = known {
            let keys: Vec<&Key> = keys.iter().collect();
            self.component(&inner, known, &keys, &[]);
        }
    }

    /// The serializers of `regex_extractor`: one for each group of the expression.
    fn serializers(&mut self, owner: &Owner, context: &Context, keys: &[Key]) {
        let Some(list) = context.text("serializers") else { return };
        let names: Vec<&str> = words(list).collect();
        for name in &names {
            let prefix = format!("serializers.{name}.");
            let own = below(keys, &prefix);
            let at = own.first().map_or(&owner.at, |key| &key.entry.key_at);
            let inner = owner.inner(format!("serializer `{name}` of the {}", owner.noun), &prefix, at);
            let given = own.iter().find(|key| key.name == "type");
            let known = match given {
                Some(key) => self.type_of(Kind::ExtractorSerializer, &inner, Some(key)),
                None => Kind::ExtractorSerializer.find("default"),
            };
            if let Some(known) = known {
                self.component(&inner, known, &own.iter().collect::<Vec<_>>(), &["type"]);
            }
        }
        let groups = context
            .text("regex")
            .and_then(|regex| Pattern::compile(regex).ok())
            .map(|regex| regex.group_count());
        if let Some(groups) = groups.filter(|groups| *groups != names.len()) {
            let at = context.place("serializers").unwrap_or(&owner.at);
            let what = format!("the {} has {} serializers for {groups} groups", owner.noun, names.len());
            let problem = Problem::warning("groups-and-serializers", at, what)
                .flume("the first serializer takes the first group, and so on; what is left over is not used")
                .here("the same");
            self.report.add(
                problem.fix("a serializer for each pair of brackets in the regex; `(?:...)` makes no group"),
            );
        }
    }
}

fn has(pairs: &[(String, String)], name: &str) -> bool {
    pairs.iter().any(|(key, value)| key == name && !value.is_empty())
}

fn not_a_group(owner: &Owner, group: &str, key: &str, groups: &[&str], at: &Place) -> Problem {
    let what = format!(
        "`{}{key}` is about a file group {} that is not in `{}filegroups`",
        owner.prefix,
        quoted(group),
        owner.prefix
    );
    let problem =
        Problem::warning("not-listed", at, what).flume("ignores it without a word").here("it is ignored");
    match nearest(group, groups.iter().copied()) {
        Some(meant) => problem.fix(format!("`{meant}`, if that is meant")),
        None => problem.fix(format!("`{}filegroups = {} {group}`", owner.prefix, groups.join(" "))),
    }
}

/// Where a `file_roll` sink writes, and a name such as it gives.
pub(super) fn own_names(context: &Context) -> (String, String) {
    let prefix = context.text_or("sink.pathManager.prefix", "");
    let extension = context.text_or("sink.pathManager.extension", "");
    let dot = if extension.is_empty() { "" } else { "." };
    (context.text_or("sink.directory", "").to_string(), format!("{prefix}1700000000000-1{dot}{extension}"))
}

/// A shell's pattern as a regular expression: the most frequent slip. Nothing for what is none.
fn as_regex(pattern: &str) -> Option<String> {
    let globs = pattern.contains(['*', '?']) && !pattern.contains(['(', ')', '\\', '+', '|', '{', '^', '$']);
    globs.then(|| pattern.replace('.', "\\\\.").replace('*', ".*").replace('?', "."))
}
