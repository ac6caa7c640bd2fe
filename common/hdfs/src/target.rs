//! The file system that `hdfs.path` names, and the keys that may not stand in it.

use crate::store::{Bucket, SiteFiles};
use plan::{Findings, Problem};

/// A file system.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// `file://`
    Local,
    /// `hdfs://`, `viewfs://`, or what `fs.defaultFS` says.
    Hadoop,
    /// `s3a://`
    S3(Bucket),
}

impl Target {
    /// Of a file system as [`parts`] gives it; and its URL, empty for the default one and on this machine.
    pub(crate) fn new<'a>(
        file_system: &'a str,
        site: &SiteFiles,
        findings: &mut Findings<'_>,
    ) -> Option<(Target, &'a str)> {
        if file_system == "file" {
            return Some((Target::Local, ""));
        }
        Some(match file_system.strip_prefix(S3A) {
            Some(name) => {
                let bucket = Bucket::new(name, site).map_err(|what| findings.refuse("hdfs.path", &what));
                (Target::S3(bucket.ok()?), file_system)
            }
            None if file_system.is_empty() && site.get("fs.defaultFS").is_some_and(is_s3) => {
                findings.refuse("hdfs.path", "fs.defaultFS is in S3: write `s3a://BUCKET` before the path");
                return None;
            }
            None => (Target::Hadoop, file_system),
        })
    }
}

/// The file system of a path (empty for the default one, `file` for this machine, else with its scheme in small letters),
/// and what stands behind it.
pub(crate) fn parts<'a>(path: &'a str, findings: &mut Findings<'_>) -> Option<(String, &'a str)> {
    if has_keys(path) {
        refuse_keys(findings);
        return None;
    }
    split(path).map_err(|what| findings.refuse("hdfs.path", &what)).ok()
}

/// Before the name of a bucket.
const S3A: &str = "s3a://";

/// Whether a path is in S3.
pub(crate) fn is_s3(path: &str) -> bool {
    path.split_once(':').is_some_and(|(scheme, _)| scheme.trim().eq_ignore_ascii_case("s3a"))
}

/// Whether a path in S3 has keys in it: `s3a://KEY:SECRET@BUCKET`. A secret may have a `/`.
fn has_keys(path: &str) -> bool {
    let Some((_, rest)) = path.split_once(':').filter(|_| is_s3(path)) else { return false };
    let rest = rest.trim_start_matches('/');
    let authority = rest.split('/').next().unwrap_or(rest);
    authority.contains('@') || (authority.contains(':') && rest.contains('@'))
}

/// Says so without the value.
fn refuse_keys(findings: &mut Findings<'_>) {
    let what = format!(
        "`{}` has keys before the name of the bucket: write them as fs.s3a.access.key and fs.s3a.secret.key in core-site.xml",
        findings.key("hdfs.path")
    );
    let problem = Problem::error("bad-value", &findings.at("hdfs.path").clone(), what);
    findings.add(problem.flume(&findings.owner.dropped));
}

/// See [`parts`].
fn split(path: &str) -> Result<(String, &str), String> {
    let Some((scheme, rest)) = path.split_once(":/") else {
        return match path.starts_with('/') {
            true => Ok((String::new(), path)),
            false => Err("it must begin with `/` or `hdfs://`".to_owned()),
        };
    };
    let scheme = scheme.to_ascii_lowercase();
    if scheme == "file" {
        return Ok((scheme, &path["file:".len()..]));
    }
    if !["hdfs", "viewfs", "s3a"].contains(&scheme.as_str()) {
        return Err(format!(
            "`{scheme}` is not supported: `hdfs`, `viewfs`, `s3a` and `file` are; name the sink in `AGENT.flume.bridge` to run it in a JVM"
        ));
    }
    let Some(rest) = rest.strip_prefix('/') else { return Err(format!("it must begin with `{scheme}://`")) };
    let start = path.len() - rest.len();
    let end = rest.find('/').map_or(path.len(), |at| start + at);
    if path[start..end].contains('%') {
        let what = if scheme == "s3a" { "bucket" } else { "NameNode" };
        return Err(format!("the name of its {what} cannot have escapes"));
    }
    if start == end && scheme == "s3a" {
        return Err("it names no bucket: `s3a://BUCKET/PATH`".to_owned());
    }
    if start == end {
        return Ok((String::new(), &path[end..])); // `hdfs:///path`
    }
    Ok((format!("{scheme}://{}", &path[start..end]), &path[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{configured, configured_at};

    #[test]
    fn a_path_is_a_file_system_and_a_directory() {
        for (path, expected) in [
            ("hdfs://nn:8020/a/%{b}", Ok(("hdfs://nn:8020", "/a/%{b}"))),
            ("hdfs://ns1", Ok(("hdfs://ns1", ""))),
            ("hdfs:///a", Ok(("", "/a"))),
            ("viewfs://c/a", Ok(("viewfs://c", "/a"))),
            ("/a/b", Ok(("", "/a/b"))),
            ("s3a://b/a/%{b}", Ok(("s3a://b", "/a/%{b}"))),
            ("S3A://B/A", Ok(("s3a://B", "/A"))),
            ("HDFS://Nn:1/A", Ok(("hdfs://Nn:1", "/A"))),
            ("file:///tmp/x", Ok(("file", "///tmp/x"))),
            ("file:/tmp/x", Ok(("file", "/tmp/x"))),
        ] {
            let found = split(path);
            let found = found.as_ref().map(|(system, rest)| (system.as_str(), *rest));
            assert_eq!(found, expected, "{path}");
        }
        for bad in ["a/b", "s3n://bucket/x", "s3a:///x", "s3a://%{b}/x", "hdfs://%{host}/x", "hdfs:/x"] {
            assert!(split(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn keys_in_a_path_are_refused_and_not_shown() {
        for path in [
            "s3a://AKIA1:hunter2@b/x",
            "S3A://AKIA1:hun/ter2@b/x",
            "s3a://AKIA1:hunter%2F@b/x",
            "s3a:/AKIA1:hunter2@b/x",
        ] {
            let said = configured(&[("hdfs.path", path)]).err().unwrap_or_default();
            assert!(said.contains("has keys before the name of the bucket"), "{said}");
            assert!(!said.contains("AKIA") && !said.contains("hun"), "{said}");
        }
        assert!(configured(&[("hdfs.path", "s3a://b/x@y")]).is_ok());
    }

    #[test]
    fn a_default_file_system_in_s3_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let site = "<configuration><property><name>fs.defaultFS</name><value>S3A://b</value></property></configuration>";
        std::fs::write(folder.path().join("core-site.xml"), site).unwrap();
        for (path, is_refused) in
            [("/x", true), ("hdfs:///x", true), ("hdfs://nn/x", false), ("s3a://b/x", false)]
        {
            let said = configured_at(&[("hdfs.path", path)], &[folder.path().to_owned()]).err();
            let told =
                said.as_ref().is_some_and(|said| said.contains("write `s3a://BUCKET` before the path"));
            assert_eq!(told, is_refused, "{path}: {said:?}");
        }
    }
}
