//! Asks for a page, as plainly as can be.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

/// The status and the page at `path` of this host's `port`.
///
/// # Errors
/// Nobody answers there, or what comes is no HTTP.
pub fn get(port: u16, path: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // 1.0: the page comes in one piece, and the connection ends with it.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let parts = text.split_once("\r\n\r\n").and_then(|(head, page)| {
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, page.to_owned()))
    });
    parts.ok_or_else(|| io::Error::other(format!("no HTTP: {text}")))
}

/// What an agent that serves its counters at `port` counts: `SINK.k1`, `EventDrainSuccessCount`. `None` where nobody answers, or
/// what answers has no such counter.
pub fn counter(port: u16, component: &str, key: &str) -> Option<u64> {
    let (_, page) = get(port, "/metrics").ok()?;
    let page: serde_json::Value = serde_json::from_str(&page).ok()?;
    page.get(component)?.get(key)?.as_str()?.parse().ok()
}

const PATIENCE: Duration = Duration::from_secs(10);
