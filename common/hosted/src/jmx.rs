//! The counters of all components in a JVM, for JMX clients and for a monitor that is a class of the operator's own.
//!
//! Nothing is sent while nobody reads, except when components come or go: then the JVM gets the new list.

use crate::host::Host;
use crate::judge::Hosting;
use crate::say;
use bridge::{Bean, Bridge, BridgeError, ComponentKind, Monitor, Spec};
use flow::counters::Registry;
use runtime::clock::{self, Duration};
use runtime::told::Told;
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use tokio::sync::{oneshot, watch};
use tokio::time::sleep;

/// What is to be shown, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jmx {
    /// The class of a monitor, with what it is configured with: `flume.monitoring.*` without that front.
    pub monitor: Option<(String, BTreeMap<String, String>)>,
    /// Whether JMX clients are served by the JVM's own port.
    pub clients: bool,
}

/// All components with their counters, as they are now.
pub type Beans = Box<dyn Fn(&Registry) -> Vec<Bean> + Send + Sync>;

/// What a JVM shows until it is told to stop.
pub struct Shown {
    stop: oneshot::Sender<()>,
    stopped: mpsc::Receiver<()>,
    log: slog::Logger,
}

/// How it has ended in one JVM.
enum End {
    /// It was told to.
    Stopped,
    /// The JVM has ended, or there is none yet.
    Gone(BridgeError),
    /// The JVM has ended, and it was the monitor.
    EndedByIt(BridgeError),
    /// The monitor's class is missing, or has failed.
    Refused(BridgeError),
}

struct Showing {
    host: Arc<Host>,
    wanted: Jmx,
    registry: Registry,
    beans: Beans,
    changes: watch::Receiver<()>,
    log: slog::Logger,
}

impl Hosting {
    /// Why there is no JVM, in an operator's words, with where it was looked for.
    ///
    /// # Errors
    /// That.
    pub fn look(&self) -> Result<(), String> {
        self.0.settings().map(drop).map_err(str::to_owned)
    }

    /// Shows the counters of `registry` in the JVM of this agent from now on; starts that if need be.
    ///
    /// # Errors
    /// Why there is no JVM.
    pub fn show(
        &self,
        wanted: Jmx,
        registry: Registry,
        beans: Beans,
        log: slog::Logger,
    ) -> Result<Shown, BridgeError> {
        let (stop, told) = oneshot::channel();
        let (tell, stopped) = mpsc::channel();
        let (host, changes) = (self.0.clone(), registry.changes());
        let shown = Shown { stop, stopped, log: log.clone() };
        let showing = Showing { host, wanted, registry, beans, changes, log };
        self.0.thread()?.spawn(async move {
            showing.keep(told).await;
            // When the agent does not wait any more it has said so.
            let _ = tell.send(());
        });
        Ok(shown)
    }
}

impl Hosting {
    /// Whether the monitor's class is there and takes its properties: creates it, and does not start it.
    ///
    /// # Errors
    /// What is wrong.
    pub async fn probe_monitor(&self, wanted: &Jmx, log: &slog::Logger) -> Result<(), BridgeError> {
        let Ok(settings) = self.0.settings() else { return Ok(()) };
        // An agent that runs has the ports of its JVM.
        let bridge = Bridge::new(settings.clone().without_jmx(), say::to(log.clone()));
        Monitor::create(&bridge.jvm().await?, &spec(wanted)).await.map(drop)
    }
}

impl Shown {
    /// Stops the monitor, as Flume does when all else has stopped. Waits for it, but not for long.
    pub fn stop(self) {
        if self.stop.send(()).is_ok()
            && self.stopped.recv_timeout(STOP_WITHIN) == Err(mpsc::RecvTimeoutError::Timeout)
        {
            slog::warn!(
                self.log,
                "monitoring: the monitor has not stopped within {} s; its JVM is ended with the agent",
                STOP_WITHIN.as_secs()
            );
        }
    }
}

impl Showing {
    /// Shows them in one JVM after the other.
    async fn keep(mut self, mut stop: oneshot::Receiver<()>) {
        let (mut told, mut ended) = (Told::every(TELL_EVERY), 0);
        loop {
            let end = self.show_in_a_jvm(&mut stop).await;
            ended += u32::from(matches!(end, End::EndedByIt(_)));
            match end.after(ended) {
                End::Stopped => return,
                End::Refused(error) => {
                    self.wanted.monitor = None;
                    slog::warn!(self.log, "monitoring: {error}; {}", without_it(self.wanted.clients));
                    if !self.wanted.clients {
                        return self.host.end_if_idle().await;
                    }
                }
                End::Gone(error) | End::EndedByIt(error) => {
                    if told.tell(clock::now()).is_some() {
                        slog::warn!(
                            self.log,
                            "monitoring: the counters are shown by no JVM: {error}; it is tried again, and events flow meanwhile"
                        );
                    }
                    tokio::select! {
                        biased;
                        _ = &mut stop => return,
                        () = sleep(RETRY) => {}
                    }
                }
            }
        }
    }

