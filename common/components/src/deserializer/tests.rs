use super::*;
use plan::{Owner, Properties};
use wire::container::{Codec, Marker, Packer, push_head};

fn config(kind: &str, pairs: &[(&str, &str)], input: &str, on_malformed: OnMalformed) -> DeserializerConfig {
    let descriptor = crate::LIGHT.names().find(Kind::Deserializer, kind).expect("there is such a type");
    let properties = Properties::of(descriptor, pairs.iter().copied());
    let part = ComponentPlan { name: String::new(), descriptor, properties, owner: Owner::nobody() };
    DeserializerConfig::new(Some(&part), Charset::for_name(input).expect("a charset"), on_malformed, None)
}

/// The events of a file that is read from `position` on, `step` bytes at a time, each with where a new start goes on.
fn read(
    config: &DeserializerConfig,
    file: &[u8],
    position: u64,
    step: usize,
) -> Result<Vec<(Vec<u8>, u64)>, String> {
    let (mut deserializer, mut at) = Deserializer::new(config, position);
    let (mut events, mut seen) = (Vec::new(), at as usize);
    loop {
        let window = &file[at as usize..seen];
        let cut = match deserializer.cut(window, at, seen == file.len())? {
            Cut::Event(body, used) => Some((body.to_vec(), used)),
            Cut::Skip(used) => {
                at += used as u64;
                continue;
            }
            Cut::Jump(place) => {
                (at, seen) = (place, place as usize);
                continue;
            }
            Cut::More => None,
        };
        match cut {
            Some((body, used)) => {
                at += used as u64;
                events.push((body, deserializer.mark(at)));
            }
            None if seen == file.len() => return Ok(events),
            None => seen = (seen + step).min(file.len()),
        }
    }
}

/// The same events come wherever the file is cut, and what is left of them wherever it is read on.
fn events(config: &DeserializerConfig, file: &[u8]) -> Vec<Vec<u8>> {
    let whole = read(config, file, 0, file.len().max(1)).expect("a file");
    for step in [1, 2, 3, 7] {
        assert_eq!(read(config, file, 0, step).expect("a file"), whole, "{step} bytes at a time");
    }
    for (index, (_, mark)) in whole.iter().enumerate() {
        let rest = read(config, file, *mark, 5).expect("a file");
        let same = whole.iter().rev().zip(rest.iter().rev()).all(|(one, other)| one == other);
        // Of a block that is not finished all records come again.
        assert!(same && rest.len() >= whole.len() - index - 1, "read on at {mark}");
        if !matches!(config, DeserializerConfig::Avro(_)) {
            assert_eq!(rest.len(), whole.len() - index - 1, "read on at {mark}");
        }
    }
    whole.into_iter().map(|(body, _)| body).collect()
}

fn lines(pairs: &[(&str, &str)], input: &str, file: &[u8]) -> Vec<String> {
    let events = events(&config("line", pairs, input, OnMalformed::Report), file);
    events.into_iter().map(|body| String::from_utf8(body).expect("UTF-8")).collect()
}

#[test]
fn a_line_ends_at_its_lf_and_keeps_its_cr() {
    assert_eq!(lines(&[], "UTF-8", b"one\r\n\n two \nno end"), ["one\r", "", " two ", "no end"]);
    assert!(lines(&[], "UTF-8", b"").is_empty());
}

#[test]
fn a_line_that_is_too_long_becomes_several_events() {
    let most = [("maxLineLength", "3")];
    // As Flume: the LF counts, so a line of three leaves an empty event behind it.
    assert_eq!(lines(&most, "UTF-8", b"ab\nabc\nabcdefg\n"), ["ab", "abc", "", "abc", "def", "g"]);
    assert_eq!(lines(&most, "UTF-8", "éèêëü\nab".as_bytes()), ["éèê", "ëü", "ab"]);
    assert_eq!(lines(&most, "UTF-8", "ab\u{1f600}cd".as_bytes()), ["ab\u{1f600}", "cd"], "no half character");
    assert_eq!(lines(&most, "GBK", &[0xc4, 0xe3, 0xba, 0xc3, b'a', b'b', b'\n']), ["你好a", "b"]);
}

#[test]
fn lines_are_read_in_their_charset() {
    let text = "你好, ✓ é\nsecond\n";
    for input in ["UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32", "GB18030", "x-UTF-16LE-BOM"] {
        let file = Charset::for_name(input).unwrap().encode(text);
        assert_eq!(lines(&[], input, &file), ["你好, ✓ é", "second"], "{input}");
    }
    assert_eq!(lines(&[], "GBK", &[0xc4, 0xe3, 0xba, 0xc3, b'\n']), ["你好"]);
    assert_eq!(lines(&[], "UTF-16", &[0xff, 0xfe, b'a', 0, b'\n', 0]), ["a"]);
    let out = config("line", &[("outputCharset", "ISO-8859-1")], "UTF-8", OnMalformed::Report);
    assert_eq!(events(&out, "é\n你\n".as_bytes()), [vec![0xe9], b"?".to_vec()]);
}

