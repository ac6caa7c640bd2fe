//! The HDFS sink, without a JVM.

mod format;
mod path;
mod policy;
#[cfg(test)]
mod testing;
