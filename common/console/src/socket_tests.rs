//! Sockets of this host.

use super::*;
use crate::{Console, Format, Levels, Pattern, Settings, SocketLogSettings, memory::Memory};
use slog::{error, info};
use std::{io::Read, net::TcpListener};

fn settings(port: u16, by: Transport) -> SocketSettings {
    SocketSettings { host: "127.0.0.1".to_owned(), port, by, with_end: false, rest: Duration::ZERO }
}

/// A console that remembers, and a socket beside it.
fn beside(memory: &Memory, socket: SocketSettings) -> Arc<Console> {
    let (pattern, _) = Pattern::parse("%m%n", crate::Dialect::One);
    let pattern = pattern.behind_priority(1, crate::Dialect::One);
    let format = Format::Pattern(Arc::new(pattern));
    let sockets = vec![SocketLogSettings { socket, format, levels: Levels::default() }];
    Console::to(memory.clone(), Settings { levels: Levels::bare(None), sockets, ..Settings::default() })
}

const PLACE: &str = "main|a.B";

const LONG: Duration = Duration::from_secs(20);

#[test]
fn lines_go_in_datagrams_with_their_priorities() {
    let host = Udp::bind("127.0.0.1:0").unwrap();
    host.set_read_timeout(Some(LONG)).unwrap();
    let memory = Memory::default();
    let console = beside(&memory, settings(host.local_addr().unwrap().port(), Transport::Udp));
    info!(console.logger(), #PLACE, "one");
    error!(console.logger(), #PLACE, "two");
    let mut buffer = [0; 100];
    let received = [(); 2].map(|()| {
        let bytes = host.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..bytes]).into_owned()
    });
    assert_eq!((received, memory.text().as_str()), (["<14>one".to_owned(), "<11>two".to_owned()], ""));
}

#[test]
fn a_host_that_takes_nothing_is_told_of_and_what_was_left_out_too() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let memory = Memory::default();
    let console = beside(&memory, settings(address.port(), Transport::Tcp));
    for _ in 0..2 {
        info!(console.logger(), #PLACE, "lost");
        assert!(console.flush(LONG));
    }
    let text = memory.text();
    assert_eq!(text.matches("log lines cannot be sent to 127.0.0.1:").count(), 1, "{text}");
    let listener = TcpListener::bind(address).unwrap();
    info!(console.logger(), #PLACE, "kept");
    assert!(console.flush(LONG) && console.flush(LONG));
    assert!(memory.text().contains("again"), "{}", memory.text());
    drop(console);
    let mut all = String::new();
    listener.accept().unwrap().0.read_to_string(&mut all).unwrap();
    assert!(all.starts_with("<14>kept\n<12>2 log lines were left out here: the host refused them"), "{all}");
}

#[test]
fn a_long_line_goes_in_several_datagrams() {
    let by = |header| settings(0, Transport::ShortUdp { header });
    let line = format!("<14>head {}\n", "0123456789".repeat(200));
    let parts = datagrams(line.as_bytes(), &by(5));
    assert!(parts.len() == 2 && parts.iter().all(|part| part.len() <= 4 + MOST_SYSLOG_BYTES), "{parts:?}");
    assert!(parts.iter().all(|part| part.starts_with(b"<14>head ")));
    assert!(parts[0].ends_with(b"...") && parts[1].starts_with(b"<14>head ..."));
    assert_eq!(datagrams(b"<14>short\n", &by(0)), [b"<14>short".to_vec()]);
    let signs = format!("<14>{}", "ü".repeat(3000));
    for part in datagrams(signs.as_bytes(), &by(0)) {
        assert!(String::from_utf8(part).is_ok());
    }
    assert_eq!(datagrams(b"", &by(9)), [Vec::<u8>::new()]);
}
