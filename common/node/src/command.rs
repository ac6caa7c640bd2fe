//! From the words of a command line to what is to be done.

use crate::{
    Role, client,
    java::{self, Words},
    options::{CheckOptions, ClientOptions, PushOptions, RunOptions, SpoutOptions},
    opts,
};
use clap::{CommandFactory, FromArgMatches, error::ErrorKind};
use std::{ffi::OsString, path::PathBuf};

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Command {
    /// Run an agent.
    Run(RunOptions, Words),
    /// Check its configuration, and no more.
    Check(CheckOptions, Words),
    /// Send lines, and be done.
    Client(ClientOptions, Words),
    /// Write a configuration into ZooKeeper.
    Push(PushOptions, Words),
    /// Run an agent that feeds the Storm topology that has started it.
    Spout(SpoutOptions, Words),
    /// Run a tool of Flume's.
    Tool(Words),
    /// Say which program this is.
    Version,
    /// Print this text, and be done.
    Help(String),
    /// Say what is wrong with the command line, and fail.
    Wrong(String),
}

/// Reads a command line, without the program's own name.
pub(crate) fn parse(role: Role, arguments: impl IntoIterator<Item = OsString>) -> Command {
    let mut words = java::split(arguments);
    if let Some(text) = words.unreadable.take() {
        return Command::Wrong(text);
    }
    let word = match words.rest.first() {
        Some(first) if !first.to_string_lossy().starts_with('-') => {
            words.rest.remove(0).to_string_lossy().into_owned()
        }
        _ => String::new(),
    };
    match word.as_str() {
        "" if words.rest == ["--version"] || words.rest == ["-V"] => Command::Version,
        // `node` is Flume's old word for `agent`.
        "" | "agent" | "node" => read_with_defaults(role, RunOptions::command(), words, Command::Run),
        "check" => read_with_defaults(role, CheckOptions::command(), words, Command::Check),
        "storm-spout" => read_with_defaults(role, SpoutOptions::command(), words, Command::Spout),
        "push" => read(role, PushOptions::command(), words, Command::Push),
        "version" => Command::Version,
        "help" => help(role, &words),
        "avro-client" => match read(role, ClientOptions::command(), words, Command::Client) {
            Command::Client(options, words) => match client::wrong(&options) {
                None => Command::Client(options, words),
                Some(text) => Command::Wrong(text),
            },
            other => other,
        },
        "tool" => Command::Tool(words),
        "password" => Command::Wrong(
            "`password` is not there, in Flume 1.11 either: a file names a password by `${env:NAME}` or a config filter, and that \
             of -u stands in a `flume.opts` that only its owner can read"
                .to_owned(),
        ),
        other => Command::Wrong(format!(
            "Unknown or unspecified command '{other}': agent, check, push, avro-client, storm-spout, tool, version and help are known; \
             `{role} help` says more"
        )),
    }
}

/// As [`read`], with what a `flume.opts` says and the command line does not.
fn read_with_defaults<Options: FromArgMatches>(
    role: Role,
    command: clap::Command,
    mut words: Words,
    make: impl FnOnce(Options, Words) -> Command,
) -> Command {
    let line = [OsString::from(role.name())].into_iter().chain(words.rest.iter().cloned());
    // What is wrong with the command line itself is told when it is read for good.
    if let Ok(matches) = command.clone().try_get_matches_from(line) {
        let conf = matches.get_one::<PathBuf>("conf").map(PathBuf::as_path);
        if let Some((name, entries)) = opts::read(conf) {
            match opts::words(&entries, &command, &RunOptions::command(), &matches) {
                Ok(defaults) => words.rest.extend(defaults),
                Err(text) => return Command::Wrong(format!("{name} gives defaults of options. {text}")),
            }
        }
    }
    read(role, command, words, make)
}

/// Reads the options behind a command's word.
fn read<Options: FromArgMatches>(
    role: Role,
    command: clap::Command,
    words: Words,
    make: impl FnOnce(Options, Words) -> Command,
) -> Command {
    let command = named(role, command);
    let line = [OsString::from(role.name())].into_iter().chain(words.rest.iter().cloned());
    match command.try_get_matches_from(line).and_then(|matches| Options::from_arg_matches(&matches)) {
        Ok(options) => make(options, words),
        Err(error) if error.kind() == ErrorKind::DisplayHelp => Command::Help(error.to_string()),
        Err(error) if error.kind() == ErrorKind::InvalidUtf8 => {
            let word = words.rest.iter().find(|word| word.to_str().is_none());
            Command::Wrong(word.map_or_else(|| plain(&error.to_string()), |word| java::not_text(word)))
        }
        Err(error) => Command::Wrong(without_secrets(&plain(&error.to_string()), &words)),
    }
}

/// A blank behind `-D` makes its property a stray word, which may be a password's.
fn without_secrets(text: &str, words: &Words) -> String {
    let pairs = words.rest.iter().filter_map(|word| word.to_str()?.split_once('='));
    plan::cut(&plan::secret::Secrets::of(pairs).hide(text), MOST_SHOWN)
}

/// Bytes of a message about the command line.
const MOST_SHOWN: usize = 2000;

fn help(role: Role, words: &Words) -> Command {
    let of = words.rest.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
    let command = match of.as_str() {
        "check" => CheckOptions::command(),
        "push" => PushOptions::command(),
        "storm-spout" => SpoutOptions::command(),
        "avro-client" => ClientOptions::command(),
        _ => RunOptions::command(),
    };
    Command::Help(named(role, command).render_long_help().to_string())
}