    async fn show_in_a_jvm(&mut self, stop: &mut oneshot::Receiver<()>) -> End {
        let spec = spec(&self.wanted);
        let jvm = tokio::select! {
            biased;
            _ = &mut *stop => return End::Stopped,
            jvm = self.host.jvm(&self.log) => jvm,
        };
        let jvm = match jvm {
            Ok(jvm) => jvm,
            Err(error) => return End::Gone(error),
        };
        let created = tokio::select! {
            biased;
            _ = &mut *stop => return End::Stopped,
            created = Monitor::create(&jvm, &spec) => created,
        };
        let end = match created {
            Ok(monitor) => self.serve(monitor, stop).await,
            Err(error) => of(error),
        };
        match end {
            End::Gone(error) if jvm.was_ended_by(&spec) => End::EndedByIt(error),
            end => end,
        }
    }

    async fn serve(&mut self, mut monitor: Monitor, stop: &mut oneshot::Receiver<()>) -> End {
        monitor.show(&(self.beans)(&self.registry));
        let mut starting = pin!(monitor.start());
        let mut started = false;
        loop {
            tokio::select! {
                biased;
                _ = &mut *stop => {
                    // One that still starts hears of it when it is dropped.
                    if started {
                        self.stop(monitor).await;
                    }
                    return End::Stopped;
                }
                begun = &mut starting, if !started => match begun {
                    Ok(()) => {
                        started = true;
                        self.say();
                    }
                    Err(error) => return of(error),
                },
                asked = monitor.asked() => match asked {
                    Some(()) => monitor.show(&(self.beans)(&self.registry)),
                    None => return End::Gone(monitor.gone()),
                },
                Ok(()) = self.changes.changed() => monitor.show(&(self.beans)(&self.registry)),
            }
        }
    }

    /// It may read while it stops. Who has it stopped tells when that takes too long.
    async fn stop(&self, mut monitor: Monitor) {
        monitor.show(&(self.beans)(&self.registry)); // at their end
        let mut stopping = pin!(monitor.stop());
        let stopped = loop {
            tokio::select! {
                biased;
                stopped = &mut stopping => break stopped,
                Some(()) = monitor.asked() => monitor.show(&(self.beans)(&self.registry)),
            }
        };
        if let Err(error) = stopped {
            slog::warn!(self.log, "monitoring: {error}");
        }
    }

    fn say(&self) {
        match &self.wanted.monitor {
            Some((class, _)) => slog::info!(self.log, "monitoring: {class} runs in the JVM"),
            None => slog::info!(self.log, "monitoring: JMX clients read the counters in the JVM"),
        }
    }
}

impl End {
    /// A monitor that has ended several JVMs takes the Java components of the flow along each time: it is given up.
    fn after(self, ended_by_it: u32) -> End {
        match self {
            End::EndedByIt(error) if ended_by_it >= MOST_ENDED => End::Refused(error),
            end => end,
        }
    }
}

/// Whether it was the class or the JVM.
fn of(error: BridgeError) -> End {
    match error {
        BridgeError::Missing { .. } | BridgeError::Failed { .. } => End::Refused(error),
        error => End::Gone(error),
    }
}

/// What is left without the monitor.
fn without_it(clients: bool) -> &'static str {
    if clients {
        "the agent runs without this monitor; JMX clients are served"
    } else {
        "the agent runs without it, and nobody reads its counters"
    }
}

pub(crate) fn spec(wanted: &Jmx) -> Spec {
    let (class, properties) = wanted.monitor.clone().unwrap_or_default();
    let name = if class.is_empty() { "of JMX clients" } else { &class };
    Spec { properties, ..Spec::new(ComponentKind::Monitor, name, &class) }
}

/// JVMs that a monitor may end.
const MOST_ENDED: u32 = 3;
/// Between two tries to have a JVM, beside the pause that follows its death.
const RETRY: Duration = Duration::from_secs(3);
/// Between two lines about a JVM that does not come up.
const TELL_EVERY: Duration = Duration::from_secs(300);
/// How long the end of the agent waits for the monitor's.
const STOP_WITHIN: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use bridge::Thrown;

    #[test]
    fn a_class_that_fails_is_given_up_and_a_jvm_that_dies_is_not() {
        let thrown = Box::new(Thrown::default());
        let failed = BridgeError::Failed { component: "monitor x".into(), phase: "create".into(), thrown };
        assert!(matches!(of(failed), End::Refused(_)));
        assert!(matches!(of(BridgeError::Gone("killed".into())), End::Gone(_)));
        assert!(matches!(of(BridgeError::NoHello("exit status: 1".into())), End::Gone(_)));
        let ended =
            |times| End::EndedByIt(BridgeError::Gone("it has called System.exit".into())).after(times);
        assert!(matches!(ended(2), End::EndedByIt(_)) && matches!(ended(3), End::Refused(_)));
        assert!(matches!(End::Gone(BridgeError::Gone("killed".into())).after(3), End::Gone(_)));
    }

    #[test]
    fn a_monitor_is_configured_with_its_own_properties_alone() {
        let properties =
            BTreeMap::from([("type".to_owned(), "a.M".to_owned()), ("every".to_owned(), "5".to_owned())]);
        let monitor = spec(&Jmx { monitor: Some(("a.M".into(), properties.clone())), clients: false });
        assert_eq!(
            (monitor.class.as_str(), monitor.name.as_str(), &monitor.properties),
            ("a.M", "a.M", &properties)
        );
        let none = spec(&Jmx { monitor: None, clients: true });
        assert!(none.class.is_empty() && none.properties.is_empty());
    }
}
