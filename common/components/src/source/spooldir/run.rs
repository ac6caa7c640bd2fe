//! Finds files, sends their events, and finishes them.

use super::arrivals::Arrivals;
use super::aside::Asides;
use super::config::Config;
use super::deliver::{Stored, store};
use super::finish::{Finished, Unfinished, finish};
use super::hold::hold;
use super::meta::Meta;
use super::policy::{Candidate, Order, is_quiet, pause};
use super::read::{Read, Reading, Window};
use super::scan::{Scanned, candidate, scan};
use super::tracker::Tracker;
use bytes::BytesMut;
use event::{Batch, Span, encode_headers};
use flow::source::{SourceContext, Stopping};
use runtime::clock::{self, Duration, Instant};
use runtime::told::Told;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::time::sleep_until;

/// Runs until it is told to stop.
pub(super) async fn run(config: Arc<Config>, mut context: SourceContext, mut stop: Stopping) {
    let Some(tracker) = hold(&config, &mut context, &mut stop).await else { return };
    let (arrivals, error) = Arrivals::new();
    if let Some(error) = error {
        tell_deaf(&config, &context, &error);
    }
    let mut spool = Spool::new(config, context, tracker, arrivals);
    console::fact::component_started(
        &spool.context.log,
        console::fact::ComponentType::Source,
        &spool.context.name,
    );
    spool.context.ready.done();
    while !*stop.borrow() {
        match spool.next_file() {
            Some(reading) => spool.send(reading, &mut stop).await,
            None => spool.wait(&mut stop).await,
        }
    }
}

fn tell_deaf(config: &Config, context: &SourceContext, error: &std::io::Error) {
    slog::warn!(
        context.log,
        "source {}: the system does not tell of new files ({error}); the directory is looked at every {} ms",
        context.name,
        config.poll_delay.as_millis()
    );
}

/// The work of a source.
struct Spool {
    config: Arc<Config>,
    context: SourceContext,
    tracker: Tracker,
    arrivals: Arrivals,
    /// What the last start was reading.
    last: Option<Meta>,
    /// How far earlier starts have read files that they set aside.
    known: HashMap<PathBuf, Meta>,
    asides: Asides,
    /// Files to read, the next one last.
    queue: Vec<Candidate>,
    scanned_at: Option<Instant>,
    /// Something was heard since.
    is_stirred: bool,
    /// No file was read yet.
    is_first: bool,
    window: Window,
    told: HashMap<PathBuf, String>,
    told_meta: Told,
    prefix: BytesMut,
    marks: Vec<u64>,
}

impl Spool {
    fn new(config: Arc<Config>, context: SourceContext, tracker: Tracker, arrivals: Arrivals) -> Spool {
        let last = tracker.last().unwrap_or_else(|fault| {
            slog::error!(
                context.log,
                "source {}: the meta file below {} cannot be used: {fault}; the file that was being read is read from its beginning",
                context.name,
                config.tracker.display()
            );
            None
        });
        Spool {
            last,
            known: tracker.aside().into_iter().map(|meta| (meta.path.clone(), meta)).collect(),
            config,
            context,
            tracker,
            arrivals,
            asides: Asides::default(),
            queue: Vec::new(),
            scanned_at: None,
            is_stirred: false,
            is_first: true,
            window: Window::default(),
            told: HashMap::new(),
            told_meta: Told::every(NEWS_PAUSE),
            prefix: BytesMut::new(),
            marks: Vec::new(),
        }
    }

    /// The next file to read, open; `None` when there is none.
    fn next_file(&mut self) -> Option<Reading> {
        self.is_stirred |= self.arrivals.listen(&self.config.names);
        let now = clock::now();
        let is_due = |pause| self.scanned_at.is_none_or(|at| now >= at + pause);
        let pause = pause(self.config.poll_delay, self.arrivals.is_deaf);
        let is_empty = self.queue.is_empty();
        // With files waiting, new ones come into their order with Flume's pause; at random they wait until all are read.
        let look = match self.config.order {
            Order::Random => is_empty && (self.is_stirred || is_due(pause)),
            _ if is_empty => self.is_stirred || is_due(pause),
            _ => (self.is_stirred || self.arrivals.is_deaf) && is_due(self.config.poll_delay),
        };
        if look {
            self.look(now);
        }
        while let Some(file) = self.queue.pop() {
            if let Some(reading) = self.open(file) {
                return Some(reading);
            }
        }
        None
    }

