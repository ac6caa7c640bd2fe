//! HDFS: lines in one file, or in one of each path; each batch is synced.

use crate::run::{MEMORY, Run, Side, Store};
use hdfs_native::{ClientBuilder, WriteOptions};
use integration::{
    duel::check::{self, Check},
    node::Error,
    stores,
};
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    process::Command,
};

pub(crate) struct Hdfs {
    store: stores::Hdfs,
    /// Bytes of the runs before.
    before: u64,
}

impl Hdfs {
    pub(crate) fn start() -> Result<Box<dyn Store>, Error> {
        Ok(Box::new(Hdfs { store: stores::Hdfs::start_fast(1, &[])?, before: 0 }))
    }
}

impl Store for Hdfs {
    fn flumes_part(&self) -> &'static str {
        "flume-hdfs"
    }

    fn prepare(&mut self, _: &Run) -> Result<(), Error> {
        self.before = block_bytes(self.store.directory());
        Ok(())
    }

    fn agent(&self, run: &Run) -> String {
        let state = format!("a1.sinks.k1.hdfs.stateDir = {}\n", run.directory.join("state").display());
        let own = if run.side == Side::Node { state.as_str() } else { "" };
        // One batch of each file in turn.
        let paths = if run.files == 1 { "" } else { PATHS };
        let below = if run.files == 1 { "" } else { "/%{basename}" };
        let path = format!("{}/{}{below}", self.store.url(), run.name);
        run.taildir() + MEMORY + &SINK.replace("PATH", &path) + paths + own
    }

    fn client(&self, run: &Run) -> Result<Command, Error> {
        let (batch, bytes) = (run.batch.to_string(), run.shape.bytes.to_string());
        let path = format!("/{}/lines", run.name);
        crate::own(&[CLIENT, &self.store.url(), &path, &run.input.display().to_string(), &batch, &bytes])
    }

    /// What the DataNode has of them.
    fn come(&mut self, run: &Run) -> Result<u64, Error> {
        let bytes = block_bytes(self.store.directory()).saturating_sub(self.before);
        Ok(bytes / run.shape.bytes as u64)
    }

    fn check(&mut self, run: &Run) -> Result<Check, Error> {
        let to = run.directory.join("read");
        self.store.ask(&format!("get /{} {}", run.name, to.display()))?;
        let files = all_files(&to).map_err(Error::io("cannot read what HDFS has given"))?;
        check::files(&files, run.shape, run.files).map_err(Error::io("cannot read what HDFS has given"))
    }
}

/// Of all blocks, complete or not, without their sums.
fn block_bytes(directory: &Path) -> u64 {
    let blocks = all_files(directory).unwrap_or_default();
    let is_block = |path: &&PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("blk_") && !name.ends_with(".meta")
    };
    blocks.iter().filter(is_block).filter_map(|path| Some(fs::metadata(path).ok()?.len())).sum()
}

/// By their names.
fn all_files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.extend(all_files(&entry.path()).unwrap_or_default());
        } else {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

const SINK: &str = "a1.sinks.k1.type = hdfs
a1.sinks.k1.hdfs.path = PATH
a1.sinks.k1.hdfs.fileType = DataStream
a1.sinks.k1.hdfs.rollInterval = 0
a1.sinks.k1.hdfs.rollSize = 0
a1.sinks.k1.hdfs.rollCount = 0
a1.sinks.k1.hdfs.batchSize = BATCH
a1.sinks.k1.hdfs.minBlockReplicas = 1
";

const PATHS: &str = "a1.sources.r1.basenameHeader = true
a1.sources.r1.maxBatchCount = 1
";

/// The word for [`client`].
pub(crate) const CLIENT: &str = "client-hdfs";

/// Writes the lines of a file to HDFS with `hdfs-native` alone, and syncs after each batch.
pub(crate) fn client(words: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let [url, path, input, batch, bytes] = words else { return Err("URL PATH INPUT BATCH BYTES".into()) };
    let size = batch.parse::<usize>()? * bytes.parse::<usize>()?;
    let mut input = File::open(input)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = ClientBuilder::new().with_url(url).build()?;
        let mut file = client.create(path, WriteOptions::default()).await?;
        loop {
            let mut batch = Vec::with_capacity(size);
            io::Read::by_ref(&mut input).take(size as u64).read_to_end(&mut batch)?;
            if batch.is_empty() {
                return Ok(file.close().await?);
            }
            file.write_bytes(batch.into()).await?;
            file.hsync().await?;
        }
    })
}
