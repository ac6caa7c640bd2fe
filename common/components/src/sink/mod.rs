//! Where events leave: other collectors, files, the console.

pub(crate) mod avro;
pub(crate) mod file_roll;
pub(crate) mod http;
pub(crate) mod logger;
pub(crate) mod null;
pub(crate) mod thrift;
