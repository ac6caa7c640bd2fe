//! The names of files.

/// What stands around the counter in a file's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// `hdfs.fileSuffix`, else the extension of the codec, else nothing.
    pub(crate) suffix: String,
    /// `hdfs.inUsePrefix`
    pub(crate) in_use_prefix: String,
    /// `hdfs.inUseSuffix`; empty with `hdfs.emptyInUseSuffix`.
    pub(crate) in_use_suffix: String,
}

/// The names of one file: while it is written, and afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileNames {
    /// While it is written.
    pub(crate) in_use: String,
    /// When it is complete.
    pub(crate) complete: String,
}

impl Names {
    /// Of the file number `counter` of a bucket.
    pub(crate) fn of(&self, directory: &str, prefix: &str, counter: i64) -> FileNames {
        let Names { suffix, in_use_prefix, in_use_suffix } = self;
        FileNames {
            in_use: format!("{directory}/{in_use_prefix}{prefix}.{counter}{suffix}{in_use_suffix}"),
            complete: format!("{directory}/{prefix}.{counter}{suffix}"),
        }
    }
}

/// What HDFS refuses in a path, or nobody could have meant.
///
/// # Errors
/// In an operator's words.
pub(super) fn judge(path: &str) -> Result<(), &'static str> {
    if path.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return Err("it has a control character");
    }
    if path.len() > MOST_BYTES {
        return Err("it is longer than the 8000 bytes that HDFS takes");
    }
    for part in path.split('/') {
        if part == "." || part == ".." {
            return Err("a part of it is `.` or `..`");
        }
        if part.contains(':') {
            return Err("a part of it has a `:`, which HDFS does not take");
        }
        if part.len() > MOST_PART_BYTES {
            return Err("a part of it is longer than 255 bytes");
        }
    }
    Ok(())
}

/// A path as Hadoop has it: no `//`, and no `/` at its end.
pub(super) fn normal(path: &str) -> String {
    let mut out = String::with_capacity(path.len() + 1);
    for part in path.split('/').filter(|part| !part.is_empty()) {
        out.push('/');
        out.push_str(part);
    }
    out
}

/// `MAX_PATH_LENGTH` of the NameNode.
const MOST_BYTES: usize = 8000;
/// `dfs.namenode.fs-limits.max-component-length`, unless set; and what local file systems take.
const MOST_PART_BYTES: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_flume_gives() {
        let flumes = Names { in_use_suffix: ".tmp".to_owned(), ..Names::default() };
        let names = flumes.of("/flume/seq/20231114", "FlumeData", 1_795_704_713_700);
        assert_eq!(names.in_use, "/flume/seq/20231114/FlumeData.1795704713700.tmp");
        assert_eq!(names.complete, "/flume/seq/20231114/FlumeData.1795704713700");
        let own = Names {
            suffix: ".log".to_owned(),
            in_use_prefix: "_".to_owned(),
            in_use_suffix: ".tmp".to_owned(),
        };
        let names = own.of("/flume/ds", "ev", 7);
        assert_eq!([names.in_use, names.complete], ["/flume/ds/_ev.7.log.tmp", "/flume/ds/ev.7.log"]);
    }

    #[test]
    fn a_path_that_no_store_takes_is_told_apart() {
        for good in ["/a/b", "/a b/ü", "/...", "/a..b", ""] {
            assert_eq!(judge(good), Ok(()), "{good}");
        }
        for bad in ["/a/../b", "/./a", "/a:b", "/a\nb", "/\u{7f}"] {
            assert!(judge(bad).is_err(), "{bad:?}");
        }
        assert!(judge(&format!("/{}", "x".repeat(256))).is_err() && judge(&"/x".repeat(4001)).is_err());
    }

    #[test]
    fn slashes_too_many_are_left_out() {
        for (path, expected) in [("//a///b/", "/a/b"), ("/", ""), ("", ""), ("a/b", "/a/b")] {
            assert_eq!(normal(path), expected);
        }
    }
}
