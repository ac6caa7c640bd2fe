//! The actor that every source lives in.

use super::{Doing, SourceContext};
use crate::counters::Counted;
use crate::message::{Describe, Pause, Stop};
use crate::supervise::DeathWatch;
use actix::prelude::*;
use futures_util::future::LocalBoxFuture;
use tokio::sync::{mpsc, oneshot, watch};

/// A source: takes events in and stores them through its [`SourceContext`]'s channel processor.
pub trait Source {
    /// Runs until it is told to stop; then stores what it has under way, and ends. Tasks that it has started keep a copy of
    /// `stop` for as long as they run: the source has stopped when the last copy is gone.
    fn run(self: Box<Self>, context: SourceContext, stop: Stopping) -> LocalBoxFuture<'static, ()>;

    /// How its calls are told apart in its counters.
    fn counted(&self) -> Counted {
        Counted::Batches
    }

    /// Whether it can read again what was not delivered: it takes [`SourceContext::pausing`] and answers what it finds
    /// there.
    fn is_rereadable(&self) -> bool {
        false
    }
}

/// How a source hears that it is to stop: the value changes to `true`.
pub type Stopping = watch::Receiver<bool>;

/// What a source that can read again is told besides, and asked.
pub struct Pausing {
    /// What it is to do.
    pub stage: watch::Receiver<Stage>,
    /// To be set when it reads no more, and what it has read is stored or given up.
    pub paused: watch::Sender<bool>,
    /// Questions about what it is doing.
    pub asked: mpsc::UnboundedReceiver<Question>,
}

/// What such a source is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// To read.
    Run,
    /// To read no more.
    Pause,
    /// To end; after a pause, its positions go back to what was not delivered.
    Stop {
        /// Whether it was paused before.
        goes_back: bool,
    },
}

/// Asks what the source is doing.
pub type Question = oneshot::Sender<String>;

/// What a source can be asked.
pub(crate) struct SourceAddress {
    pub(crate) stop: Recipient<Stop>,
    /// Of one that can read its events again.
    pub(crate) pause: Option<Recipient<Pause>>,
    pub(crate) describe: Recipient<Describe>,
}

/// The actor of a source.
pub struct SourceActor {
    work: Option<Work>,
    stop: watch::Sender<bool>,
    stage: watch::Sender<Stage>,
    paused: watch::Receiver<bool>,
    /// Where questions go, of a source that answers them itself.
    questions: Option<mpsc::UnboundedSender<Question>>,
    doing: Doing,
}

struct Work {
    source: Box<dyn Source>,
    context: SourceContext,
    death_watch: DeathWatch,
}

impl SourceActor {
    /// The actor of `source`.
    pub fn new(source: Box<dyn Source>, mut context: SourceContext, death_watch: DeathWatch) -> SourceActor {
        let (questions, asked) = mpsc::unbounded_channel();
        let (paused, is_paused) = watch::channel(false);
        let (stage, is_stage) = watch::channel(Stage::Run);
        let doing = context.doing.clone();
        context.processor.count_as(source.counted());
        let questions = source.is_rereadable().then_some(questions);
        context.pausing = questions.is_some().then_some(Pausing { stage: is_stage, paused, asked });
        let work = Some(Work { source, context, death_watch });
        SourceActor { work, stop: watch::Sender::new(false), stage, paused: is_paused, questions, doing }
    }

    /// Starts it; answers how it can be asked.
    pub(crate) fn begin(self) -> SourceAddress {
        let rereadable = self.questions.is_some();
        let source = self.start();
        SourceAddress {
            stop: source.clone().recipient(),
            pause: rereadable.then(|| source.clone().recipient()),
            describe: source.recipient(),
        }
    }
}

impl Actor for SourceActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let Some(Work { source, context, mut death_watch }) = self.work.take() else { return };
        let stop = self.stop.subscribe();
        // The death watch lives in this task: should it panic, the source has died.
        let running = async move {
            source.run(context, stop).await;
            death_watch.release();
        };
        ctx.spawn(running.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

impl Handler<Stop> for SourceActor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Stop, _: &mut Self::Context) -> Self::Result {
        let goes_back = *self.stage.borrow() != Stage::Run;
        self.stage.send_replace(Stage::Stop { goes_back });
        self.stop.send_replace(true);
        let (stop, stage) = (self.stop.clone(), self.stage.clone());
        Box::pin(async move {
            stop.closed().await;
            stage.closed().await;
        })
    }
}

impl Handler<Pause> for SourceActor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Pause, _: &mut Self::Context) -> Self::Result {
        self.stage.send_replace(Stage::Pause);
        let mut paused = self.paused.clone();
        Box::pin(async move {
            let _paused_or_gone = paused.wait_for(|paused| *paused).await;
        })
    }
}

impl Handler<Describe> for SourceActor {
    type Result = ResponseFuture<String>;

    fn handle(&mut self, _: Describe, _: &mut Self::Context) -> Self::Result {
        let Some(questions) = &self.questions else {
            return Box::pin(std::future::ready(self.doing.text()));
        };
        let (question, answer) = oneshot::channel();
        let _answered_then = questions.send(question);
        Box::pin(async move { answer.await.unwrap_or_else(|_| "has ended".to_owned()) })
    }
}
