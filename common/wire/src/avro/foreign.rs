//! Other protocols that end up at an Avro port, told by their first bytes.

use std::fmt;

/// What the first bytes of a connection look like, when they are no Avro frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// A TLS record: a client's hello, or the alert by which a TLS server answers plain bytes.
    Tls,
    /// The head of a zlib stream (RFC 1950).
    Zlib,
    /// An HTTP request or answer, also the preface of HTTP/2.
    Http,
    /// An SSH greeting.
    Ssh,
    /// A framed Thrift call, compact or binary: Flume's other protocol.
    Thrift,
    /// The PROXY protocol's header, which a load balancer puts in front of a connection.
    Proxy,
    /// Lines of text, as netcat and syslog send them.
    Text,
}

impl Foreign {
    /// Recognises the first bytes of a connection; eight of them are enough for all but the PROXY protocol's second
    /// version, which needs twelve.
    pub fn recognise(first: &[u8]) -> Option<Foreign> {
        match first {
            [0x14..=0x17, 0x03, 0x00..=0x04, ..] => Some(Foreign::Tls),
            [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => Some(Foreign::Zlib),
            [b'S', b'S', b'H', b'-', ..] => Some(Foreign::Ssh),
            [b'P', b'R', b'O', b'X', b'Y', b' ', ..] => Some(Foreign::Proxy),
            [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, b'Q', ..] => Some(Foreign::Proxy),
            [0x00, _, _, _, 0x80, 0x01, 0x00, 0x01..=0x04, ..] => Some(Foreign::Thrift),
            [0x00, _, _, _, 0x82, 0x21 | 0x41 | 0x61 | 0x81, ..] => Some(Foreign::Thrift),
            _ if HTTP.iter().any(|word| first.starts_with(word)) => Some(Foreign::Http),
            [_, _, _, _, ..] if first.iter().take(8).all(is_text) => Some(Foreign::Text),
            _ => None,
        }
    }

    /// A client's TLS hello, told from the eight bytes of a frame's head so surely that no frame within any limit of
    /// ours begins like it: as a frame it would have 65,536 buffers or more, while Java cuts 8,192 bytes to a buffer.
    pub(crate) fn is_surely(head: &[u8; 8]) -> Option<Foreign> {
        matches!(head, [0x16, 0x03, 0x00..=0x04, _, _, 0x01, 0x00, _]).then_some(Foreign::Tls)
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Foreign::Tls => "the peer speaks TLS, this port does not: set `ssl` on both sides or on neither",
            Foreign::Zlib => {
                "the peer compresses, this port does not: set `compression-type = deflate` on both sides or on neither"
            }
            Foreign::Http => "the peer speaks HTTP, this port speaks Flume's Avro protocol",
            Foreign::Ssh => "the peer speaks SSH, this port speaks Flume's Avro protocol",
            Foreign::Thrift => {
                "the peer speaks Thrift, this port speaks Avro: use the types `avro` and `avro`, or `thrift` and `thrift`"
            }
            Foreign::Proxy => {
                "a load balancer puts a PROXY header in front of the connection: switch that off for this port"
            }
            Foreign::Text => "the peer sends text, this port speaks Flume's Avro protocol",
        })
    }
}

/// What HTTP begins with.
const HTTP: &[&[u8]] = &[
    b"GET ",
    b"POST ",
    b"PUT ",
    b"HEAD ",
    b"DELETE ",
    b"OPTIONS ",
    b"PATCH ",
    b"TRACE ",
    b"CONNECT ",
    b"PRI * ",
    b"HTTP/",
];

fn is_text(byte: &u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_strangers_are_told_by_eight_bytes() {
        let known: &[(&[u8], Foreign)] = &[
            (b"GET / HT", Foreign::Http),
            (b"HTTP/1.1", Foreign::Http),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01", Foreign::Tls),
            (b"\x15\x03\x03\x00\x02\x02\x46", Foreign::Tls),
            (b"\x78\x9c\x62\x60\x60\x60\x64\x60", Foreign::Zlib),
            (b"SSH-2.0-", Foreign::Ssh),
            (b"\x00\x00\x00\x5e\x82\x21\x01\x0b", Foreign::Thrift),
            (b"\x00\x00\x00\x9a\x80\x01\x00\x01", Foreign::Thrift),
            (b"PROXY TCP4", Foreign::Proxy),
            (b"\r\n\r\n\0\r\nQUIT\n", Foreign::Proxy),
            (b"<13>Nov 22", Foreign::Text),
            (b"hello\r\n", Foreign::Text),
        ];
        for (bytes, what) in known {
            assert_eq!(Foreign::recognise(bytes), Some(*what), "{bytes:x?}");
        }
        assert_eq!(Foreign::recognise(&[0, 0, 0, 1, 0, 0, 0, 2]), None);
        assert_eq!(Foreign::recognise(b""), None);
    }
}
