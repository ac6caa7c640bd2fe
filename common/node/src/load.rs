//! From texts, environment and properties to a plan.

use crate::{
    catalogue::COMPONENTS,
    filters::Filters,
    jmx,
    jvm::{self, Given},
    origin::Read,
};
use bridge::BridgeError;
use flow::counters::{Elsewhere, Registry};
use flow::{Assembly, Site};
use hosted::{Host, Hosting, Jmx, Shown};
use jiff::Zoned;
use plan::{Fate, Loaded, Options, Place, Plan, Problem, Report, Severity, Sources, Without};
use runtime::{kerberos::Kerberos, net::TlsDefaults};
use std::sync::Arc;

/// What to load.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) name: Option<String>,
    pub(crate) properties: Vec<(String, String)>,
    pub(crate) strict_flume: bool,
    /// Whether an agent that Flume runs in part starts in part.
    pub(crate) in_part: bool,
    /// Where a JVM comes from, should a component need one.
    pub(crate) jvm: Given,
    /// What logs in by Kerberos.
    pub(crate) kerberos: Arc<dyn Kerberos>,
}

impl Wanted {
    /// How texts are read.
    pub(crate) fn options(&self) -> Options {
        Options {
            strict_flume: self.strict_flume,
            answers: Arc::new(Filters::new(self.jvm.clone())),
            waiting: |what| eprintln!("{what}"),
            ..Options::new(COMPONENTS.names())
        }
    }
}

/// What came of it.
pub(crate) struct Checked {
    /// Everything that is wrong or doubtful.
    pub(crate) report: Report,
    /// What to start; `None` when the report has errors.
    pub(crate) assembly: Option<Assembly>,
    /// What runs in a JVM, if anything does.
    pub(crate) java: Option<Java>,
    /// Where counters are served, if they are; of the first load.
    pub(crate) monitoring: Option<monitor::Settings>,
    /// What shows them in a JVM, if that is asked for and there is one; of the first load.
    pub(crate) jmx: Option<Showing>,
}

impl Checked {
    /// Whether what is asked of a JVM can be done goes into the report.
    pub(crate) fn probe(&mut self) {
        if let Some(java) = &self.java {
            java.probe(None, &mut self.report);
        }
        if let Some(jmx) = &self.jmx {
            jmx.probe(&mut self.report);
        }
    }

    /// Whether what is not in `known` can be created in a JVM goes into the report. With an error there is nothing to start.
    pub(crate) fn probe_new(&mut self, known: &Plan) {
        let (Some(java), Some(_)) = (&self.java, &self.assembly) else { return };
        java.probe(Some(known), &mut self.report);
        if self.report.has_errors() {
            self.assembly = None;
        }
    }

    /// What asks a JVM for the counters of its components, if there is or may be one.
    pub(crate) fn elsewhere(&self) -> Option<Elsewhere> {
        let hosting = self.java.as_ref().map(|java| &java.hosting);
        hosting.or(self.jmx.as_ref().map(|jmx| &jmx.hosting)).map(|hosting| hosting.counters())
    }
}

/// Counters that are wanted in a JVM, and what has it.
pub(crate) struct Showing {
    hosting: Arc<Hosting>,
    wanted: Jmx,
}

impl Showing {
    /// From now on.
    ///
    /// # Errors
    /// Why there is no JVM for it.
    pub(crate) fn begin(self, counters: Registry, log: slog::Logger) -> Result<Shown, BridgeError> {
        self.hosting.show(self.wanted, counters, Box::new(jmx::beans), log)
    }

    fn probe(&self, report: &mut Report) {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        let silent = slog::Logger::root(slog::Discard, slog::o!());
        if let Err(error) = runtime.block_on(self.hosting.probe_monitor(&self.wanted, &silent)) {
            report.add(no_monitor(&error.to_string()));
            report.sort();
        }
    }
}

/// A plan with components that run in a JVM, and what runs them.
pub(crate) struct Java {
    plan: Plan,
    hosting: Arc<Hosting>,
    in_part: bool,
}

