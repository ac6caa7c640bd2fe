//! The file system that `hdfs.path` names, and the keys that may not stand in it.

use crate::home;
use crate::store::{Bucket, Hadoop, SiteFiles};
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
        let default = || site.get("fs.defaultFS").unwrap_or_default();
        if file_system == "file" || file_system.is_empty() && is_local(default()) {
            return Some((Target::Local, ""));
        }
        Some(match file_system.strip_prefix(S3A) {
            Some(name) => {
                let bucket = Bucket::new(name, site).map_err(|what| findings.refuse("hdfs.path", &what));
                (Target::S3(bucket.ok()?), file_system)
            }
            None if file_system.is_empty() && is_s3(default()) => {
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

/// The directory below which a path is that does not begin with `/`; that it is not known is told.
pub(crate) fn home(target: &Target, hadoop: &Hadoop, findings: &mut Findings<'_>) -> Option<String> {
    let found = match target {
        Target::Local => {
            let here = std::env::current_dir().map_err(|error| format!("the working directory: {error}"));
            here.map(|here| here.display().to_string())
        }
        Target::Hadoop => home::directory(hadoop, |name| std::env::var(name).ok()),
        Target::S3(_) => Ok(String::new()), // a path in S3 has its bucket, and a `/` behind it
    };
    found.map_err(|what| findings.refuse("hdfs.path", &what)).ok()
}

/// Before the name of a bucket.
const S3A: &str = "s3a://";

/// Whether a path is in S3.
pub(crate) fn is_s3(path: &str) -> bool {
    has_scheme(path, "s3a")
}

/// Whether a URL is on this machine.
fn is_local(url: &str) -> bool {
    has_scheme(url, "file")
}

fn has_scheme(url: &str, scheme: &str) -> bool {
    url.split_once(':').is_some_and(|(before, _)| before.trim().eq_ignore_ascii_case(scheme))
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
    let flumes = "starts; S3A of Hadoop 3.2 and later refuses the path at the first event, before that it takes the keys";
    findings.add(problem.flume(flumes).fix(format!("`{} = s3a://BUCKET/PATH`", findings.key("hdfs.path"))));
}

/// See [`parts`].
fn split(path: &str) -> Result<(String, &str), String> {
    let Some((scheme, rest)) = path.split_once(":/") else {
        return match path {
            "" => Err("it names no directory".to_owned()),
            path if path.starts_with("%{") => Err(OF_EVENTS.to_owned()),
            path => Ok((String::new(), path)), // if it does not begin with `/`, it is below somebody's home
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

const OF_EVENTS: &str = "only the events say where that is: write `/` or `hdfs://NAMENODE/` before it, or name the sink in \
    `AGENT.flume.bridge` to run it in a JVM";

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
            ("a/%Y/b", Ok(("", "a/%Y/b"))),
            ("%[localhost]/b", Ok(("", "%[localhost]/b"))),
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
        for bad in
            ["", "%{where}/x", "s3n://bucket/x", "s3a:///x", "s3a://%{b}/x", "hdfs://%{host}/x", "hdfs:/x"]
        {
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
            assert!(
                said.contains("S3A of Hadoop 3.2 and later refuses") && !said.contains("removes"),
                "{said}"
            );
        }
        assert!(configured(&[("hdfs.path", "s3a://b/x@y")]).is_ok());
    }

    /// A directory whose `core-site.xml` names this file system.
    fn defaulting_to(url: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let site = format!(
            "<configuration><property><name>fs.defaultFS</name><value>{url}</value></property></configuration>"
        );
        std::fs::write(folder.path().join("core-site.xml"), site).unwrap();
        folder
    }

    #[test]
    fn a_path_without_a_slash_is_below_the_home_of_the_user() {
        let place = |url: &str, pairs: &[(&str, &str)]| {
            let folder = defaulting_to(url);
            let config = configured_at(pairs, &[folder.path().to_owned()]).unwrap();
            let mut buckets = config.buckets();
            let batch = crate::testing::event(&[], "x");
            let place = buckets.place(&batch.events().next().unwrap(), 0).unwrap();
            place.directory.clone()
        };
        let bobs = [("hdfs.path", "logs/x"), ("hdfs.proxyUser", "bob")];
        assert_eq!(place("hdfs://nn", &bobs), "/user/bob/logs/x");
        let here = std::env::current_dir().unwrap().display().to_string();
        assert_eq!(place("file:///", &bobs), format!("{here}/logs/x"));
        assert_eq!(place("file:///", &[("hdfs.path", "/logs/x")]), "/logs/x");
    }

    #[test]
    fn a_default_file_system_in_s3_is_refused() {
        let folder = defaulting_to("S3A://b");
        for (path, is_refused) in
            [("/x", true), ("x/y", true), ("hdfs:///x", true), ("hdfs://nn/x", false), ("s3a://b/x", false)]
        {
            let said = configured_at(&[("hdfs.path", path)], &[folder.path().to_owned()]).err();
            let told =
                said.as_ref().is_some_and(|said| said.contains("write `s3a://BUCKET` before the path"));
            assert_eq!(told, is_refused, "{path}: {said:?}");
        }
    }
}
