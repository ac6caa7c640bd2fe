//! What the HDFS sink is asked for. The crate that runs it natively takes this descriptor and these rules; where it runs in a
//! JVM the check reads its keys all the same.

use plan::{Bad, Descriptor, Findings, Kind, Problem, Properties, Property, Value};

/// The sink.
pub const SINK: Descriptor =
    Descriptor::missing(Kind::Sink, "hdfs", "org.apache.flume.sink.hdfs.HDFSEventSink")
        .asks(&[PROPERTIES])
        .in_builds_with("hdfs")
        .durable()
        .batch("hdfs.batchSize")
        .mistaken(&[("hadoop", ""), ("s3", ON_S3), ("s3a", ON_S3)]);

const ON_S3: &str = "with `hdfs.path = s3a://BUCKET/PATH`";

const FAILS_LATER: Bad = Bad::Says("starts, and fails at the first event, again and again");

const PROPERTIES: &[Property] = &[
    Property::required("hdfs.path", Value::Path),
    Property::with("hdfs.filePrefix", Value::Text, "FlumeData"),
    Property::with("hdfs.fileSuffix", Value::Text, ""),
    Property::with("hdfs.inUsePrefix", Value::Text, ""),
    Property::with("hdfs.inUseSuffix", Value::Text, ".tmp"),
    Property::with("hdfs.emptyInUseSuffix", Value::Flag, "false"),
    Property::with("hdfs.rollInterval", Value::any_long("s"), "30"),
    Property::with("hdfs.rollSize", Value::any_long("bytes"), "1024"),
    Property::with("hdfs.rollCount", Value::any_long("events"), "10"),
    Property::with("hdfs.idleTimeout", Value::any_int("s"), "0"),
    Property::with("hdfs.batchSize", Value::long(1, "events"), "100"),
    Property::optional("hdfs.codeC", Value::Text),
    Property::with(
        "hdfs.fileType",
        Value::Choice(&["SequenceFile", "DataStream", "CompressedStream"]),
        "SequenceFile",
    )
    .bad(FAILS_LATER),
    Property::with("hdfs.maxOpenFiles", Value::at_least(1, "files"), "5000"),
    Property::optional("hdfs.minBlockReplicas", Value::at_least(0, "replicas")).outside(FAILS_LATER),
    Property::with("hdfs.writeFormat", Value::Choice(&["Writable", "Text"]), "Writable").bad(FAILS_LATER),
    Property::optional("writeFormat.", Value::Text),
    Property::with("hdfs.threadsPoolSize", Value::at_least(1, "threads"), "10")
        .outside(Bad::Says("never starts, and tries again every 3 s for ever")),
    Property::with("hdfs.rollTimerPoolSize", Value::at_least(0, "threads"), "1")
        .outside(Bad::Says("never starts, and tries again every 3 s for ever")),
    Property::with("hdfs.callTimeout", Value::any_long("ms"), "30000"),
    Property::with("hdfs.closeTries", Value::any_int("attempts"), "2147483647"),
    Property::with("hdfs.retryInterval", Value::any_long("s"), "180"),
    Property::optional("hdfs.kerberosPrincipal", Value::Text),
    Property::optional("hdfs.kerberosKeytab", Value::Path),
    Property::optional("hdfs.proxyUser", Value::Text),
    Property::with("hdfs.round", Value::Flag, "false"),
    Property::with("hdfs.roundValue", Value::any_int("units"), "1"),
    Property::with("hdfs.roundUnit", Value::Choice(&["second", "minute", "hour"]), "second")
        .bad(Bad::Says("rounds nothing")),
    Property::optional("hdfs.timeZone", Value::Text),
    Property::with("hdfs.useLocalTimeStamp", Value::Flag, "false"),
    Property::with("hdfs.useRawLocalFileSystem", Value::Flag, "false"),
    Property::with("serializer", Value::Type(Kind::Serializer), "TEXT"),
    Property::optional("serializer.", Value::Text),
];

/// What the sink's properties cannot say one by one.
pub fn sink(properties: &Properties, findings: &mut Findings<'_>) {
    keys(properties, findings);
    path(properties, findings);
}

/// The same, without a word on `hdfs.path`.
pub fn keys(properties: &Properties, findings: &mut Findings<'_>) {
    file_type(properties, findings);
    rounding(properties, findings);
    kerberos(properties, findings);
}

