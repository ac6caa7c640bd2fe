//! What an operator can say.

use crate::format::{Codec, Content, WriteFormat};
use crate::path::{Buckets, Names};
use crate::policy::{ClosePolicy, RollPolicy};
use crate::store::{Hadoop, SiteFiles};
use crate::target::{self, Target};
use components::escapes::{Rounding, Template, Unit, host, named_zone};
use components::hadoop::own_principal;
use components::look_up_host;
use components::missing::hdfs as flumes;
use components::serializer::{AvroConfig, SerializerConfig};
use jiff::tz::TimeZone;
use plan::{Findings, Problem, Properties};
use runtime::clock::Duration;
use runtime::net::ClientLayers;
use std::io;
use std::path::PathBuf;

/// Keys, units and defaults are Flume's: User Guide, "HDFS Sink".
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The file system that `hdfs.path` names.
    pub(crate) target: Target,
    /// As whom HDFS is used, and what its files say.
    pub(crate) hadoop: Hadoop,
    /// `hdfs.path`, without its file system.
    pub(crate) path: Template,
    /// `hdfs.filePrefix`
    pub(crate) prefix: Template,
    /// `hdfs.timeZone`; the machine's own unless set.
    pub(crate) zone: TimeZone,
    /// `hdfs.round`, `hdfs.roundValue`, `hdfs.roundUnit`
    pub(crate) rounding: Option<Rounding>,
    /// `hdfs.useLocalTimeStamp`
    pub(crate) use_arrival: bool,
    /// `hdfs.fileSuffix`, `hdfs.inUsePrefix`, `hdfs.inUseSuffix`, `hdfs.emptyInUseSuffix`
    pub(crate) names: Names,
    /// `hdfs.rollInterval`, `hdfs.rollSize`, `hdfs.rollCount`, `hdfs.idleTimeout`
    pub(crate) roll: RollPolicy,
    /// `hdfs.closeTries`, `hdfs.retryInterval`
    pub(crate) closing: ClosePolicy,
    /// `hdfs.callTimeout`; ten minutes where it is switched off, since a call that never returns would never be tried again.
    pub(crate) call_timeout: Duration,
    /// `hdfs.threadsPoolSize`: files that are written, and files that are closed, at a time.
    pub(crate) at_a_time: usize,
    /// `hdfs.maxOpenFiles`
    pub(crate) most_open: usize,
    /// `hdfs.fileType`, `hdfs.codeC`, `hdfs.writeFormat`, `serializer`
    pub(crate) content: Content,
    /// The TLS of `https://`, in S3 and of schemas, where there can be one.
    pub(crate) layers: Option<ClientLayers>,
    /// `serializer.schemaURL`
    pub(crate) schema_url: Option<String>,
    /// `hdfs.stateDir`: where it is written down which files are open; `~/.flume/hdfs` unless set.
    pub(crate) state: PathBuf,
    /// `hdfs.deadLetterDir`: where events go that can never be written; `dead-letters` in the former unless set.
    pub(crate) dead_letters: PathBuf,
    /// `hdfs.path` as it stands.
    pub(crate) written_path: String,
}