impl Java {
    /// Whether their classes are there and take their properties goes into `report`; with a plan that is `known`, only those of
    /// what is not in it.
    fn probe(&self, known: Option<&Plan>, report: &mut Report) {
        // The system refuses this only where nothing else would run.
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        let (before, silent) = (report.problems.len(), slog::Logger::root(slog::Discard, slog::o!()));
        runtime.block_on(async {
            match known {
                None => self.hosting.probe(&self.plan, &silent, report).await,
                Some(known) => self.hosting.probe_new(&self.plan, known, &silent, report).await,
            }
        });
        if self.in_part && before < report.problems.len() && matches!(report.fate(), Fate::Part(_)) {
            report.problems.iter_mut().for_each(tried_again);
        }
    }
}

/// What fails in the JVM does not keep the rest from running.
fn tried_again(problem: &mut Problem) {
    if problem.severity == Severity::Error && ["no-such-class", "class-refuses"].contains(&problem.code) {
        problem.severity = Severity::Warning;
        problem.here = "it is made again and again, and the rest runs".to_owned();
    }
}

/// Makes plans and assemblies of texts, as often as they change. All else stays as it was at the start, the time of
/// `${date:...}` too: what the texts do not change is not changed.
pub(crate) struct Loader {
    wanted: Wanted,
    sources: Sources,
    /// What runs components in a JVM, of the configuration that was loaded last: one that comes uses the same JVM.
    hosting: Option<Arc<Hosting>>,
    /// Whether anything was loaded yet.
    loaded: bool,
    /// What was taken last.
    taken: Plan,
    /// Whether the JVM shows the counters: it is there also when no component needs it.
    shows: bool,
    /// Where the counters of components in a JVM are asked for.
    counters: Option<Registry>,
}

impl Loader {
    /// For the agent that is `wanted`.
    pub(crate) fn new(wanted: Wanted) -> Loader {
        let variables = std::env::vars_os();
        let sources = Sources {
            files: Vec::new(),
            environment: variables
                .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            properties: wanted.properties.clone(),
            now: Zoned::now(),
        };
        let (hosting, taken, counters) = (None, Plan::default(), None);
        Loader { wanted, sources, hosting, loaded: false, taken, shows: false, counters }
    }

    /// Remembers what is to run, if it is: that is not looked at again.
    pub(crate) fn taken(&mut self, checked: &Checked) {
        if let Some(assembly) = &checked.assembly {
            self.taken = assembly.plan.clone();
        }
    }

