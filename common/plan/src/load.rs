//! From the names of files to a plan: the one place that reads files.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Zoned;

use crate::check::{Question, check};
use crate::component::Catalogue;
use crate::input;
use crate::layers::{Text, merge};
use crate::part::Without;
use crate::place::Place;
use crate::plan::Plan;
use crate::problem::Problem;
use crate::report::Report;
use crate::secret::Secret;
use crate::secret::Secrets;
use crate::substitute::{Lookups, substitute};

/// A pipe in place of a file, such as `-f <(...)`, may keep us waiting for so long, in seconds.
const PATIENCE_SECONDS: u32 = 10;

/// A file larger than this is not a configuration, in bytes.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// What a plan is made from.
#[derive(Clone, Default)]
pub struct Sources {
    /// In the order of their `-f`; a later one wins key by key.
    pub files: Vec<PathBuf>,
    /// The environment: `${env:NAME}`, and `FLUME__AGENT__sources__NAME__KEY` over the files.
    pub environment: Vec<(String, String)>,
    /// What was given with `-DKEY=VALUE`: `${sys:KEY}`, and over all else where a key begins with an agent's name.
    pub properties: Vec<(String, String)>,
    /// The time and zone of `${date:FORMAT}`.
    pub now: Zoned,
}

/// Shows no value.
impl fmt::Debug for Sources {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.properties.iter().map(|(name, _)| name).collect::<Vec<_>>();
        let variables = self.environment.len();
        write!(out, "Sources {{ files: {:?}, {variables} variables, properties: {names:?} }}", self.files)
    }
}

/// Where a `hadoop` config filter looks.
#[derive(Clone, Debug)]
pub struct CredentialStore {
    /// Of [`CredentialStore::PROVIDERS`]: `jceks://file/PATH`, several of them between commas.
    pub providers: String,
    /// Of [`CredentialStore::PASSWORD_FILE`].
    pub password_file: Option<PathBuf>,
    /// `HADOOP_CREDSTORE_PASSWORD` in the environment, which wins over the file.
    pub password: Option<Secret>,
}

impl CredentialStore {
    /// The key that names the stores.
    pub const PROVIDERS: &str = "credential.provider.path";
    /// The key that names the file of their password.
    pub const PASSWORD_FILE: &str = "credstore.java-keystore-provider.password-file";
}

/// A config filter that is a Java class.
#[derive(Clone)]
pub struct JavaFilter {
    /// `f1`
    pub name: String,
    /// Its class.
    pub class: String,
    /// Its properties, as Flume hands them over.
    pub properties: BTreeMap<String, String>,
}

/// Shows no value.
impl fmt::Debug for JavaFilter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {} {:?}", self.name, self.class, self.properties.keys())
    }
}

/// Asks config filters, each for one key: the answer, or why there is none. Nothing is asked unless somebody says how.
pub trait Answers: fmt::Debug + Send + Sync {
    /// Of `external`: runs the command with the key behind it and answers the first line.
    ///
    /// # Errors
    /// Why there is no answer, for people; so of the others.
    fn external(&self, command: &[String], key: &str) -> Result<String, String> {
        let _ = (command, key);
        Err("commands are not run here".to_string())
    }

    /// Of `hadoop`: looks for the key in a credential store.
    fn hadoop(&self, store: &CredentialStore, key: &str) -> Result<String, String> {
        let _ = (store, key);
        Err("credential stores are not opened here".to_string())
    }

    /// Of a class of the operator's own.
    fn java(&self, filter: &JavaFilter, key: &str) -> Result<String, String> {
        let _ = (filter, key);
        Err("Java classes are not run here".to_string())
    }
}

#[derive(Debug)]
struct NoAnswers;

impl Answers for NoAnswers {}

/// How strict to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// What a file may name.
    pub catalogue: &'static Catalogue,
    /// Leaves what reads like a comment behind a value in it, as Flume does.
    pub strict_flume: bool,
    /// Asks config filters.
    pub answers: Arc<dyn Answers>,
    /// Is told what is waited for, when a file turns out to be a pipe and nothing comes.
    pub waiting: fn(what: &str),
}

