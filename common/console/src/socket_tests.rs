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

/// A socket alone, the host it sends to, and what is said on the console.
fn to_a_host() -> (LogSocket, Udp, Memory) {
    let host = Udp::bind("127.0.0.1:0").unwrap();
    host.set_read_timeout(Some(LONG)).unwrap();
    let memory = Memory::default();
    let lines = Console::to(memory.clone(), Settings::default()).lines_of_console();
    (LogSocket::new(settings(host.local_addr().unwrap().port(), Transport::Udp), lines), host, memory)
}

#[test]
fn a_line_within_a_message_begins_no_datagram_and_what_is_too_long_for_one_is_left_out_alone() {
    let (mut socket, host, memory) = to_a_host();
    let parts = ["<14>a=b\n<0>forged\n".to_owned(), "x".repeat(70_000), "<14>last\n".to_owned()];
    let ends = [parts[0].len(), parts[0].len() + parts[1].len(), parts.concat().len()];
    assert!(socket.write_messages(parts.concat().as_bytes(), &ends).is_ok());
    assert!(matches!(socket.take_unfit(), Some((1, _))) && socket.take_unfit().is_none());
    let mut buffer = [0; 100];
    let received = [(); 2].map(|()| {
        let bytes = host.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..bytes]).into_owned()
    });
    assert_eq!(received, ["<14>a=b\n<0>forged", "<14>last"]);
    assert_eq!(memory.text(), "");
}

#[test]
fn datagrams_that_nobody_takes_are_told_of() {
    let (mut socket, host, memory) = to_a_host();
    let address = host.local_addr().unwrap();
    drop(host);
    // Of the first nothing is known, and each that follows hears of the one before.
    (0..4).for_each(|_| assert!(socket.write_lines(b"lost\n").is_ok()));
    let host = Udp::bind(address).unwrap();
    host.set_read_timeout(Some(LONG)).unwrap();
    (0..2).for_each(|_| assert!(socket.write_lines(b"kept\n").is_ok()));
    let mut buffer = [0; 100];
    assert_eq!(host.recv(&mut buffer).unwrap(), 4);
    assert!(socket.console.flush(Instant::now() + LONG));
    let text = memory.text();
    assert_eq!(
        (text.matches("are refused there").count(), text.matches("any more").count()),
        (1, 1),
        "{text}"
    );
}

#[test]
fn a_host_that_was_started_anew_has_the_next_line_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let memory = Memory::default();
    let lines = Console::to(memory.clone(), Settings::default()).lines_of_console();
    let settings =
        SocketSettings { rest: LONG, ..settings(listener.local_addr().unwrap().port(), Transport::Tcp) };
    let mut socket = LogSocket::new(settings, lines);
    assert!(socket.write_lines(b"one\n").is_ok());
    let Some(Open::Tcp(stream)) = &socket.open else { panic!("it is open") };
    stream.shutdown(std::net::Shutdown::Write).unwrap(); // the next write fails, as to a host that is gone
    drop(listener.accept().unwrap());
    assert!(socket.write_lines(b"two\n").is_ok());
    drop(socket);
    let mut all = String::new();
    listener.accept().unwrap().0.read_to_string(&mut all).unwrap();
    assert_eq!((all.as_str(), memory.text().as_str()), ("two\n", ""));
}

#[test]
fn addresses_of_ipv4_come_first() {
    let [six, four, other] =
        ["[::1]:1", "127.0.0.1:1", "127.0.0.2:1"].map(|text| text.parse::<SocketAddr>().unwrap());
    assert_eq!(in_order([six, four, other].into_iter()), [four, other, six]);
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
