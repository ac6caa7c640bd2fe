//! A collector at the far end of a slow link, in network namespaces of the test's own.

use std::{
    env, fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use integration::binaries;

/// The batch of 1 MB takes 8 s on the wire, three of them fit into the channel's window: a raw copy takes 24 s.
#[test]
#[ignore = "needs root and network namespaces: .ci/run runs it"]
fn three_megabytes_go_through_a_megabit_a_second_once_and_about_as_fast_as_a_raw_copy() {
    let Some(link) = Link::lay("three_megabytes_go_through", "1mbit") else { return };
    let lines: String = (0..3_000).map(|number| format!("{number:06} {}\n", "x".repeat(993))).collect();
    link.carries(&lines, Duration::from_secs(40));
}

#[test]
#[ignore = "needs root and network namespaces: .ci/run runs it"]
fn a_line_of_fourteen_megabytes_goes_through_fifty_megabits_a_second_once() {
    let Some(link) = Link::lay("a_line_of_fourteen_megabytes", "50mbit") else { return };
    link.carries(&("y".repeat(14_000_000) + "\n"), Duration::from_secs(15));
}

/// The near end of a link, which is this namespace; the far end is the namespace `far`.
struct Link {
    directory: tempfile::TempDir,
}

impl Link {
    /// Runs the test whose name begins so once more, within namespaces, and passes as it does; `None` when that was done.
    /// Within them it lays the link.
    fn lay(test: &str, rate: &str) -> Option<Link> {
        if env::var_os(INSIDE).is_none() {
            let mut unshare = Command::new("unshare");
            unshare.args(["--mount", "--net", "--propagation", "private", "--"]);
            unshare.arg(env::current_exe().expect("a test is a program")).args([
                test,
                "--ignored",
                "--nocapture",
            ]);
            let status = unshare.env(INSIDE, "1").status().expect("unshare of util-linux is there");
            assert!(status.success(), "within the namespaces: {status}");
            return None;
        }
        run("mount -t tmpfs tmpfs /run");
        run("ip link set lo up");
        run("ip netns add far");
        run("ip link add near type veth peer name eth0 netns far");
        run(&format!("ip address add {NEAR}/24 dev near"));
        run("ip link set near up");
        run(&format!("ip -n far address add {FAR}/24 dev eth0"));
        run("ip -n far link set eth0 up");
        run(&format!("tc qdisc add dev near root tbf rate {rate} burst 10k latency 50ms"));
        Some(Link { directory: tempfile::tempdir().expect("a directory") })
    }

    /// An agent reads the lines, a collector at the far end writes them: each once, within the limit, and hardly more
    /// bytes than theirs go over the link.
    fn carries(&self, lines: &str, limit: Duration) {
        let (input, output) = (self.directory.path().join("lines"), self.directory.path().join("out"));
        fs::write(&input, lines).expect("a file can be written");
        fs::create_dir(&output).expect("a directory can be made");
        let _collector = self.start("collector", &["ip", "netns", "exec", "far"], &collector(&output));
        let _agent = self.start("agent", &[], &agent(&input));
        let start = Instant::now();
        let arrived = || -> Vec<u8> {
            let files = fs::read_dir(&output).expect("it is there").flatten();
            files.flat_map(|file| fs::read(file.path()).expect("a file that can be read")).collect()
        };
        while arrived().len() < lines.len() {
            assert!(
                start.elapsed() < limit,
                "{} of {} bytes have arrived in {limit:?}; the agent says\n{}",
                arrived().len(),
                lines.len(),
                fs::read_to_string(self.directory.path().join("agent.log")).unwrap_or_default()
            );
            sleep(Duration::from_millis(100));
        }
        sleep(Duration::from_secs(2)); // for what comes twice
        assert!(arrived() == lines.as_bytes(), "something has come twice, or out of order");
        let sent = sent();
        eprintln!("{} bytes took {:?} and {sent} bytes on the wire", lines.len(), start.elapsed());
        assert!(sent < lines.len() * 5 / 4, "{sent} bytes on the wire for {}", lines.len());
    }

    fn start(&self, program: &str, prefix: &[&str], file: &str) -> Running {
        let at = |name: String| self.directory.path().join(name);
        fs::write(at(format!("{program}.properties")), file).expect("a file can be written");
        let log = fs::File::create(at(format!("{program}.log"))).expect("a file can be made");
        let binary = binaries::directory().expect("they are built").join(program);
        let mut words = prefix.iter().map(Into::into).chain([binary.into_os_string()]);
        let mut command = Command::new(words.next().expect("at least one"));
        command.args(words).args(["agent", "-n", "a", "-Dflume.root.logger=INFO,console", "-f"]);
        command.arg(at(format!("{program}.properties"))).arg("-c").arg(self.directory.path());
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("another handle")).stderr(log);
        Running(command.spawn().expect("it starts"))
    }
}

/// A process that ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn collector(output: &Path) -> String {
    format!(
        "a.sources = r1\na.channels = c1\na.sinks = k1\na.sources.r1.type = avro\na.sources.r1.bind = {FAR}\n\
         a.sources.r1.port = 4141\na.sources.r1.channels = c1\n{CHANNEL}a.sinks.k1.type = file_roll\n\
         a.sinks.k1.channel = c1\na.sinks.k1.sink.rollInterval = 0\na.sinks.k1.sink.directory = {}\n",
        output.display()
    )
}

fn agent(input: &Path) -> String {
    format!(
        "a.sources = r1\na.channels = c1\na.sinks = k1\na.sources.r1.type = exec\na.sources.r1.command = cat {}\n\
         a.sources.r1.batchSize = 1000\na.sources.r1.channels = c1\n{CHANNEL}a.sinks.k1.type = avro\n\
         a.sinks.k1.channel = c1\na.sinks.k1.hostname = {FAR}\na.sinks.k1.port = 4141\na.sinks.k1.batch-size = 1000\n",
        input.display()
    )
}

/// Bytes that have gone to the far end.
fn sent() -> usize {
    let devices = fs::read_to_string("/proc/thread-self/net/dev").expect("the kernel counts");
    let near = devices.lines().find_map(|line| line.trim().strip_prefix("near:")).expect("it is there");
    near.split_whitespace().nth(8).and_then(|bytes| bytes.parse().ok()).expect("bytes, sent")
}

fn run(words: &str) {
    let mut parts = words.split(' ');
    let output = Command::new(parts.next().unwrap_or_default()).args(parts).output();
    let output = output.unwrap_or_else(|error| panic!("{words}: {error}"));
    assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
}

const NEAR: &str = "10.9.0.1";
const FAR: &str = "10.9.0.2";
const CHANNEL: &str = "a.channels.c1.type = memory\na.channels.c1.capacity = 10000\n\
                       a.channels.c1.transactionCapacity = 1000\n";
/// Set for the test that runs within the namespaces.
const INSIDE: &str = "SLOW_LINK_INSIDE_NETNS";
