//! What an operator can say.

use crate::serializer::{Columns, Counter, Recipe, SimpleRecipe, Suffix};
use crate::site::HbaseSite;
use bytes::Bytes;
use components::missing::hbase::{is_regex, split};
use flow::Site;
use java::{Charset, Pattern};
use plan::{Findings, Problem, Properties};
use rpc::zookeeper::{Ensemble, Settings};
use runtime::clock::Duration;

/// Keys, units and defaults are Flume's: User Guide, "HBase2Sink".
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// `table`
    pub(crate) table: String,
    /// `columnFamily`
    pub(crate) family: Bytes,
    /// `zookeeperQuorum`, or what `hbase-site.xml` says.
    pub(crate) ensemble: Ensemble,
    /// `znodeParent`, or what `hbase-site.xml` says.
    pub(crate) parent: String,
    /// `enableWal`
    pub(crate) wal: bool,
    /// `coalesceIncrements`
    pub(crate) coalesce: bool,
    /// `timeout`: for a batch, with all that is done again.
    pub(crate) timeout: Duration,
    pub(crate) recipe: Recipe,
    /// `deadLetterDir`
    pub(crate) dead: Option<String>,
    /// Whom HBase sees.
    pub(crate) user: String,
}

impl Config {
    pub(crate) fn new(
        properties: &Properties,
        process: &Site,
        variable: impl Fn(&str) -> Option<String>,
        findings: &mut Findings<'_>,
    ) -> Option<Config> {
        told(properties, findings);
        let site = own_file(properties, process, &variable, findings)?;
        if site.get("hbase.security.authentication").is_some_and(|word| word == "kerberos") {
            findings.refuse("table", &format!("hbase-site.xml asks for Kerberos: {NO_KERBEROS}"));
            return None;
        }
        let ensemble = ensemble(properties, &site, findings);
        let ensemble = ensemble.and_then(|ensemble| reached(ensemble, properties, &site, process, findings));
        let recipe = recipe(properties, findings);
        let table = properties.word("table").trim();
        let text = |key: &str| properties.text(key).map(|text| text.trim().to_owned());
        let parent = text("znodeParent").filter(|path| !path.is_empty());
        let parent = parent.or_else(|| site.get("zookeeper.znode.parent").map(str::to_owned));
        let family = properties.word("columnFamily").trim();
        if family.len() > LONGEST_FAMILY {
            findings.refuse("columnFamily", "no column family of HBase has a name of more than 127 bytes");
            return None;
        }
        Some(Config {
            table: table.strip_prefix("default:").unwrap_or(table).to_owned(),
            family: Bytes::from(family.to_owned()),
            ensemble: ensemble?,
            parent: parent.unwrap_or_else(|| "/hbase".to_owned()),
            wal: properties.flag("enableWal"),
            coalesce: properties.flag("coalesceIncrements"),
            timeout: timeout(properties),
            recipe: recipe?,
            dead: text("deadLetterDir"),
            user: ["HADOOP_USER_NAME", "USER", "LOGNAME"]
                .into_iter()
                .find_map(variable)
                .unwrap_or_else(|| "flume".to_owned()),
        })
    }
}

/// What HBase's own file says.
fn own_file(
    properties: &Properties,
    process: &Site,
    variable: impl Fn(&str) -> Option<String>,
    findings: &mut Findings<'_>,
) -> Option<HbaseSite> {
    let directory = properties.text("confDir").map(str::trim);
    let read = HbaseSite::read(directory, process.conf_dir(), process.properties(), variable);
    let (site, notes) = read.map_err(|what| findings.refuse("confDir", &what)).ok()?;
    for note in notes {
        findings.add(Problem::warning("not-read", &findings.owner.at.clone(), note));
    }
    Some(site)
}

/// HBase's own limit.
const LONGEST_FAMILY: usize = i8::MAX as usize;
const NO_KERBEROS: &str =
    "there is no native login to HBase; name the sink in `AGENT.flume.bridge` to run it in a JVM";

