//! Counters to Ganglia, as Flume sends them: UDP, a packet or two for each.

use bytes::{BufMut, BytesMut};
use runtime::clock::Duration;

/// Where they go.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ganglia {
    /// Each with its port.
    pub(crate) hosts: Vec<(String, u16)>,
    pub(crate) every: Duration,
    /// The format before 3.1.
    pub(crate) is_3_0: bool,
}

/// The packets for one counter. Source: Flume 1.11 `GangliaServer`.
pub(crate) fn packets(ganglia: &Ganglia, host: &str, name: &str, value: &str) -> Vec<BytesMut> {
    let kind = if value.parse::<f32>().is_ok() { "float" } else { "string" };
    let mut about = BytesMut::new();
    if ganglia.is_3_0 {
        about.put_u32(0);
        text(&mut about, kind);
        text(&mut about, &format!("{host}.{name}"));
        text(&mut about, value);
        limits(&mut about);
        return vec![about];
    }
    about.put_u32(METADATA);
    text(&mut about, host);
    text(&mut about, name);
    about.put_u32(0); // it is told by the host itself
    text(&mut about, kind);
    text(&mut about, name);
    limits(&mut about);
    about.put_u32(1); // more entries
    text(&mut about, "GROUP");
    text(&mut about, "flume");
    let mut of = BytesMut::new();
    of.put_u32(VALUE);
    text(&mut of, host);
    text(&mut of, name);
    of.put_u32(0);
    text(&mut of, "%s");
    text(&mut of, value);
    vec![about, of]
}

/// Units, slope, tmax and dmax.
fn limits(out: &mut BytesMut) {
    text(out, "");
    [3, 60, 0].into_iter().for_each(|number| out.put_u32(number));
}

/// XDR: the length, the bytes, zeros up to a multiple of four.
fn text(out: &mut BytesMut, text: &str) {
    out.put_u32(text.len() as u32);
    out.put_slice(text.as_bytes());
    out.put_bytes(0, text.len().wrapping_neg() % 4);
}

const METADATA: u32 = 128;
const VALUE: u32 = 133;

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(is_3_0: bool, value: &str) -> Vec<BytesMut> {
        let ganglia = Ganglia { hosts: Vec::new(), every: Duration::from_secs(60), is_3_0 };
        packets(&ganglia, "h", "flume.SINK.k1.Type", value)
    }

    #[test]
    fn a_counter_before_3_1_is_one_packet() {
        let expected = b"\0\0\0\0\0\0\0\x05float\0\0\0\0\0\0\x14h.flume.SINK.k1.Type\0\0\0\x0212\0\0\
            \0\0\0\0\0\0\0\x03\0\0\0\x3c\0\0\0\0";
        assert_eq!(sent(true, "12"), [&expected[..]]);
    }

    #[test]
    fn a_counter_since_3_1_is_its_description_and_its_value() {
        let name = b"\0\0\0\x01h\0\0\0\0\0\0\x12flume.SINK.k1.Type\0\0\0\0\0\0";
        let about = [
            b"\0\0\0\x80",
            &name[..],
            b"\0\0\0\x06string\0\0",
            &name[8..name.len() - 4],
            b"\0\0\0\0\0\0\0\x03\0\0\0\x3c\0\0\0\0\0\0\0\x01\0\0\0\x05GROUP\0\0\0\0\0\0\x05flume\0\0\0",
        ]
        .concat();
        let of = [b"\0\0\0\x85", &name[..], b"\0\0\0\x02%s\0\0\0\0\0\x04SINK"].concat();
        assert_eq!(sent(false, "SINK"), [&about[..], &of[..]]);
    }
}
