//! Commands of exec sources: they end with the agent, however it ends, and their ends are told in measure.

use integration::{
    solo::{LONG, Solo, until},
    vitals,
};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

fn start(source: &str) -> Solo {
    Solo::start(&format!("{REST}{source}"), &[])
}

/// The processes whose numbers the command has written to files of these names.
fn pids(scene: &Solo, names: &[&str]) -> Vec<Pid> {
    names.iter().map(|name| pid(&scene.path(name))).collect()
}

fn pid(file: &Path) -> Pid {
    let read = || fs::read_to_string(file).ok()?.trim().parse().ok().and_then(Pid::from_raw);
    until(&format!("a number in {}", file.display()), || read().is_some());
    read().expect("it was there")
}

fn lives(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    test_kill_process(pid).is_ok() && !stat.contains(") Z ")
}

/// A shell's loop, what it started in the background, and one who does not listen to SIGTERM and has a group of its own.
const FAMILY: &str = "a1.sources.r1.shell = /bin/bash -c\n\
    a1.sources.r1.command = set -m; (trap '' TERM; echo $BASHPID > DIR/deaf; while :; do sleep 1; done) & \
    sleep 600 & echo $! > DIR/sleeper; echo $$ > DIR/shell; while :; do echo tick; sleep 0.2; done\n";

#[test]
fn a_shells_loop_and_all_it_has_started_die_with_a_killed_agent() {
    let mut scene = start(FAMILY);
    let family = pids(&scene, &["deaf", "sleeper", "shell"]);
    let keeper = vitals::children(scene.node.pid())[0];
    assert!(family.iter().all(|pid| lives(*pid)));
    let kib = vitals::working_kib(keeper).expect("it runs");
    assert!(kib < 256, "the keeper holds {kib} KiB of its own");
    kill_process(scene.node.pid(), Signal::KILL).expect("it runs");
    until("the end of all its processes", || !family.iter().chain([&keeper]).any(|pid| lives(*pid)));
    scene.node.wait(LONG).expect("it is dead");
}

#[test]
fn a_shells_loop_and_all_it_has_started_end_with_a_stop() {
    let mut scene = start(FAMILY);
    let family = pids(&scene, &["deaf", "sleeper", "shell"]);
    let told = Instant::now();
    scene.node.signal(Signal::TERM);
    let ended = scene.node.wait(LONG).expect("it ends");
    assert_eq!(ended.status.code(), Some(0), "{:?}", ended.status);
    assert!(told.elapsed() < Duration::from_secs(10), "it took {:?}", told.elapsed());
    until("the end of all its processes", || !family.iter().any(|pid| lives(*pid)));
}

#[test]
fn a_command_whose_keeper_is_killed_is_ended_by_the_agent() {
    let scene = start(FAMILY);
    let family = pids(&scene, &["deaf", "sleeper", "shell"]);
    let keeper = vitals::children(scene.node.pid())[0];
    kill_process(keeper, Signal::KILL).expect("it runs");
    until("the end of all its processes", || !family.iter().any(|pid| lives(*pid)));
    scene.wait_for("exited with");
}

#[test]
fn a_command_is_told_as_before_how_it_ends() {
    let scene = start("a1.sources.r1.shell = /bin/sh -c\na1.sources.r1.command = kill -KILL $$\n");
    scene.wait_for("Command [kill -KILL $$] exited with 137");
    let scene = start("a1.sources.r1.command = /nonexistent/program x\n");
    scene.wait_for("cannot run the command [/nonexistent/program x]: No such file or directory");
    let scene = start("a1.sources.r1.shell = /bin/sh -c\na1.sources.r1.command = exit 7\n");
    scene.wait_for("Command [exit 7] exited with 7");
}

#[test]
fn a_command_has_the_signals_it_would_have_from_a_shell() {
    let scene = start(
        "a1.sources.r1.shell = /bin/sh -c\n\
        a1.sources.r1.command = grep Sig[IB] /proc/self/status > DIR/new; mv DIR/new DIR/signals\n",
    );
    let file = scene.path("signals");
    until("its signals", || file.exists());
    let own = fs::read_to_string(&file).expect("it is there");
    for line in own.lines() {
        let (name, mask) = line.split_once(':').expect("a mask");
        let mask = u64::from_str_radix(mask.trim(), 16).expect("hexadecimal");
        // What this test itself was started with is passed on.
        let inherited = inherited(name) & !(1 << 12); // SIGPIPE: Rust ignores it for itself
        assert_eq!(mask & !inherited & SIGNALS, 0, "{own}");
    }
}

fn inherited(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("it is there");
    let mask = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).expect("a mask");
    u64::from_str_radix(mask.trim(), 16).expect("hexadecimal")
}

#[test]
fn a_command_that_ends_at_once_again_and_again_is_told_of_in_measure() {
    let scene = start(
        "a1.sources.r1.shell = /bin/sh -c\na1.sources.r1.command = echo x >> DIR/runs\n\
        a1.sources.r1.restart = true\na1.sources.r1.restartThrottle = 1\n",
    );
    let runs = scene.path("runs");
    until("a hundred runs", || fs::metadata(&runs).is_ok_and(|about| about.len() > 200));
    assert!((1..=2).contains(&scene.said("exited with")), "{} times", scene.said("exited with"));
    assert!((1..=2).contains(&scene.said("Restarting in")), "{} times", scene.said("Restarting in"));
}

/// The signals that are not the C library's own.
const SIGNALS: u64 = 0x7fff_ffff;

const REST: &str = "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.channels.c1.type = memory\n\
    a1.sources.r1.type = exec\na1.sources.r1.channels = c1\na1.sinks.k1.type = null\na1.sinks.k1.channel = c1\n";