fn refuse(findings: &mut Findings<'_>, key: &str, what: String, fix: String) {
    let problem = Problem::error("bad-value", &findings.at(key).clone(), what);
    findings.add(problem.flume(&findings.owner.dropped).fix(fix));
}

fn file_type(properties: &Properties, findings: &mut Findings<'_>) {
    let kind = properties.word("hdfs.fileType").to_ascii_lowercase();
    let key = findings.key("hdfs.fileType");
    match (kind.as_str(), properties.text("hdfs.codeC")) {
        ("datastream", Some(codec)) => {
            let what = format!(
                "the {} has `hdfs.codeC = {codec}`, and a DataStream has no codec",
                findings.owner.noun
            );
            let fix = format!("`{key} = CompressedStream`, or leave `hdfs.codeC` out");
            refuse(findings, "hdfs.codeC", what, fix);
        }
        ("compressedstream", None) => {
            let what =
                format!("the {} writes a CompressedStream and has no `hdfs.codeC`", findings.owner.noun);
            let fix = format!("`{} = gzip`, or `{key} = DataStream`", findings.key("hdfs.codeC"));
            refuse(findings, "hdfs.fileType", what, fix);
        }
        ("compressedstream", Some(codec)) if codec.eq_ignore_ascii_case("none") => {
            let what = format!("the {} writes a CompressedStream with the codec `None`", findings.owner.noun);
            refuse(findings, "hdfs.codeC", what, format!("`{} = gzip`", findings.key("hdfs.codeC")));
        }
        _ => {}
    }
    codec(properties, findings);
    let format = properties.word("hdfs.writeFormat");
    let exact = |word: &&str| word.eq_ignore_ascii_case(format) && *word != format;
    if let Some(word) = ["Writable", "Text"].into_iter().find(exact).filter(|_| kind == "sequencefile") {
        let what = format!("`{}` is `{format}`: its case counts", findings.key("hdfs.writeFormat"));
        let problem = Problem::error("bad-value", &findings.at("hdfs.writeFormat").clone(), what)
            .flume("starts, and fails at the first event, again and again")
            .fix(format!("`{} = {word}`", findings.key("hdfs.writeFormat")));
        findings.add(problem);
    }
}

/// Hadoop's codecs by their short names; others may be on the class path.
const CODECS: [&str; 12] = [
    "None",
    "default",
    "gzip",
    "bzip2",
    "deflate",
    "snappy",
    "lz4",
    "zstandard",
    "lzo",
    "lzop",
    "brotli",
    "passthrough",
];

fn codec(properties: &Properties, findings: &mut Findings<'_>) {
    let Some(codec) = properties.text("hdfs.codeC") else { return };
    let word = codec.to_ascii_lowercase();
    let word = word.strip_suffix("codec").unwrap_or(&word);
    if codec.contains('.') || CODECS.iter().any(|known| known.eq_ignore_ascii_case(word)) {
        return;
    }
    let what =
        format!("`{}` is {}, which is no codec of Hadoop's", findings.key("hdfs.codeC"), plan::quoted(codec));
    let meant = match word {
        "gz" => "gzip",
        "bz2" | "bzip" => "bzip2",
        "zstd" => "zstandard",
        _ => "CODEC",
    };
    let fix = format!("`{} = {meant}`; Hadoop has {}", findings.key("hdfs.codeC"), CODECS[1..8].join(", "));
    let problem = Problem::warning("unknown-codec", &findings.at("hdfs.codeC").clone(), what)
        .flume("takes it if such a codec is on its class path, else removes the sink")
        .here("the same");
    findings.add(problem.fix(fix));
}

fn rounding(properties: &Properties, findings: &mut Findings<'_>) {
    if !properties.word("hdfs.round").eq_ignore_ascii_case("true") {
        return;
    }
    let unit = properties.word("hdfs.roundUnit").to_ascii_lowercase();
    let most = if unit == "hour" { 24 } else { 60 };
    let value: i64 = properties.count("hdfs.roundValue");
    if (1..=most).contains(&value) {
        return;
    }
    let key = findings.key("hdfs.roundValue");
    let what = format!("`{key}` is {value}, and `hdfs.roundUnit` is {unit}: from 1 to {most}");
    refuse(findings, "hdfs.roundValue", what, format!("`{key} = NUMBER`, from 1 to {most}"));
}

