//! What the HBase sinks are asked for. The crate that runs them natively takes these descriptors and rules; where they run in
//! a JVM the check reads their keys all the same.

use java::Pattern;
use plan::{Bad, Descriptor, Findings, Kind, Problem, Properties, Property, Value, Written};

/// For HBase 2.
pub const HBASE2: Descriptor =
    sink_of("hbase2", "org.apache.flume.sink.hbase2.HBase2Sink", &[SINK, HBASE2_SERIALIZER]).since("1.9.0");
/// For HBase 1.
pub const HBASE: Descriptor =
    sink_of("hbase", "org.apache.flume.sink.hbase.HBaseSink", &[SINK, HBASE_SERIALIZER]);
/// For HBase 1, by the asynchronous client.
pub const ASYNC: Descriptor = sink_of(
    "asynchbase",
    "org.apache.flume.sink.hbase.AsyncHBaseSink",
    &[SINK, ASYNC_SERIALIZER, ASYNC_CLIENT],
);
/// All three.
pub const SINKS: [Descriptor; 3] = [HBASE2, HBASE, ASYNC];

const fn sink_of(
    alias: &'static str,
    class: &'static str,
    properties: &'static [&'static [Property]],
) -> Descriptor {
    Descriptor::missing(Kind::Sink, alias, class)
        .asks(properties)
        .in_builds_with("hbase")
        .durable()
        .batch("batchSize")
}

/// What asks for a login to HBase, which only Java's clients have.
pub fn login(written: &Written<'_>) -> Option<String> {
    let key = ["kerberosPrincipal", "kerberosKeytab"].into_iter().find(|key| written.get(key).is_some());
    let key = key.or(Some(ASYNC_LOGIN).filter(|key| written.is_on(key)))?;
    Some(format!("only Java's clients have the login that `{key}` asks for"))
}

const ASYNC_LOGIN: &str = "async.hbase.security.auth.enable";

const SINK: &[Property] = &[
    Property::required("table", Value::Text),
    Property::required("columnFamily", Value::Text),
    Property::with("batchSize", Value::at_least(1, "events"), "100"),
    Property::optional("zookeeperQuorum", Value::Text),
    Property::optional("znodeParent", Value::Text),
    Property::with("enableWal", Value::Flag, "true"),
    Property::with("coalesceIncrements", Value::Flag, "false"),
    Property::optional("kerberosPrincipal", Value::Text),
    Property::optional("kerberosKeytab", Value::Path),
    Property::with("timeout", Value::long(1, "ms"), "60000").outside(Bad::Default),
    Property::with("maxConsecutiveFails", Value::at_least(0, "failures"), "10"),
    Property::optional("serializer.", Value::Free),
    Property::with("serializer.payloadColumn", Value::Text, "pCol"),
    Property::with("serializer.incrementColumn", Value::Text, "iCol"),
    Property::with("serializer.rowPrefix", Value::Text, "default"),
    Property::with("serializer.incrementRow", Value::Text, "incRow"),
    Property::with("serializer.suffix", Value::Text, "uuid"),
    Property::with("serializer.regex", Value::Regex, "(.*)"),
    Property::with("serializer.regexIgnoreCase", Value::Flag, "false"),
    Property::with("serializer.colNames", Value::Text, "payload"),
    Property::with("serializer.rowKeyIndex", Value::any_int(""), "-1"),
    Property::with("serializer.depositHeaders", Value::Flag, "false"),
    Property::with("serializer.charset", Value::Charset, "UTF-8"),
];

const fn serializer(default: &'static str) -> Property {
    Property::with("serializer", Value::Choice(SERIALIZERS), default)
}

const HBASE2_SERIALIZER: &[Property] = &[serializer(SERIALIZERS[0])];
const HBASE_SERIALIZER: &[Property] = &[serializer(SERIALIZERS[1])];
const ASYNC_SERIALIZER: &[Property] = &[serializer(SERIALIZERS[2])];
const ASYNC_CLIENT: &[Property] = &[Property::optional("async.", Value::Text)];

/// Flume's own.
const SERIALIZERS: &[&str] = &[
    "org.apache.flume.sink.hbase2.SimpleHBase2EventSerializer",
    "org.apache.flume.sink.hbase.SimpleHbaseEventSerializer",
    "org.apache.flume.sink.hbase.SimpleAsyncHbaseEventSerializer",
    "org.apache.flume.sink.hbase2.RegexHBase2EventSerializer",
    "org.apache.flume.sink.hbase.RegexHbaseEventSerializer",
];

/// Whether a serializer is Flume's for columns by a regular expression.
pub fn is_regex(serializer: &str) -> bool {
    SERIALIZERS[3..].contains(&serializer)
}

