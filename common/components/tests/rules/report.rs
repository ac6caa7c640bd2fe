//! The report as a whole: its head, one finding for each cause, what becomes of the agent in Flume.

use super::{load_with, said, text};
use plan::{Fate, Report, Sources};

fn report(changes: &[&str]) -> Report {
    load_with(changes, &Sources::default()).report
}

fn head(changes: &[&str]) -> String {
    report(changes).head("a")
}

/// Keys of a second and a third sink on the channel.
const THREE_SINKS: [&str; 5] = [
    "sinks = k l m",
    "sinks.l.type = null",
    "sinks.l.channel = c",
    "sinks.m.type = null",
    "sinks.m.channel = c",
];

#[test]
fn the_head_says_what_runs_and_what_blocks_it() {
    assert_eq!(head(&[]), "agent `a` runs here: nothing is wrong");
    assert_eq!(head(&["sources.r.hostname = x"]), "agent `a` runs here, with 1 warning; in Flume it runs");
    let lacking = [
        &THREE_SINKS[..1],
        &["sinks.l.type = irc", "sinks.l.hostname = h", "sinks.l.nick = n", "sinks.l.chan = c"],
        &["sinks.m.type = irc", "sinks.m.hostname = h", "sinks.m.nick = n", "sinks.m.chan = d"],
        &["sinks.l.channel = c"],
        &["sinks.m.channel = c", "sinks.k.type = com.example.Mine"],
    ]
    .concat();
    assert_eq!(
        head(&lacking),
        "agent `a` does not run here: there is no JVM with Flume's jars (FLUME_HOME, JAVA_HOME): needed by sink `k` \
         (own class `com.example.Mine`), sink `l` (irc), sink `m` (irc); in Flume it runs, if the classes are on its \
         class path"
    );
    assert!(report(&lacking).has_errors() && !report(&lacking).is_wrong(), "nothing is wrong with the file");
    let said = text(&lacking);
    assert_eq!(said.matches("and there is none").count(), 1, "{said}");
    assert!(said.contains("(sink `k`: it is a Java class), f:"), "{said}");
    assert!(said.contains("(sink `l`: `irc` has no native version), f:"), "{said}");
    let wrong = [&lacking[..], &["sources.r.port = x"]].concat();
    assert!(head(&wrong).contains(
        "sink `m` (irc); the configuration has 1 error; in Flume it runs in part, without the source `r`"
    ));
    assert!(report(&wrong).is_wrong());
}

#[test]
fn the_fate_in_flume_is_worked_out_once_and_no_finding_tells_another() {
    let cases: [(&[&str], Fate); 6] = [
        (&["sinks.k.type = loger"], Fate::Ends("it cannot load the sink `k`".into())),
        // A channel without a type marks the agent as invalid, before a class is looked for.
        (&["sinks.k.type = loger", "-channels.c.type"], Fate::Idle("the agent is marked as invalid".into())),
        (&["-channels"], Fate::Idle("the agent is marked as invalid".into())),
        (&["sources.r.port = x"], Fate::Part(vec!["source `r`".into()])),
        (&["sources.r.port = x", "-sinks.k.channel"], Fate::Idle("no source and no sink is left".into())),
        (&["sources.r.threads = x"], Fate::Runs),
    ];
    for (changes, expected) in cases {
        assert_eq!(report(changes).fate(), expected, "{changes:?}");
        let text = text(changes);
        for other in ["runs the rest", "runs with nothing", "no part of the agent", "starts nothing at all"] {
            assert!(!text.contains(other), "{text}");
        }
    }
    let drained = text(&[
        "sources.r.port = x",
        "channels = c d",
        "channels.d.type = memory",
        "sources.r.channels = c d",
    ]);
    assert!(drained.contains("here:     once the agent runs: it fills up"), "{drained}");
}

#[test]
fn what_comes_after_validation_is_not_said_to_happen_in_an_invalid_agent() {
    let unknown = text(&["sinks.k.type = loger"]);
    assert!(unknown.contains("in Flume: cannot load it (`Unable to load sink type`)"), "{unknown}");
    for invalid in ["-channels.c.type", "-channels"] {
        let said = text(&["sinks.k.type = loger", "sources.r.port = x", invalid]);
        for late in ["cannot load it (`Unable to load sink type`)", "removes the source `r`"] {
            assert!(said.contains(&format!("in Flume: once the agent is valid: {late}")), "{said}");
        }
    }
}