/// Puts the program's name where the texts have `{role}`.
fn named(role: Role, command: clap::Command) -> clap::Command {
    let name = role.name();
    let fill = |text: Option<&clap::builder::StyledStr>| {
        text.map(ToString::to_string)
            .unwrap_or_default()
            .replace("{role}", name)
            .replace("{lead}", role.lead())
    };
    let bin = match command.get_name() {
        "run" => name.to_owned(),
        word => format!("{name} {word}"),
    };
    let usage = command.get_overridden_usage();
    let (about, after, usage) =
        (fill(command.get_long_about()), fill(command.get_after_long_help()), fill(usage));
    command.bin_name(bin).long_about(about).after_long_help(after).override_usage(usage)
}

/// clap's message without what we say in our own words: `error: ` in front, the way to the help behind.
fn plain(text: &str) -> String {
    let text = text.split_once("\n\nFor more information").map_or(text, |(text, _)| text);
    text.strip_prefix("error: ").unwrap_or(text).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::clock::Duration;
    use std::path::PathBuf;

    fn parsed(line: &str) -> Command {
        parse(Role::Agent, line.split_whitespace().map(OsString::from))
    }

    fn run(line: &str) -> (RunOptions, Words) {
        match parsed(line) {
            Command::Run(options, words) => (options, words),
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn the_lessons_lines_are_understood_with_and_without_the_word() {
        for word in ["agent ", "node ", ""] {
            let line = "-n agent1 -c ../conf -f flume-client.conf -Dflume.root.logger=DEBUG,console";
            let (options, words) = run(&format!("{word}{line}"));
            assert_eq!(options.name.as_deref(), Some("agent1"));
            assert_eq!(options.java.conf.as_deref(), Some("../conf".as_ref()));
            assert_eq!(options.conf_file, ["flume-client.conf"].map(PathBuf::from));
            assert_eq!(words.properties, [("flume.root.logger".to_owned(), "DEBUG,console".to_owned())]);
        }
        let (options, _) = run("agent --conf ../conf --conf-file flume-server.conf --name a1 -Dx");
        assert_eq!((options.name.as_deref(), options.conf_file.len()), (Some("a1"), 1));
    }

    #[test]
    fn files_repeat_and_other_words_of_flumes_are_taken() {
        let (options, words) =
            run("agent -na1 -f a -f b --conf-file=c --no-reload-conf -C x:y --plugins-path p -d -Xmx1g");
        assert_eq!(options.conf_file, ["a", "b", "c"].map(PathBuf::from));
        assert!(options.no_reload_conf && options.dryrun && options.java.classpath.is_some());
        let interval = |args| run(args).0.central.interval();
        assert_eq!([interval("-n a1 -f a"), interval("-n a1 -f a -i 5")], [30, 5].map(Duration::from_secs));
        assert_eq!(words.flags, ["-Xmx1g"]);
    }

    #[test]
    fn the_clients_options_are_flumes() {
        let line = "avro-client -c conf -host h -p 41 -headerFile r --filename=f -Dx=1 -R r -P p";
        match parsed(&line.replace(" -R r", "")) {
            Command::Client(options, words) => {
                assert_eq!((options.host.as_deref(), options.port), (Some("h"), Some(41)));
                let path = |path: &Option<PathBuf>| path.as_deref().map(|path| path.display().to_string());
                let paths = [&options.header_file, &options.filename, &options.rpc_props].map(path);
                assert_eq!(paths, ["r", "f", "p"].map(|name| Some(name.to_owned())));
                assert_eq!(words.properties.len(), 1);
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_not_known_is_said_in_one_message() {
        for (line, part) in [
            ("frobnicate -n a1", "Unknown or unspecified command 'frobnicate'"),
            ("agent --verify-host", "unexpected argument '--verify-host'"),
            ("password", "not there, in Flume 1.11 either"),
            ("push -n a1 -f x", "--zkConnString <HOSTS>"),
            ("agent -n a1 -D keyStorePassword=hunter2", "unexpected argument 'keyStorePassword=***'"),
            ("agent -n", "a value is required for '--name <NAME>'"),
            ("agent -n a1 stray", "unexpected argument 'stray'"),
            ("avro-client", "Either --rpcProps or both --host and --port"),
            ("avro-client -H h -F x", "You must specify a port"),
            ("avro-client -p 1", "You must specify a hostname"),
            ("avro-client -H h -p 1 -F x --dirname y", "cannot be used simultaneously"),
            ("avro-client -H h -p 70000", "invalid value '70000'"),
            ("avro-client -H h -p 1 stray", "unexpected argument 'stray'"),
            ("agent -n a1 -i 0", "invalid value '0'"),
            ("check -n a1 --diff old", "2 values required"),
            ("agent -n a1 --drain-timeout soon", "invalid value 'soon'"),
        ] {
            match parsed(line) {
                Command::Wrong(text) => assert!(text.contains(part), "{text}"),
                other => panic!("{line}: {other:?}"),
            }
        }
    }

    #[test]
    fn help_names_the_program_everywhere() {
        for line in [
            "help",
            "--help",
            "agent -h",
            "help check",
            "check --help",
            "help agent",
            "avro-client -h",
            "help avro-client",
            "help push",
            "help storm-spout",
            "storm-spout -h",
            "push -h",
        ] {
            match parsed(line) {
                Command::Help(text) => {
                    assert!(text.contains("Usage: agent") && !text.contains('{'), "{line}: {text}");
                }
                other => panic!("{line}: {other:?}"),
            }
        }
    }
}
