//! What a JVM that has crashed says of it, in the report that it leaves: whose work it was at. No I/O.
//!
//! Source: HotSpot's `VMError` of Java 8 to 21. A heap that is used up is a crash too: the JVM is told so
//! (`-XX:+CrashOnOutOfMemoryError`), because its report has the thread that asked for more.

use crate::life::{Cause, End};

/// A component as it is known before a crash.
pub(crate) struct Known {
    /// `sink k1`.
    pub(crate) title: String,
    /// Its classes, with spaces between.
    pub(crate) classes: String,
}

/// Why the JVM has ended, as its `report` has it; `None` when it says nothing of use.
pub(crate) fn cause(report: &str, components: &[Known]) -> Option<Cause> {
    if let Some(what) = report.lines().find_map(of_host) {
        let text = format!("the host has no more memory for it ({what})");
        return Some(Cause { text, culprit: None, end: End::Crash });
    }
    let what = report.lines().find_map(|line| line.strip_prefix("#  fatal error: ").or(signal(line)))?;
    let thread = report.lines().find_map(thread);
    let calls: Vec<&str> = report.lines().filter_map(call).collect();
    let drives = |known: &&Known| thread.is_some_and(|thread| is_thread_of(thread, &known.title));
    // A thread of the source `kafka-r1` has a name that ends as those of `r1` do.
    let by_name = components.iter().filter(drives).max_by_key(|known| known.title.len());
    // Which of two with the same class it was is not known.
    let owner = |call: &&str| {
        let mut owners = components.iter().filter(|known| is_call_of(call, &known.classes));
        owners.next().filter(|_| owners.next().is_none())
    };
    let culprit = by_name.or_else(|| calls.iter().find_map(owner)).map(|known| known.title.clone());
    let call = calls.iter().find(|call| !call.starts_with("java.") && !call.starts_with("jdk."));
    let at = call.or(calls.first()).map(|call| format!(", in {call}")).unwrap_or_default();
    let who = culprit.clone().unwrap_or_else(|| match thread {
        Some(thread) => format!("the thread `{thread}`, of which component is not known,"),
        None => "a thread that is not known".to_owned(),
    });
    let (text, end) = match what.strip_prefix("OutOfMemory encountered: ") {
        Some(which) => {
            (format!("its memory is used up ({which}): {who} has asked for more{at}"), End::Memory)
        }
        None => (format!("it has crashed ({}) while {who} was at work{at}", what.trim()), End::Crash),
    };
    Some(Cause { text, culprit, end })
}

/// `# Native memory allocation (mmap) failed to map 65536 bytes...`
fn of_host(line: &str) -> Option<&str> {
    line.strip_prefix("# ").filter(|text| text.starts_with("Native memory allocation ")).map(str::trim)
}

/// `#  SIGSEGV (0xb) at pc=0x...`
fn signal(line: &str) -> Option<&str> {
    let name = line.strip_prefix("#  ").filter(|rest| rest.starts_with("SIG"))?;
    name.split(" at ").next()
}

/// `Current thread (0x00007f51980aa8f0):  JavaThread "worker-7" [_thread_in_vm, id=4557, ...`
fn thread(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("Current thread (")?;
    let (name, _) = rest.split_once('"')?.1.rsplit_once('"')?;
    Some(name)
}

/// `j  org.acme.Lines.keep()V+5`, `J 12 c1 org.acme.Lines.keep()V (12 bytes) @ 0x...`: the method.
fn call(line: &str) -> Option<&str> {
    let word = match line.strip_prefix("j  ") {
        Some(rest) => rest,
        None => line.strip_prefix("J ")?.split(' ').find(|word| word.contains('('))?,
    };
    word.split_once('(').map(|(call, _)| call).filter(|call| call.contains('.'))
}

/// Whether a thread has the name that those have which drive the component.
fn is_thread_of(thread: &str, title: &str) -> bool {
    let Some((kind, name)) = title.rsplit_once(' ') else { return false };
    let drivers: &[&str] = match kind {
        "source" => &["PollableSourceRunner-"],
        "channel" => &["transaction-"],
        "interceptors of source" => &["interceptors-"],
        _ => &["SinkRunner-PollingRunner-"],
    };
    let rest = drivers.iter().find_map(|driver| thread.strip_prefix(driver));
    rest.is_some_and(|rest| rest == name || kind == "source" && rest.ends_with(&format!("-{name}")))
}

