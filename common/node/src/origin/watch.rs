//! A thread that looks at the configuration again and again, and hands on what has come of it.

use super::Texts;
use crate::load::{Checked, Loader};
use flow::Assembly;
use plan::Report;
use slog::{Logger, error, info};
use std::{io, sync::Arc, thread};
use tokio::sync::{Notify, mpsc};

impl Texts {
    /// Hands on what the texts say whenever they change, and whenever a look is asked for. What has errors is told, finding by
    /// finding by `say`, and not handed on.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn watch(
        mut self,
        mut loader: Loader,
        log: Logger,
        say: fn(&Logger, &Report),
    ) -> io::Result<flow::Reloading> {
        let (hand_on, assemblies) = mpsc::channel(1);
        let asked = Arc::new(Notify::new());
        let ask = asked.clone();
        let watching = move || {
            while self.wait(&asked, &hand_on) {
                info!(log, "reading the configuration again: {}", self.origin.names().join(", "));
                if let Some(assembly) = loader.what_runs(self.read(), &log, say) {
                    self.kept();
                    if hand_on.blocking_send(assembly).is_err() {
                        return;
                    }
                }
            }
        };
        thread::Builder::new().name("configuration".into()).spawn(watching)?;
        Ok(flow::Reloading { assemblies, look: Box::new(move || ask.notify_one()) })
    }

    /// Waits until a look is worth while; `false` when nobody wants one any more.
    fn wait(&mut self, asked: &Notify, hand_on: &mpsc::Sender<Assembly>) -> bool {
        let Texts { runtime, origin } = self;
        runtime.block_on(async {
            tokio::select! {
                () = asked.notified() => true,
                () = origin.changed() => true,
                () = hand_on.closed() => false,
            }
        })
    }
}

impl Loader {
    /// What is to run from now on; `None` when it cannot, which is told.
    fn what_runs(&mut self, read: super::Read, log: &Logger, say: fn(&Logger, &Report)) -> Option<Assembly> {
        match self.load_again(read) {
            Ok(Checked { report, assembly, .. }) => {
                say(log, &report);
                if assembly.is_none() {
                    error!(
                        log,
                        "the configuration that was read is not taken: {}; the one before goes on, and the next change is read again",
                        report.blocks()
                    );
                }
                assembly
            }
            Err(text) => {
                error!(log, "{text}");
                None
            }
        }
    }
}