#[test]
fn the_same_finding_on_many_lines_is_one_with_all_its_places() {
    let unknown = [&THREE_SINKS[..], &["sinks.l.path = x", "sinks.m.path = y"]].concat();
    let said = text(&unknown);
    assert!(
        said.contains("`path` is not a property of the type `null`, 2 times [unknown-property]"),
        "{said}"
    );
    assert!(said.contains("at:       f:15:1 (sink `l`), f:16:1 (sink `m`)"), "{said}");
    let odd = text(&["sources.r.zzz = 1"]);
    let fix = odd.lines().find(|line| line.contains("write:")).expect("a line to write");
    assert!(
        fix.contains("the nearest properties of `netcat` are ") && fix.matches(", ").count() == 2,
        "{odd}"
    );
    let comments =
        text(&["sources.r.port = 4444 # c", "sinks.k.type = logger # d", "channels.c.capacity = 100 # e"]);
    assert_eq!(comments.matches("[inline-comment]").count(), 1, "{comments}");
    for about in ["`a.sources.r.port`", "`a.sinks.k.type`", "`a.channels.c.capacity`"] {
        assert!(comments.contains(&format!("({about})")), "{comments}");
    }
    assert!(comments.contains("0 errors, 3 warnings"), "{comments}");
}

#[test]
fn one_cause_is_one_finding() {
    for (changes, expected) in [
        // The source means the channel that is left over.
        (&["sources.r.channels = cc"][..], "unknown-channel"),
        (&["sinks.k.channel = "], "no-channel"),
        (&["sources.r.port = ${env:NO_SUCH}"], "unknown-variable"),
        (&["sources.r.port = "], "missing-property"),
    ] {
        let report = report(changes);
        let codes: Vec<_> = report.problems.iter().map(|problem| problem.code).collect();
        assert_eq!(codes, [expected], "{report}");
        assert!(report.has_errors(), "{report}");
    }
    // A channel that its list forgets is told once for all who name it, with the list to paste.
    let forgotten = text(&[
        "channels.d.type = memory",
        "sources.r.channels = c d",
        "sinks = k l",
        "sinks.l.type = null",
        "sinks.l.channel = d",
    ]);
    assert!(!forgotten.contains("not-listed") && forgotten.contains("`a.channels = c d`"), "{forgotten}");
}

#[test]
fn all_faults_are_told_at_once() {
    let said = text(&[
        "sources.r.type = kafka",
        "sources.r.batch = 5 # c",
        "sources.r.interceptors = i",
        "sources.r.interceptors.i.type = search_replace",
        "sources.r.interceptors.i.searchPattern = (a)",
        "sources.r.interceptors.i.replaceString = $7",
        "-sinks.k.channel",
        "sinks.k.type = file_roll",
        "sinks.k.sink.directory = /tmp",
        "sinks.k.sink.serializer = avro_event",
        "sinks.k.sink.serializer.compressionCodec = lz4",
    ]);
    for code in ["unknown-type", "inline-comment", "no-channel", "nobody-drains"] {
        let told = said.contains(&format!("[{code}]"));
        assert_eq!(told, code != "nobody-drains", "{code}: {said}");
    }
    assert!(said.contains("replaceString") && said.contains("lz4"), "{said}");
    assert!(said.contains("`a.sources.r.type = org.apache.flume.source.kafka.KafkaSource`"), "{said}");
    let unlisted = text(&[
        "-sources",
        "sources.r.interceptors = i",
        "sources.r.interceptors.i.type = search_replace",
        "sources.r.interceptors.i.searchPattern = (a)",
        "sources.r.interceptors.i.replaceString = $7",
    ]);
    assert!(unlisted.contains("replaceString") && unlisted.contains("[no-sources]"), "{unlisted}");
}

