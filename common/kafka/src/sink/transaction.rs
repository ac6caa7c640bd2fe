//! Batches in transactions: all of one can be read, or nothing.

use super::arrived::Arrived;
use super::deliver::KafkaSink;
use crate::policy::{self, Fate};
use crate::producer::{Failure, Line, lost};
use event::{Batch, Event};
use flow::error::DeliveryError;
use rdkafka::error::KafkaError;
use rdkafka::producer::Producer;
use rdkafka::types::RDKafkaErrorCode as Code;
use runtime::clock::Duration;
use std::collections::BTreeMap;

impl KafkaSink {
    /// Sends a batch in a transaction. One that fails for some of its events is given up and begun again: with a request for each
    /// event, where they are too large together, and without those that Kafka never takes.
    pub(super) async fn transact(&mut self, batches: &[Batch]) -> Result<(), DeliveryError> {
        let (mut never, mut alone) = (BTreeMap::new(), false);
        loop {
            self.begin().await?;
            let (failures, hopeless) =
                self.fly_each(batches, alone, |place| !never.contains_key(&place)).await?;
            never.extend(hopeless);
            if failures.is_empty() {
                break;
            }
            self.give_up().await;
            let mut failures = failures;
            // What the first one failed for may come behind what failed because of it.
            failures.extend(self.line.iter().flat_map(Line::all_failures));
            // After the first failure all others fail as well.
            let is_first = |(_, code): &Failure| !policy::is_consequence(*code);
            let (failures, others): (Vec<_>, Vec<_>) = failures.into_iter().partition(is_first);
            let failures = if failures.is_empty() { others } else { failures };
            let fate = |(place, code): &Failure| self.fate(batches, *place, *code, alone);
            let (given_up, left): (Vec<_>, Vec<_>) =
                failures.into_iter().partition(|failure| matches!(fate(failure), Fate::Never | Fate::Alone));
            if !left.is_empty() {
                let outcome = self.settle(batches, left, Vec::new()).await;
                self.arrived = Arrived::default(); // nothing has
                return outcome;
            }
            let crowded = given_up.iter().any(|failure| fate(failure) == Fate::Alone);
            for (place, code) in given_up {
                if fate(&(place, code)) == Fate::Never {
                    let (topic, _) = self.goes_to(batches, place);
                    let why = policy::words(code, &topic, None, None);
                    never.extend(self.as_hopeless(batches, place, code).map(|place| (place, why.clone())));
                }
            }
            alone |= crowded;
            self.ready().await?;
        }
        // Before the commit: what is put aside twice does less harm than what can be read twice.
        let never: Vec<(usize, String)> = never.into_iter().collect();
        if let Err(error) = self.settle(batches, Vec::new(), never).await {
            self.give_up().await;
            self.arrived = Arrived::default();
            return Err(error);
        }
        self.commit().await
    }

    /// An event that Kafka never takes, and those that it need not be asked about: a producer for each would take too long.
    fn as_hopeless<'a>(
        &'a self,
        batches: &'a [Batch],
        place: usize,
        code: Code,
    ) -> impl Iterator<Item = usize> + use<'a> {
        let recipe = self.recipe();
        let size = move |event: &Event<'_>| {
            recipe.route(event).ok().map(|route| (route.topic.into_owned(), recipe.size(event)))
        };
        let events = move || batches.iter().flat_map(Batch::events).enumerate();
        let compared = code == Code::MessageSizeTooLarge && self.sends_plain();
        let refused = events().nth(place).filter(|_| compared).and_then(|(_, event)| size(&event));
        let is_larger = move |event: &Event<'_>| {
            refused.as_ref().zip(size(event)).is_some_and(|((to, least), (topic, size))| {
                *to == topic && size >= least + FRAMES * (1 + recipe.headers.len())
            })
        };
        events().filter(move |(other, event)| *other == place || is_larger(event)).map(|(place, _)| place)
    }

    async fn begin(&self) -> Result<(), DeliveryError> {
        let Some(line) = &self.line else { return Err(DeliveryError::Gone) };
        let begun = line.blocking(|producer| producer.begin_transaction()).await;
        begun.map_err(|error| self.broken(line, error))
    }

    /// Aborts a transaction. Another producer of this name makes the next one: what the brokers have refused leaves a gap in the
    /// numbers of this one's records, and for that they refuse all that it sends.
    async fn give_up(&self) {
        let Some(line) = &self.line else { return };
        let _else_the_next_one_does =
            line.blocking(|producer| producer.abort_transaction(COMMIT_LIMIT)).await;
        line.breaks();
    }

    /// One that is not committed is ended by the next producer of this name.
    async fn commit(&self) -> Result<(), DeliveryError> {
        let Some(line) = &self.line else { return Err(DeliveryError::Gone) };
        let committed = line.blocking(|producer| producer.commit_transaction(COMMIT_LIMIT)).await;
        committed.map_err(|error| self.broken(line, error))
    }

    fn broken(&self, line: &Line, error: KafkaError) -> DeliveryError {
        line.breaks();
        lost(&self.peer, self.of_transaction(line, &error))
    }

    /// What an error of a call for a transaction means: what has ended the producer says more than what it does from then on.
    pub(super) fn of_transaction(&self, line: &Line, error: &KafkaError) -> String {
        let code = line.fatal().or(error.rdkafka_error_code());
        let id = self.transactional();
        code.map_or_else(|| error.to_string(), |code| policy::words(code, "", id, line.said().as_deref()))
    }
}

/// How long a commit or an abort may take.
const COMMIT_LIMIT: Duration = Duration::from_secs(30);
/// What the lengths within a record may differ by, at most; and for each of its headers.
const FRAMES: usize = 64;
