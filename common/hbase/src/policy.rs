//! What an error of HBase's means for an action.

use runtime::clock::Duration;

/// What is to be done about an action that was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Its region is elsewhere, or will be in a moment: it is looked up again.
    Moved,
    /// The server may do it later.
    Later,
    /// No server does it. A row that another region has by now is answered with this too.
    Never,
    /// It was done before.
    Done,
}

/// Of an exception of Java's. `final_word`: the server says that it is not to be tried again.
pub(crate) fn fate(class: &str, final_word: bool) -> Fate {
    match short(class) {
        "NotServingRegionException"
        | "RegionMovedException"
        | "RegionOpeningException"
        | "RegionInRecoveryException"
        | "WrongRegionException"
        | "RegionServerStoppedException"
        | "RegionServerAbortedException"
        | "UnknownRegionException" => Fate::Moved,
        // Of increments with a nonce: what the first one has done counts.
        "OperationConflictException" => Fate::Done,
        "NoSuchColumnFamilyException"
        | "FailedSanityCheckException"
        | "DoNotRetryIOException"
        | "IllegalArgumentException"
        | "ConstraintException"
        | "InvalidFamilyOperationException"
        | "UnsupportedOperationException" => Fate::Never,
        // What an administrator can change.
        "AccessDeniedException"
        | "TableNotFoundException"
        | "TableNotEnabledException"
        | "SpaceLimitingException"
        | "FatalConnectionException" => Fate::Later,
        _ if final_word => Fate::Never,
        _ => Fate::Later,
    }
}

/// After so many refusals in a row an action counts as one that no server does: its region is looked up in between.
pub(crate) const REFUSALS: u8 = 2;

/// A class without its package.
pub(crate) fn short(class: &str) -> &str {
    class.rsplit(['.', '$']).next().unwrap_or(class)
}

/// What an exception says, and what to do, in an operator's words.
pub(crate) fn words(class: &str, text: &str, table: &str, family: &str) -> String {
    match short(class) {
        "NoSuchColumnFamilyException" => format!(
            "the table `{table}` has no column family `{family}`: add it (`alter '{table}', '{family}'` in the HBase shell)"
        ),
        "AccessDeniedException" => format!(
            "this user may not write to the table `{table}`: grant it the right (`grant` in the HBase shell)"
        ),
        "SpaceLimitingException" => format!("the quota of the table `{table}` is used up"),
        class => format!("{class}: {}", first_line(text)),
    }
}

/// The table is not there.
pub(crate) fn no_table(table: &str) -> String {
    format!("there is no table `{table}`: create it")
}

/// The table is there, and switched off.
pub(crate) fn disabled(table: &str) -> String {
    format!("the table `{table}` is disabled: enable it (`enable '{table}'` in the HBase shell)")
}

/// The first line, without Java's stack and the classes in front.
pub(crate) fn first_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let is_class = |head: &str| head.contains('.') && !head.contains(' ');
    let line = line.split_once(": ").filter(|(head, _)| is_class(head)).map_or(line, |(_, rest)| rest);
    plan::cut(line, MOST_SHOWN)
}

/// Bytes of what a server says that are shown.
const MOST_SHOWN: usize = 300;

/// How long to wait before the `attempt`th attempt, the first being 0.
pub(crate) fn pause(attempt: u32) -> Duration {
    match attempt {
        0 => Duration::ZERO,
        attempt => (FIRST_PAUSE * 2u32.saturating_pow(attempt.min(10) - 1)).min(LONGEST_PAUSE),
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_what_waits_and_what_never_is_are_told_apart() {
        let base = "org.apache.hadoop.hbase.";
        for (class, final_word, expected) in [
            ("NotServingRegionException", false, Fate::Moved),
            ("exceptions.RegionMovedException", false, Fate::Moved),
            ("RegionTooBusyException", false, Fate::Later),
            ("CallQueueTooBigException", false, Fate::Later),
            ("ipc.ServerNotRunningYetException", false, Fate::Later),
            ("regionserver.NoSuchColumnFamilyException", false, Fate::Never),
            ("exceptions.FailedSanityCheckException", false, Fate::Never),
            ("security.AccessDeniedException", true, Fate::Later),
            ("exceptions.OperationConflictException", true, Fate::Done),
            ("anything.Else", true, Fate::Never),
            ("anything.Else", false, Fate::Later),
        ] {
            assert_eq!(fate(&format!("{base}{class}"), final_word), expected, "{class}");
        }
    }

    #[test]
    fn an_exception_is_one_line_without_javas_stack() {
        let text = "org.apache.hadoop.hbase.exceptions.FailedSanityCheckException: Requested row out of range\n\tat x.Y(Z.java:1)\n";
        let said = words("org.apache.hadoop.hbase.exceptions.FailedSanityCheckException", text, "t", "cf");
        assert_eq!(said, "FailedSanityCheckException: Requested row out of range");
        let said = words("org.apache.hadoop.hbase.regionserver.NoSuchColumnFamilyException", "x", "t", "cf");
        assert_eq!(
            said,
            "the table `t` has no column family `cf`: add it (`alter 't', 'cf'` in the HBase shell)"
        );
        assert_eq!(words("A$B", "", "t", "cf"), "B: ");
    }

    #[test]
    fn pauses_grow_and_stay_short() {
        let pauses = [0, 1, 2, 3, 6, 7, 60, u32::MAX].map(|attempt| pause(attempt).as_millis());
        assert_eq!(pauses, [0, 50, 100, 200, 1600, 2000, 2000, 2000]);
    }
}