#[test]
fn what_is_to_be_written_is_a_whole_line() {
    for (changes, line) in [
        (&["sources.r.channels = c d"][..], "`a.sources.r.channels = c`"),
        (&["sinks.k.channel = x"], "`a.sinks.k.channel = c`"),
        (&["-sinks.k.channel"], "`a.sinks.k.channel = c`"),
        (&["-sources.r.channels", "sources.r.channel = c"], "`a.sources.r.channels = c` in place of"),
        (&["sinks.l.type = null"], "`a.sinks = k l`, or leave its keys out"),
        (&["sources.r.prot = 1"], "`a.sources.r.port = 1`, if that is meant"),
        (
            &["sinkgroups = g", "sinkgroups.g.sinks = k1", "sinkgroups.g.processor.type = default"],
            "`a.sinkgroups.g.sinks = k`",
        ),
    ] {
        let said = text(changes);
        assert!(said.contains(&format!("write:    {line}")), "{line}: {said}");
        assert!(!said.contains("one of none"), "{said}");
    }
}

#[test]
fn several_that_a_list_forgets_are_in_one_line_and_one_that_was_renamed_is_told_as_that() {
    let both = text(&[&THREE_SINKS[1..], &["sinks.k.x = 1"]].concat());
    assert!(both.contains("write:    `a.sinks = k l m`, or leave its keys out\n"), "{both}");
    assert!(!both.contains("`a.sinks = k l`"), "{both}");
    let renamed = text(&["-sinks.k.type", "sinks.l.type = null"]);
    assert!(renamed.contains("write:    `a.sinks.k.type = null` and so on, if `k` is meant"), "{renamed}");
}

#[test]
fn a_word_deeper_in_a_component_has_its_own_column() {
    let selector = text(&[
        "sources.r.selector.type = multiplexing",
        "sources.r.selector.default = c",
        "sources.r.selector.mapping.x = c  d",
    ]);
    assert!(selector.contains("f:13:37: error: `a.sources.r.selector.mapping.x` names `d`"), "{selector}");
    let groups = text(&[
        "-sources.r.bind",
        "-sources.r.port",
        "sources.r.type = TAILDIR",
        "sources.r.filegroups = f g",
        "sources.r.filegroups.f = /x/y",
    ]);
    assert!(groups.contains("f:9:28: warning: the file group `g`"), "{groups}");
}

#[test]
fn a_component_without_a_list_is_told_where_its_first_key_stands() {
    let said = text(&["sinks.l.type = null", "sinks.l.type = logger"]);
    assert!(said.contains("f:11:1: warning: the sink `l` has keys"), "{said}");
    assert!(said.contains("f:12:1: warning: `a.sinks.l.type` is set a second time"), "{said}");
}

#[test]
fn two_agents_of_one_name_in_a_file_are_told_for_what_they_are() {
    let second = [
        "sources = s",
        "channels = d",
        "sinks = k",
        "sources.s.type = seq",
        "sources.s.channels = d",
        "channels.d.type = memory",
        "sinks.k.type = null",
        "sinks.k.channel = d",
    ];
    let text: String = [
        "sources = r",
        "channels = c",
        "sinks = k",
        "channels.c.type = memory",
        "sources.r.type = seq",
        "sources.r.channels = c",
        "sinks.k.type = logger",
        "sinks.k.channel = c",
    ]
    .iter()
    .chain(&second)
    .map(|line| format!("a.{line}\n"))
    .collect();
    let text = plan::Text { name: "f".into(), bytes: text.into_bytes() };
    let loaded = super::load_texts(&[text], &Sources::default(), "a", &super::options());
    let said = loaded.report.to_string();
    assert!(
        said.starts_with("f:9:1: warning: a second agent `a` begins here, 5 keys are set again"),
        "{said}"
    );
    assert!(
        said.contains("write:    `a_2.sources = s` and so on") && said.contains("0 errors, 1 warning,"),
        "{said}"
    );
}

