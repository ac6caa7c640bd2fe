//! Events for the sources of a published file.

use crate::text::{Case, Feed};
use integration::flume::avro::{Connection, Event};
use integration::stores::{append, post};
use std::fs;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::Path;

/// Sends a round of events to each source; one that does not listen yet gets the next. `topics` is the port of an `http` source
/// whose header `topic` says where the record goes.
pub(crate) fn round(case: &Case, number: usize, topics: u16) {
    let lines: Vec<String> = (0..EVENTS)
        .flat_map(|event| case.words.iter().map(move |word| format!("round {number} event {event} {word}")))
        .collect();
    for feed in &case.feeds {
        let _later = one(feed, case, &lines, number, topics);
    }
}

fn one(feed: &Feed, case: &Case, lines: &[String], number: usize, topics: u16) -> io::Result<()> {
    let text = || lines.join("\n") + "\n";
    let here = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    match feed {
        Feed::Avro(port) => {
            let event = |line: &String| {
                let word = line.rsplit(' ').next().unwrap_or_default();
                Event::new(&[(&case.header, word), ("type", "t")], line)
            };
            let events: Vec<Event> = lines.iter().map(event).collect();
            Connection::open(here(*port))?.append_batch(&events)?;
        }
        Feed::Lines(port) => TcpStream::connect(here(*port))?.write_all(text().as_bytes())?,
        Feed::Http(port) => {
            TcpStream::connect(here(*port))?;
            post(*port, &json(lines, |_| "{}".to_owned()));
        }
        Feed::SyslogUdp(port) => {
            let socket = UdpSocket::bind(here(0))?;
            for line in lines {
                socket.send_to(format!("<13>{line}\n").as_bytes(), here(*port))?;
            }
        }
        Feed::File(path) => append(path, &text()),
        Feed::Folder(path) => fs::write(path.join(format!("{number}.txt")), text())?,
        Feed::Topic(topic) => post(topics, &json(lines, |_| format!("{{\"topic\":\"{topic}\"}}"))),
    }
    Ok(())
}

fn json(lines: &[String], headers: impl Fn(&str) -> String) -> String {
    let event = |line: &String| format!("{{\"headers\":{},\"body\":\"{line}\"}}", headers(line));
    format!("[{}]", lines.iter().map(event).collect::<Vec<_>>().join(","))
}

/// What must be there before the agent starts.
pub(crate) fn make_ready(case: &Case) -> io::Result<()> {
    for feed in &case.feeds {
        match feed {
            Feed::File(path) => {
                fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
                fs::write(path, "")?;
            }
            Feed::Folder(path) => fs::create_dir_all(path)?,
            _ => {}
        }
    }
    Ok(())
}

/// Of each word in a round.
pub(crate) const EVENTS: usize = 5;
