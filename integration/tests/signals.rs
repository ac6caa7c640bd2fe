//! Signals, and stops that are in somebody's way: what the process does with each, what is lost, and how long it takes.

use integration::{
    process::HEARS_HANG_UPS,
    solo::{LONG, Solo, until},
};
use rustix::process::Signal;
use std::{
    fs,
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Follows `in/a.log` and writes what comes to files of `out`.
const TAIL: &str = "a1.sources = r1\na1.channels = c1\na1.sinks = k1\n\
    a1.sources.r1.type = TAILDIR\na1.sources.r1.filegroups = f1\na1.sources.r1.filegroups.f1 = DIR/in/.*log\n\
    a1.sources.r1.positionFile = DIR/positions.json\na1.sources.r1.channels = c1\n\
    a1.channels.c1.type = memory\na1.channels.c1.capacity = 10000\n\
    a1.sinks.k1.channel = c1\na1.sinks.k1.type = file_roll\na1.sinks.k1.sink.directory = DIR/out\n\
    a1.sinks.k1.sink.rollInterval = 0\n";

/// The same, towards a collector that is away.
const TAIL_AWAY: &str = "a1.sinks.k1.type = avro\na1.sinks.k1.hostname = 127.0.0.1\na1.sinks.k1.port = 9\n";

const LINES: usize = 5_000;

/// A directory with a log of [`LINES`] lines, and one for what comes out.
fn stage() -> TempDir {
    let directory = tempfile::tempdir().expect("a folder");
    for name in ["in", "out"] {
        fs::create_dir(directory.path().join(name)).expect("a folder");
    }
    let text: String = (0..LINES).map(line).collect();
    fs::write(directory.path().join("in/a.log"), text).expect("a file");
    directory
}

fn line(number: usize) -> String {
    format!("line {number:06} of the log that is followed\n")
}

/// All that has come out.
fn out(directory: &Path) -> String {
    let files = fs::read_dir(directory).expect("a folder");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).expect("text")).collect()
}

fn all() -> String {
    (0..LINES).map(line).collect()
}

fn position(scene: &Solo) -> Option<u64> {
    let text = fs::read_to_string(scene.path("positions.json")).ok()?;
    text.split_once("\"pos\":")?.1.split(',').next()?.parse().ok()
}

#[test]
fn a_stop_loses_no_line_that_still_stands_in_its_file() {
    let mut scene = Solo::start_in(stage(), &format!("{TAIL}{TAIL_AWAY}"), &[]);
    let end = all().len() as u64;
    until("all is stored", || position(&scene) == Some(end));
    let told = Instant::now();
    scene.node.signal(Signal::TERM);
    let ended = scene.node.wait(LONG).expect("it ends");
    scene.wait_for("the last 5000 events of");
    assert_eq!((ended.status.code(), scene.said("are lost")), (Some(0), 0), "nothing was lost");
    assert!(told.elapsed() < Duration::from_secs(10), "it took {:?}", told.elapsed());
    assert_eq!(position(&scene), Some(0));
    scene.start_again(TAIL, &[]);
    until("all arrive", || out(&scene.path("out")).len() as u64 >= end);
    assert!(out(&scene.path("out")) == all(), "each line once, in order");
}

#[test]
fn a_stop_that_is_cut_short_loses_no_line_that_still_stands_in_its_file() {
    let mut scene = Solo::start_in(stage(), &format!("{TAIL}{TAIL_AWAY}"), &[]);
    until("all is stored", || position(&scene) == Some(all().len() as u64));
    scene.node.signal(Signal::TERM);
    scene.wait_for("Stopping Source r1");
    scene.node.signal(Signal::TERM);
    let ended = scene.node.wait(LONG).expect("it ends");
    assert_eq!((ended.status.code(), position(&scene)), (Some(143), Some(0)));
}

#[test]
fn a_limit_on_the_size_of_files_leaves_whole_lines_and_loses_none() {
    let mut scene = Solo::start_in(stage(), TAIL, &["/bin/bash", "-c", "ulimit -f 100; exec \"$0\" \"$@\""]);
    scene.wait_for("ulimit -f");
    until("all is stored", || position(&scene) == Some(all().len() as u64));
    let some = out(&scene.path("out"));
    assert!(all().starts_with(&some) && some.ends_with('\n'), "no line is cut: {} bytes", some.len());
    assert!(some.len() > 50_000 && some.len() <= 100 * 1024);
    sleep(Duration::from_secs(2)); // it is tried again meanwhile
    assert!(scene.said("ulimit -f") < 5, "{} times", scene.said("ulimit -f"));
    scene.node.signal(Signal::TERM);
    let ended = scene.node.wait(LONG).expect("it ends");
    assert_eq!((ended.status.code(), scene.said("are lost")), (Some(0), 0));
    scene.start_again(TAIL, &[]);
    until("all arrive", || out(&scene.path("out")).len() >= all().len());
    assert!(out(&scene.path("out")) == all(), "each line once, in order");
}

#[test]
fn a_hang_up_is_a_stop_in_order_where_nothing_is_reloaded_and_a_second_one_changes_nothing() {
    let alone =
        [HEARS_HANG_UPS[0], HEARS_HANG_UPS[1], "/bin/bash", "-c", "exec \"$0\" \"$@\" --no-reload-conf"];
    let mut scene = Solo::start_in(stage(), TAIL, &alone);
    scene.wait_for("name: r1 started");
    scene.node.signal(Signal::HUP);
    scene.node.signal(Signal::HUP);
    let ended = scene.node.wait(LONG).expect("it ends");
    assert_eq!(ended.status.code(), Some(0), "{:?}", ended.status);
    scene.wait_for("Stopping Source r1");
}

