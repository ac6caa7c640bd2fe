//! Configurations that other hosts have: in ZooKeeper, where `push` and Flume's own tools put them, and on a server of HTTP.

use integration::{
    binaries,
    console::Console,
    flume::{
        self, Flume, Launch, Version,
        zookeeper::{ZooKeeper, client_jaas, kerberos_section},
    },
    limit, ports,
    process::Process,
    solo::LONG,
    stores::Kdc,
};
use rustix::process::Signal;
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::Path,
    process::Command,
    thread,
};

/// An agent that prints one event, in which `WORD` stands.
fn configuration(word: &str) -> String {
    format!(
        "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.sources.r1.type = exec\n\
         a1.sources.r1.command = echo {word}\na1.sources.r1.channels = c1\na1.channels.c1.type = memory\n\
         a1.sinks.k1.type = logger\na1.sinks.k1.channel = c1\n"
    )
}

struct Running {
    console: Console,
    process: Process,
}

/// Runs `agent` with these words in `directory`.
fn run(directory: &Path, words: &[&str]) -> Running {
    run_with(directory, &[], words)
}

/// The same, with these variables in its environment.
fn run_with(directory: &Path, variables: &[(&str, &str)], words: &[&str]) -> Running {
    let console = Console::default();
    let mut command = Command::new(binaries::directory().expect("it is built").join("agent"));
    command.current_dir(directory).args(words).envs(variables.iter().copied());
    let process = Process::spawn(command, &console, 0).expect("it runs");
    Running { console, process }
}

impl Running {
    fn wait_for(&self, part: &str) {
        self.console
            .wait_from(0, LONG, part, |line| line.text.contains(part))
            .unwrap_or_else(|error| panic!("{error}"));
    }

    fn said(&self, part: &str) -> usize {
        self.console.visit(0, |line| line.text.contains(part).then_some(())).len()
    }

    /// What it said until its end, and its exit code.
    fn ended(mut self) -> (String, Option<i32>) {
        let code = self.process.wait(LONG).expect("it ends").status.code();
        assert!(self.console.drained(LONG), "it leaves its console open");
        let lines = self.console.lines_from(0).into_iter().map(|line| line.text);
        (lines.collect::<Vec<_>>().join("\n"), code)
    }

    fn stop(self) -> String {
        self.process.signal(Signal::TERM);
        let (said, code) = self.ended();
        assert_eq!(code, Some(0), "{said}");
        said
    }
}

/// Answers each request with `text`, to those alone who log in as `me` with `planted9password`.
fn serve(listener: TcpListener, text: String) {
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let lines = BufReader::new(stream.try_clone().expect("a stream")).lines().map_while(Result::ok);
            let head = lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
            // `me:planted9password`
            let known = head.contains("Basic bWU6cGxhbnRlZDlwYXNzd29yZA==");
            let (status, text) = if known { ("200 OK", text.as_str()) } else { ("401 Unauthorized", "") };
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{text}", text.len());
            // One who leaves early is told nothing.
            let _gone = stream.write_all(answer.as_bytes());
        }
    });
}

#[test]
fn an_agent_starts_by_a_servers_text_and_by_its_backup_while_that_is_away() {
    let directory = tempfile::tempdir().expect("a folder");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let there = format!("http://127.0.0.1:{}/a1.conf", listener.local_addr().expect("a port").port());
    serve(listener, configuration("from-the-server"));
    let nowhere = format!("http://127.0.0.1:{}/a1.conf", ports::free(&["127.0.0.1"]).expect("a port"));
    // Flume takes defaults of options from there, and a password is not for the list of processes.
    fs::write(directory.path().join("flume.opts"), "n = a1\nuser = me\npwd = planted9password\nb = kept\n")
        .expect("a file");
    let first = run(directory.path(), &["-c", ".", "-u", &there]);
    first.wait_for("from-the-server");
    let said = first.stop();
    let backup = fs::read_to_string(directory.path().join("kept/.a1.properties")).expect("a backup");
    assert_eq!(backup, configuration("from-the-server"));
    let second = run(directory.path(), &["-c", ".", "-u", &nowhere]);
    second.wait_for("the agent starts with the last good configuration, kept/.a1.properties");
    second.wait_for("from-the-server");
    let said = said + &second.stop();
    assert!(!said.contains("planted9"), "{said}");
    let (said, code) = run(directory.path(), &["check", "-n", "a1", "-u", &there]).ended();
    assert!(code == Some(2) && said.contains("401 Unauthorized: look at -user and -pwd"), "{code:?} {said}");
}

