//! What a group of sinks is doing, in words.

use super::Group;
use crate::message::Describe;
use actix::prelude::*;
use runtime::clock::{self, Instant};

impl Handler<Describe> for Group {
    type Result = MessageResult<Describe>;

    fn handle(&mut self, _: Describe, _: &mut Self::Context) -> Self::Result {
        let now = clock::now();
        let members: Vec<String> = (0..self.members.len()).map(|sink| self.describe(sink, now)).collect();
        let waiting: usize = self
            .waiting
            .values()
            .map(|delivery| delivery.lease.batches().iter().map(event::Batch::len).sum::<usize>())
            .sum();
        MessageResult(format!("{}; {waiting} events wait for a sink", members.join("; ")))
    }
}

impl Group {
    fn describe(&self, sink: usize, now: Instant) -> String {
        let member = &self.members[sink];
        let state = if self.health.is_live(sink) {
            "is up".to_owned()
        } else if member.probing {
            "is being tried now".to_owned()
        } else {
            match self.health.next_due(|other| other == sink) {
                Some(at) => {
                    format!("rests, next try in {:.1} s", at.saturating_duration_since(now).as_secs_f64())
                }
                None => "rests".to_owned(),
            }
        };
        format!(
            "sink {} {state}, {} deliveries of {} bytes under way",
            member.at.name, member.deliveries, member.bytes
        )
    }
}
