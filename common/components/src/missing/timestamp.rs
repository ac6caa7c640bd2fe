//! A date in a path needs a date in each event: its `timestamp` header.

use plan::{ComponentPlan, Plan, Problem, Report, SinkPlan, SourcePlan, quoted};

/// Sinks that put dates into names, with the keys that may have escapes and the one that takes the clock instead.
const DATED: &[(&str, &[&str], &str)] = &[
    ("hdfs", &["hdfs.path", "hdfs.filePrefix"], "hdfs.useLocalTimeStamp"),
    ("hive", &["hive.partition"], "useLocalTimeStamp"),
];

/// Sources whose events have no headers but those that the file gives them.
const BARE: [&str; 7] =
    ["exec", "netcat", "netcatudp", "seq", "spooldir", "taildir", "org.apache.flume.source.StressSource"];

/// Says of sinks that put a date into names, and of sources that fill their channels, where nothing gives events a date.
pub(super) fn judge(plan: &Plan, report: &mut Report) {
    for sink in &plan.sinks {
        let Some((_, keys, clock)) = DATED.iter().find(|(kind, ..)| *kind == sink.component.kind()) else {
            continue;
        };
        let text = |key: &str| sink.component.properties.text(key).unwrap_or_default();
        if text(clock).eq_ignore_ascii_case("true") {
            continue;
        }
        let dated = keys.iter().find_map(|key| Some((*key, escape(text(key))?)));
        let without = |source: &&SourcePlan| source.channels.contains(&sink.channel) && !dates(source);
        let source = plan.sources.iter().find(without);
        if let (Some((key, escape)), Some(source)) = (dated, source) {
            report.add(no_timestamp(sink, key, &escape, clock, source));
        }
    }
}

fn no_timestamp(sink: &SinkPlan, key: &str, escape: &str, clock: &str, source: &SourcePlan) -> Problem {
    let (component, source) = (&sink.component, &source.component);
    let key_of = |of: &ComponentPlan, key: &str| format!("{}{key}", of.owner.prefix);
    let at = component.properties.place(key).unwrap_or(&component.owner.at);
    let what = format!(
        "`{}` has {}, and nothing gives the events of the {} a `timestamp` header",
        key_of(component, key),
        quoted(escape),
        source.owner.noun
    );
    Problem::warning("no-timestamp", at, what)
        .flume("fails with the first event, again and again: nothing behind it is written")
        .here("the same")
        .while_running()
        .fix(format!(
            "`{} = true`, or an interceptor: `{} = ts` and `{} = timestamp`",
            key_of(component, clock),
            key_of(source, "interceptors"),
            key_of(source, "interceptors.ts.type")
        ))
}

/// The first escape in `text` that is replaced by a part of a date: a `%` and one letter.
fn escape(text: &str) -> Option<String> {
    let word = |sign: char| sign.is_ascii_alphanumeric() || sign == '_' || sign == '%';
    let signs = text.split('%').skip(1).filter_map(|after| after.chars().next());
    signs.filter(|sign| word(*sign)).map(|sign| format!("%{sign}")).next()
}

/// Whether its events have a `timestamp`, as far as can be told from the file.
fn dates(source: &SourcePlan) -> bool {
    const HEADER: &str = "timestamp";
    let component = &source.component;
    // Where a class or a peer makes the events, they may have any header.
    let bare = BARE.contains(&component.kind()) && component.hosted().is_none();
    let reads = component.properties.all_parts().any(|part| part.kind() == "avro");
    let given = component.properties.iter().any(|(key, _)| key.rsplit('.').next() == Some(HEADER));
    let sets = |interceptor: &ComponentPlan| {
        let properties = &interceptor.properties;
        let names = |part: &ComponentPlan| part.properties.iter().any(|(_, value)| value == HEADER);
        interceptor.hosted().is_some()
            || match interceptor.kind() {
                "timestamp" => properties.word("headerName") == HEADER,
                "static" => properties.word("key") == HEADER,
                "regex_extractor" => properties.all_parts().any(names),
                _ => false,
            }
    };
    !bare || reads || given || source.interceptors.iter().any(sets)
}