#[test]
fn malformed_bytes_end_a_file_unless_they_are_replaced_or_left_out() {
    let file = b"good\nb\xffd\nx";
    let with = |on_malformed| config("line", &[], "UTF-8", on_malformed);
    let error = read(&with(OnMalformed::Report), file, 0, 100).unwrap_err();
    assert_eq!(error, "the line that begins at byte 5 is not written in UTF-8");
    assert_eq!(events(&with(OnMalformed::Replace), file), [&b"good"[..], "b\u{fffd}d".as_bytes(), b"x"]);
    assert_eq!(events(&with(OnMalformed::Ignore), file), [&b"good"[..], b"bd", b"x"]);
}

#[test]
fn a_blob_is_a_file_or_a_piece_of_one() {
    let whole = config(
        "org.apache.flume.sink.solr.morphline.BlobDeserializer$Builder",
        &[],
        "UTF-8",
        OnMalformed::Report,
    );
    assert_eq!(events(&whole, b"a\nb\xff"), [b"a\nb\xff"]);
    let three = config(
        "org.apache.flume.sink.solr.morphline.BlobDeserializer$Builder",
        &[("maxBlobLength", "3")],
        "UTF-8",
        OnMalformed::Report,
    );
    assert_eq!(events(&three, b"abcdefgh"), [&b"abc"[..], b"def", b"gh"]);
}

const SYNC: Marker = *b"0123456789abcdef";

/// A container of strings, in blocks.
fn container(codec: Codec, blocks: &[&[&str]]) -> Vec<u8> {
    let mut file = Vec::new();
    push_head(
        &[(b"avro.schema", b" \"string\" "), (b"avro.codec", codec.name().as_bytes())],
        &SYNC,
        &mut file,
    );
    let mut packer = Packer::new(codec);
    for block in blocks {
        let records: Vec<u8> =
            block.iter().flat_map(|text| [&[2 * text.len() as u8], text.as_bytes()].concat()).collect();
        let packed = packer.pack([records]).unwrap();
        file.extend([2 * block.len() as u8, 2 * packed.len() as u8]);
        file.extend(packed);
        file.extend(SYNC);
    }
    file
}

#[test]
fn a_record_is_an_event_and_its_block_comes_again() {
    let blocks: [&[&str]; 3] = [&["a", "bc"], &[], &["d"]];
    for codec in [Codec::Null, Codec::Deflate, Codec::Snappy] {
        let (file, config) = (container(codec, &blocks), config("avro", &[], "UTF-8", OnMalformed::Report));
        assert_eq!(events(&config, &file), [&b"\x02a"[..], b"\x04bc", b"\x02d"], "{codec:?}");
        let marks: Vec<u64> = read(&config, &file, 0, 9).unwrap().into_iter().map(|(_, mark)| mark).collect();
        let head = container(codec, &[]).len() as u64 - 16;
        assert_eq!(
            (marks[0], marks[2]),
            (head, file.len() as u64 - 16),
            "before its block, and behind the last"
        );
    }
}

#[test]
fn a_container_that_is_damaged_is_told() {
    let (file, config) =
        (container(Codec::Null, &[&["a"]]), config("avro", &[], "UTF-8", OnMalformed::Report));
    let told = |file: &[u8]| read(&config, file, 0, 9).unwrap_err();
    assert!(told(b"text").contains("no Avro container"));
    assert!(told(b"").contains("in the middle of its head"));
    assert!(told(&file[..file.len() - 1]).contains("in the middle of a block"));
    let mut long = file.clone();
    let at = file.len() - 18;
    long[at] = 9;
    assert!(told(&long).contains("none of its schema"), "{}", told(&long));
}

#[test]
fn an_event_says_what_its_schema_is() {
    for (kind, header) in [
        ("HASH", ("flume.avro.schema.hash", "c70345637248018f")),
        ("literal", ("flume.avro.schema.literal", "\"string\"")),
    ] {
        let config = config("avro", &[("schemaType", kind)], "UTF-8", OnMalformed::Report);
        let (mut deserializer, _) = Deserializer::new(&config, 0);
        let file = container(Codec::Null, &[&["a"]]);
        assert!(matches!(deserializer.cut(&file, 0, true), Ok(Cut::Skip(_))));
        assert_eq!(deserializer.header(), Some(header));
    }
}