/// Whether a call is one of these classes, or of a class inside of one.
fn is_call_of(call: &str, classes: &str) -> bool {
    let class = call.rsplit_once('.').map_or(call, |(class, _)| class);
    let outer = |class: &str| class.split('$').next().unwrap_or_default().to_owned();
    classes.split_whitespace().any(|own| outer(own) == outer(class))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fault;

    fn report(what: &str, thread: &str, calls: &str) -> String {
        format!(
            "#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n#  {what}\n#\n# JRE version: 17\n\n\
             Command Line: -Dpassword=\"x\"\n\
             Current thread (0x00007f51980aa8f0):  JavaThread \"{thread}\"        [_thread_in_vm, id=4557, stack(0x0,0x1)]\n\n\
             V  [libjvm.so+0xf21801]  VMError::report_and_die(int)+0x171\n\
             Java frames: (J=compiled Java code, j=interpreted, Vv=VM code)\n{calls}\nv  ~StubRoutines::call_stub\n"
        )
    }

    fn known() -> Vec<Known> {
        [
            ("source r1", "org.acme.Polled"),
            ("sink k1", "org.acme.Lines"),
            ("sink k2", "org.acme.Twice"),
            ("sink k3", "org.acme.Twice"),
            ("source of-r1", "org.acme.Other"),
            ("interceptors of source r2", "a.A$Builder b.B"),
        ]
        .map(|(title, classes)| Known { title: title.into(), classes: classes.into() })
        .into()
    }

    const MEMORY: &str = "fatal error: OutOfMemory encountered: Java heap space";

    #[test]
    fn who_asked_for_memory_that_is_not_there_is_named_by_its_thread_or_by_its_classes() {
        let keep = "j  java.util.Arrays.copyOf([BI)[B+1 java.base@17\nj  org.other.Cache.keep()V+5";
        for (thread, calls, culprit) in [
            ("PollableSourceRunner-Polled-r1", keep, Some("source r1")),
            ("SinkRunner-PollingRunner-k1", keep, Some("sink k1")),
            ("interceptors-r2", keep, Some("interceptors of source r2")),
            ("pool-1-thread-1", keep, None),
            ("pool-1-thread-1", "j  org.acme.Twice.run()V+5", None),
            ("PollableSourceRunner-Other-of-r1", keep, Some("source of-r1")),
            ("SinkRunner-PollingRunner-k11", keep, None),
            (
                "pool-1-thread-1",
                "J 12 c1 org.acme.Lines$1.run()V (12 bytes) @ 0x0 [0x0+0x1]",
                Some("sink k1"),
            ),
            ("pool-1-thread-1", "j  a.A.intercept()V+5", Some("interceptors of source r2")),
        ] {
            let cause = cause(&report(MEMORY, thread, calls), &known()).expect("a cause");
            assert_eq!(cause.culprit.as_deref(), culprit, "{thread}, {calls}");
            assert_eq!(cause.end, End::Memory);
        }
        let told = cause(&report(MEMORY, "SinkRunner-PollingRunner-k1", keep), &known()).expect("a cause");
        assert_eq!(
            told.text,
            "its memory is used up (Java heap space): sink k1 has asked for more, in org.other.Cache.keep"
        );
        assert_eq!([told.fault("sink k1"), told.fault("source r1")], [Fault::Crash, Fault::Another]);
    }

    #[test]
    fn a_crash_of_a_native_library_names_the_component() {
        let calls = "J 90  org.xerial.snappy.SnappyNative.rawCompress([B)I (0 bytes) @ 0x0\nj  org.acme.Lines.process()V+1";
        let what = "SIGSEGV (0xb) at pc=0x00007f, pid=7, tid=8";
        let cause = cause(&report(what, "worker", calls), &known()).expect("a cause");
        assert_eq!((cause.culprit.as_deref(), cause.end), (Some("sink k1"), End::Crash));
        assert_eq!(
            cause.text,
            "it has crashed (SIGSEGV (0xb)) while sink k1 was at work, in org.xerial.snappy.SnappyNative.rawCompress"
        );
    }

    #[test]
    fn a_host_without_memory_is_nobodys_fault() {
        let text = "#\n# There is insufficient memory for the Java Runtime Environment to continue.\n\
            # Native memory allocation (mmap) failed to map 65536 bytes.\n# Possible reasons:\n\
            Current thread (0x00007f51980aa8f0):  JavaThread \"SinkRunner-PollingRunner-k1\" [_thread_in_vm]\n";
        let cause = cause(text, &known()).expect("a cause");
        assert_eq!((cause.culprit, cause.end), (None, End::Crash));
        assert!(
            cause.text.contains("no more memory for it (Native memory allocation (mmap) failed"),
            "{}",
            cause.text
        );
    }

    #[test]
    fn a_report_that_is_cut_anywhere_is_no_harm() {
        let whole = report(MEMORY, "SinkRunner-PollingRunner-k1", "j  org.acme.Lines.process()V+1");
        let named = |end: usize| cause(&whole[..end], &known()).and_then(|cause| cause.culprit).is_some();
        assert!(!named(20) && named(whole.len()));
        assert_eq!((0..whole.len()).filter(|end| named(*end)).min(), whole.find("k1\"").map(|at| at + 3));
    }
}
