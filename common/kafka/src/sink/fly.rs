//! Sends the events of a delivery, and waits for what becomes of them.

use super::deliver::{Hopeless, KafkaSink, Sent};
use crate::policy::{self, Fate};
use crate::producer::{Failure, Flight, Record};
use crate::record::Recipe;
use event::{Batch, Event};
use flow::error::DeliveryError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::BaseRecord;
use runtime::clock;

impl KafkaSink {
    /// Sends the events of these places.
    pub(super) async fn take_off(
        &mut self,
        batches: &[Batch],
        places: impl Fn(usize) -> bool,
    ) -> Result<Sent, DeliveryError> {
        let since = clock::now();
        let Some(line) = &self.line else { return Err(DeliveryError::Gone) };
        let recipe = self.config.recipe.clone();
        let mut never = Vec::new();
        let flight = line.begin();
        let events = batches.iter().flat_map(Batch::events).enumerate();
        for (place, event) in events.filter(|(place, _)| places(*place)) {
            match recipe.route(&event) {
                Ok(route) => {
                    if route.no_time && self.told.no_time.tell(clock::now()).is_some() {
                        let header = recipe.timestamp_header.as_deref().unwrap_or_default();
                        slog::warn!(
                            self.log,
                            "the header `{header}` of an event holds no time in milliseconds: its record has the time of sending"
                        );
                    }
                    let record = Record {
                        topic: &route.topic,
                        partition: route.partition,
                        payload: Some(recipe.value(&event, &mut self.space)),
                        key: route.key,
                        timestamp: route.timestamp,
                        headers: headers(&recipe, &event),
                        ..BaseRecord::with_opaque_to("", 0)
                    };
                    let sent = line.send(flight, place, record);
                    match self.unanswered.until(sent, line).await {
                        Ok(()) => {}
                        // The client looks at each alone.
                        Err(code) if policy::fate(code, true) == Fate::Never => {
                            never.push((place, policy::words(code, &route.topic, None, None)));
                        }
                        Err(code) => line.fail(flight, place, code),
                    }
                }
                Err(why) => never.push((place, why)),
            }
        }
        line.sent(flight);
        Ok(Sent { flight, never, since })
    }

    /// Waits until a flight has landed; where batches go in transactions, or until one of its events was not taken. May be dropped
    /// and called again.
    pub(super) async fn wait_for(&mut self, flight: Flight) {
        let Some(line) = &self.line else { return };
        let all_or_nothing = self.config.transactional.is_some();
        let lands =
            async { if all_or_nothing { line.land_or_fail(flight).await } else { line.land(flight).await } };
        self.unanswered.until(lands, line).await;
    }

    /// Waits for what was sent; answers those that were not taken, and those that can never be.
    pub(super) async fn land(&mut self, sent: Sent) -> Result<(Vec<Failure>, Hopeless), DeliveryError> {
        self.wait_for(sent.flight).await;
        let line = self.line.as_ref().ok_or(DeliveryError::Gone)?;
        Ok((line.failures(sent.flight), sent.never))
    }

    /// Sends the events of these places and waits for all; answers those that were not taken, and those that can never be.
    pub(super) async fn fly(
        &mut self,
        batches: &[Batch],
        places: impl Fn(usize) -> bool,
    ) -> Result<(Vec<Failure>, Hopeless), DeliveryError> {
        let sent = self.take_off(batches, places).await?;
        self.land(sent).await
    }

    /// As [`KafkaSink::fly`]; if they are to go `alone`, each in a request of its own, up to the first that is not taken.
    pub(super) async fn fly_each(
        &mut self,
        batches: &[Batch],
        alone: bool,
        places: impl Fn(usize) -> bool,
    ) -> Result<(Vec<Failure>, Hopeless), DeliveryError> {
        if !alone {
            return self.fly(batches, places).await;
        }
        let mut never = Vec::new();
        for place in (0..batches.iter().map(Batch::len).sum()).filter(|place| places(*place)) {
            let (failed, hopeless) = self.fly(batches, |other| other == place).await?;
            never.extend(hopeless);
            if !failed.is_empty() {
                return Ok((failed, never));
            }
        }
        Ok((Vec::new(), never))
    }

    /// One after the other, those that were refused because they are too large together.
    pub(super) async fn fly_alone(
        &mut self,
        batches: &[Batch],
        failures: &mut Vec<Failure>,
        never: &mut Hopeless,
    ) -> Result<(), DeliveryError> {
        let alone = |(_, code): &Failure| policy::fate(*code, false) == Fate::Alone;
        let crowded: Vec<Failure> = failures.extract_if(.., |failure| alone(failure)).collect();
        for (place, _) in crowded {
            let (failed, hopeless) = self.fly(batches, |other| other == place).await?;
            failures.extend(failed);
            never.extend(hopeless);
        }
        Ok(())
    }
}

fn headers(recipe: &Recipe, event: &Event<'_>) -> Option<OwnedHeaders> {
    recipe.headers(event).fold(None, |headers: Option<OwnedHeaders>, (key, value)| {
        Some(headers.unwrap_or_default().insert(Header { key, value: Some(value) }))
    })
}
