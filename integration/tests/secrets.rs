//! No secret that an operator writes down turns up in what a binary prints, whatever is wrong with the line it is in.

use integration::{binaries, console::Console, process::Process};
use std::{fs, path::Path, process::Command, time::Duration};

/// Planted in each place where a secret may stand. They look like nothing else.
const SECRETS: [&str; 9] = [
    "planted0misspelt",
    "planted1envvalue",
    "planted2filteranswer",
    "planted3urllogin",
    "planted4dproperty",
    "planted5storepassword",
    "planted6javaopts",
    "planted7comment",
    "planted8envfilter",
];

/// Good enough to start, and wrong in many places besides.
fn configuration(directory: &Path) -> String {
    let shell = directory.join("answer.sh");
    fs::write(&shell, "#!/bin/sh\necho planted2filteranswer\n").expect("a file");
    format!(
        "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.configfilters = f1 f2\n\
         a1.configfilters.f1.type = external\na1.configfilters.f1.command = /bin/sh {}\na1.configfilters.f2.type = env\n\
         a1.sources.r1.type = seq\na1.sources.r1.totalEvents = 5\na1.sources.r1.channels = c1\n\
         a1.sources.r1.batchSize = ${{env:PLANTED_PASSWORD}}\n\
         a1.sources.r1.maxEvents = ${{f1[pw]}}\na1.sources.r1.other = ${{f2[PLANTED_FILTER]}}\n\
         a1.sources.r1.interceptors = i1\na1.sources.r1.interceptors.i1.type = static\n\
         a1.sources.r1.interceptors.i1.preserveExisting = http://me:planted3urllogin@host/x\n\
         a1.channels.c1.type = memory\na1.channels.c1.capacity = ${{sys:the.password}}\n\
         a1.sinks.k1.type = avro\na1.sinks.k1.hostname = 127.0.0.1\na1.sinks.k1.port = 1\na1.sinks.k1.channel = c1\n\
         a1.sinks.k1.ssl = true\na1.sinks.k1.truststore = /no/such/store\n\
         a1.sinks.k1.truststore-password = planted5storepassword # planted7comment\n\
         a1.sinks.k1.truststore-pasword = planted0misspelt\na1.sinks.k1.pasword planted0misspelt\n",
        shell.display()
    )
}

/// All that a binary prints with these words until it ends; it is stopped once it has said `sign`.
fn printed(directory: &Path, program: &str, words: &[&str], sign: &str) -> String {
    let console = Console::default();
    let mut command = Command::new(binaries::directory().expect("it is built").join(program));
    command.current_dir(directory).args(words);
    command.env("PLANTED_PASSWORD", "planted1envvalue").env("PLANTED_FILTER", "planted8envfilter");
    command.env(
        "JAVA_OPTS",
        "-Xmx20m -javaagent:x.jar=password=planted6javaopts -Dmy.password=planted6javaopts",
    );
    let mut process = Process::spawn(command, &console, 0).expect("it runs");
    let _said = console.wait_from(0, Duration::from_secs(20), sign, |line| line.text.contains(sign));
    if process.wait(Duration::from_secs(1)).is_none() {
        process.signal(rustix::process::Signal::TERM);
        process.wait(Duration::from_secs(20)).unwrap_or_else(|| panic!("{program} {words:?} does not stop"));
    }
    assert!(console.drained(Duration::from_secs(20)), "{program} {words:?} leaves its console open");
    console.lines_from(0).iter().map(|line| format!("{}\n", line.text)).collect()
}

#[test]
fn no_secret_is_printed_by_any_command() {
    let directory = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).expect("a file");
    let whole = configuration(directory.path());
    write("bad.conf", &whole);
    // What is left of it starts, so that the components themselves say what is wrong.
    let good = whole.lines().filter(|line| {
        ["batchSize", "capacity", "preserveExisting", "truststore ="].iter().all(|part| !line.contains(part))
    });
    write(
        "good.conf",
        &good
            .map(|line| format!("{line}\n"))
            .collect::<String>()
            .replace("a1.sinks.k1.type = avro", "a1.sinks.k1.type = logger"),
    );
    write(
        "client.properties",
        "hosts = h1\nhosts.h1 = 127.0.0.1:1\nssl = true\ntruststore = /no/such/store\n\
         truststore-password = planted5storepassword # planted7comment\ntruststore-pasword = planted0misspelt\n\
         batch-size = http://me:planted3urllogin@host\npasword planted0misspelt\n",
    );
    write("empty", "");
    let store = "-Djavax.net.ssl.keyStorePassword=planted4dproperty";
    let given = "-Dthe.password=planted4dproperty";

    let flag = "-javaagent:x.jar=password=planted6javaopts";
    for (words, sign) in [
        (&["-n", "a1", "-f", "bad.conf", store, given, flag][..], "does not start"),
        (&["-n", "a1", "-f", "bad.conf", store, given, "--log-format", "json"], "does not start"),
        (&["-n", "a1", "-f", "bad.conf", store, given, "--dryrun"], "error"),
        (&["check", "-n", "a1", "-f", "bad.conf", store, given], "error"),
        (&["check", "-n", "a1", "-f", "bad.conf", "--strict-flume", store, given], "error"),
        (&["check", "-f", "bad.conf", store, given], "which agent?"),
        (
            &["-n", "a1", "-f", "good.conf", store, given, flag, "-Dflume.root.logger=DEBUG,console"],
            "seq source r1",
        ),
        (&["-n", "a1", "-f", "good.conf", "-D", "keyStorePassword=planted4dproperty"], "unexpected argument"),
        (&["avro-client", "-P", "client.properties", "-F", "empty", store, given], "/no/such/store"),
    ] {
        for program in ["agent", "collector"] {
            let text = printed(directory.path(), program, words, sign);
            assert!(text.contains(sign), "{program} {words:?} is to say {sign:?}: {text}");
            for secret in SECRETS {
                let at = text.lines().find(|line| line.contains(secret));
                assert_eq!(at, None, "{program} {words:?} prints {secret}");
            }
        }
    }
}