    /// The same as [`Loader::load`] for an agent that runs: what of it is new in the JVM is created there once, beside the one that
    /// runs, so that a class which is missing or refuses stops nothing.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn load_again(&mut self, read: Read) -> Result<Checked, String> {
        let mut checked = self.load(read)?;
        checked.probe_new(&self.taken);
        self.taken(&checked);
        Ok(checked)
    }

    /// The counters of a JVM that a later configuration needs first are asked for in `counters`.
    pub(crate) fn counting_in(self, counters: Registry) -> Loader {
        Loader { counters: Some(counters), ..self }
    }

    /// Checks an agent's configuration, to the point where it only has to be started.
    ///
    /// # Errors
    /// What is missing on the command line, for people.
    pub(crate) fn load(&mut self, read: Read) -> Result<Checked, String> {
        let Read { names, texts, mut report } = read;
        let name = self.wanted.name.as_deref().unwrap_or_default();
        let options = self.wanted.options();
        let loaded = if report.has_errors() {
            report.sort();
            Loaded { plan: None, report, agents: Vec::new() }
        } else {
            plan::load_texts(&texts, &self.sources, name, &options)
        };
        if self.wanted.name.is_none() {
            return Err(no_name(&names, &loaded));
        }
        let hosting = self.hosting.clone().unwrap_or_else(|| self.new_hosting());
        let site = Site::new(&self.wanted.properties)
            .configured_in(self.wanted.jvm.conf.clone())
            .logging_in(self.wanted.kerberos.clone())
            .hosting(hosting.clone());
        let configured = |Loaded { plan, mut report, .. }: Loaded| {
            let assembly =
                plan.as_ref().and_then(|plan| flow::configure(plan, &COMPONENTS, &site, &mut report));
            (plan, assembly, report)
        };
        let (mut plan, mut assembly, mut report) = configured(loaded);
        if self.wanted.in_part && report.has_errors() {
            let load = |without: &Without| {
                configured(plan::load_without(&texts, &self.sources, name, &options, without))
            };
            if let Some(part) = in_part(&report, load) {
                (plan, assembly, report) = part;
            }
        }
        drop(options); // with a JVM that config filters were asked in
        // A change of the texts does not change what the command line says.
        let first = !std::mem::replace(&mut self.loaded, true);
        let monitoring = first.then(|| self.monitoring(&mut report)).flatten();
        let jmx = first.then(|| self.jmx(&hosting, &mut report)).flatten();
        self.shows |= jmx.is_some();
        let shows = self.shows.then(|| hosting.clone());
        if first {
            let has_jvm = self.shows || plan.as_ref().is_some_and(Plan::needs_java);
            self.environment(has_jvm, &mut report);
        }
        let java =
            plan.filter(Plan::needs_java).map(|plan| Java { plan, hosting, in_part: self.wanted.in_part });
        let assembly = assembly.filter(|_| !report.has_errors());
        if assembly.is_some() {
            if let (Some(java), Some(counters), None) = (&java, &self.counters, &self.hosting) {
                counters.add_elsewhere(java.hosting.counters());
            }
            self.hosting = java.as_ref().map(|java| java.hosting.clone()).or(shows);
        }
        Ok(Checked { assembly, report, java, monitoring, jmx })
    }

    /// Where counters are served: `flume-env.sh` counts, and the command line before it.
    fn monitoring(&self, report: &mut Report) -> Option<monitor::Settings> {
        let script = self.wanted.jvm.env_file.of_monitoring();
        let all: Vec<(String, String)> = script.chain(&self.wanted.properties).cloned().collect();
        monitoring(&all, report)
    }

    /// What `flume-env.sh` sets and does not count here is told with the rest.
    fn environment(&self, has_jvm: bool, report: &mut Report) {
        if let Some(notice) = self.wanted.jvm.env_file.notice(has_jvm) {
            report.add(Problem::warning("environment", &Place::whole("flume-env.sh"), notice));
            report.sort();
        }
    }

    /// What is to be shown in a JVM; what there is not for it is told with the rest.
    fn jmx(&self, hosting: &Arc<Hosting>, report: &mut Report) -> Option<Showing> {
        let script = self.wanted.jvm.env_file.handed_on();
        let at = Place::whole("command line");
        if let Some(notice) = jmx::notice(script, &self.wanted.properties) {
            report.add(Problem::warning("monitoring", &at, notice));
            report.sort();
        }
        let wanted = jmx::wanted(script, &self.wanted.properties)?;
        let found = hosting.look();
        report.add(match &found {
            Ok(()) => Problem::note("runs-in-java", &at, jmx::says(&wanted)),
            Err(searched) => {
                no_monitor(&format!("{} needs a JVM with Flume's jars: {searched}", jmx::title(&wanted)))
            }
        });
        report.sort();
        found.ok().map(|()| Showing { hosting: hosting.clone(), wanted })
    }

    fn new_hosting(&self) -> Arc<Hosting> {
        let given = self.wanted.jvm.clone();
        Arc::new(Hosting::new(Host::new(Box::new(move || jvm::find(&given)))))
    }
}

/// An agent as far as it was understood, what is to start of it, and what is wrong with it.
type Configured = (Option<Plan>, Option<Assembly>, Report);

/// What Flume leaves of an agent with `report`, and what it leaves of that, until it starts; `None` when it does not.
fn in_part(report: &Report, load: impl Fn(&Without) -> Configured) -> Option<Configured> {
    let mut without = Without::default().and(report)?;
    let mut before = vec![report.clone()];
    loop {
        let (plan, assembly, mut report) = load(&without);
        if !report.has_errors() {
            report.started_without(&without, &before);
            return Some((plan, assembly, report));
        }
        without = without.and(&report)?;
        before.push(report);
    }
}

/// About counters that are not shown in a JVM, whatever the reason.
fn no_monitor(why: &str) -> Problem {
    let at = Place::whole("command line");
    Problem::warning("monitoring", &at, format!("{why}; the agent runs without it"))
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
fn no_name(names: &[String], loaded: &Loaded) -> String {
    let files = names.join(", ");
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