fn store(name: &str) -> String {
    binaries::workspace().join("common/runtime/testdata/stores").join(name).display().to_string()
}

/// OpenSSL's own server, whose certificate names this host.
#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn an_agent_starts_by_the_text_of_a_server_over_tls_that_it_trusts_and_by_no_other() {
    let directory = tempfile::tempdir().expect("a folder");
    fs::write(directory.path().join("a1.conf"), configuration("over-tls")).expect("a file");
    let (mut openssl, port) = (Command::new("openssl"), ports::free(&["127.0.0.1"]).expect("a port"));
    openssl.args(["pkcs12", "-nodes", "-passin", "pass:changeit", "-in", &store("named.p12"), "-out", "pem"]);
    assert!(limit::output(openssl.current_dir(directory.path())).status.success());
    let mut server = Command::new("openssl");
    server.args(["s_server", "-WWW", "-cert", "pem", "-key", "pem", "-cert_chain", "pem", "-accept"]);
    server.arg(format!("127.0.0.1:{port}")).current_dir(directory.path());
    let console = Console::default();
    let _server = Process::spawn(server, &console, 0).expect("a server");
    console.wait_from(0, LONG, "it listens", |line| line.text.contains("ACCEPT")).expect("it listens");
    let there = format!("https://localhost:{port}/a1.conf");
    let trust = |name: &str| {
        ["", "Password", "Type"].map(|key| {
            let value = match key {
                "" => store(name),
                "Password" => "changeit".to_owned(),
                _ => "PKCS12".to_owned(),
            };
            format!("-Djavax.net.ssl.trustStore{key}={value}")
        })
    };
    let [file, password, kind] = &trust("root-trust.p12");
    let agent = run(directory.path(), &["-n", "a1", "-u", &there, file, password, kind]);
    agent.wait_for("over-tls");
    agent.stop();
    let [file, password, kind] = &trust("trust.p12");
    let (said, code) =
        run(directory.path(), &["check", "-n", "a1", "-u", &there, file, password, kind]).ended();
    assert!(code == Some(2) && said.contains("its certificate is not trusted"), "{code:?} {said}");
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn zookeeper_is_read_and_written_over_tls_and_its_certificate_must_be_trusted_and_name_it() {
    flume::require();
    let directory = tempfile::tempdir().expect("a folder");
    let mut zookeeper = ZooKeeper::with_tls(&store("server.jks"), "changeit");
    zookeeper.start();
    let place = zookeeper.place();
    fs::write(directory.path().join("a1.conf"), configuration("first-text")).expect("a file");
    let trust = format!("-Dzookeeper.ssl.trustStore.location={}", store("trust.jks"));
    let other = format!("-Dzookeeper.ssl.trustStore.location={}", store("authority-trust.p12"));
    let (secure, password) =
        ("-Dzookeeper.client.secure=true", "-Dzookeeper.ssl.trustStore.password=changeit");
    let any_name = "-Dzookeeper.ssl.hostnameVerification=false";
    let push = |more: &[&str]| {
        let words = ["push", "-n", "a1", "-f", "a1.conf", "-z", &place];
        run(directory.path(), &[&words, more].concat()).ended()
    };
    for (more, why) in [
        (&[][..], "it closed the connection"),
        (&[secure, &trust, password][..], "it does not name 127.0.0.1"),
        (&[secure, &other, password, any_name][..], "its certificate is not trusted"),
    ] {
        let (said, code) = push(more);
        assert!(code == Some(1) && said.contains(why), "{why}: {code:?} {said}");
    }
    let all = [secure, &trust, password, any_name];
    let (said, code) = push(&all);
    assert!(code == Some(0) && said.contains("wrote /flume/a1"), "{code:?} {said}");
    let agent = run(directory.path(), &[&["-n", "a1", "-z", &place][..], &all].concat());
    agent.wait_for("first-text");
    fs::write(directory.path().join("a1.conf"), configuration("second-text")).expect("a file");
    let (said, code) = push(&all);
    assert!(code == Some(0), "{code:?} {said}");
    agent.wait_for("second-text");
    agent.stop();
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn agents_and_a_real_flume_run_what_push_has_written_into_zookeeper() {
    flume::require();
    let directory = tempfile::tempdir().expect("a folder");
    let mut zookeeper = ZooKeeper::new();
    let place = zookeeper.place();
    let agent = run(directory.path(), &["-n", "a1", "-z", &place, "-p", "/team/flume"]);
    agent.wait_for("is away: the agent waits for it");
    zookeeper.start();
    agent.wait_for("there is no /team/flume/a1 in ZooKeeper");
    let push = |file: &str, text: &str, more: &[&str]| {
        fs::write(directory.path().join(file), text).expect("a file");
        let words = ["push", "-n", "a1", "-f", file, "-z", &place, "-p", "/team/flume"];
        run(directory.path(), &[&words, more].concat()).ended()
    };
    let (said, code) = push("bad.conf", "a1.sources = r1\n", &[]);
    assert!(code == Some(2) && said.contains("nothing is written"), "{code:?} {said}");
    let (said, code) = push("a1.conf", &configuration("gr\u{fc}n"), &[]);
    assert!(
        code == Some(0) && said.contains("wrote /team/flume/a1") && said.contains("version 0"),
        "{code:?} {said}"
    );
    agent.wait_for("gr\u{fc}n");
    assert_eq!(
        (agent.said("is away"), agent.said("there is no /team/flume/a1")),
        (1, 1),
        "each is said once"
    );
    let (said, code) = push("a1.conf", &configuration("gr\u{fc}n"), &[]);
    assert!(code == Some(0) && said.contains("has this text already (version 0)"), "{code:?} {said}");
    let (said, code) = push("new.conf", &configuration("lost"), &["--if-version", "3"]);
    assert!(code == Some(1) && said.contains("is at version 0, not 3"), "{code:?} {said}");

    // Flume watches the same node, by its own client.
    let launch = Launch {
        agent: ["-z", &place, "-p", "/team/flume"].map(str::to_owned).to_vec(),
        reload: true,
        ..Launch::default()
    };
    let unread = directory.path().join("new.conf");
    let console = Console::default();
    let flume =
        Flume::start_as(Version::V1_11, &unread, "a1", directory.path(), &launch, &console).expect("a JVM");
    flume.wait_for_line("Refreshing configuration from ZooKeeper", LONG).expect("it reads the node");
    flume.wait_for_line("Event: {", LONG).expect("it runs the text");
    let (said, code) = push("new.conf", &configuration("second"), &["--if-version", "0"]);
    assert!(code == Some(0) && said.contains("version 1 after 0, 1 lines new, 1 gone"), "{code:?} {said}");
    flume.wait_for_line("73 65 63 6F 6E 64", LONG).expect("it sees the change");
    agent.wait_for("73 65 63 6F 6E 64");
    drop(flume);

    zookeeper.kill();
    agent.wait_for("is away: the agent goes on with the configuration that it has");
    let (said, code) = push("new.conf", &configuration("third"), &[]);
    assert!(code == Some(1) && said.contains("is not written to ZooKeeper"), "{code:?} {said}");
    zookeeper.start();
    agent.wait_for("has the configuration /team/flume/a1 again");
    let (said, code) = push("new.conf", &configuration("third"), &[]);
    assert!(code == Some(0) && said.contains("version 2 after 1"), "{code:?} {said}");
    agent.wait_for("74 68 69 72 64");
    assert_eq!((agent.said("is away"), agent.said("/team/flume/a1 again")), (2, 2), "each is said once");
    agent.stop();
}

/// A node that only `bob` may read and write, made by ZooKeeper's own client with the same file of JAAS.
#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_node_that_is_for_one_user_is_read_and_written_by_who_logs_in_as_that_one_alone() {
    flume::require();
    let directory = tempfile::tempdir().expect("a folder");
    let mut zookeeper = ZooKeeper::with_login("bob", "planted9 \u{fc}");
    zookeeper.start();
    let place = zookeeper.place();
    for (name, user, password) in
        [("bob", "bob", "planted9 \u{fc}"), ("wrong", "bob", "planted8"), ("eve", "eve", "planted7")]
    {
        fs::write(directory.path().join(name), client_jaas(user, password)).expect("a file");
    }
    let jaas = directory.path().join("bob");
    let mut said = String::new();
    for words in [&["create", "/flume", ""][..], &["create", "/flume/a1", "none", "sasl:bob:cdrwa"]] {
        said = zookeeper.command(&jaas, words);
    }
    assert!(said.contains("Created /flume/a1"), "{said}");
    let login =
        |name: &str| format!("-Djava.security.auth.login.config={}", directory.path().join(name).display());
    let push = |text: &str, more: &[&str]| {
        fs::write(directory.path().join("a1.conf"), text).expect("a file");
        let words = ["push", "-n", "a1", "-f", "a1.conf", "-z", &place];
        let (said, code) = run(directory.path(), &[&words, more].concat()).ended();
        assert!(!said.contains("planted"), "{said}");
        (said, code)
    };
    for (more, why) in [
        (vec![], "access list does not let this client in (NoAuth): log in as a user whom it names"),
        (vec![login("bob"), "-Dzookeeper.sasl.client=false".to_owned()], "(NoAuth)"),
        (vec![login("wrong")], "it does not accept the user `bob` of section `Client` in"),
        (vec![login("eve")], "it does not accept the user `eve` of section `Client` in"),
    ] {
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        let (said, code) = push(&configuration("nothing"), &more);
        assert!(code == Some(1) && said.contains(why), "{why}: {code:?} {said}");
    }
    let agent = run(directory.path(), &["-n", "a1", "-z", &place, &login("wrong")]);
    agent.wait_for("does not give /flume/a1: the agent waits, and asks again");
    agent.wait_for("it does not accept the user `bob`");
    drop(agent);
    let (said, code) = push(&configuration("first-text"), &[&login("bob")]);
    assert!(code == Some(0) && said.contains("wrote /flume/a1"), "{code:?} {said}");
    let agent = run(directory.path(), &["-n", "a1", "-z", &place, &login("bob")]);
    agent.wait_for("first-text");
    // Flume reads it with the same file.
    let launch = Launch {
        agent: ["-z", &place].map(str::to_owned).to_vec(),
        jvm: vec![login("bob")],
        reload: true,
        ..Launch::default()
    };
    let (unread, console) = (directory.path().join("a1.conf"), Console::default());
    let flume =
        Flume::start_as(Version::V1_11, &unread, "a1", directory.path(), &launch, &console).expect("a JVM");
    flume.wait_for_line("Event: {", LONG).expect("it runs the text");
    drop(flume);
    let (said, code) = push(&configuration("second"), &[&login("bob")]);
    assert!(code == Some(0) && said.contains("version 2 after 1"), "{code:?} {said}");
    agent.wait_for("73 65 63 6F 6E 64");
    agent.stop();
}

