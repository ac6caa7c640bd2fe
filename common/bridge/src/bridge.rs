//! One JVM for an agent: started when a component needs it, and again when it has died.

use crate::{
    BridgeError, Jvm, Notify, Restarts, SilenceLimits, classpath::ClassPath, clock, clock::Instant,
    policy::Blame,
};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};
use tokio::sync::Mutex;

/// How the JVM is started.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The program.
    pub java: PathBuf,
    /// Whether it is Java 9 or newer.
    pub modular: bool,
    /// The class path without the bridge's own jar.
    pub class_path: ClassPath,
    /// Further words for the JVM: `-D...`, `-javaagent...`, what `JAVA_OPTS` has.
    pub options: Vec<String>,
    /// Further variables of its environment.
    pub environment: BTreeMap<String, String>,
    /// The heap; `None`: what `options` say, or 64 MiB.
    pub heap_bytes: Option<u64>,
    /// Its working directory: relative paths of a component begin there, as they did in Flume.
    pub directory: PathBuf,
    /// Below it the jar is written.
    pub scratch: PathBuf,
    /// Batches that end every JVM are kept in here.
    pub aside: PathBuf,
    /// The least level of log lines, unless the operator's own logging configuration is named in `options`.
    pub level: String,
    /// How long a component may be silent.
    pub silence_limits: SilenceLimits,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            java: PathBuf::from("java"),
            modular: false,
            class_path: ClassPath::default(),
            options: Vec::new(),
            environment: BTreeMap::new(),
            heap_bytes: None,
            directory: PathBuf::from("."),
            scratch: std::env::temp_dir(),
            aside: std::env::home_dir().unwrap_or_default().join(".flume/set-aside"),
            level: "INFO".to_owned(),
            silence_limits: SilenceLimits::default(),
        }
    }
}

impl Settings {
    /// For a JVM beside the one of a running agent: it opens no port for JMX, which that one has.
    #[must_use]
    pub fn without_jmx(mut self) -> Settings {
        self.options.retain(|word| !word.starts_with("-Dcom.sun.management."));
        self
    }

    /// For a JVM that only looks whether classes are there: it takes nothing from the one of a running agent, neither its ports
    /// nor the files that its words name.
    #[must_use]
    pub fn for_a_probe(self) -> Settings {
        let mut settings = self.without_jmx();
        settings.options.retain(|word| !OF_ONE_JVM.iter().any(|front| word.starts_with(front)));
        settings
    }
}

/// Fronts of words that have a JVM open a port (debuggers, monitors), write a file (of collections, of a recording), or take all of
/// its memory when it begins.
const OF_ONE_JVM: [&str; 12] = [
    "-agentlib:",
    "-agentpath:",
    "-javaagent:",
    "-Xdebug",
    "-Xrunjdwp",
    "-Xlog",
    "-XX:StartFlightRecording",
    "-XX:FlightRecorderOptions",
    "-Xms",
    "-XX:InitialHeapSize",
    "-XX:InitialRAMPercentage",
    "-XX:+AlwaysPreTouch",
];

/// The JVM of an agent, whichever one it is at the moment.
pub struct Bridge {
    settings: Settings,
    notify: Notify,
    state: Mutex<State>,
    restarts: AtomicU64,
}

#[derive(Default)]
struct State {
    jvm: Option<Jvm>,
    restarts: Restarts,
    blame: Blame,
    not_before: Option<Instant>,
    /// The last one has died or has not come up.
    has_failed: bool,
}

impl Bridge {
    /// Starts nothing yet. `notify` gets what the JVM says.
    pub fn new(settings: Settings, notify: Notify) -> Bridge {
        Bridge { settings, notify, state: Mutex::default(), restarts: AtomicU64::new(0) }
    }

    /// How often it was started again because the last one had died or had not come up.
    pub fn restarts(&self) -> u64 {
        self.restarts.load(Relaxed)
    }

    /// The JVM that runs, if one does.
    pub fn running(&self) -> Option<Jvm> {
        let state = self.state.try_lock().ok()?; // else one is being started
        state.jvm.clone().filter(|jvm| jvm.died_at().is_none())
    }

    /// Ends the JVM when no component has it. The next one that wants it gets a new one.
    pub async fn end_if_idle(&self) {
        let mut state = self.state.lock().await;
        state.jvm.take_if(|jvm| jvm.is_idle());
    }

    /// The JVM that runs; else a new one, after the pause that the deaths so far ask for.
    ///
    /// # Errors
    /// When it does not come up; the next call tries again, after a longer pause.
    pub async fn jvm(&self) -> Result<Jvm, BridgeError> {
        let mut state = self.state.lock().await;
        if let Some(jvm) = state.jvm.clone() {
            let Some(died) = jvm.died_at() else { return Ok(jvm) };
            if let Some(repeats) = jvm.cause().and_then(|cause| state.blame.ended(cause, died)) {
                (self.notify)(repeats);
            }
            state.jvm = None;
            state.not_before = Some(died + state.restarts.died(died));
            state.has_failed = true;
        }
        if let Some(not_before) = state.not_before {
            tokio::time::sleep_until(not_before).await;
        }
        if std::mem::take(&mut state.has_failed) {
            self.restarts.fetch_add(1, Relaxed);
        }
        match Jvm::start(&self.settings, self.notify.clone()).await {
            Ok(jvm) => {
                state.jvm = Some(jvm.clone());
                Ok(jvm)
            }
            Err(error) => {
                let now = clock::now();
                state.not_before = Some(now + state.restarts.died(now));
                state.has_failed = true;
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jvm_that_probes_has_nothing_of_what_only_one_can_have() {
        let words = [
            "-Xmx1g",
            "-Dcom.sun.management.jmxremote.port=9999",
            "-Da=b",
            "-agentlib:jdwp=transport=dt_socket,server=y,address=5005",
            "-javaagent:prometheus.jar=9100",
            "-Xloggc:gc.log",
            "-Xlog:gc:file=gc.log",
        ];
        let options = words.map(str::to_owned).to_vec();
        let settings = Settings { options, ..Settings::default() };
        assert_eq!(settings.for_a_probe().options, ["-Xmx1g", "-Da=b"]);
    }
}