    /// Lists the files.
    fn look(&mut self, now: Instant) {
        let was_stirred = std::mem::replace(&mut self.is_stirred, false);
        let finished = self.asides.finish(&self.config);
        for path in finished {
            slog::info!(
                self.context.log,
                "source {}: {} could be finished now",
                self.context.name,
                path.display()
            );
            self.forget(&path);
        }
        let Scanned { mut files, directories, others, faults } = scan(&self.config);
        for directory in &directories {
            if let Err(error) = self.arrivals.watch(directory)
                && !std::mem::replace(&mut self.arrivals.is_deaf, true)
            {
                tell_deaf(&self.config, &self.context, &error);
            }
        }
        for (path, what) in others {
            self.tell(path, format!("is {what}, and is not read"));
        }
        for (path, error) in faults {
            self.tell(path, format!("cannot be looked at: {error}"));
        }
        let epoch = clock::epoch_millis();
        let is_whole =
            |file: &Candidate| !self.arrivals.is_written(&file.path) || is_quiet(file.stamp, epoch);
        files.retain(|file| !self.asides.has(file) && is_whole(file));
        self.asides.keep(|path| path.exists());
        self.config.order.sort(&mut files);
        let is_first = self.scanned_at.is_none();
        if is_first {
            self.put_the_last_first(&mut files);
        } else if !was_stirred && self.queue.is_empty() {
            // Nobody told of them: a file system that others write to.
            self.arrivals.is_deaf |= files.iter().any(|file| !self.told.contains_key(&file.path));
        }
        (self.queue, self.scanned_at) = (files, Some(now));
    }

    /// What was being read when the last start ended is read on before anything else.
    fn put_the_last_first(&mut self, files: &mut Vec<Candidate>) {
        let Some(last) = self.last.take() else { return };
        let place = files.iter().position(|file| file.path == last.path);
        if let Some(place) = place {
            let file = files.remove(place);
            files.push(file);
        }
        self.known.insert(last.path.clone(), last);
    }

    fn open(&mut self, file: Candidate) -> Option<Reading> {
        let path = file.path.clone();
        let known = self.known.get(&path).filter(|meta| meta.id.is_none_or(|id| id == file.id));
        let position = known.map_or(0, |meta| meta.offset);
        let own = fs::metadata(&path).ok().and_then(|about| self.config.own.find(&path, &about));
        if let Some(own) = own {
            self.tell(path, format!("is not read: {}", own.reason()));
            self.asides.add(file, false);
            return None;
        }
        match Reading::open(file, position, &self.config.deserializer, std::mem::take(&mut self.window)) {
            Ok(reading) => {
                if reading.begun_at < position {
                    slog::warn!(
                        self.context.log,
                        "source {}: {} has fewer bytes than the {position} that were read of it: it is another file, and is read from its beginning",
                        self.context.name,
                        path.display()
                    );
                }
                self.told.remove(&path);
                self.context.doing.set(format!("reads {}", path.display()));
                Some(reading)
            }
            Err(error) => {
                if error.kind() != std::io::ErrorKind::NotFound {
                    self.tell(path, format!("cannot be opened: {error}"));
                }
                None
            }
        }
    }

    /// Sends the events of one file, and finishes it.
    async fn send(&mut self, mut reading: Reading, stop: &mut Stopping) {
        let mut stored_to = reading.begun_at;
        let most = self.config.batch_size.min(self.context.processor.transaction()).clamp(1, MOST_EVENTS);
        loop {
            let (batch, finished) = match self.cut(&mut reading, most) {
                Ok(Some(cut)) => cut,
                Ok(None) => break,
                Err(why) => return self.set_aside(reading, stored_to, &why, false),
            };
            match store(&self.context, self.config.longest_backoff, batch, finished, stop).await {
                Stored::All => stored_to = self.remember(&reading, self.marks.len(), stored_to),
                Stored::Refused(events, error) => {
                    let stored_to = self.remember(&reading, events, stored_to);
                    let why = format!("an event of it cannot be stored: {error}");
                    return self.set_aside(reading, stored_to, &why, false);
                }
                Stored::Stopped(events) => {
                    self.remember(&reading, events, stored_to);
                    return;
                }
            }
            if *stop.borrow() {
                return;
            }
            tokio::task::yield_now().await; // others on this thread must have their turn
        }
        self.finish(reading, stored_to);
    }

    /// The next batch of a file; nothing at its end. Whether its interceptors are done with it comes with it.
    fn cut(&mut self, reading: &mut Reading, most: usize) -> Result<Option<(Batch, bool)>, String> {
        let finished = self.write_prefix(reading);
        let mut builder = self.context.processor.builder();
        self.marks.clear();
        let prefix = &self.prefix[..];
        let read = reading.next(most, &mut self.marks, |body| {
            builder.push_encoded(prefix, Span::BORN_HERE, body);
        })?;
        if matches!(read, Read::End) {
            // As Flume: a file without events is one empty event; at random, only the first file is.
            let is_counted = self.config.order != Order::Random || self.is_first;
            if reading.events > 0 || reading.begun_at > 0 || !is_counted {
                return Ok(None);
            }
            reading.events = 1;
            self.marks.push(reading.file.stamp.size);
            builder.push_encoded(prefix, Span::BORN_HERE, b"");
        }
        self.is_first = false;
        Ok(Some((self.context.processor.finish(builder), finished)))
    }

