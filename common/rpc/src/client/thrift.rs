//! Sends batches to one Thrift source, a call at a time, as Flume's client of the type `thrift` does.

use super::config::Batches;
use super::feed::Fed;
use super::ship::SMALL_BATCH;
use super::{Delivered, Failure};
use crate::{ThriftClient, ThriftConfig};
use event::Batch;
use flow::error::DeliveryError;
use flow::sink::remote::AsyncSink;
use tokio::sync::mpsc;

/// A client of one host; what that does not take is tried nowhere else.
pub(super) struct ThriftShipper {
    client: ThriftClient,
    batches: Batches,
    delivered: u64,
}

impl ThriftShipper {
    pub(super) fn new(config: ThriftConfig, batches: Batches) -> ThriftShipper {
        ThriftShipper { client: ThriftClient::new(config), batches, delivered: 0 }
    }

    /// Whether anybody is there.
    ///
    /// # Errors
    /// [`Failure::Delivery`]
    pub(super) async fn connect(&mut self) -> Result<(), Failure> {
        self.client.open().await.map(drop).map_err(|error| self.failed(&error, 0))
    }

    /// Sends all that `feed` has, and answers how many events that were.
    ///
    /// # Errors
    /// [`Failure`]
    pub(super) async fn ship(&mut self, feed: &mut mpsc::Receiver<Fed>) -> Result<u64, Failure> {
        while let Some(fed) = feed.recv().await {
            match fed {
                Fed::Batch(batch) => self.send(batch).await?,
                // The reader has gone if it is not there any more.
                Fed::Finished(finished) => drop(finished.send(())),
                Fed::Failed(reason) => {
                    self.client.close().await;
                    let delivered = Delivered { events: self.delivered, doubtful: 0 };
                    return Err(Failure::Input { reason, delivered });
                }
            }
        }
        self.client.close().await;
        Ok(self.delivered)
    }

    async fn send(&mut self, mut batch: Batch) -> Result<(), Failure> {
        while !batch.is_empty() {
            let mut behind = batch.clone();
            let part = behind.split_to(self.batches.most);
            match self.client.deliver(std::slice::from_ref(&part)).await {
                Ok(()) => {
                    self.delivered += part.len() as u64;
                    batch = behind;
                }
                Err(DeliveryError::Refused { .. }) if self.batches.may_shrink && part.len() > SMALL_BATCH => {
                    self.batches = Batches { most: SMALL_BATCH, may_shrink: false };
                }
                Err(error) => return Err(self.failed(&error, part.len() as u64)),
            }
        }
        Ok(())
    }

    fn failed(&self, error: &DeliveryError, under_way: u64) -> Failure {
        let doubtful = if error.leaves_doubt() { under_way } else { 0 };
        let delivered = Delivered { events: self.delivered, doubtful };
        Failure::Delivery { reason: error.to_string(), delivered }
    }
}
