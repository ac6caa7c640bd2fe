//! What a row of the table says.

/// One configuration, its input, and when it is finished.
///
/// In every text `$DIR` is the folder of the run, `$PORT1` to `$PORT9` are free ports, and `$SINK1` to `$SINK9` ports on
/// which a collector of the tests' own listens.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// What it shows, in one sentence.
    pub shows: &'static str,
    /// The properties file. The agent is `a1` unless [`Case::agent`] says otherwise.
    pub file: &'static str,
    /// The agent's name.
    pub agent: &'static str,
    /// Files and their contents, below the folder, before the start. A name that ends in `/` is a folder.
    pub before: &'static [(&'static str, &'static str)],
    /// What happens after the start, in order.
    pub steps: &'static [Step],
    /// What must have come out, all of it, before the outcome is taken.
    pub done: &'static [Done],
    /// How long it is watched for more, in milliseconds, after all that was awaited has come.
    pub settle_ms: u64,
    /// Folders whose files are part of the outcome; their contents are joined in the order of their names.
    pub folders: &'static [&'static str],
    /// The lines of the console come from several threads, so that their order means nothing.
    pub unordered: bool,
    /// What ours is to do instead, where that is something else; then `<name>.ours.txt` says what came out.
    pub differs: Option<Differs>,
}

/// Where ours does on purpose what Flume does not: why, and how to see it.
#[derive(Debug, Clone, Copy)]
pub struct Differs {
    /// The reason, for `MIGRATING.md` as well.
    pub why: &'static str,
    /// The steps for ours.
    pub steps: &'static [Step],
    /// What must come out of ours.
    pub done: &'static [Done],
}

impl Case {
    /// A row with nothing in it.
    pub const EMPTY: Case = Case {
        shows: "",
        file: "",
        agent: "a1",
        before: &[],
        steps: &[],
        done: &[],
        settle_ms: 400,
        folders: &[],
        unordered: false,
        differs: None,
    };
}

/// One thing that happens while the agent runs.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// Appends `text` to `file`; makes it when it is not there.
    Append {
        /// Below the folder of the run.
        file: &'static str,
        /// What to append.
        text: &'static str,
    },
    /// Renames a file.
    Rename {
        /// Its name so far, below the folder of the run.
        from: &'static str,
        /// Its name from now on.
        to: &'static str,
    },
    /// Sends bytes to a port in one connection, ends its own direction, and keeps the answer.
    Send {
        /// `1` is `$PORT1`.
        port: usize,
        /// What to send.
        bytes: &'static [u8],
    },
    /// Sends a datagram to a UDP port.
    Datagram {
        /// `1` is `$PORT1`.
        port: usize,
        /// What to send.
        bytes: &'static [u8],
    },
    /// Sends an HTTP request and keeps the status of the answer.
    Request {
        /// `1` is `$PORT1`.
        port: usize,
        /// The line and the headers, without `Host`, `Content-Length` and the empty line.
        head: &'static str,
        /// The body.
        body: &'static [u8],
    },
    /// Sends events to a port, each list one `appendBatch` of one connection; each status is kept.
    Avro {
        /// `1` is `$PORT1`.
        port: usize,
        /// Lists of events: headers in their order on the wire, and a body.
        calls: &'static [Events],
    },
    /// Waits five seconds at most for a port to open, and keeps whether it did.
    Listens(usize),
    /// Waits until the port is open.
    Opens(usize),
    /// Waits for this.
    Until(Done),
    /// Waits for so many milliseconds, where it is the passing of time that is to be seen.
    Pass(u64),
    /// Takes the collector at `$SINKn` down.
    Down(usize),
    /// Takes it up again.
    Up(usize),
    /// The collector at `$SINKn` answers its next calls with these statuses (1 is `FAILED`).
    Answers(usize, &'static [i64]),
    /// Waits for the end of the process and keeps its exit code.
    Exit,
}

/// Events of one call: headers and body.
pub type Events = &'static [(&'static [(&'static str, &'static str)], &'static str)];

/// Something that must have come out. Numbers count from the start.
#[derive(Debug, Clone, Copy)]
pub enum Done {
    /// So many `Event:` lines on the console.
    Console(usize),
    /// So many events at the collector `$SINKn`.
    Sink(usize, usize),
    /// So many lines in the files of a folder.
    Lines(&'static str, usize),
    /// So many bytes in the files of a folder.
    Bytes(&'static str, usize),
    /// There is no such file any more.
    Gone(&'static str),
    /// A line that contains this text.
    Says(&'static str),
}