/// What has no effect here, or one that is worth a word.
fn told(properties: &Properties, findings: &mut Findings<'_>) {
    if properties.is_written("maxConsecutiveFails") {
        no_effect(
            "maxConsecutiveFails",
            "a client is never in a state that a new one would not be in",
            findings,
        );
    }
    if properties.under("async.").next().is_some() {
        no_effect("async.", "it is of Java's asynchronous client", findings);
    }
    if !properties.flag("enableWal") {
        let what = format!("`{}` is false", findings.key("enableWal"));
        let problem = Problem::warning("not-durable", &findings.at("enableWal").clone(), what);
        let problem = problem.flume("loses what a server that dies has not flushed yet").here("the same");
        findings.add(problem);
    }
}

fn no_effect(key: &str, why: &str, findings: &mut Findings<'_>) {
    let what = format!("`{}` has no effect: {why}", findings.key(key));
    findings.add(Problem::note("no-effect", &findings.at(key).clone(), what));
}

fn timeout(properties: &Properties) -> Duration {
    let millis: i64 = properties.count("timeout");
    Duration::from_millis(u64::try_from(millis).ok().filter(|millis| *millis > 0).unwrap_or(60_000))
}

/// The rules have judged `zookeeperQuorum`, but for those of the asynchronous client.
fn ensemble(properties: &Properties, site: &HbaseSite, findings: &mut Findings<'_>) -> Option<Ensemble> {
    let port = site.get("hbase.zookeeper.property.clientPort").and_then(|port| port.parse().ok());
    let written = properties.text("zookeeperQuorum").filter(|text| !text.trim().is_empty());
    let quorum = written.or_else(|| site.get("hbase.zookeeper.quorum")).unwrap_or_else(|| {
        let what = format!(
            "neither `{}` nor an hbase-site.xml (in `confDir`, the directory of `-c`, HBASE_CONF_DIR or HBASE_HOME/conf) says where ZooKeeper is",
            findings.key("zookeeperQuorum")
        );
        let problem = Problem::warning("default-quorum", &findings.owner.at.clone(), what)
            .flume("reads an hbase-site.xml of its class path, or asks 127.0.0.1")
            .here("asks 127.0.0.1")
            .fix(format!("`{} = HOST:2181`", findings.key("zookeeperQuorum")));
        findings.add(problem);
        "127.0.0.1"
    });
    let server = |text: &str| match text.trim().rsplit_once(':') {
        Some((host, port)) if !host.is_empty() => Some((host.trim().to_owned(), port.trim().parse().ok()?)),
        Some(_) => None,
        None => Some((text.trim().to_owned(), port.unwrap_or(ZOOKEEPER))),
    };
    let servers = quorum.split(',').filter(|server| !server.trim().is_empty()).map(server);
    match servers.collect::<Option<Vec<_>>>() {
        Some(servers) if !servers.is_empty() => Some(Ensemble::new(servers)),
        _ => {
            findings.refuse("zookeeperQuorum", "it names the servers of ZooKeeper, as HOST:PORT,HOST:PORT");
            None
        }
    }
}

const ZOOKEEPER: u16 = 2181;

/// How these servers are reached: over TLS, if Java's system properties or HBase's own file say so.
fn reached(
    ensemble: Ensemble,
    properties: &Properties,
    site: &HbaseSite,
    process: &Site,
    findings: &mut Findings<'_>,
) -> Option<Ensemble> {
    let mut settings = Settings::of(process);
    site.add_to(&mut settings);
    for notice in settings.notices() {
        findings.add(Problem::note("no-effect", &findings.owner.at.clone(), notice));
    }
    let key = if properties.is_written("zookeeperQuorum") { "zookeeperQuorum" } else { "table" };
    settings
        .reach(ensemble, process.tls_defaults())
        .map_err(|why| findings.refuse(key, &format!("the connection to ZooKeeper: {why}")))
        .ok()
}

fn recipe(properties: &Properties, findings: &mut Findings<'_>) -> Option<Recipe> {
    let word = |key: &str| properties.word(&format!("serializer.{key}"));
    if is_regex(properties.word("serializer")) {
        return columns(properties, findings).map(Recipe::Columns);
    }
    let bytes = |key: &str| Bytes::from(word(key).to_owned());
    let column = |key: &str| Some(bytes(key)).filter(|name| !name.is_empty());
    Some(Recipe::Simple(SimpleRecipe {
        payload: column("payloadColumn"),
        counter: column("incrementColumn").map(|column| Counter { row: bytes("incrementRow"), column }),
        prefix: bytes("rowPrefix"),
        suffix: match word("suffix") {
            "timestamp" => Suffix::Timestamp,
            "random" => Suffix::Random,
            "nano" => Suffix::Nano,
            _ => Suffix::Uuid,
        },
    }))
}

