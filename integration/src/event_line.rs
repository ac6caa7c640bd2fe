//! The logger sink's line, read back: `Event: { headers:{Type=LOGIN} body: 68 69      hi }`.

/// One event as a logger sink printed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What stands between the braces of `headers:{...}`, as it was printed.
    pub headers: String,
    /// The first bytes of the body, 16 unless the sink was told otherwise, from the hexadecimal columns.
    pub body: Vec<u8>,
}

impl Seen {
    /// The value printed for `key`. Values with `, ` in them are cut there: the line does not quote.
    pub fn header(&self, key: &str) -> Option<&str> {
        self.headers.split(", ").find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
    }

    /// The body's bytes as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Reads a console line; `None` when it is not an event.
pub fn parse(line: &str) -> Option<Seen> {
    let (_, event) = line.split_once("Event: { headers:{")?;
    let (headers, body) = event.rsplit_once("} body:")?;
    Some(Seen { headers: headers.to_owned(), body: bytes(body) })
}

/// The bytes of the hexadecimal columns: `" 68 69 "`, at most 16.
fn bytes(dump: &str) -> Vec<u8> {
    let columns = dump.as_bytes().get(1..).unwrap_or_default().chunks(3).take(COLUMNS);
    columns
        .map_while(|column| match column {
            [high, low, b' '] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

fn digit(text: u8) -> Option<u8> {
    char::from(text).to_digit(16).map(|digit| digit as u8)
}

/// Bytes in a row of Flume's dump.
const COLUMNS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lessons_own_line_is_read() {
        let line = "2018-11-13 16:34:55,386 (SinkRunner-PollingRunner-DefaultSinkProcessor) [INFO - \
            org.apache.flume.sink.LoggerSink.process(LoggerSink.java:95)] Event: { headers:{Collector=slave3.hanli.com, \
            Type=LOGIN, timestamp=1542098088198} body: 68 65 6C 6C 6F 20 66 61 69 6C 6F 76 65 72       hello failover }";
        let seen = parse(line).expect("an event");
        assert_eq!(
            (seen.text().as_str(), seen.header("Collector")),
            ("hello failover", Some("slave3.hanli.com"))
        );
        assert_eq!((seen.header("Type"), seen.header("type")), (Some("LOGIN"), None));
    }

    #[test]
    fn full_empty_and_foreign_lines() {
        let full = parse(
            "Event: { headers:{} body: 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66 0123456789abcdef }",
        );
        assert_eq!(full.expect("an event").text(), "0123456789abcdef");
        assert_eq!(parse("Event: { headers:{} body: }").expect("an event").body, b"");
        assert_eq!(parse("Avro source r1 started."), None);
    }
}