#[test]
fn a_second_agent_begins_with_its_first_key_wherever_its_lists_stand() {
    let lists_last = "a.channels.c.type = memory\na.sources.r.type = seq\na.sources.r.channels = c\n\
        a.sinks.k.type = logger\na.sinks.k.channel = c\na.sinks = k\na.channels = c\na.sources = r\n";
    let text = plan::Text { name: "f".into(), bytes: lists_last.repeat(2).into_bytes() };
    let said = super::load_texts(&[text], &Sources::default(), "a", &super::options()).report.to_string();
    assert!(
        said.starts_with("f:9:1: warning: a second agent `a` begins here, 8 keys are set again"),
        "{said}"
    );
    assert!(
        said.contains("`a_2.channels.c.type = memory` and so on") && said.contains("1 warning, 0 notes"),
        "{said}"
    );
}

#[test]
fn an_empty_list_has_no_default() {
    for list in ["sources.r.interceptors", "sources.r.selector.optional"] {
        let said = text(&[&format!("{list} = ")]);
        assert!(said.contains(&format!("the list `a.{list}` names nothing")), "{said}");
        assert!(!said.contains("default"), "{said}");
    }
    let hosts =
        text(&["sinks.k.type = avro", "sinks.k.hostname = h", "sinks.k.port = 1", "sinks.k.hosts = "]);
    assert!(hosts.contains("the list `a.sinks.k.hosts` names nothing"), "{hosts}");
    let mapped = text(&[
        "sources.r.selector.type = multiplexing",
        "sources.r.selector.mapping.x = ",
        "sources.r.selector.mapping.y = c",
    ]);
    assert!(mapped.contains("the list `a.sources.r.selector.mapping.x` names nothing"), "{mapped}");
    assert!(
        text(&["sinkgroups = "]).contains("the agent has no sink groups"),
        "{}",
        text(&["sinkgroups = "])
    );
    let key = text(&["sources.r.max-line-length = "]);
    assert!(key.contains("as if it were not there") && !key.contains("default"), "{key}");
}

#[test]
fn a_filter_that_cannot_run_is_told_once_whatever_its_answer_was_for() {
    let said = text(&["configfilters = f", "configfilters.f.type = vault", "sources.r.port = ${f['port']}"]);
    assert!(said.contains("[unknown-type]") && said.contains("\n1 error, 0 warnings"), "{said}");
    let unlisted = text(&["configfilters.f.type = env", "sources.r.bind = ${f[\"H\"]}"]);
    assert!(unlisted.contains("`${f[\"H\"]}`") && unlisted.contains("`a.configfilters = f`"), "{unlisted}");
}

#[test]
fn an_empty_list_is_told_once() {
    let source = ["sources.r.type", "sources.r.bind", "sources.r.port", "sources.r.channels"]
        .map(|key| format!("-{key}"));
    let lines: Vec<&str> = ["sources = "].into_iter().chain(source.iter().map(String::as_str)).collect();
    assert_eq!(said(&lines), ["warning no-sources"], "{}", text(&lines));
    assert!(text(&lines).contains(": warning: the agent `a` has no sources [no-sources]"));
    assert!(!text(&lines).starts_with("f: "), "the finding names the place of the list: {}", text(&lines));
}

#[test]
fn a_line_end_that_is_missing_is_one_finding() {
    let lines = ["-sinks.k.port", "sinks.k.type = avro", "sinks.k.hostname = ha.sinks.k.port = 5"];
    assert_eq!(said(&lines), ["error missing-line-end"], "{}", text(&lines));
    assert!(
        text(&lines).contains("write:    a line end in front of `a.sinks.k.port = 5`"),
        "{}",
        text(&lines)
    );
    let command = [
        "-sources.r.bind",
        "-sources.r.port",
        "sources.r.type = exec",
        "sources.r.command = tail -F /xa.sources.r.batchSize = 5",
    ];
    assert_eq!(said(&command), ["warning missing-line-end"], "{}", text(&command));
}

#[test]
fn all_backslashes_of_a_value_are_doubled_where_one_is_dropped() {
    let said = text(&["sinks.k.type = file_roll", "sinks.k.sink.directory = C:\\logs\\new"]);
    assert!(
        said.contains("`a.sinks.k.sink.directory = C:\\\\logs\\\\new`, if the backslash is meant"),
        "{said}"
    );
}
