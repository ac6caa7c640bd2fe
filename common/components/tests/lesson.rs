//! The two files of the lesson, as they are printed.

use std::path::PathBuf;

mod support;

use plan::{Loaded, Options, Severity, Sources};
use support::{load, options};

fn lesson(file: &str, agent: &str, options: &Options) -> Loaded {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy/conf").join(file);
    load(&Sources { files: vec![path], ..Sources::default() }, agent, options)
}

#[test]
fn the_client_has_no_problem() {
    let loaded = lesson("flume-client.conf", "agent1", &options());
    assert_eq!(loaded.report.to_string(), "");
    assert_eq!(loaded.agents, ["agent1"]);
    let plan = loaded.plan.unwrap();
    assert_eq!(
        (plan.agent.as_str(), plan.channels[0].kind(), plan.sources[0].component.kind()),
        ("agent1", "memory", "exec")
    );
    assert_eq!(plan.sources[0].component.properties.text("command"), Some("tail -F /root/test.log"));
    assert_eq!(plan.sources[0].channels, ["c1"]);
    assert_eq!(plan.sources[0].selector.kind(), "replicating");
    let interceptors: Vec<_> =
        plan.sources[0].interceptors.iter().map(|i| (i.name.as_str(), i.kind())).collect();
    assert_eq!(interceptors, [("i1", "static"), ("i2", "timestamp")]);
    assert_eq!(plan.sources[0].interceptors[0].properties.text("value"), Some("LOGIN"));
    assert_eq!(plan.sinks.iter().map(|sink| sink.component.kind()).collect::<Vec<_>>(), ["avro", "avro"]);
    let group = &plan.groups[0];
    assert_eq!(
        (group.component.kind(), group.sinks.as_slice()),
        ("failover", ["k1".to_string(), "k2".into()].as_slice())
    );
    assert_eq!(group.component.properties.count::<u32>("priority.k1"), 10);
    assert_eq!(group.component.properties.count::<u32>("maxpenalty"), 10_000);
}

#[test]
fn the_server_runs_as_printed_with_a_warning_for_each_comment() {
    let loaded = lesson("flume-server.conf", "a1", &options());
    assert_eq!(loaded.report.problems.len(), 2);
    assert_eq!(loaded.report.count(Severity::Warning), 2);
    let text = loaded.report.to_string();
    let head = "flume-server.conf:11:41: warning: a comment stands behind a value, where it is part of the value, 2 times [inline-comment]\n";
    let rest = "    in Flume: takes `slave3.hanli.com   #此处修改` for the value: never opens the port, and tries again every 3 s for ever
              takes `slave3.hanli.com  #此处修改` for the value: uses it as it is
    here:     the comment is left out: the value is `slave3.hanli.com`
    write:    put the comment on a line of its own; `\\#` if the value really has a `#` behind a blank
";
    assert!(text.contains(head) && text.contains(rest), "{text}");
    for place in ["11:41 (`a1.sources.r1.bind`)", "16:57 (`a1.sources.r1.interceptors.i1.value`)"] {
        assert!(text.contains(&format!("flume-server.conf:{place}")), "{place}: {text}");
    }
    assert!(text.ends_with("0 errors, 2 warnings, 0 notes\n"));
    let source = &loaded.plan.unwrap().sources[0];
    assert_eq!(source.component.properties.text("bind"), Some("slave3.hanli.com"));
    assert_eq!(source.interceptors[0].properties.text("value"), Some("slave3.hanli.com"));
}

#[test]
fn strict_flume_keeps_the_comments_and_says_what_comes_of_it() {
    let loaded = lesson("flume-server.conf", "a1", &Options { strict_flume: true, ..options() });
    assert!(loaded.plan.is_none());
    let errors: Vec<_> = loaded.report.problems.iter().filter(|p| p.severity == Severity::Error).collect();
    assert_eq!(errors.len(), 1, "{}", loaded.report);
    assert_eq!((errors[0].code, errors[0].place.line, errors[0].place.column), ("bad-value", 11, 22));
}

#[test]
fn a_file_that_is_not_there_is_one_clear_error() {
    let loaded = lesson("no-such.conf", "a1", &options());
    assert!(loaded.plan.is_none());
    assert_eq!(loaded.report.problems.len(), 1);
    assert_eq!(loaded.report.problems[0].code, "unreadable-file");
}
