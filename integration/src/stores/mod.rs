//! Real stores from Maven Central, each a process on loopback.

mod hbase;
mod hdfs;
mod jvm;
mod kafka;
mod kdc;
mod name_service;
mod node;
mod s3proxy;
mod search;
mod secured_hdfs;
mod storm;
mod storm_cluster;

pub use hbase::{HBASE_USER, Hbase, flumes_hbase, of_kerberos};
pub use hdfs::{Files, Hdfs, hadoop_java, site};
pub use jvm::Jvm;
pub use kafka::{BROKER_USER, Broker, PASSWORD, Secured, USER, flumes_parts, key_store};
pub use kdc::Kdc;
pub use name_service::NameService;
pub use node::{FOLLOWS, Node, append, follows_into, lines, post, posted_into, until};
pub use s3proxy::S3Proxy;
pub use search::SearchNode;
pub use secured_hdfs::SecuredHdfs;
pub use storm::Storm;
pub use storm_cluster::StormCluster;