#[test]
fn a_hang_up_that_was_ignored_at_the_start_stays_so() {
    let mut scene = Solo::start_in(stage(), TAIL, &["/bin/bash", "-c", "trap '' HUP; exec \"$0\" \"$@\""]);
    scene.wait_for("name: r1 started");
    scene.node.signal(Signal::HUP);
    until("all arrive", || out(&scene.path("out")) == all());
    sleep(Duration::from_millis(200));
    assert!(scene.node.is_running() && scene.said("Stopping") == 0);
}

#[test]
fn other_signals_do_no_harm_and_sigquit_prints_what_each_component_is_doing() {
    let mut scene = Solo::start_in(stage(), &format!("{TAIL}{TAIL_AWAY}"), &[]);
    until("all is stored", || position(&scene) == Some(all().len() as u64));
    for signal in [
        Signal::USR1,
        Signal::USR2,
        Signal::ALARM,
        Signal::VTALARM,
        Signal::PROF,
        Signal::XCPU,
        Signal::XFSZ,
        Signal::IO,
        Signal::PIPE,
        Signal::POWER,
        Signal::STKFLT,
        Signal::CHILD,
        Signal::WINCH,
        Signal::QUIT,
    ] {
        scene.node.signal(signal);
    }
    scene.wait_for("threads: ");
    for part in [
        "source r1: waits for something new in its files; 1 files",
        "channel c1: 5000 of 10000 events",
        "sink group k1: sink k1 ",
        "0 deliveries of 0 bytes under way",
    ] {
        assert_eq!(scene.said(part), 1, "{part}: {:#?}", scene.console.lines_from(0));
    }
    sleep(Duration::from_millis(200));
    assert!(scene.node.is_running());
    scene.node.signal(Signal::TERM);
    scene.wait_for("Stopping Source r1");
    scene.node.signal(Signal::QUIT);
    until("it answers while it stops, too", || scene.said("threads: ") == 2);
    assert_eq!(scene.node.wait(LONG).map(|ended| ended.status.code()), Some(Some(0)));
}

/// A file system that answers nothing, as one of a server that is gone.
struct Dead(std::path::PathBuf, #[expect(dead_code, reason = "mounted as long as it is open")] fs::File);

impl Dead {
    /// `None` where nothing can be mounted: that needs root.
    fn mount(at: &Path) -> Option<Dead> {
        let device = fs::File::options().read(true).write(true).open("/dev/fuse").ok()?;
        let number = std::os::fd::AsRawFd::as_raw_fd(&device);
        let options =
            std::ffi::CString::new(format!("fd={number},rootmode=40000,user_id=0,group_id=0")).ok()?;
        let flags = rustix::mount::MountFlags::empty();
        rustix::mount::mount("dead", at, "fuse", flags, options.as_c_str()).ok()?;
        Some(Dead(at.to_owned(), device))
    }
}

impl Drop for Dead {
    fn drop(&mut self) {
        let _gone = rustix::mount::unmount(&self.0, rustix::mount::UnmountFlags::DETACH);
    }
}

#[test]
fn a_source_that_hangs_in_the_system_is_named_and_does_not_keep_the_process() {
    let mut scene; // its files are removed after the file system that answers nothing
    let directory = stage();
    let dead = directory.path().join("dead");
    fs::create_dir(&dead).expect("a folder");
    let Some(_dead) = Dead::mount(&dead) else {
        return eprintln!("not run: it needs root and /dev/fuse");
    };
    let text = TAIL.replace("DIR/in", "DIR/dead").replace("a1.channels = c1\n", "a1.channels = c1 c2\n");
    let text = text
        .replace("a1.sources = r1\n", "a1.sources = r1 r2\n")
        .replace("a1.sinks = k1\n", "a1.sinks = k1 k2\n");
    let text = format!(
        "{text}a1.sources.r2.type = exec\na1.sources.r2.command = tail -n +1 -F DIR/in/a.log\na1.sources.r2.channels = c2\n\
        a1.channels.c2.type = memory\na1.channels.c2.capacity = 10000\na1.sinks.k2.channel = c2\n\
        a1.sinks.k2.type = file_roll\na1.sinks.k2.sink.directory = DIR/out\n"
    );
    scene = Solo::start_in(directory, &text, &[]);
    until("the others work", || out(&scene.path("out")).len() >= all().len());
    scene.node.signal(Signal::QUIT);
    scene.wait_for("source r1: DOES NOT ANSWER");
    scene.wait_for("source r2: reads what [tail");
    let told = Instant::now();
    scene.node.signal(Signal::TERM);
    let ended = scene.node.wait(LONG).expect("it ends");
    // Four seconds are given to it, and two more; the rest is the machine's.
    assert!(told.elapsed() < Duration::from_secs(9), "it took {:?}", told.elapsed());
    scene.wait_for("source r1 did not stop in time");
    assert_eq!(ended.status.code(), Some(3), "{:?}", ended.status);
    assert_eq!(scene.said("source r2 has not stopped"), 0);
}
