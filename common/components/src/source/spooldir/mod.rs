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

use crate::source::taildir::OwnFiles;
use config::{Config, PROPERTIES};
use flow::component::{Component, Configure};
use flow::source::{Source, SourceContext, Stopping};
use futures_util::future::LocalBoxFuture;
use plan::{Descriptor, Kind};
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
        match Config::new(properties, site.shared::<OwnFiles>()) {
            Ok(config) => {
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

/// A spooldir source. At a stop, the batch under way is stored, or read again with the next start.
struct SpoolDir(Arc<Config>);

impl Source for SpoolDir {
    fn run(self: Box<Self>, context: SourceContext, stop: Stopping) -> LocalBoxFuture<'static, ()> {
        Box::pin(run::run(self.0, context, stop))
    }
}
