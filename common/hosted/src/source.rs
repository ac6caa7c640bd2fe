//! A source in the JVM: each of its commits is stored through the native channel processor, and answered when it is.

use crate::host::Host;
use bridge::{BridgeError, Put, PutError, Source, Spec};
use flow::error::ChannelError;
use flow::message::PutTimeout;
use flow::source::{SourceContext, Stopping};
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
    fn run(self: Box<Self>, context: SourceContext, stop: Stopping) -> LocalBoxFuture<'static, ()> {
        Box::pin(self.keep_running(context, stop))
    }
}

impl HostedSource {
    async fn keep_running(mut self: Box<Self>, mut context: SourceContext, mut stop: Stopping) {
        self.spec.transaction_capacity = context.processor.transaction();
        let mut told = Told::every(TELL_EVERY);
        loop {
            context.doing.set("is being made in the JVM");
            let opened = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                opened = self.open(&context) => opened,
            };
            context.ready.done();
            match opened {
                Ok(source) => {
                    context.doing.set("runs in the JVM");
                    if self.serve(source, &context, &mut stop).await {
                        return;
                    }
                }
                Err(error) => {
                    if told.tell(clock::now()).is_some() {
                        slog::error!(
                            context.log,
                            "source {} does not run: {error}; it is tried again every {} s",
                            context.name,
                            RETRY.as_secs()
                        );
                    }
                    context.doing.set(format!("does not run: {error}"));
                    tokio::select! {
                        _ = stop.wait_for(|stop| *stop) => return,
                        () = sleep(RETRY) => {}
                    }
                }
            }
        }
    }

    /// A new one each time: some of Flume's cannot be started twice.
    async fn open(&self, context: &SourceContext) -> Result<Source, BridgeError> {
        let jvm = self.host.jvm(&context.log).await?;
        let mut source = Source::create(&jvm, &self.spec).await?;
        source.start(async |put| self.store(put, context).await).await?;
        Ok(source)
    }

    /// Stores what comes until it is told to stop, or the JVM is gone; `true` when it was told.
    async fn serve(&self, mut source: Source, context: &SourceContext, stop: &mut Stopping) -> bool {
        // Each waits for its own answer, so that one of many threads does not hold the others.
        let mut storing = FuturesUnordered::new();
        loop {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                Some(()) = storing.next() => {}
                put = source.next() => match put {
                    Some(put) => storing.push(self.store(put, context)),
                    None => {
                        slog::warn!(context.log, "source {}: {}; it is made again", context.name, source.gone());
                        return false;
                    }
                },
            }
        }
        // It stops when all that it has committed is answered.
        let rest = timeout(STORE_WITHIN, async { while storing.next().await.is_some() {} });
        let refuse_late = async |put: Put| drop(timeout(STORE_WITHIN, self.store(put, context)).await);
        let stopped = async { tokio::join!(rest, source.stop(refuse_late)).1 };
        match timeout(STOP_WITHIN, stopped).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => slog::warn!(context.log, "{error}"),
            Err(_) => slog::warn!(
                context.log,
                "source {} has not stopped within {} s; its JVM is ended with the agent",
                context.name,
                STOP_WITHIN.as_secs()
            ),
        }
        true
    }

    /// Waits until there is room: many sources drop what is refused.
    async fn store(&self, put: Put, context: &SourceContext) {
        let batch = put.batch.clone();
        let stored = if self.selects {
            context.processor.store_in(put.channel, batch, PutTimeout::Forever).await
        } else {
            context.processor.store(batch, false, PutTimeout::Forever).await
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