fn kerberos(properties: &Properties, findings: &mut Findings<'_>) {
    let [principal, keytab] = ["hdfs.kerberosPrincipal", "hdfs.kerberosKeytab"];
    let (has, lacks) = match [principal, keytab].map(|key| properties.is_written(key)) {
        [true, false] => (principal, keytab),
        [false, true] => (keytab, principal),
        _ => return,
    };
    let what = format!("the {} has `{has}` and no `{lacks}`", findings.owner.noun);
    let problem = Problem::error("missing-property", &findings.at(has).clone(), what);
    findings.add(problem.flume(&findings.owner.dropped).fix(format!("`{} = VALUE`", findings.key(lacks))));
}

/// Whether Hadoop takes a path for one below the home of whoever logs in.
pub fn is_relative(path: &str) -> bool {
    !path.is_empty() && !path.starts_with('/') && !has_scheme(path) && scheme_of_a_slip(path).is_none()
}

fn has_scheme(path: &str) -> bool {
    let is_one = |text: &str| {
        text.starts_with(|sign: char| sign.is_ascii_alphabetic())
            && text.chars().all(|sign| sign.is_ascii_alphanumeric() || "+-.".contains(sign))
    };
    path.split_once(":/").is_some_and(|(head, _)| is_one(head))
}

/// What stands before a colon in the first part of a path without `://`: Hadoop takes it for a scheme, and fails.
fn scheme_of_a_slip(path: &str) -> Option<&str> {
    let first = path.split('/').next().filter(|_| !has_scheme(path))?;
    first.split_once(':').map(|(before, _)| before).filter(|before| !before.contains(['{', '[']))
}

/// A path without a scheme is on Hadoop's default file system, which is the local disk where none is set.
pub fn path(properties: &Properties, findings: &mut Findings<'_>) {
    let Some(path) = properties.text("hdfs.path").filter(|path| !path.is_empty()) else { return };
    let (key, at) = (findings.key("hdfs.path"), findings.at("hdfs.path").clone());
    if let Some(scheme) = scheme_of_a_slip(path) {
        let what = format!("`{key} = {path}`: what stands before the colon, `{scheme}`, is no file system");
        let problem = Problem::error("bad-value", &at, what)
            .flume("starts, and fails at the first event, again and again");
        let rest = path.trim_start_matches("hdfs:");
        return findings.add(problem.fix(format!("`{key} = hdfs://{rest}`")));
    }
    if let Some(rest) = path.split_once("://").filter(|(scheme, _)| scheme.eq_ignore_ascii_case("s3n")) {
        return s3n(rest.1, findings);
    }
    if has_scheme(path) || path.starts_with("%{") || path.contains("${") {
        return;
    }
    let what = format!("`{key}` names no file system: {}", plan::quoted(path));
    let (place, home) = match path.strip_prefix('/') {
        Some(_) => ("", ""),
        None => (", below the user's home there", "user/NAME/"),
    };
    let flume = format!(
        "writes to `fs.defaultFS` of the core-site.xml on its class path{place}, and to the local disk where there is none"
    );
    let note = Problem::note("path-without-scheme", &at, what).flume(flume).here("the same");
    let absolute = path.trim_start_matches('/');
    findings.add(note.fix(format!("`{key} = hdfs://NAMENODE/{home}{absolute}`")));
}

/// Hadoop 2 had it. What stands before the bucket's name may be keys, which nobody prints.
fn s3n(rest: &str, findings: &mut Findings<'_>) {
    let key = findings.key("hdfs.path");
    let (bucket, keys) = match rest.rsplit_once('@') {
        Some((_, bucket)) => {
            (bucket, ", and the keys as fs.s3a.access.key and fs.s3a.secret.key in core-site.xml")
        }
        None => (rest, ""),
    };
    let what = format!("`{key}` is in `s3n://`, which Hadoop 3 has no more");
    let problem = Problem::warning("old-file-system", &findings.at("hdfs.path").clone(), what)
        .flume("starts, and fails at the first event, unless its Hadoop is a 2")
        .here("the same, in a JVM");
    findings.add(problem.fix(format!("`{key} = s3a://{bucket}`{keys}")));
}