impl Options {
    /// As Flume reads a file but for comments behind values; config filters are not asked.
    pub fn new(catalogue: &'static Catalogue) -> Options {
        Options { catalogue, strict_flume: false, answers: Arc::new(NoAnswers), waiting: |_| {} }
    }
}

/// What came of a load.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What to run, as far as sense could be made of it; `None` when there is nothing of that agent. What has errors is
    /// for a look and not for running.
    pub plan: Option<Plan>,
    /// Everything that is wrong or doubtful.
    pub report: Report,
    /// The agents that the files name, in the order in which they stand.
    pub agents: Vec<String>,
}

/// Reads the files and makes the plan of `agent`. A file that cannot be read is an error in the report.
pub fn load(sources: &Sources, agent: &str, options: &Options) -> Loaded {
    let mut report = Report::default();
    let texts = read_files(&sources.files, options, &mut report);
    if report.has_errors() {
        return Loaded { plan: None, report, agents: Vec::new() };
    }
    load_texts(&texts, sources, agent, options)
}

/// The texts of `files`, in their order. One that cannot be read is an error in the report, and so is it when there are none.
pub fn read_files(files: &[PathBuf], options: &Options, report: &mut Report) -> Vec<Text> {
    if files.is_empty() {
        let problem =
            Problem::error("no-file", &Place::whole("command line"), "no configuration file is given");
        report.add(problem.flume("ends with exit code 0").fix("`-f FILE`"));
    }
    files.iter().filter_map(|path| read(path, options, report)).collect()
}

/// As [`load`], from texts in place of the files that `sources` names.
pub fn load_texts(texts: &[Text], sources: &Sources, agent: &str, options: &Options) -> Loaded {
    load_without(texts, sources, agent, options, &Without::default())
}

/// The same of an agent without some of its parts, as if they were not in the texts.
pub fn load_without(
    texts: &[Text],
    sources: &Sources,
    agent: &str,
    options: &Options,
    without: &Without,
) -> Loaded {
    let mut report = Report::default();
    let mut merged = merge(texts, &sources.environment, &sources.properties, &mut report);
    let agents = merged.agents.clone();
    let Sources { environment, properties, now, .. } = sources;
    let mut secrets = Secrets::default();
    let lookups = Lookups { environment, properties, now };
    let used = substitute(&mut merged.entries, &lookups, &mut secrets, &mut report);
    secrets.leave_open(merged.entries.iter().map(|entry| (entry.key.as_str(), entry.value.as_str())));
    without.cut(&mut merged.entries);
    let at = Place::whole(texts.first().map_or("command line", |text| text.name.as_str()));
    let in_part = *without != Without::default();
    let question = Question { agent, options, environment, used: &used, at, in_part };
    let plan = check(merged, question, &mut secrets, &mut report);
    report.hide(secrets);
    report.sort();
    Loaded { plan, report, agents }
}

fn read(path: &Path, options: &Options, report: &mut Report) -> Option<Text> {
    let name = path.display().to_string();
    let place = Place::whole(name.as_str());
    let bytes = match input::read(path, MAX_FILE_BYTES, PATIENCE_SECONDS, &options.waiting) {
        Ok(bytes) => bytes,
        Err(error) => {
            let problem = Problem::error("unreadable-file", &place, format!("cannot read `{name}`: {error}"));
            let flume = if error.kind() == std::io::ErrorKind::TimedOut {
                "waits for ever, silently"
            } else {
                "ends with exit code 0"
            };
            report.add(problem.flume(flume).fix("`-f` with the path of a file that can be read"));
            return None;
        }
    };
    if bytes.len() as u64 > MAX_FILE_BYTES {
        let what = format!("`{name}` has more than {} MiB: that is no configuration", MAX_FILE_BYTES >> 20);
        report.add(
            Problem::error("unreadable-file", &place, what).fix("`-f` with the path of a properties file"),
        );
        return None;
    }
    Some(Text { name, bytes })
}
