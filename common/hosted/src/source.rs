//! A source in the JVM: each of its commits is stored through the native channel processor, and answered when it is.

use crate::host::Host;
use bridge::{BridgeError, Put, PutError, Source, Spec};
use flow::error::ChannelError;
use flow::message::Patience;
use flow::source::{Seat, Stopping};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use runtime::clock::{self, Duration};
use runtime::told::Told;
use std::sync::Arc;
use tokio::time::{sleep, timeout};

/// A source in the JVM.
pub(crate) struct HostedSource {
    pub(crate) host: Arc<Host>,
    pub(crate) spec: Spec,
    /// Whether its own selector says which channel a batch is for.
    pub(crate) selects: bool,
}

impl flow::source::Source for HostedSource {
    fn run(self: Box<Self>, seat: Seat, stop: Stopping) -> LocalBoxFuture<'static, ()> {
        Box::pin(self.keep_running(seat, stop))
    }
}

impl HostedSource {
    async fn keep_running(mut self: Box<Self>, mut seat: Seat, mut stop: Stopping) {
        self.spec.transaction_capacity = seat.processor.transaction();
        let mut told = Told::every(TELL_EVERY);
        loop {
            seat.doing.set("is being made in the JVM");
            let opened = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                opened = self.open(&seat) => opened,
            };
            seat.ready.done();
            match opened {
                Ok(source) => {
                    seat.doing.set("runs in the JVM");
                    if self.serve(source, &seat, &mut stop).await {
                        return;
                    }
                }
                Err(error) => {
                    if told.tell(clock::now()).is_some() {
                        slog::error!(
                            seat.log,
                            "source {} does not run: {error}; it is tried again every {} s",
                            seat.name,
                            RETRY.as_secs()
                        );
                    }
                    seat.doing.set(format!("does not run: {error}"));
                    tokio::select! {
                        _ = stop.wait_for(|stop| *stop) => return,
                        () = sleep(RETRY) => {}
                    }
                }
            }
        }
    }

    /// A new one each time: some of Flume's cannot be started twice.
    async fn open(&self, seat: &Seat) -> Result<Source, BridgeError> {
        let jvm = self.host.jvm(&seat.log).await?;
        let mut source = Source::create(&jvm, &self.spec).await?;
        source.start(async |put| self.store(put, seat).await).await?;
        Ok(source)
    }

    /// Stores what comes until it is told to stop, or the JVM is gone; `true` when it was told.
    async fn serve(&self, mut source: Source, seat: &Seat, stop: &mut Stopping) -> bool {
        // Each waits for its own answer, so that one of many threads does not hold the others.
        let mut storing = FuturesUnordered::new();
        loop {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                Some(()) = storing.next() => {}
                put = source.next() => match put {
                    Some(put) => storing.push(self.store(put, seat)),
                    None => {
                        slog::warn!(seat.log, "source {}: {}; it is made again", seat.name, source.gone());
                        return false;
                    }
                },
            }
        }
        // It stops when all that it has committed is answered.
        let rest = timeout(STORE_WITHIN, async { while storing.next().await.is_some() {} });
        let refuse_late = async |put: Put| drop(timeout(STORE_WITHIN, self.store(put, seat)).await);
        let stopped = async { tokio::join!(rest, source.stop(refuse_late)).1 };
        match timeout(STOP_WITHIN, stopped).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => slog::warn!(seat.log, "{error}"),
            Err(_) => slog::warn!(
                seat.log,
                "source {} has not stopped within {} s; its JVM is ended with the agent",
                seat.name,
                STOP_WITHIN.as_secs()
            ),
        }
        true
    }

    /// Waits until there is room: many sources drop what is refused.
    async fn store(&self, put: Put, seat: &Seat) {
        let batch = put.batch.clone();
        let stored = if self.selects {
            seat.processor.store_in(put.channel, batch, Patience::Forever).await
        } else {
            seat.processor.store(batch, false, Patience::Forever).await
        };
        put.answer(stored.map_err(|error| match error {
            ChannelError::Full { .. } => PutError::Full(error.to_string()),
            error => PutError::Refused(error.to_string()),
        }));
    }
}

/// Flume's supervisor tries a source that does not start as often.
const RETRY: Duration = Duration::from_secs(3);
/// Between two lines about a source that does not run.
const TELL_EVERY: Duration = Duration::from_secs(300);
/// How long a stop waits for room in the channels; then the source is told that nothing more is stored.
const STORE_WITHIN: Duration = Duration::from_secs(2);
/// Less than what the agent's stop gives to sources.
const STOP_WITHIN: Duration = Duration::from_millis(4500);
