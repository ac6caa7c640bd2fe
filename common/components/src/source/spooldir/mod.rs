//! `spooldir`: takes the files that are put into a directory, one after another, and says of each that it is finished.
//!
//! A file is whole when it is put there. How far it is read stands in Flume's meta file, below `trackerDir`. A scan lists
//! the files; [`Arrivals`](arrivals::Arrivals) hears of new ones; [`Reading`](read::Reading) reads one;
//! [`Spool`](run::Spool) sends its events on.
//!
//! Other than Flume: a file that cannot be read on or finished is set aside with a reason, and the source goes on; what
//! was being read is read on first after a start; a file that is still being written is waited for where the kernel tells.

mod arrivals;
mod aside;
mod config;
mod deliver;
mod finish;
mod hold;
mod meta;
mod policy;
mod read;
mod run;
mod scan;
#[cfg(test)]
mod tests;
mod tracker;

use crate::directory;
use crate::source::taildir::OwnFiles;
use config::{Config, PROPERTIES};
use flow::component::{Component, Configure};
use flow::source::{Source, SourceContext, Stopping};
use futures_util::future::LocalBoxFuture;
use java::{glob_as_regex, looks_like_glob};
use plan::{Descriptor, Findings, Kind, Problem, Properties, quoted};
use std::sync::Arc;

/// Its row in the catalogue.
pub(crate) const COMPONENT: Component = Component {
    descriptor: Descriptor::new(
        Kind::Source,
        "spooldir",
        "org.apache.flume.source.SpoolDirectorySource",
        &[PROPERTIES],
    )
    .mistaken(&[("spool", ""), ("spooldirectory", "")])
    .batch("batchSize")
    .blocks(),
    configure: Configure::Source(|properties, site, findings| {
        globs(properties, findings);
        match Config::new(properties, site.shared::<OwnFiles>()) {
            Ok(config) => {
                let (flume, here) = (
                    "does not start the source, and tries again every 3 s",
                    "the source reads nothing until then",
                );
                directory::tell(findings, "spoolDir", hold::look(&config), flume, here);
                let config = Arc::new(config);
                Some(Box::new(move || Box::new(SpoolDir(config.clone()))))
            }
            Err((key, what)) => {
                findings.refuse(key, &what);
                None
            }
        }
    }),
};

/// A shell's pattern where a regular expression belongs matches other files than it seems to.
fn globs(properties: &Properties, findings: &mut Findings<'_>) {
    for key in ["includePattern", "ignorePattern"] {
        let Some(value) = properties.text(key).filter(|value| looks_like_glob(value)) else { continue };
        let Some(meant) = glob_as_regex(value) else { continue };
        let what = format!(
            "`{}` is a regular expression, where `*` and `?` repeat the letter in front of them, and looks like a pattern of a shell: {}",
            findings.key(key),
            quoted(value)
        );
        let problem = Problem::warning("glob", &findings.at(key).clone(), what)
            .flume("takes it for a regular expression, which has to match the whole name of a file")
            .here("the same");
        findings.add(problem.fix(format!("`{} = {meant}`", findings.key(key))));
    }
}

/// A spooldir source. At a stop, the batch under way is stored, or read again with the next start.
struct SpoolDir(Arc<Config>);

impl Source for SpoolDir {
    fn run(self: Box<Self>, context: SourceContext, stop: Stopping) -> LocalBoxFuture<'static, ()> {
        Box::pin(run::run(self.0, context, stop))
    }
}
