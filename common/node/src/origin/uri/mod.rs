//! Texts at URIs, as `-u` names them: `http`, `https`, `file` and `classpath`.
//!
//! Source: Flume 1.11 `UriConfigurationProvider` and its sources, with these differences: a server that is away at the start is
//! waited for, or the backup is used, where Flume ends; an `ETag` counts as `Last-Modified` does; a URI of another scheme is
//! refused, where Flume reads nothing, silently.

mod fetch;
mod place;

pub(crate) use fetch::Access;
pub(crate) use place::{Place, folders};

use super::{Backup, Origin, Patience, Waiting, away};
use fetch::Failure;
use plan::{Problem, Report, Text};
use runtime::clock::{self, Duration, Instant};
use runtime::told::Told;
use slog::{Logger, info, warn};
use tokio::time::{sleep, sleep_until, timeout};

/// All URIs of a command line, a later one winning key by key.
pub(crate) struct Uris {
    places: Vec<Place>,
    every: Duration,
    patience: Patience,
    backup: Option<Backup>,
    log: Logger,
    /// What was read last, all of it in one.
    last: Option<Vec<u8>>,
    /// What has been seen since.
    next: Option<Vec<Text>>,
    /// That it cannot be read.
    away: Told,
    due: Option<Instant>,
}

impl Uris {
    /// The texts at `places`, each looked at once in `every`.
    pub(crate) fn new(
        places: Vec<Place>,
        every: Duration,
        patience: Patience,
        backup: Option<Backup>,
        log: Logger,
    ) -> Uris {
        Uris { places, every, patience, backup, log, last: None, next: None, away: Told::once(), due: None }
    }

    /// All texts as they are now, or why one of them cannot be had.
    async fn look(&mut self) -> Result<Vec<Text>, (String, Failure)> {
        let mut texts = Vec::new();
        for place in &mut self.places {
            match place.get().await {
                Ok(bytes) => texts.push(Text { name: place.name().to_owned(), bytes }),
                Err(failure) => return Err((place.name().to_owned(), failure)),
            }
        }
        Ok(texts)
    }

    /// The first texts: waited for, or the backup.
    async fn first(&mut self, reason: &mut (String, String)) -> Result<Vec<Text>, ()> {
        let mut pause = away::FIRST_PAUSE;
        loop {
            let (name, Failure { why, lasting }) = match self.look().await {
                Ok(texts) => {
                    if self.away.over() {
                        info!(self.log, "the configuration can be read");
                    }
                    return Ok(texts);
                }
                Err(failure) => failure,
            };
            if let Some(backup) = &self.backup
                && let Some(bytes) = backup.read(&self.log)
            {
                away::tell_backup(&self.log, &name, &why, backup);
                self.away.tell(clock::now());
                return Ok(vec![Text { name: backup.path().display().to_string(), bytes }]);
            }
            *reason = (name, why);
            if lasting {
                return Err(());
            }
            if self.away.tell(clock::now()).is_some() {
                (self.patience.begins)(&self.log);
                warn!(self.log, "{} cannot be read: the agent waits for it", reason.0; "error" => &reason.1);
            }
            sleep(pause).await;
            pause = away::next_pause(pause);
        }
    }

    async fn texts(&mut self) -> Result<Vec<Text>, (String, String)> {
        let texts = match (self.next.take(), self.last.is_some()) {
            (Some(texts), _) => texts,
            (None, true) => self.look().await.map_err(|(name, failure)| (name, failure.why))?,
            (None, false) => {
                let mut reason = Default::default();
                let patience = self.patience.limit.unwrap_or(Duration::MAX);
                match timeout(patience, self.first(&mut reason)).await {
                    Ok(Ok(texts)) => texts,
                    Ok(Err(())) => return Err(reason),
                    Err(_) if reason.0.is_empty() => {
                        let names = self.names().join(", ");
                        return Err((names, format!("no answer within {} s", patience.as_secs())));
                    }
                    Err(_) => return Err(reason),
                }
            }
        };
        self.last = Some(whole(&texts));
        self.due = clock::now().checked_add(self.every);
        Ok(texts)
    }

    /// Looks, and says once that it cannot, and once that it can again. `Some`: the texts are others now.
    async fn look_again(&mut self) -> Option<Vec<Text>> {
        match self.look().await {
            Ok(texts) => {
                if self.away.over() {
                    info!(self.log, "{} can be read again", self.names().join(", "));
                }
                (self.last != Some(whole(&texts))).then_some(texts)
            }
            Err((name, Failure { why, .. })) => {
                if self.away.tell(clock::now()).is_some() {
                    warn!(
                        self.log,
                        "{name} cannot be read: the agent goes on with the configuration that it has, and asks again"; "error" => why
                    );
                }
                None
            }
        }
    }
}

impl Origin for Uris {
    fn names(&self) -> Vec<String> {
        self.places.iter().map(|place| place.name().to_owned()).collect()
    }

    fn read<'a>(&'a mut self, report: &'a mut Report) -> Waiting<'a, Vec<Text>> {
        Box::pin(async move {
            for place in self.places.iter().filter(|place| place.is_passed_over_by_flume()) {
                let what = format!("{} ends as a file of another kind", place.name());
                let problem = Problem::warning("other-kind", &plan::Place::whole(place.name()), what);
                report.add(
                    problem
                        .flume("passes it over")
                        .here("it is read as properties")
                        .fix("`.properties` at its end"),
                );
            }
            match self.texts().await {
                Ok(texts) => texts,
                Err((name, why)) => {
                    let what = format!("{name} cannot be read: {why}");
                    let problem = Problem::error("unreadable-file", &plan::Place::whole(name), what);
                    report.add(problem.flume("ends with exit code 0"));
                    Vec::new()
                }
            }
        })
    }

    fn changed(&mut self) -> Waiting<'_, ()> {
        Box::pin(async move {
            loop {
                match self.due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
                let seen = self.look_again().await;
                self.due = clock::now().checked_add(self.every);
                if seen.is_some() {
                    self.next = seen;
                    return;
                }
            }
        })
    }

    fn kept(&mut self) {
        if let (Some(backup), Some(bytes)) = (&self.backup, &self.last) {
            backup.keep(bytes, &self.log);
        }
    }
}

/// Texts in one: a later one wins key by key, as a later line of a file does.
fn whole(texts: &[Text]) -> Vec<u8> {
    match texts {
        [text] => text.bytes.clone(),
        texts => texts.iter().flat_map(|text| text.bytes.iter().copied().chain(*b"\n\n")).collect(),
    }
}

#[cfg(test)]
mod tests;