impl Config {
    /// `directories` are where Hadoop's own files are looked for, `system` are Java's system properties.
    pub(crate) fn new(
        properties: &Properties,
        directories: &[PathBuf],
        system: &[(String, String)],
        findings: &mut Findings<'_>,
    ) -> Option<Config> {
        let written_path = properties.word("hdfs.path").trim();
        let (file_system, path) = target::parts(written_path, findings)?;
        let prefix = template("hdfs.filePrefix", properties.word("hdfs.filePrefix"), findings);
        let content = content(properties, findings)?;
        let suffix = match properties.word("hdfs.fileSuffix") {
            "" => content.codec().map(Codec::extension).unwrap_or_default(),
            suffix => suffix,
        };
        let in_use_suffix = match is_set(properties, "hdfs.emptyInUseSuffix") {
            true => "",
            false => properties.word("hdfs.inUseSuffix"),
        };
        let names = Names {
            suffix: suffix.to_owned(),
            in_use_prefix: properties.word("hdfs.inUsePrefix").to_owned(),
            in_use_suffix: in_use_suffix.to_owned(),
        };
        let seconds = |key| Duration::from_secs(u64::try_from(properties.count::<i64>(key)).unwrap_or(0));
        let number = |key| u64::try_from(properties.count::<i64>(key)).unwrap_or(0);
        let state = properties.text("hdfs.stateDir").map_or_else(home, PathBuf::from);
        let kerberos = kerberos(properties, || look_up_host(false), findings)?;
        let site = site(directories, system, findings)?;
        let (target, url) = Target::new(&file_system, &site, findings)?;
        let mut closing = closing(properties);
        if matches!(target, Target::S3(_)) {
            closing.tries = None; // what is given up would stay on this machine
            closing.interval = closing.interval.max(LEAST_INTERVAL);
        }
        let hadoop = Hadoop {
            url: url.to_owned(),
            site,
            user: properties.text("hdfs.proxyUser").map(str::to_owned),
            kerberos,
        };
        let path = whole(path, &target, &hadoop, findings)?;
        let directory = template("hdfs.path", &path, findings);
        Some(Config {
            target,
            hadoop,
            layers: None,
            path: directory?,
            prefix: prefix?,
            zone: zone(properties, findings),
            rounding: rounding(properties),
            use_arrival: is_set(properties, "hdfs.useLocalTimeStamp"),
            names,
            roll: RollPolicy {
                interval: seconds("hdfs.rollInterval"),
                size: number("hdfs.rollSize"),
                count: number("hdfs.rollCount"),
                idle: seconds("hdfs.idleTimeout"),
            },
            closing,
            call_timeout: match number("hdfs.callTimeout") {
                0 => NO_TIMEOUT,
                millis => Duration::from_millis(millis),
            },
            at_a_time: properties.count::<usize>("hdfs.threadsPoolSize").max(1),
            most_open: properties.count::<usize>("hdfs.maxOpenFiles").max(1),
            schema_url: match &content {
                Content::Container(..) => part(properties).and_then(|part| part.properties.text("schemaURL")),
                _ => None,
            }
            .map(str::to_owned),
            content,
            dead_letters: match properties.text("hdfs.deadLetterDir") {
                Some(directory) => directory.into(),
                None => state.join("dead-letters"),
            },
            state,
            written_path: written_path.to_owned(),
        })
    }

    /// What stands before a directory, for people.
    pub(crate) fn file_system(&self) -> &str {
        match self.target {
            Target::Hadoop | Target::S3(_) => &self.hadoop.url,
            Target::Local => "file://",
        }
    }

    /// Where events go.
    pub(crate) fn buckets(&self) -> Buckets {
        let (path, prefix) = (self.path.clone(), self.prefix.clone());
        Buckets::new(path, prefix, self.zone.clone(), self.rounding, self.use_arrival)
    }
}

fn template(key: &str, text: &str, findings: &mut Findings<'_>) -> Option<Template> {
    Template::parse(text, &host).map_err(|what| findings.refuse(key, &what)).ok()
}

/// The path from the root of its file system on, and a word on one that is written from elsewhere on.
fn whole(path: &str, target: &Target, hadoop: &Hadoop, findings: &mut Findings<'_>) -> Option<String> {
    if path.is_empty() || path.starts_with('/') {
        return Some(path.to_owned());
    }
    let whole = format!("{}/{path}", target::home(target, hadoop, findings)?);
    if flumes::is_relative(path) {
        let file_system = match target {
            Target::Local => "file://".to_owned(),
            _ => hadoop.site.complete(&hadoop.url).unwrap_or_default(),
        };
        let key = findings.key("hdfs.path");
        let what = format!("`{key}` begins with neither a file system nor `/`: {}", plan::quoted(path));
        let note = Problem::note("relative-path", findings.at("hdfs.path"), what)
            .flume("writes below the home directory of its user in `fs.defaultFS`; on the local disk, below its working directory")
            .here(format!("the same, which is {file_system}{whole}"));
        let file_system = if file_system.is_empty() { "hdfs://NAMENODE" } else { &file_system };
        findings.add(note.fix(format!("`{key} = {file_system}{whole}`, if that is meant")));
    }
    Some(whole)
}

/// What Hadoop's own files say.
fn site(
    directories: &[PathBuf],
    system: &[(String, String)],
    findings: &mut Findings<'_>,
) -> Option<SiteFiles> {
    let read = SiteFiles::read(directories, system, |name| std::env::var(name).ok());
    let (site, notes) = read.map_err(|what| findings.refuse("hdfs.path", &what)).ok()?;
    for note in notes {
        findings.add(Problem::warning("not-read", &findings.at("hdfs.path").clone(), note));
    }
    Some(site)
}

