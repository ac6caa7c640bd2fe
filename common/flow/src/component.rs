//! What a component is to the rest: what it says of itself, and how it is made from its properties.
//!
//! A component costs its own folder and one line in a table. The check and the start call the same `configure`: it is the
//! only place where properties are judged, and what it gives can make the component as often as it has to be built anew.

use crate::channel::NewChannel;
use crate::interceptor::{MakeElsewhere, MakeInterceptors};
use crate::processor::{Grouping, MakeGroup};
use crate::selector::MakeSelector;
use crate::sink::SinkContext;
use crate::source::MakeSource;
use plan::{
    Catalogue, ComponentPlan, Descriptor, Findings, GroupPlan, Plan, Problem, Properties, Report, SinkPlan,
    SourcePlan, Ties,
};
use runtime::build::BuildError;
use runtime::kerberos::Kerberos;
use runtime::net::TlsDefaults;
use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One type of component.
pub struct Component {
    /// What it says of itself.
    pub descriptor: Descriptor,
    /// How it is made.
    pub configure: Configure,
}

/// Judges the properties of one component: says what is wrong or doubtful, and how to make it; `None` when it cannot be.
/// It opens what the properties name to be read (a key store), and starts nothing.
pub enum Configure {
    /// A source.
    Source(fn(&Properties, &Site, &mut Findings<'_>) -> Option<MakeSource>),
    /// A channel.
    Channel(fn(&Properties, &Site, &mut Findings<'_>) -> Option<NewChannel>),
    /// A sink.
    Sink(fn(&Properties, &Site, &mut Findings<'_>) -> Option<MakeSink>),
    /// An interceptor; all of a source are made together.
    Interceptor(fn(&ComponentPlan, &Site, &mut Findings<'_>) -> Option<()>),
    /// A channel selector.
    Selector(fn(&Properties, &[String], &mut Findings<'_>) -> Option<MakeSelector>),
    /// A sink processor.
    Processor(fn(&GroupPlan, &mut Findings<'_>) -> Option<Grouping>),
    /// It is made by the component that it is a part of; this says what is doubtful in it.
    Part(fn(&Properties, &mut Findings<'_>)),
}

/// Of a part that has nothing to say.
pub const PART: Configure = Configure::Part(|_, _| {});

/// What all components of a process may need to be configured.
pub struct Site {
    tls_defaults: Arc<TlsDefaults>,
    properties: Arc<[(String, String)]>,
    shared: Shared,
    hosts: Option<Arc<dyn Hosts>>,
    kerberos: Option<Arc<dyn Kerberos>>,
    conf_dir: Option<PathBuf>,
}

/// Runs components that have no native version, in another process. What cannot run there is told in the report.
pub trait Hosts: Send + Sync {
    /// A source; its interceptors are with it when one of them has no native version.
    fn source(&self, plan: &SourcePlan, report: &mut Report) -> Option<MakeSource>;

    /// The interceptors of a native source when one of them has no native version, and its selector when that has none.
    fn chain(&self, plan: &SourcePlan, report: &mut Report) -> Option<MakeElsewhere>;

    /// A channel.
    fn channel(&self, plan: &ComponentPlan, report: &mut Report) -> Option<NewChannel>;

    /// A sink of `agent`.
    fn sink(&self, plan: &SinkPlan, agent: &Plan, report: &mut Report) -> Option<NewSink>;

    /// A group's processor; its sinks are wherever they are.
    fn group(&self, plan: &GroupPlan, report: &mut Report) -> Option<MakeGroup>;
}

/// What components of one agent know of each other, of a type that only they know.
pub type Shared = Arc<dyn Any + Send + Sync>;

impl Site {
    /// This process. `properties` are Java's system properties, as given with `-D`; those about TLS count for every
    /// component that says nothing itself.
    pub fn new(properties: &[(String, String)]) -> Site {
        Site::of(properties, TlsDefaults::new(properties, |name| std::env::var(name).ok()))
    }

    /// As [`Site::new`], with this environment.
    pub fn with(properties: &[(String, String)], environment: &[(String, String)]) -> Site {
        let variable = |name: &str| environment.iter().rev().find(|(key, _)| key == name);
        let variable = |name: &str| variable(name).map(|(_, value)| value.clone());
        Site::of(properties, TlsDefaults::new(properties, variable))
    }

    fn of(properties: &[(String, String)], tls_defaults: TlsDefaults) -> Site {
        let (tls_defaults, properties) = (Arc::new(tls_defaults), properties.into());
        Site { tls_defaults, properties, shared: Arc::new(()), hosts: None, kerberos: None, conf_dir: None }
    }

    /// The same process, for an agent whose components share this.
    pub fn sharing(&self, shared: Shared) -> Site {
        let (tls_defaults, hosts) = (self.tls_defaults.clone(), self.hosts.clone());
        Site {
            tls_defaults,
            properties: self.properties.clone(),
            shared,
            hosts,
            kerberos: self.kerberos.clone(),
            conf_dir: self.conf_dir.clone(),
        }
    }

    /// The same process, with this configuration directory (`-c`).
    #[must_use]
    pub fn configured_in(self, conf_dir: Option<PathBuf>) -> Site {
        Site { conf_dir, ..self }
    }

    /// The configuration directory, which comes first on Flume's class path.
    pub fn conf_dir(&self) -> Option<&Path> {
        self.conf_dir.as_deref()
    }

    /// The same process, with what runs components that have no native version.
    #[must_use]
    pub fn hosting(self, hosts: Arc<dyn Hosts>) -> Site {
        Site { hosts: Some(hosts), ..self }
    }

    /// The same process, with what logs in by Kerberos.
    #[must_use]
    pub fn logging_in(self, kerberos: Arc<dyn Kerberos>) -> Site {
        Site { kerberos: Some(kerberos), ..self }
    }

    /// What logs in by Kerberos, if anything does.
    pub fn kerberos(&self) -> Option<&Arc<dyn Kerberos>> {
        self.kerberos.as_ref()
    }

    /// What runs components that have no native version.
    pub(crate) fn hosts(&self) -> Option<&dyn Hosts> {
        self.hosts.as_deref()
    }

    /// Java's system properties, in the order in which they were given.
    pub fn properties(&self) -> &[(String, String)] {
        &self.properties
    }

    /// What the process says about TLS.
    pub fn tls_defaults(&self) -> &TlsDefaults {
        &self.tls_defaults
    }

    /// What the components of this agent share, or nothing in particular.
    pub fn shared<T: Any + Send + Sync + Default>(&self) -> Arc<T> {
        self.shared.clone().downcast().unwrap_or_default()
    }
}

/// The components of a build: all that is needed to make an assembly of a plan.
pub struct Components {
    families: Vec<&'static [&'static Component]>,
    names: Catalogue,
    pub(crate) interceptors: MakeInterceptors,
    pub(crate) together: Together,
    pub(crate) ties: Ties,
}

/// Judges what components of one agent do to each other, and says what they share.
pub type Together = fn(&Plan, &mut Report) -> Shared;

impl Components {
    /// Of all these, and the names of what Flume has and this build may not have.
    pub fn new(
        families: &[&'static [&'static Component]],
        missing: &'static [Descriptor],
        interceptors: MakeInterceptors,
        together: Together,
        ties: Ties,
    ) -> Components {
        let here = families.iter().flat_map(|family| family.iter().map(|component| &component.descriptor));
        let has = |class| here.clone().any(|here| here.names.class == class);
        let missing = missing.iter().filter(|missing| !has(missing.names.class));
        let names = Catalogue::new(here.clone().chain(missing));
        Components { families: families.to_vec(), names, interceptors, together, ties }
    }

    /// What a file may name.
    pub fn names(&self) -> &Catalogue {
        &self.names
    }

    /// What a source of a plan depends on besides its own properties.
    pub fn ties(&self) -> Ties {
        self.ties
    }

    /// The component of this type, if it runs here.
    pub(crate) fn find(&self, descriptor: &'static Descriptor) -> Option<&'static Component> {
        let all = self.families.iter().flat_map(|family| family.iter().copied());
        all.into_iter().find(|component| component.descriptor.names.class == descriptor.names.class)
    }
}

/// What came of building something: its notes and its refusal are findings.
pub fn told<T>(built: Result<T, BuildError>, notes: Vec<String>, findings: &mut Findings<'_>) -> Option<T> {
    for note in notes {
        let problem = Problem::warning("note", &findings.owner.at.clone(), note);
        findings.add(problem);
    }
    match built {
        Ok(built) => Some(built),
        Err(error) => {
            findings.refuse(&error.key, &error.what);
            None
        }
    }
}

/// Starts a sink; an error is in an operator's words, and the start is tried again later.
pub type MakeSink = Box<dyn Fn(SinkContext) -> Result<crate::processor::SinkAddress, String> + Send>;

/// A sink that can be started.
pub struct NewSink {
    /// Its name in the configuration.
    pub name: String,
    /// Events it wants at a time.
    pub batch_size: usize,
    /// Makes it, as often as it has to be built anew.
    pub make: MakeSink,
}
