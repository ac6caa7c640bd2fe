//! Delivers batches: sends what is open until nothing is, within a time.

use crate::client::{Client, Round, Trouble};
use crate::config::Config;
use crate::ledger::{Ledger, Shape, Unstored, share};
use crate::policy;
use crate::serializer::Serializer;
use crate::wire::State;
use components::dead::{DeadLetters, News, letter};
use event::Batch;
use flow::error::DeliveryError;
use flow::message::Window;
use flow::sink::remote::AsyncSink;
use runtime::clock::{self, Duration, Instant};
use runtime::told::{Told, left_out};
use std::pin::pin;
use tokio::time::sleep;

/// A sink, with its client.
pub(crate) struct HbaseSink {
    config: Config,
    peer: String,
    client: Client,
    ledger: Ledger,
    dead: Option<DeadLetters>,
    log: slog::Logger,
    told: ToldOf,
}

/// What is said once in a while.
struct ToldOf {
    table: Told,
    waits: Told,
    silence: Told,
    nothing: Told,
    dead: News,
}

impl HbaseSink {
    pub(crate) fn new(config: &Config, name: &str, log: &slog::Logger) -> HbaseSink {
        let shape = Shape { family: config.family.clone(), wal: config.wal, coalesce: config.coalesce };
        let often = || Told::every(NEWS_PAUSE);
        HbaseSink {
            peer: format!("HBase at {}", config.ensemble),
            client: Client::new(config),
            ledger: Ledger::new(shape, Serializer::new(&config.recipe)),
            dead: config.dead.as_deref().map(|directory| DeadLetters::new(directory, name)),
            log: log.clone(),
            told: ToldOf {
                table: often(),
                waits: often(),
                silence: often(),
                nothing: often(),
                dead: News::default(),
            },
            config: config.clone(),
        }
    }

    /// Sends what is open until nothing is.
    async fn write(&mut self, deadline: Instant) -> Result<(), DeliveryError> {
        let (mut attempt, mut lost) = (0, false);
        loop {
            let open = self.ledger.open();
            if open.is_empty() {
                return Ok(());
            }
            let round = self.round(&open, deadline).await?;
            lost |= round.lost;
            let Some(why) = round.why else { continue };
            attempt = if round.settled > 0 { 1 } else { attempt + 1 };
            let pause = policy::pause(attempt);
            if clock::now() + pause >= deadline {
                let millis = self.config.timeout.as_millis();
                let reason = format!("{why}; not all is written within {millis} ms (`timeout`)");
                let peer = self.peer.clone();
                return Err(if lost {
                    DeliveryError::Lost { peer, reason }
                } else {
                    DeliveryError::Refused { peer, events: self.ledger.events(), reason }
                });
            }
            if attempt >= PATIENCE {
                if self.told.waits.tell(clock::now()).is_some() {
                    slog::warn!(self.log, "{}: {why}; the events wait, and are sent again", self.peer);
                }
                if round.moved && self.client.state(deadline).await == Ok(Some(State::Disabled)) {
                    return Err(self.refused(&Trouble::Disabled, self.ledger.events()));
                }
            }
            sleep(pause).await;
        }
    }

    /// Sends once what is `open`, and looks up where to send what has no place yet.
    async fn round(&mut self, open: &[usize], deadline: Instant) -> Result<Round, DeliveryError> {
        let (calls, unknown) = share(&self.ledger, open, |row| self.client.find(row));
        let mut round = {
            let mut sending = pin!(self.client.send(&mut self.ledger, calls, deadline));
            loop {
                tokio::select! {
                    round = &mut sending => break round,
                    () = sleep(SILENCE) => if self.told.silence.tell(clock::now()).is_some() {
                        slog::warn!(self.log, "{} has acknowledged nothing for {} s; the events wait", self.peer, SILENCE.as_secs());
                    },
                }
            }
        };
        for index in unknown {
            let row = &self.ledger.action(index).row;
            if self.client.find(row).is_some() {
                continue; // it is in a region that was looked up a moment ago
            }
            match self.client.look_up(row, deadline).await {
                Ok(()) => {}
                Err(Trouble::Later(why)) => {
                    round.why = Some(why);
                    break;
                }
                Err(trouble) => return Err(self.refused(&trouble, self.ledger.events())),
            }
        }
        Ok(round)
    }