/// The principal and its keytab, if there are some; `None` when the keytab cannot be read or nobody knows what this `host` is
/// called, which is told.
fn kerberos(
    properties: &Properties,
    host: impl FnOnce() -> io::Result<String>,
    findings: &mut Findings<'_>,
) -> Option<Option<(String, String)>> {
    let both = properties.text("hdfs.kerberosPrincipal").zip(properties.text("hdfs.kerberosKeytab"));
    let Some((principal, keytab)) = both else { return Some(None) };
    let principal = own_principal(principal, host).map_err(|error| {
        let what = format!("the name of this host, for `_HOST`, cannot be looked up: {error}");
        findings.refuse("hdfs.kerberosPrincipal", &what);
    });
    let principal = principal.ok()?;
    // A pipe is not opened: that would wait for who writes.
    let is_file = std::fs::metadata(keytab).map(|metadata| metadata.is_file());
    let why = match is_file.and_then(|is| if is { std::fs::File::open(keytab).map(Some) } else { Ok(None) }) {
        Ok(Some(_readable)) => return Some(Some((principal, keytab.to_owned()))),
        Ok(None) => "it is no file".to_owned(),
        Err(error) => format!("it cannot be read: {error}"),
    };
    findings.refuse("hdfs.kerberosKeytab", &why);
    None
}

/// Between two tries that have no end.
const LEAST_INTERVAL: Duration = Duration::from_secs(1);
const NO_TIMEOUT: Duration = Duration::from_secs(600);

fn home() -> PathBuf {
    std::env::home_dir().unwrap_or_default().join(".flume/hdfs")
}

/// Source: Flume's `Context.getBoolean`.
fn is_set(properties: &Properties, key: &str) -> bool {
    properties.word(key).trim().eq_ignore_ascii_case("true")
}

fn zone(properties: &Properties, findings: &mut Findings<'_>) -> TimeZone {
    let Some(name) = properties.text("hdfs.timeZone") else { return TimeZone::system() };
    if let Some(zone) = named_zone(name) {
        return zone;
    }
    let what =
        format!("`{}` is {}: no such time zone is known", findings.key("hdfs.timeZone"), plan::quoted(name));
    let problem = Problem::warning("bad-value", &findings.at("hdfs.timeZone").clone(), what);
    findings.add(problem.flume("takes GMT").here("the same"));
    TimeZone::UTC
}

fn rounding(properties: &Properties) -> Option<Rounding> {
    if !is_set(properties, "hdfs.round") {
        return None;
    }
    let unit = match properties.word("hdfs.roundUnit").to_ascii_lowercase().as_str() {
        "hour" => Unit::Hour,
        "minute" => Unit::Minute,
        _ => Unit::Second,
    };
    Some(Rounding { unit, value: properties.count("hdfs.roundValue") })
}

fn closing(properties: &Properties) -> ClosePolicy {
    let tries = properties.count::<i64>("hdfs.closeTries");
    let interval = properties.count::<i64>("hdfs.retryInterval");
    let tries = match u32::try_from(tries) {
        _ if interval <= 0 => Some(1),
        Ok(tries) if tries > 0 && tries < i32::MAX as u32 => Some(tries),
        _ => None,
    };
    ClosePolicy { tries, interval: Duration::from_secs(u64::try_from(interval).unwrap_or(0)) }
}

fn content(properties: &Properties, findings: &mut Findings<'_>) -> Option<Content> {
    let kind = properties.word("hdfs.fileType").to_ascii_lowercase();
    let codec = match properties.text("hdfs.codeC") {
        Some(name) if !name.eq_ignore_ascii_case("none") => {
            let codec = Codec::for_name(name);
            if codec.is_none() {
                let known = "default, deflate, gzip, bzip2, snappy, lz4, lzo, lzop, zstandard";
                let what = format!(
                    "{} is none of the codecs that are here: {known}; name the sink in `AGENT.flume.bridge` to run it in a JVM",
                    plan::quoted(name)
                );
                findings.refuse("hdfs.codeC", &what);
                return None;
            }
            codec
        }
        _ => None,
    };
    if kind == "sequencefile" {
        let format = match properties.word("hdfs.writeFormat") {
            "Text" => WriteFormat::Text,
            _ => WriteFormat::Writable,
        };
        return Some(Content::Sequence(format, codec));
    }
    if (kind == "compressedstream") != codec.is_some() {
        return None; // the rules have said so
    }
    let Some(part) = part(properties) else {
        return Some(Content::Stream(SerializerConfig::Text { newline: true }, codec));
    };
    Some(match part.kind() {
        crate::SCHEMA_SERIALIZER => Content::Container(AvroConfig::new(&part.properties), codec),
        _ => Content::Stream(SerializerConfig::new(part), codec),
    })
}