/// The file `from` with the keys of `flume` and of `other` exchanged.
fn exchanged(from: &Path) -> Vec<u8> {
    let mut bytes = fs::read(from).expect("a file");
    let (one, two) = (b"flume", b"other");
    for at in 0..bytes.len().saturating_sub(one.len()) {
        let end = at + one.len();
        let other = match &bytes[at..end] {
            name if name == one => two,
            name if name == two => one,
            _ => continue,
        };
        bytes[at..end].copy_from_slice(other);
    }
    bytes
}

/// A node that only `flume@EXAMPLE.COM` may read and write, made by ZooKeeper's own client with the same file of JAAS.
#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_node_that_is_for_one_principal_is_read_and_written_by_who_logs_in_by_kerberos_as_that_one_alone() {
    flume::require();
    let directory = tempfile::tempdir().expect("a folder");
    let at = |name: &str| directory.path().join(name);
    let mut kdc = Kdc::start(&["flume", "other", "zookeeper/localhost"]);
    let mut zookeeper =
        ZooKeeper::with_kerberos(&kdc.option(), &kdc.keytab(), "zookeeper/localhost@EXAMPLE.COM");
    zookeeper.start();
    let place = zookeeper.place();
    fs::write(at("exchanged.keytab"), exchanged(&kdc.keytab())).expect("a file");
    for (name, keytab, user) in [
        ("flume", kdc.keytab(), "flume"),
        ("other", kdc.keytab(), "other"),
        ("wrong", at("exchanged.keytab"), "flume"),
        ("missing", at("no.keytab"), "flume"),
        ("nobody", kdc.keytab(), "nobody"),
    ] {
        let section = kerberos_section("Client", &keytab, &format!("{user}@EXAMPLE.COM"), "");
        fs::write(at(name), section).expect("a file");
    }
    let mut said = String::new();
    for words in
        [&["create", "/flume", ""][..], &["create", "/flume/a1", "none", "sasl:flume@EXAMPLE.COM:cdrwa"]]
    {
        said = zookeeper.command(&at("flume"), words);
    }
    assert!(said.contains("Created /flume/a1"), "{said}");
    let login = |name: &str| format!("-Djava.security.auth.login.config={}", at(name).display());
    let option = kdc.option();
    let push_with = |variables: &[(&str, &str)], text: &str, more: &[&str]| {
        fs::write(at("a1.conf"), text).expect("a file");
        let words = ["push", "-n", "a1", "-f", "a1.conf", "-z", &place];
        run_with(directory.path(), variables, &[&words, more].concat()).ended()
    };
    let push = |text: &str, more: &[&str]| push_with(&[], text, more);
    for (name, more, why) in [
        ("flume", "-Dzookeeper.sasl.client=false", "(NoAuth)"),
        ("other", "", "access list does not let this client in (NoAuth): log in as a user whom it names"),
        ("missing", "", "no.keytab is not there"),
        ("nobody", "", "has no key of `nobody@EXAMPLE.COM`"),
        ("wrong", "", "the key of `flume@EXAMPLE.COM` is not the one that the KDC has"),
        (
            "flume",
            "-Dzookeeper.sasl.client.username=none",
            "the KDC does not know the server as `none/localhost`",
        ),
        (
            "flume",
            "-Dzookeeper.server.principal=other/localhost",
            "does not know the server as `other/localhost`",
        ),
    ] {
        let login = login(name);
        let more: Vec<&str> = [&*login, &option, more].into_iter().filter(|word| !word.is_empty()).collect();
        let (said, code) = push(&configuration("nothing"), &more);
        assert!(code == Some(1) && said.contains(why), "{why}: {code:?} {said}");
    }
    let nowhere = [("JAVA_HOME", ""), ("PATH", "/no/where")];
    let (said, code) = push_with(&nowhere, &configuration("nothing"), &[&login("flume"), &option]);
    let needs = "section `Client` in";
    let java = "logs in by Kerberos, which needs Java: there is no `java` in JAVA_HOME/bin or on the PATH";
    assert!(code == Some(2) && said.contains(needs) && said.contains(java), "{code:?} {said}");

    let agent = run(directory.path(), &["-n", "a1", "-z", &place, &login("missing"), &option]);
    agent.wait_for("does not give /flume/a1: the agent waits, and asks again");
    agent.wait_for("no.keytab is not there");
    // Where Kerberos is may stand in a variable, or in a script that is run for a JVM.
    // One for all JVMs of a container may choose a collector, and Java says that it has seen it.
    let variables = [("JAVA_OPTS", &*option), ("JAVA_TOOL_OPTIONS", "-XX:+UseG1GC")];
    let (said, code) = push_with(&variables, &configuration("first-text"), &[&login("flume")]);
    assert!(code == Some(0) && said.contains("wrote /flume/a1"), "{code:?} {said}");
    // The agent has tried again and again.
    fs::copy(kdc.keytab(), at("no.keytab")).expect("a file");
    agent.wait_for("first-text");
    agent.stop();
    fs::create_dir(at("conf")).expect("a folder");
    fs::write(at("conf/flume-env.sh"), format!("JAVA_OPTS=\"$JAVA_OPTS {option}\"\n")).expect("a file");
    let agent = run(directory.path(), &["-n", "a1", "-c", "conf", "-z", &place, &login("flume")]);
    agent.wait_for("first-text");
    // Flume reads it with the same file.
    let launch = Launch {
        agent: ["-z", &place].map(str::to_owned).to_vec(),
        jvm: vec![login("flume"), option.clone()],
        reload: true,
        ..Launch::default()
    };
    let (unread, console) = (at("a1.conf"), Console::default());
    let flume =
        Flume::start_as(Version::V1_11, &unread, "a1", directory.path(), &launch, &console).expect("a JVM");
    flume.wait_for_line("Event: {", LONG).expect("it runs the text");
    drop(flume);
    let (said, code) = push(&configuration("second"), &[&login("flume"), &option]);
    assert!(code == Some(0) && said.contains("version 2 after 1"), "{code:?} {said}");
    agent.wait_for("73 65 63 6F 6E 64");
    // A session that is there needs no ticket.
    kdc.kill();
    let (said, code) = push(&configuration("third"), &[&login("flume"), &option]);
    assert!(code == Some(1) && said.contains("the KDC cannot be reached"), "{code:?} {said}");
    agent.stop();
}
