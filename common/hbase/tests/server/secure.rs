//! ZooKeeper over TLS, and an HBase with Kerberos.

use super::*;
use integration::flume::zookeeper::ZooKeeper;
use integration::flume::{Version, bridge};
use integration::solo::Solo;
use integration::stores::{HBASE_USER, Kdc, flumes_hbase, of_kerberos, post, posted_into, site, until};
use integration::{binaries, ports};
use rpc::zookeeper::{Client, Ensemble, Settings};
use runtime::net::TlsDefaults;
use std::fs;
use tokio::runtime::Builder;

const SINK: &str = "
a1.sinks.k.type = hbase2
a1.sinks.k.table = t
a1.sinks.k.columnFamily = cf
a1.sinks.k.confDir = CONF
";

/// HBase's own ZooKeeper has no port over TLS, so another one says the same of `hbase:meta`.
fn copy_meta(from: &str, to: &str, settings: &Settings) {
    let copied = async {
        let from = Ensemble::parse(from).expect("a place");
        let to = settings.reach(Ensemble::parse(to).expect("a place"), &TlsDefaults::new(&[], |_| None));
        let mut from = Client::connect(&from).await?;
        let mut to = Client::connect(&to.expect("it is reached over TLS")).await?;
        let (bytes, _) = from.get(META, false).await?.expect("HBase runs");
        to.create(META, &bytes).await?;
        to.close().await;
        from.close().await;
        Ok::<(), rpc::zookeeper::Trouble>(())
    };
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(copied).expect("both servers answer");
}

const META: &str = "/hbase/meta-region-server";

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn zookeeper_is_asked_over_tls_as_hbases_own_file_says() {
    let mut hbase = Hbase::start();
    hbase.ask("create t cf");
    let store = |name: &str| {
        binaries::workspace().join("common/runtime/testdata/stores").join(name).display().to_string()
    };
    let mut zookeeper = ZooKeeper::with_tls(&store("server.jks"), "changeit");
    zookeeper.start();
    let trust = store("trust.jks");
    let said = [
        ("zookeeper.client.secure", "true"),
        ("zookeeper.ssl.trustStore.location", trust.as_str()),
        ("zookeeper.ssl.trustStore.password", "changeit"),
        ("zookeeper.ssl.hostnameVerification", "false"),
    ];
    let pairs = said.map(|(key, value)| (key.to_owned(), value.to_owned()));
    copy_meta(&hbase.quorum(), &zookeeper.place(), &Settings::new(&pairs));

    let conf = tempfile::tempdir().expect("a folder");
    let write = |said: &[(&str, &str)]| {
        let property = |name: &str, value: &str| {
            format!("<property><name>{name}</name><value>{value}</value></property>")
        };
        let secure =
            said.iter().map(|(key, value)| property(&format!("hbase.zookeeper.property.{key}"), value));
        let all = property("hbase.zookeeper.quorum", &zookeeper.place()) + &secure.collect::<String>();
        fs::write(conf.path().join("hbase-site.xml"), format!("<configuration>{all}</configuration>"))
            .expect("a file");
    };
    let port = ports::free(&["127.0.0.1"]).expect("a port");
    let text = posted_into(port, &SINK.replace("CONF", &conf.path().display().to_string()));

    write(&[]);
    let plain = Node::start(&text);
    plain.wait_for("it closed the connection");
    drop(plain);
    write(&said);
    let _secure = Node::start(&text);
    post(port, r#"[{"body": "one"}, {"body": "two"}]"#);
    until("the table has both", || counter(&mut hbase, "t") == 2);
}

/// Only Flume's own class logs in: it runs in a JVM.
#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn an_hbase_with_kerberos_gets_its_rows_by_flumes_own_class() {
    let kdc = Kdc::start(&[HBASE_USER, "flume/localhost"]);
    let mut hbase = Hbase::of_kerberos(&kdc);
    hbase.ask("create t cf");
    let folder = tempfile::tempdir().expect("a folder");
    let name = format!("{HBASE_USER}@EXAMPLE.COM");
    let quorum = hbase.quorum();
    let all = [&of_kerberos(&name)[..], &[("hbase.zookeeper.quorum", &quorum)]].concat();
    for file in ["core-site.xml", "hbase-site.xml"] {
        fs::write(folder.path().join(file), site(&all)).expect("a file");
    }
    let kerberos = format!(
        "a1.sinks.k.type = hbase2\na1.sinks.k.table = t\na1.sinks.k.columnFamily = cf\n\
         a1.sinks.k.kerberosPrincipal = flume/localhost@EXAMPLE.COM\na1.sinks.k.kerberosKeytab = {}\n",
        kdc.keytab().display()
    );
    let port = ports::free(&["127.0.0.1"]).expect("a port");
    let mut words = bridge::environment(Version::V1_11);
    for word in &mut words {
        if word.starts_with("FLUME_CLASSPATH=") {
            word.push_str(&format!(":{}:{}", folder.path().display(), flumes_hbase()));
        }
    }
    words.push(format!("JAVA_OPTS={}", kdc.option()));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let solo = Solo::start_in(folder, &posted_into(port, &kerberos), &words);
    solo.wait_for("the sink `k` runs in a JVM");
    post(port, r#"[{"body": "one"}, {"body": "two"}]"#);
    until("the table has both", || counter(&mut hbase, "t") == 2);
}
