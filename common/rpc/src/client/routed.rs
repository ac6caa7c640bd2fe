//! Flume's client for several hosts, as a sink has it: `client.type = default_failover` or `default_loadbalance`.
//!
//! A batch goes to one host after the other until one takes it, and is refused when none does. A batch is under way at a time.

use super::config::{Config, Hosts, Way};
use super::policy::Route;
use crate::{AvroSinkConfig, Cargo, Connection};
use event::Batch;
use flow::error::DeliveryError;
use flow::message::Window;
use flow::sink::remote::AsyncSink;
use runtime::clock;
use runtime::net::TlsDefaults;
use tokio::sync::{mpsc, oneshot};
use wire::avro::BatchId;

/// To whom, and in which order.
#[derive(Clone)]
pub struct Routes {
    hosts: Vec<AvroSinkConfig>,
    route: Route,
}

impl Routes {
    /// As the properties of a client say. `notes` are for an operator to read.
    ///
    /// # Errors
    /// What cannot be used, and what to write instead.
    pub fn build(
        properties: &[(String, String)],
        tls_defaults: &TlsDefaults,
        notes: &mut Vec<String>,
    ) -> Result<Routes, String> {
        match Config::build(properties, tls_defaults, notes)?.way {
            Way::Avro(Hosts { hosts, route }) => Ok(Routes { hosts, route }),
            Way::Thrift(_) => Err("client.type = thrift: Thrift has one host".to_owned()),
        }
    }
}

/// Hands events to one of several Avro sources.
pub struct RoutedClient {
    hosts: Vec<Host>,
    route: Route,
}

struct Host {
    config: AvroSinkConfig,
    lane: Option<mpsc::UnboundedSender<PendingDelivery>>,
}

impl Host {
    async fn connect(&mut self) -> Result<(), DeliveryError> {
        if self.lane.as_ref().is_some_and(|lane| !lane.is_closed()) {
            return Ok(());
        }
        let mut connection = Connection::open(&self.config).await?;
        let (lane, mut todo) = mpsc::unbounded_channel();
        // It closes when the lane is dropped, and answers pings meanwhile.
        actix_rt::spawn(async move {
            connection.run(&mut todo, || ()).await;
        });
        self.lane = Some(lane);
        Ok(())
    }

    async fn deliver(&self, batches: &[Batch]) -> Result<(), DeliveryError> {
        let (tell, told) = oneshot::channel();
        let pending = PendingDelivery { batches: batches.to_vec(), tell: Some(tell) };
        let lane = self.lane.as_ref();
        let _told_when_dropped = lane.map(|lane| lane.send(pending));
        told.await.unwrap_or(Err(DeliveryError::Gone))
    }
}

impl RoutedClient {
    /// A client that is not connected.
    pub fn new(routes: Routes) -> RoutedClient {
        let hosts = routes.hosts.into_iter().map(|config| Host { config, lane: None }).collect();
        RoutedClient { hosts, route: routes.route }
    }

    /// Tries hosts as the route says: connects, and hands over `batches` if there are any.
    async fn go_round(&mut self, batches: Option<&[Batch]>) -> Result<(), DeliveryError> {
        let mut last = DeliveryError::Gone;
        while let Some(index) = self.route.pick(clock::now()) {
            let host = &mut self.hosts[index];
            if let Err(error) = host.connect().await {
                self.route.unreachable(index, clock::now());
                last = error;
                continue;
            }
            let Some(batches) = batches else { return Ok(()) };
            match host.deliver(batches).await {
                Ok(()) => {
                    self.route.delivered(index);
                    return Ok(());
                }
                Err(error) => {
                    host.lane = None; // as Flume's, it begins anew
                    self.route.failed(index, clock::now());
                    last = error;
                }
            }
        }
        self.route.begin_again();
        Err(last)
    }
}

impl AsyncSink for RoutedClient {
    async fn open(&mut self) -> Result<Window, DeliveryError> {
        self.go_round(None).await.map(|()| Window::LOCK_STEP)
    }

    async fn deliver(&mut self, batches: &[Batch]) -> Result<(), DeliveryError> {
        self.go_round(Some(batches)).await
    }

    async fn close(&mut self) {
        self.hosts.iter_mut().for_each(|host| host.lane = None);
    }
}

/// A batch in the hands of a connection. One that is dropped has failed.
struct PendingDelivery {
    batches: Vec<Batch>,
    tell: Option<oneshot::Sender<Result<(), DeliveryError>>>,
}

impl Cargo for PendingDelivery {
    fn batches(&self) -> &[Batch] {
        &self.batches
    }

    fn id(&self) -> Option<BatchId> {
        None
    }

    fn done(all: Vec<PendingDelivery>) {
        for mut pending in all {
            let _nobody_waits = pending.tell.take().map(|tell| tell.send(Ok(())));
        }
    }

    fn failed(mut self, error: DeliveryError) {
        let _nobody_waits = self.tell.take().map(|tell| tell.send(Err(error)));
    }
}
