//! Ports that are free on this machine's loopback addresses.

use crate::lesson::{self, Whereabouts};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::atomic::{AtomicU16, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Addresses of slave3 and slave4 on one machine.
pub const HOSTS: [&str; 2] = ["127.0.0.3", "127.0.0.4"];

/// A port that is free on both collectors' addresses.
///
/// # Errors
/// When none is, which means that these addresses cannot be used at all.
pub fn whereabouts() -> io::Result<Whereabouts> {
    free(&HOSTS).map(at)
}

/// The lesson's port when it is free on both addresses, else another one.
///
/// # Errors
/// As for [`whereabouts`].
pub fn lessons_whereabouts() -> io::Result<Whereabouts> {
    if is_free(&HOSTS, lesson::PORT) { Ok(at(lesson::PORT)) } else { whereabouts() }
}

/// A port that nobody listens on at any of `hosts`. Taken from below the range that the kernel gives to outgoing
/// connections, so that it is still free when a node is started again.
///
/// # Errors
/// When none is found.
pub fn free(hosts: &[&str]) -> io::Result<u16> {
    first(|port| check(hosts, port).map(|()| port))
}

/// Listens on this host, at a port of which the same holds.
///
/// # Errors
/// As for [`free`].
pub fn listen() -> io::Result<TcpListener> {
    first(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)))
}

/// Listens again at an address that was given up. A program that is just being started may hold the old listener open for a
/// moment: it gets all open files, and closes them when it runs.
///
/// # Errors
/// When somebody has it for longer.
pub fn listen_again(address: SocketAddr) -> io::Result<TcpListener> {
    let deadline = Instant::now() + MOMENT;
    loop {
        match TcpListener::bind(address) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(10));
            }
            listener => return listener,
        }
    }
}

/// What comes of the first port that does.
fn first<T>(attempt: impl Fn(u16) -> io::Result<T>) -> io::Result<T> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let mut last = io::Error::other("no port was tried");
    for _ in 0..TRIES {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        // Test programs that run at once begin at different places.
        let begin = std::process::id().wrapping_mul(97) as u16 % RANGE;
        let port = FIRST + begin.wrapping_add(step) % RANGE;
        match attempt(port) {
            Ok(taken) => return Ok(taken),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn at(port: u16) -> Whereabouts {
    Whereabouts { hosts: HOSTS.map(str::to_owned), port }
}

fn is_free(hosts: &[&str], port: u16) -> bool {
    check(hosts, port).is_ok()
}

fn check(hosts: &[&str], port: u16) -> io::Result<()> {
    hosts.iter().try_for_each(|host| TcpListener::bind((*host, port)).map(drop))
}

const FIRST: u16 = 20_000;
const RANGE: u16 = 12_000;
const TRIES: u16 = 2_000;
const MOMENT: Duration = Duration::from_secs(10);
