//! From files, environment and properties to a plan.

use crate::{
    catalogue::COMPONENTS,
    external,
    jvm::{self, Given},
};
use flow::{Assembly, Site};
use hosted::{Host, Hosting};
use jiff::Zoned;
use plan::{Loaded, Options, Place, Plan, Problem, Report, Sources};
use runtime::net::TlsDefaults;
use std::{path::PathBuf, sync::Arc};

/// What to load.
pub(crate) struct Wanted<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) files: &'a [PathBuf],
    pub(crate) properties: &'a [(String, String)],
    pub(crate) strict_flume: bool,
    /// Where a JVM comes from, should a component need one.
    pub(crate) jvm: Given,
}

/// What came of it.
pub(crate) struct Checked {
    /// Everything that is wrong or doubtful.
    pub(crate) report: Report,
    /// What to start; `None` when the report has errors.
    pub(crate) assembly: Option<Assembly>,
    /// What runs in a JVM, if anything does.
    pub(crate) java: Option<Java>,
    /// Where counters are served, if they are.
    pub(crate) monitoring: Option<monitor::Settings>,
}

/// A plan with components that run in a JVM, and what runs them.
pub(crate) struct Java {
    plan: Plan,
    hosting: Arc<Hosting>,
}

impl Java {
    /// Whether their classes are there and take their properties goes into `report`.
    pub(crate) fn probe(&self, report: &mut Report) {
        // The system refuses this only where nothing else would run.
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        let silent = slog::Logger::root(slog::Discard, slog::o!());
        runtime.block_on(self.hosting.probe(&self.plan, &silent, report));
    }
}

/// Reads and checks an agent's configuration, to the point where it only has to be started.
///
/// # Errors
/// What is missing on the command line, for people.
pub(crate) fn load(wanted: &Wanted<'_>) -> Result<Checked, String> {
    if wanted.files.is_empty() {
        return Err("no configuration: give a properties file with -f FILE".to_owned());
    }
    let variables = std::env::vars_os();
    let sources = Sources {
        files: wanted.files.to_vec(),
        environment: variables
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
        properties: wanted.properties.to_vec(),
        now: Zoned::now(),
    };
    let options = Options {
        strict_flume: wanted.strict_flume,
        external: external::ask,
        waiting: |what| eprintln!("{what}"),
        ..Options::new(COMPONENTS.names())
    };
    let loaded = plan::load(&sources, wanted.name.unwrap_or_default(), &options);
    if wanted.name.is_none() {
        return Err(no_name(wanted, &loaded));
    }
    let Loaded { plan, mut report, .. } = loaded;
    let given = wanted.jvm.clone();
    let hosting = Arc::new(Hosting::new(Host::new(Box::new(move || jvm::find(&given)))));
    let site = Site::new(wanted.properties).hosting(hosting.clone());
    let assembly = plan.as_ref().and_then(|plan| flow::configure(plan, &COMPONENTS, &site, &mut report));
    let monitoring = monitoring(wanted.properties, &mut report);
    let java = plan.filter(Plan::needs_java).map(|plan| Java { plan, hosting });
    Ok(Checked { assembly: assembly.filter(|_| !report.has_errors()), report, java, monitoring })
}

/// Where counters are served; what is wrong or doubtful of it is told with the rest.
fn monitoring(properties: &[(String, String)], report: &mut Report) -> Option<monitor::Settings> {
    let at = Place::whole("command line");
    let tls_defaults = TlsDefaults::new(properties, |name| std::env::var(name).ok());
    let mut notices = Vec::new();
    let settings = monitor::Settings::of(properties, &tls_defaults, &mut notices);
    for notice in notices {
        report.add(Problem::warning("monitoring", &at, notice));
    }
    let wrong = |what| Problem::error("monitoring", &at, what).flume("logs a warning and serves no counters");
    let settings = settings.map_err(|what| report.add(wrong(what))).ok().flatten();
    report.sort();
    settings
}

/// Which names there are, for one who gave none.
fn no_name(wanted: &Wanted<'_>, loaded: &Loaded) -> String {
    let files = wanted.files.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    let names = match &loaded.agents[..] {
        [] => unreadable(&loaded.report).unwrap_or_else(|| format!("{files} names no agent")),
        names => format!("{files} names: {}", names.join(", ")),
    };
    format!("which agent? Give its name with -n NAME; {}", plan::cut(&names, MOST_SHOWN))
}

/// Bytes of a list of names.
const MOST_SHOWN: usize = 1000;

fn unreadable(report: &Report) -> Option<String> {
    report
        .problems
        .iter()
        .find(|problem| problem.code == "unreadable-file")
        .map(|problem| problem.what.clone())
}