fn part(properties: &Properties) -> Option<&plan::ComponentPlan> {
    properties.parts("serializer").next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::configured;
    use plan::{Owner, Report};

    #[test]
    fn a_principal_of_this_host_has_its_name() {
        let keytab = tempfile::NamedTempFile::new().unwrap();
        let keytab = keytab.path().display().to_string();
        let pairs = [("hdfs.kerberosPrincipal", "flume/_HOST@REALM"), ("hdfs.kerberosKeytab", &keytab)];
        let properties = Properties::of(&crate::DESCRIPTOR, pairs);
        let (owner, mut report) = (Owner::nobody(), Report::default());
        let mut findings = Findings::new(&owner, &properties, &mut report);
        let found = kerberos(&properties, || Ok("Node-1.example.com".to_owned()), &mut findings);
        assert_eq!(found, Some(Some(("flume/node-1.example.com@REALM".to_owned(), keytab.clone()))));
        let nobody = kerberos(&properties, || Err(io::Error::other("no DNS")), &mut findings);
        assert_eq!(nobody, None);
        let told = report.to_string();
        assert!(told.contains("the name of this host, for `_HOST`, cannot be looked up: no DNS"), "{told}");
    }

    #[test]
    fn the_defaults_are_flumes() {
        let config = configured(&[("hdfs.path", "hdfs://nn:8020/flume/%Y")]).unwrap();
        assert_eq!(config.roll.interval, Duration::from_secs(30));
        assert_eq!([config.roll.size, config.roll.count], [1024, 10]);
        assert_eq!(config.closing, ClosePolicy { tries: None, interval: Duration::from_secs(180) });
        assert_eq!(config.call_timeout, Duration::from_secs(30));
        assert_eq!((config.at_a_time, config.most_open), (10, 5000));
        assert_eq!(config.content, Content::Sequence(WriteFormat::Writable, None));
        assert_eq!(config.names.in_use_suffix, ".tmp");
        assert!(config.dead_letters.ends_with(".flume/hdfs/dead-letters"));
        assert!(matches!(config.target, Target::Hadoop));
        assert_eq!(config.hadoop.url, "hdfs://nn:8020");
        let config = configured(&[("hdfs.path", "s3a://logs/%Y"), ("hdfs.closeTries", "3")]).unwrap();
        assert_eq!(config.closing.tries, None);
        assert!(matches!(config.target, Target::S3(bucket) if bucket.name == "logs"));
        let config = configured(&[("hdfs.path", "S3A://Logs/x"), ("hdfs.retryInterval", "0")]).unwrap();
        assert_eq!(config.closing, ClosePolicy { tries: None, interval: Duration::from_secs(1) });
        assert!(matches!(config.target, Target::S3(bucket) if bucket.name == "Logs"));
    }

    #[test]
    fn what_has_no_effect_is_told() {
        let keys = ["hdfs.minBlockReplicas", "hdfs.rollTimerPoolSize", "hdfs.useRawLocalFileSystem"];
        let values = ["1", "2", "true"];
        let pairs: Vec<(&str, &str)> = keys.into_iter().zip(values).collect();
        let told = told_of(&pairs);
        assert!(keys.iter().all(|key| told.contains(&format!("{key}` has no effect here"))), "{told}");
        assert_eq!(told_of(&[]), "");
    }

    /// What the rules say of these keys.
    fn told_of(pairs: &[(&str, &str)]) -> String {
        let pairs = [&[("hdfs.path", "hdfs://nn/x")], pairs].concat();
        let properties = Properties::of(&crate::DESCRIPTOR, pairs);
        let (owner, mut report) = (Owner::nobody(), Report::default());
        crate::judge(&properties, &mut Findings::new(&owner, &properties, &mut report));
        report.to_string()
    }

    #[test]
    fn what_cannot_be_is_refused_and_told() {
        let refused = |pairs: &[(&str, &str)]| {
            let pairs = [&[("hdfs.path", "/x")], pairs].concat();
            configured(&pairs).err().unwrap_or_default()
        };
        let principal = ("hdfs.kerberosPrincipal", "flume@REALM");
        for (pairs, told) in [
            (&[("hdfs.codeC", "brotli")][..], "`brotli` is none of the codecs that are here"),
            (&[("hdfs.path", "s3n://b/x")], "`s3n` is not supported"),
            (&[("hdfs.filePrefix", "%[nobody]")], "`%[nobody]` is none of"),
            (&[("hdfs.fileType", "CompressedStream")], "has no `hdfs.codeC`"),
            (&[principal, ("hdfs.kerberosKeytab", "/no/such.keytab")], "it cannot be read: No such file"),
            (&[principal, ("hdfs.kerberosKeytab", "/")], "it is no file"),
        ] {
            let said = refused(pairs);
            assert!(said.contains(told), "{said}");
        }
    }
}