fn columns(properties: &Properties, findings: &mut Findings<'_>) -> Option<Columns> {
    let regex = properties.word("serializer.regex");
    // In brackets of their own the flags do not change the number of groups.
    let flags = if properties.flag("serializer.regexIgnoreCase") { "(?si)" } else { "(?s)" };
    let pattern = Pattern::compile_whole(&format!("{flags}{regex}"))
        .map_err(|refused| findings.refuse("serializer.regex", &String::from(refused)))
        .ok()?;
    let names: Vec<&str> = split(properties.word("serializer.colNames")).collect();
    let key = usize::try_from(properties.count::<i64>("serializer.rowKeyIndex")).ok();
    let deposit = properties.flag("serializer.depositHeaders");
    let charset = Charset::for_name(properties.word("serializer.charset").trim())?; // the check has judged it
    if pattern.group_count() != names.len() || key.is_some_and(|key| key >= names.len()) {
        return None; // the rules have said so
    }
    if key.is_some() && names.len() == 1 && !deposit {
        findings
            .refuse("serializer.colNames", "a row of nothing but its key cannot be written; name a column");
        return None;
    }
    Some(Columns::new(pattern, charset, &names, key, deposit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use plan::{Owner, Report};

    fn configured(pairs: &[(&str, &str)]) -> (Option<Config>, String) {
        configured_with(pairs, &[])
    }

    fn configured_with(pairs: &[(&str, &str)], given: &[(String, String)]) -> (Option<Config>, String) {
        let base = [("table", "t"), ("columnFamily", "cf"), ("zookeeperQuorum", "z1:2191,z2:2191")];
        let pairs: Vec<(&str, &str)> = base.iter().chain(pairs).copied().collect();
        let properties = Properties::of(&crate::HBASE2.descriptor, pairs);
        let (owner, mut report) = (Owner::nobody(), Report::default());
        let mut findings = Findings::new(&owner, &properties, &mut report);
        components::missing::hbase::sink(&properties, &mut findings);
        let config = Config::new(&properties, &Site::with(given, &[]), |_| None, &mut findings);
        (config.filter(|_| !report.has_errors()), report.to_string())
    }

    #[test]
    fn the_defaults_are_flumes() {
        let (config, told) = configured(&[]);
        let config = config.unwrap();
        assert_eq!(told, "");
        assert_eq!((config.wal, config.coalesce, config.timeout), (true, false, Duration::from_secs(60)));
        assert_eq!((config.ensemble.to_string(), &config.parent[..]), ("z1:2191,z2:2191".into(), "/hbase"));
        let Recipe::Simple(simple) = config.recipe else { panic!("it is the simple one") };
        let expected = SimpleRecipe {
            payload: Some("pCol".into()),
            counter: Some(Counter { row: "incRow".into(), column: "iCol".into() }),
            prefix: "default".into(),
            suffix: Suffix::Uuid,
        };
        assert_eq!(simple, expected);
    }

    #[test]
    fn the_names_of_all_releases_are_taken() {
        for (name, regex) in [
            ("org.apache.flume.sink.hbase.SimpleHbaseEventSerializer", false),
            ("org.apache.flume.sink.hbase.SimpleAsyncHbaseEventSerializer", false),
            ("org.apache.flume.sink.hbase2.RegexHBase2EventSerializer", true),
            ("org.apache.flume.sink.hbase.RegexHbaseEventSerializer", true),
        ] {
            let (config, told) = configured(&[("serializer", name)]);
            let recipe = config.unwrap_or_else(|| panic!("{name}: {told}")).recipe;
            assert_eq!(matches!(recipe, Recipe::Columns(_)), regex, "{name}");
        }
    }

    const REGEX: (&str, &str) = ("serializer", "org.apache.flume.sink.hbase2.RegexHBase2EventSerializer");

    #[test]
    fn what_cannot_be_is_refused_and_what_loses_events_is_told() {
        for (pairs, part) in [
            (&[("zookeeperQuorum", "z")][..], "each server needs its port"),
            (&[("zookeeperQuorum", "a:1,b:2")], "the same port"),
            (&[REGEX, ("serializer.regex", "(a)(b)")], "has 2 groups, and"),
            (&[REGEX, ("serializer.rowKeyIndex", "1")], "has 1 names"),
            (&[REGEX, ("serializer.rowKeyIndex", "0")], "the name at that place is `payload`"),
            (
                &[REGEX, ("serializer.rowKeyIndex", "0"), ("serializer.colNames", "ROW_KEY")],
                "a row of nothing but its key",
            ),
            (&[("columnFamily", "f".repeat(128).as_str())], "more than 127 bytes"),
            (&[("confDir", "/nowhere")], "there is no hbase-site.xml in /nowhere"),
        ] {
            let (config, told) = configured(pairs);
            assert!(config.is_none() && told.contains(part), "{pairs:?}: {told}");
        }
        for (pairs, part) in [
            (&[("serializer.suffix", "timestamp")][..], "events of one millisecond have one row"),
            (&[("serializer.suffix", "x")], "takes `uuid`"),
            (&[("enableWal", "false")], "not-durable"),
            (&[("maxConsecutiveFails", "3")], "no-effect"),
        ] {
            let (config, told) = configured(pairs);
            assert!(config.is_some() && told.contains(part), "{pairs:?}: {told}");
        }
    }

    #[test]
    fn zookeeper_is_reached_as_hbases_own_file_and_java_say_or_not_at_all() {
        let given = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let (secure, store) = ("zookeeper.client.secure", "zookeeper.ssl.trustStore.location");
        let (config, told) = configured_with(&[], &given(&[(secure, "true"), (store, "/no/such.jks")]));
        assert!(
            config.is_none() && told.contains("-Dzookeeper.client.secure=true: truststore /no/such.jks"),
            "{told}"
        );
        let (config, told) = configured_with(&[], &given(&[(store, "/no/such.jks")]));
        assert!(config.is_some() && told.contains("the connection to ZooKeeper is a plain one"), "{told}");

        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().display().to_string();
        for (front, counts) in
            [("hbase.zookeeper.property.", true), ("hbase.zookeeper.property.zookeeper.", true), ("", false)]
        {
            let property = |name: &str, value: &str| {
                format!("<property><name>{front}{name}</name><value>{value}</value></property>")
            };
            let all =
                property("client.secure", "true") + &property("ssl.trustStore.location", "/no/such.p12");
            std::fs::write(folder.path().join("hbase-site.xml"), format!("<c>{all}</c>")).unwrap();
            let (config, told) = configured(&[("confDir", &place)]);
            let why = format!("{front}client.secure in hbase-site.xml=true: truststore /no/such.p12");
            assert_eq!((config.is_none(), told.contains(&why)), (counts, counts), "{told}");
        }
    }

    #[test]
    fn what_the_file_does_not_say_hbases_own_file_does() {
        let folder = tempfile::tempdir().unwrap();
        let property =
            |name, value| format!("<property><name>{name}</name><value>{value}</value></property>");
        let site = [
            property("hbase.zookeeper.quorum", "a,${second}"),
            property("second", "b"),
            property("hbase.zookeeper.property.clientPort", "2222"),
            property("zookeeper.znode.parent", "/hb"),
        ];
        let text = format!("<configuration>{}</configuration>", site.concat());
        std::fs::write(folder.path().join("hbase-site.xml"), text).unwrap();
        let place = folder.path().display().to_string();
        let (config, told) = configured(&[("confDir", &place), ("zookeeperQuorum", "")]);
        let config = config.unwrap_or_else(|| panic!("{told}"));
        assert_eq!((config.ensemble.to_string(), &config.parent[..]), ("a:2222,b:2222".into(), "/hb"));
        let (config, told) = configured(&[("zookeeperQuorum", "")]);
        assert_eq!(config.unwrap().ensemble.to_string(), "127.0.0.1:2181");
        assert!(told.contains("says where ZooKeeper is"), "{told}");
    }
}
