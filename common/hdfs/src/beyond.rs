//! What a file asks of the HDFS sink that only Hadoop's own client can do: such a sink runs in a JVM.

use crate::format::Codec;
use plan::Written;

pub(crate) fn beyond(written: &Written<'_>) -> Option<String> {
    let scheme = written.get("hdfs.path").and_then(|path| path.split_once(":/")).map(|(scheme, _)| scheme);
    if let Some(scheme) = scheme.filter(|scheme| is_foreign(scheme)) {
        let whose =
            if scheme.eq_ignore_ascii_case("s3n") { "the client of Hadoop 2" } else { "Hadoop's own client" };
        return Some(format!("only {whose} has `{scheme}://`, in its `hdfs.path`"));
    }
    let codec = written.get("hdfs.codeC").filter(|name| !name.eq_ignore_ascii_case("none"))?;
    Codec::for_name(codec).is_none().then(|| format!("only Hadoop's own client has `hdfs.codeC = {codec}`"))
}

/// Whether it may be a scheme, and is none that is known here.
fn is_foreign(scheme: &str) -> bool {
    let sign = |sign: char| sign.is_ascii_alphanumeric() || "+-.".contains(sign);
    !scheme.is_empty()
        && scheme.chars().all(sign)
        && !["file", "hdfs", "viewfs", "s3a"].iter().any(|known| known.eq_ignore_ascii_case(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_or_a_codec_of_hadoops_own_is_for_a_jvm() {
        for (key, value, for_jvm) in [
            ("hdfs.path", "abfs://box@account/x", true),
            ("hdfs.path", "gs://bucket/%Y", true),
            ("hdfs.path", "HDFS://n/x", false),
            ("hdfs.path", "file:/x", false),
            ("hdfs.path", "/logs/%Y:/x", false),
            ("hdfs.codeC", "brotli", true),
            ("hdfs.codeC", "com.hadoop.compression.fourmc.FourMcCodec", true),
            ("hdfs.codeC", "lzop", false),
            ("hdfs.codeC", "gzip", false),
            ("hdfs.codeC", "none", false),
            ("hdfs.codeC", "", false),
        ] {
            let told = beyond(&Written::new([(key, value)]));
            assert_eq!(told.is_some(), for_jvm, "{key} = {value}: {told:?}");
            assert!(told.is_none_or(|told| told.contains(key)));
        }
    }
}