/// The name that stands for the row's key in `serializer.colNames`.
pub const ROW_KEY: &str = "ROW_KEY";

/// What the properties cannot say one by one.
pub fn sink(properties: &Properties, findings: &mut Findings<'_>) {
    // The asynchronous client reads the list itself.
    if !properties.word("serializer").contains("Async") {
        quorum(properties, findings);
    }
    let serializer = properties.word("serializer");
    if is_regex(serializer) {
        columns(properties, findings);
    } else if SERIALIZERS.contains(&serializer) {
        suffix(properties, findings);
    }
}

fn refuse(findings: &mut Findings<'_>, key: &str, what: String, fix: String) {
    let problem = Problem::error("bad-value", &findings.at(key).clone(), what);
    findings.add(problem.flume(&findings.owner.dropped).fix(fix));
}

/// `HOST:PORT,HOST:PORT`, the port being the same.
fn quorum(properties: &Properties, findings: &mut Findings<'_>) {
    let written = properties.text("zookeeperQuorum").filter(|quorum| !quorum.trim().is_empty());
    let Some(quorum) = written else { return };
    let ports: Vec<&str> =
        quorum.split(',').map(|server| server.split_once(':').map_or("", |(_, port)| port.trim())).collect();
    let why = if ports.iter().any(|port| port.parse::<u16>().is_err()) {
        "each server needs its port"
    } else if ports.windows(2).any(|two| two[0] != two[1]) {
        "all servers must have the same port"
    } else {
        return;
    };
    let key = findings.key("zookeeperQuorum");
    let what = format!("`{key}` is {}: {why}", plan::quoted(quorum));
    refuse(findings, "zookeeperQuorum", what, format!("`{key} = HOST:2181,HOST:2181`"));
}

fn suffix(properties: &Properties, findings: &mut Findings<'_>) {
    let (key, at) = (findings.key("serializer.suffix"), findings.at("serializer.suffix").clone());
    let problem = match properties.word("serializer.suffix") {
        "uuid" | "random" | "nano" => return,
        "timestamp" => {
            let what = format!("`{key}` is `timestamp`: events of one millisecond have one row");
            Problem::warning("rows-overwritten", &at, what)
                .flume("keeps the last one of them only")
                .here("the same")
        }
        other => {
            let what =
                format!("`{key}` is {}, none of `uuid`, `random`, `timestamp`, `nano`", plan::quoted(other));
            Problem::warning("bad-value", &at, what).flume("takes `uuid`").here("the same")
        }
    };
    findings.add(problem.fix(format!("`{key} = uuid`")));
}

fn columns(properties: &Properties, findings: &mut Findings<'_>) {
    let names = properties.word("serializer.colNames");
    let columns: Vec<&str> = split(names).collect();
    let (key, names_key) = (findings.key("serializer.rowKeyIndex"), findings.key("serializer.colNames"));
    let index: i64 = properties.count("serializer.rowKeyIndex");
    match usize::try_from(index).map(|index| columns.get(index)) {
        Err(_) => {}
        Ok(None) => {
            let what = format!("`{key}` is {index}, and `{names_key}` has {} names", columns.len());
            let fix = format!("`{key} = NUMBER`, from 0 to {}", columns.len().saturating_sub(1));
            refuse(findings, "serializer.rowKeyIndex", what, fix);
        }
        Ok(Some(name)) if !name.eq_ignore_ascii_case(ROW_KEY) => {
            let what = format!("`{key}` is {index}, and the name at that place is {}", plan::quoted(name));
            let fix = format!("`{names_key} = NAMES`, with `{ROW_KEY}` in place {index}, counted from 0");
            refuse(findings, "serializer.rowKeyIndex", what, fix);
        }
        Ok(Some(_)) => {}
    }
    let Ok(pattern) = Pattern::compile(properties.word("serializer.regex")) else { return };
    if pattern.group_count() != columns.len() {
        let key = findings.key("serializer.regex");
        let what = format!(
            "`{key}` has {} groups, and `{names_key}` has {} names",
            pattern.group_count(),
            columns.len()
        );
        let place = if properties.is_written("serializer.regex") {
            "serializer.regex"
        } else {
            "serializer.colNames"
        };
        let problem = Problem::error("bad-value", &findings.at(place).clone(), what)
            .flume("drops every event without a word");
        findings.add(problem.fix(format!("`{names_key} = NAMES`, one for each group")));
    }
}

/// The names in `serializer.colNames`, as Java splits: none at the end is empty, and blanks are part of them.
pub fn split(names: &str) -> impl Iterator<Item = &str> {
    let filled = names.trim_end_matches(',');
    // Without any name there is one, an empty one.
    let filled = if filled.is_empty() && !names.is_empty() { None } else { Some(filled) };
    filled.into_iter().flat_map(|names| names.split(','))
}
