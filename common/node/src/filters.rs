//! What config filters are asked with: a command, a credential store, a Java class.

use crate::{
    external, hadoop,
    jvm::{self, Given},
};
use bridge::{Bridge, BridgeError, ComponentKind, Filter, Notice, SilenceLimits, Spec};
use plan::{Answers, CredentialStore, JavaFilter};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::runtime::{Builder, Runtime};

/// Config filters, for one load of a configuration. A JVM is started when the first class is asked, and ends with this.
#[derive(Debug)]
pub(crate) struct Filters {
    given: Given,
    classes: Mutex<Option<Result<Classes, String>>>,
}

impl Filters {
    /// Nothing is started yet. `given` says where a JVM comes from.
    pub(crate) fn new(given: Given) -> Filters {
        Filters { given, classes: Mutex::default() }
    }
}

impl Answers for Filters {
    fn external(&self, command: &[String], key: &str) -> Result<String, String> {
        external::ask(command, key)
    }

    fn hadoop(&self, store: &CredentialStore, key: &str) -> Result<String, String> {
        if hadoop::is_here(store) {
            return hadoop::ask(store, key);
        }
        self.java(&hadoop::class(store), key).map_err(|why| format!("{why}; {}", hadoop::ADVICE))
    }

    fn java(&self, filter: &JavaFilter, key: &str) -> Result<String, String> {
        let mut classes = self.classes.lock().unwrap_or_else(PoisonError::into_inner);
        classes
            .get_or_insert_with(|| Classes::start(&self.given))
            .as_mut()
            .map_err(|why| why.clone())?
            .ask(filter, key)
    }
}

/// A JVM, and the filters that it has.
struct Classes {
    runtime: Runtime,
    bridge: Bridge,
    made: BTreeMap<String, Result<Filter, String>>,
    /// What a filter has logged last: Flume's own say there why they have no answer.
    logged: Arc<Mutex<Option<String>>>,
}

impl std::fmt::Debug for Classes {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Classes").field("made", &self.made.keys()).finish_non_exhaustive()
    }
}

impl Classes {
    fn start(given: &Given) -> Result<Classes, String> {
        let mut settings =
            jvm::find(given).map_err(|searched| format!("it needs a JVM with Flume's jars: {searched}"))?;
        settings = settings.without_jmx(); // the agent's own JVM has its ports
        settings.silence_limits = SilenceLimits { end_after: Some(PATIENCE), ..settings.silence_limits };
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|error| format!("the system gives no means to start a JVM: {error}"))?;
        let logged = Arc::new(Mutex::new(None));
        let last = logged.clone();
        let notify = move |notice| {
            if let Notice::Log(line) = notice
                && ["ERROR", "FATAL"].contains(&&*line.level)
            {
                let why =
                    line.stack.lines().next().filter(|why| !why.is_empty()).map(|why| format!(" {why}"));
                let text = format!("{}{}", line.message, why.unwrap_or_default());
                *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
            }
        };
        Ok(Classes {
            runtime,
            bridge: Bridge::new(settings, Arc::new(notify)),
            made: BTreeMap::new(),
            logged,
        })
    }

    fn ask(&mut self, asked: &JavaFilter, key: &str) -> Result<String, String> {
        let Classes { runtime, bridge, made, logged } = self;
        let create = || runtime.block_on(create(bridge, asked)).map_err(|error| error.to_string());
        let filter = made.entry(asked.name.clone()).or_insert_with(create);
        let filter = filter.as_mut().map_err(|why| why.clone())?;
        logged.lock().unwrap_or_else(PoisonError::into_inner).take();
        match runtime.block_on(filter.ask(key)) {
            Ok(Some(word)) => Ok(word),
            Ok(None) => {
                let why = logged.lock().unwrap_or_else(PoisonError::into_inner).take();
                let why = why.map(|why| format!(": {}", plan::cut(&why, MOST_SHOWN)));
                Err(format!("{} has no answer{}", asked.class, why.unwrap_or_default()))
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

async fn create(bridge: &Bridge, asked: &JavaFilter) -> Result<Filter, BridgeError> {
    let mut spec = Spec::new(ComponentKind::Filter, &asked.name, &asked.class);
    spec.properties.extend(asked.properties.clone());
    Filter::create(&bridge.jvm().await?, &spec).await
}

/// A class that is silent for so long is given up, with its JVM.
const PATIENCE: Duration = Duration::from_secs(30);

/// Of a log line, in characters.
const MOST_SHOWN: usize = 300;
