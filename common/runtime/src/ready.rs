//! How a source says that it has opened its way in.

use tokio::sync::mpsc;

/// How a source says, once, that it has opened its way in, or has told why it could not yet.
pub struct Ready(Option<mpsc::UnboundedSender<()>>);

impl Ready {
    /// One that tells `tell`.
    pub fn new(tell: mpsc::UnboundedSender<()>) -> Ready {
        Ready(Some(tell))
    }

    /// Says so; what is said again is not heard.
    pub fn done(&mut self) {
        if let Some(tell) = self.0.take() {
            let _nobody_waits_any_more = tell.send(());
        }
    }
}