    fn refused(&self, trouble: &Trouble, events: usize) -> DeliveryError {
        let reason = self.words(trouble);
        DeliveryError::Refused { peer: self.peer.clone(), events, reason }
    }

    fn words(&self, trouble: &Trouble) -> String {
        match trouble {
            Trouble::Later(why) => why.clone(),
            Trouble::NoTable => policy::no_table(&self.config.table),
            Trouble::Disabled => policy::disabled(&self.config.table),
        }
    }

    /// What of the delivery is not stored and never will be goes where the file says. Where it says nothing, what should be a row is
    /// tried for ever, and what should be none is left out, both as Flume does.
    async fn put_aside(&mut self, batches: &[Batch]) -> Result<(), DeliveryError> {
        let unstored = self.ledger.unstored();
        let Some(first) = unstored.iter().find(|event| !event.nothing).or(unstored.first()) else {
            return Ok(());
        };
        let Some(dead) = &self.dead else {
            let never = unstored.iter().filter(|event| !event.nothing).count();
            if never == 0 {
                self.tell_nothing(unstored.len(), &first.why);
                return Ok(());
            }
            let reason = format!("{}; `deadLetterDir` puts such events aside", first.why);
            return Err(DeliveryError::Refused { peer: self.peer.clone(), events: never, reason });
        };
        let place = dead.place();
        let written = dead.write(lines(batches, &unstored)).await;
        written.map_err(|error| DeliveryError::Write { what: place.clone(), reason: error.to_string() })?;
        self.told.dead.tell(&self.log, clock::now(), &self.peer, unstored.len(), place, &first.why);
        Ok(())
    }

    fn tell_nothing(&mut self, events: usize, why: &str) {
        if let Some(before) = self.told.nothing.tell(clock::now()) {
            slog::warn!(
                self.log,
                "{events} events of a batch are left out, as Flume does: {why}; `deadLetterDir` keeps such events{}",
                left_out(before)
            );
        }
    }
}

/// These events, a line each.
fn lines(batches: &[Batch], unstored: &[Unstored]) -> String {
    let mut unstored = unstored.iter().peekable();
    let events = batches.iter().flat_map(Batch::events).enumerate();
    let lines = events.filter_map(|(place, event)| {
        let found = unstored.next_if(|next| next.place == place)?;
        Some(letter(&event, &found.why))
    });
    lines.collect()
}

impl AsyncSink for HbaseSink {
    /// A call and its increments take about as long for one batch as for a few.
    const TOGETHER: bool = true;

    async fn open(&mut self) -> Result<Window, DeliveryError> {
        let deadline = clock::now() + self.config.timeout.min(ASK_LIMIT);
        match self.client.probe(deadline).await {
            Ok(()) => {}
            Err(Trouble::Later(reason)) => {
                return Err(DeliveryError::Unreachable { peer: self.peer.clone(), reason });
            }
            Err(trouble) => {
                if self.told.table.tell(clock::now()).is_some() {
                    let words = self.words(&trouble);
                    slog::warn!(self.log, "{}: {words}; events for it wait until then", self.peer);
                }
            }
        }
        Ok(Window::LOCAL)
    }

    async fn deliver(&mut self, batches: &[Batch]) -> Result<(), DeliveryError> {
        let deadline = clock::now() + self.config.timeout;
        self.ledger.begin(batches, clock::epoch_millis);
        let outcome = match self.write(deadline).await {
            Ok(()) => self.put_aside(batches).await,
            failed => failed,
        };
        match &outcome {
            Ok(()) => self.ledger.forget(batches),
            Err(_) => self.ledger.remember(batches),
        }
        outcome
    }
}

/// How long HBase is given to say whether the table is there.
const ASK_LIMIT: Duration = Duration::from_secs(10);
/// Attempts without success, a second and a half in all, before it is told.
const PATIENCE: u32 = 6;
/// After so long without an acknowledgement it is told.
const SILENCE: Duration = Duration::from_secs(10);
const NEWS_PAUSE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests;
