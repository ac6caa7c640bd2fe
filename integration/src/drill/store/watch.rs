//! Watches what comes to a store: on a console for each collector, in the words of a logger sink.

use super::{Shared, parse};
use crate::{console::Console, event_line::Seen};
use std::{
    io::{self, PipeWriter, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// Ends when it is dropped.
pub(super) struct Watch {
    consoles: [Console; 2],
    enough: Arc<AtomicBool>,
}

impl Watch {
    pub(super) fn start(store: &Shared) -> io::Result<Watch> {
        let (consoles, enough) = ([Console::default(), Console::default()], Arc::new(AtomicBool::new(false)));
        let mut pipes = Vec::new();
        for console in &consoles {
            let (reader, writer) = io::pipe()?;
            console.read(reader, 0);
            pipes.push(writer);
        }
        let (store, stop) = (store.clone(), enough.clone());
        thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let news = store.lock().news().unwrap_or_default(); // it is away, and will be asked again
                if tell(&news, &mut pipes).is_err() {
                    return; // nobody reads any more
                }
                thread::sleep(LOOK);
            }
        });
        Ok(Watch { consoles, enough })
    }

    /// What slave3 and slave4 have written.
    pub(super) fn consoles(&self) -> &[Console; 2] {
        &self.consoles
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.enough.store(true, Ordering::Relaxed);
    }
}

fn tell(news: &[String], pipes: &mut [PipeWriter]) -> io::Result<()> {
    let mut texts = [const { String::new() }; 2];
    for (node, seen) in news.iter().filter_map(|line| parse(line)) {
        texts[node].push_str(&logged(&seen));
    }
    texts.iter().zip(pipes).try_for_each(|(text, pipe)| pipe.write_all(text.as_bytes()))
}

fn logged(seen: &Seen) -> String {
    let shown = &seen.body[..seen.body.len().min(SHOWN)];
    let bytes: String = shown.iter().map(|byte| format!("{byte:02X} ")).collect();
    format!("Event: {{ headers:{{{}}} body: {bytes}{} }}\n", seen.headers, String::from_utf8_lossy(shown))
}

/// Bytes of a body that a logger sink shows.
const SHOWN: usize = 16;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_line;

    #[test]
    fn a_stored_line_is_told_as_a_logger_sink_tells_it() {
        let seen = Seen {
            headers: "Type=LOGIN, Collector=x".to_owned(),
            body: b"hello failover, and more".to_vec(),
        };
        let told = event_line::parse(logged(&seen).trim_end()).expect("an event");
        assert_eq!(told, Seen { body: b"hello failover, ".to_vec(), ..seen });
    }
}