    /// The header map of all events of this moment; whether it is finished already.
    fn write_prefix(&mut self, reading: &Reading) -> bool {
        let path = std::path::absolute(&reading.file.path).unwrap_or_default();
        let (path, name) = (path.to_string_lossy(), path.file_name().unwrap_or_default().to_string_lossy());
        let mut headers: Vec<(&str, &str)> = reading.header().into_iter().collect();
        headers.extend(self.config.file_header.as_deref().map(|key| (key, &*path)));
        headers.extend(self.config.basename_header.as_deref().map(|key| (key, &*name)));
        self.prefix.clear();
        let finished = self.context.processor.prefix(&headers, &mut self.prefix);
        if !finished {
            let bytes = headers.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes()));
            encode_headers(&mut self.prefix, bytes);
        }
        finished
    }

    /// The first `events` of the last batch are stored; how far the file is stored now.
    fn remember(&mut self, reading: &Reading, events: usize, before: u64) -> u64 {
        let Some(offset) = events.checked_sub(1).and_then(|last| self.marks.get(last)).copied() else {
            return before;
        };
        let meta = Meta { path: reading.file.path.clone(), id: Some(reading.file.id), offset };
        let written = self.tracker.store(&meta);
        self.told_meta(written);
        offset
    }

    fn told_meta(&mut self, written: std::io::Result<()>) {
        if let Err(error) = written
            && self.told_meta.tell(clock::now()).is_some()
        {
            slog::error!(
                self.context.log,
                "source {}: cannot write below {} how far files are read: {error}; should the process end now, events are sent again",
                self.context.name,
                self.config.tracker.display()
            );
        }
    }

    fn finish(&mut self, mut reading: Reading, stored_to: u64) {
        if let Some(what) = reading.split() {
            slog::warn!(
                self.context.log,
                "source {}: {} {what}",
                self.context.name,
                reading.file.path.display()
            );
        }
        match finish(&self.config, &reading.file) {
            Ok(how) => {
                let path = reading.file.path.display();
                let (name, events) = (&self.context.name, reading.events);
                match how {
                    Finished::Done => {
                        slog::info!(self.context.log, "source {name}: {path} is finished, {events} events")
                    }
                    Finished::Gone => slog::warn!(
                        self.context.log,
                        "source {name}: {path} was taken away while it was read; all of its {events} events are sent"
                    ),
                    Finished::Replaced => slog::warn!(
                        self.context.log,
                        "source {name}: {path} was replaced by another file while it was read; all {events} events of the first are sent, the other one is read next"
                    ),
                }
                self.is_stirred |= how == Finished::Replaced;
                self.forget(&reading.file.path);
                self.window = reading.window();
            }
            Err(Unfinished { why, is_read }) => self.set_aside(reading, stored_to, &why, is_read),
        }
    }

    fn forget(&mut self, path: &Path) {
        self.known.remove(path);
        let forgotten = self.tracker.forget(path);
        self.told_meta(forgotten);
    }

    /// Goes on without this file, and says why; `is_read` if only its end cannot be told yet.
    fn set_aside(&mut self, mut reading: Reading, offset: u64, why: &str, is_read: bool) {
        self.window = reading.window();
        let path = reading.file.path.clone();
        slog::error!(
            self.context.log,
            "source {}: {} is set aside: {why}; its events up to byte {offset} are stored, and the source goes on with other files. The next start goes on with it from there; under another name it is read from its beginning",
            self.context.name,
            path.display()
        );
        let meta = Meta { path: path.clone(), id: Some(reading.file.id), offset };
        let written = self.tracker.set_aside(&meta);
        self.told_meta(written);
        let now = fs::metadata(&path).map_or(reading.file, |about| candidate(path, &about));
        self.asides.add(now, is_read);
    }

    /// Says something about a file, once.
    fn tell(&mut self, path: PathBuf, what: String) {
        if self.told.get(&path) != Some(&what) {
            slog::warn!(self.context.log, "source {}: {} {what}", self.context.name, path.display());
            self.told.insert(path, what);
        }
    }

    /// Waits until there may be something new.
    async fn wait(&mut self, stop: &mut Stopping) {
        let aside = match self.asides.len() {
            0 => String::new(),
            files => format!("; {files} are set aside"),
        };
        self.context.doing.set(format!("waits for files in {}{aside}", self.config.directory.display()));
        let pause = pause(self.config.poll_delay, self.arrivals.is_deaf);
        let due = self.scanned_at.map_or_else(clock::now, |at| at + pause);
        tokio::select! { biased;
            _ = stop.changed() => {}
            () = self.arrivals.ready() => {}
            () = sleep_until(due) => {}
        }
    }
}

/// Events of a batch, should neither the source nor its channels set a limit.
const MOST_EVENTS: usize = 100_000;
/// Between two lines about a meta file that cannot be written.
const NEWS_PAUSE: Duration = Duration::from_secs(60);
