use super::*;
use crate::testing::file_roll_plan;
use event::BatchBuilder;
use wire::container::{self, Codec};

fn serializer(pairs: &[(&str, &str)]) -> Result<Serializer, String> {
    let mut all = vec![("sink.directory", "/d")];
    all.extend(pairs);
    let plan = file_roll_plan(&all)?;
    let part = plan.sinks[0].component.properties.parts("sink.serializer").next().expect("there is one");
    Ok(Serializer::new(SerializerConfig::new(part), Random::seeded(1)))
}

/// Three events; the first has no headers.
fn sample() -> Batch {
    let mut builder = BatchBuilder::default();
    let headers = [("Type", "LOGIN"), ("Collector", "é"), ("timestamp", "1542098088198")];
    builder.push([], b"body 0");
    builder.push(headers, b"body 1");
    builder.push(headers, b"body 2");
    builder.finish()
}

fn written(pairs: &[(&str, &str)], batches: &[Batch]) -> Vec<u8> {
    let mut serializer = serializer(pairs).expect("valid");
    let mut out = Vec::new();
    serializer.begin(&mut out);
    batches.iter().for_each(|batch| serializer.write(batch, &mut out));
    out
}

#[test]
fn text_is_what_flume_writes() {
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&[], "body 0\nbody 1\nbody 2\n"),
        (&[("sink.serializer", "TEXT"), ("sink.serializer.appendNewline", "false")], "body 0body 1body 2"),
        (
            &[("sink.serializer", "header_and_text")],
            "{} body 0\n\
            {Type=LOGIN, Collector=é, timestamp=1542098088198} body 1\n\
            {Type=LOGIN, Collector=é, timestamp=1542098088198} body 2\n",
        ),
        (
            &[("sink.serializer", "HEADER_AND_TEXT"), ("sink.serializer.appendNewline", "no")],
            "{} body 0{Type=LOGIN, Collector=é, timestamp=1542098088198} body 1\
            {Type=LOGIN, Collector=é, timestamp=1542098088198} body 2",
        ),
        (
            &[("sink.serializer", "org.apache.flume.serialization.BodyTextEventSerializer$Builder")],
            "body 0\nbody 1\nbody 2\n",
        ),
    ];
    for (pairs, expected) in cases {
        assert_eq!(String::from_utf8_lossy(&written(pairs, &[sample()])), expected, "{pairs:?}");
    }
}

#[test]
fn neighbours_with_other_headers_or_from_elsewhere_print_their_own() {
    let mut builder = BatchBuilder::default();
    let mut headers = bytes::BytesMut::new();
    event::encode_headers(
        &mut headers,
        [("Type", "1"), ("Collector", "2"), ("timestamp", "3")]
            .map(|(key, value)| (key.as_bytes(), value.as_bytes())),
    );
    builder.push_encoded(&headers, event::Span::BORN_HERE, b"here");
    builder.push_encoded(&headers, 3, b"there");
    builder.push([("Typ", "1")], b"other");
    let text = written(&[("sink.serializer", "header_and_text")], &[builder.finish()]);
    let expected =
        "{Type=1, Collector=2, timestamp=3} here\n{Collector=2, Type=1, timestamp=3} there\n{Typ=1} other\n";
    assert_eq!(String::from_utf8_lossy(&text), expected);
}

/// What Flume 1.11.0 writes ahead of the sync marker, after the number of entries.
const SCHEMA_ENTRY: &str = "\u{16}avro.schema\u{8a}\u{2}{\"type\":\"record\",\"name\":\"Event\",\"fields\":[{\"name\":\"headers\",\
    \"type\":{\"type\":\"map\",\"values\":\"string\"}},{\"name\":\"body\",\"type\":\"bytes\"}]}";

/// The sample as Flume 1.11.0 writes it into a block.
const RECORDS: &[u8] = b"\x00\x0cbody 0\x06\x08Type\x0aLOGIN\x12Collector\x04\xc3\xa9\x12timestamp\x1a1542098088198\x00\x0cbody 1\
    \x06\x08Type\x0aLOGIN\x12Collector\x04\xc3\xa9\x12timestamp\x1a1542098088198\x00\x0cbody 2";

/// The head of a container with `entries` behind the schema, without its sync marker.
fn head(count: u8, codec: &[u8]) -> Vec<u8> {
    // In a `str` the byte 8a is a character of two bytes.
    let schema: Vec<u8> = SCHEMA_ENTRY.chars().map(|char| char as u8).collect();
    [b"Obj\x01", &[2 * count][..], &schema, codec, b"\0"].concat()
}

#[test]
fn a_container_is_byte_for_byte_flumes() {
    let avro = ("sink.serializer", "avro_event");
    let file = written(&[avro], &[sample()]);
    let head = head(2, b"\x14avro.codec\x08null");
    let (sync, block) = file[head.len()..].split_at(16);
    assert_eq!(file[..head.len()], head);
    assert_eq!(block, [&b"\x06\xf4\x01"[..], RECORDS, sync].concat());

    let file = written(&[avro, ("sink.serializer.syncIntervalBytes", "40")], &[sample()]);
    let (sync, blocks) = file[head.len()..].split_at(16);
    let (first, second) = RECORDS.split_at(65);
    assert_eq!(blocks, [b"\x04\x82\x01", first, sync, b"\x02r", second, sync].concat());

    let file = written(&[avro, ("sink.serializer.compressionCodec", "nope")], &[]);
    assert_eq!(file[..file.len() - 16], self::head(1, b""));
}

#[test]
fn a_packed_block_unpacks_to_the_same_records() {
    let gaps = sample().filter(|event| event.body() != b"body 1");
    for codec in Codec::ALL {
        let name = codec.name();
        let pairs = [("sink.serializer", "avro_event"), ("sink.serializer.compressionCodec", name)];
        let file = written(&pairs, &[sample(), gaps.clone(), sample()]);
        let entry = [b"\x14avro.codec", &[2 * name.len() as u8][..], name.as_bytes()].concat();
        let expected = head(2, &entry);
        assert_eq!(file[..expected.len()], expected);
        let head = container::head(&file).expect("a head").expect("all of it");
        let mut blocks = &file[head.size..];
        for (events, expected) in
            [(3, RECORDS.to_vec()), (2, gaps.runs().flatten().collect()), (3, RECORDS.to_vec())]
        {
            let block = container::block(blocks, &head.sync, 1000).expect("a block").expect("all of it");
            assert_eq!(block.records, events);
            let mut records = Vec::new();
            codec.unpack(&blocks[block.data], 1000, &mut records).expect("packed");
            assert_eq!(records, expected, "{name}");
            blocks = &blocks[block.end..];
        }
        assert!(blocks.is_empty());
    }
}

#[test]
fn headers_that_were_set_since_are_written_as_if_the_event_had_come_with_them() {
    let batch = |value| {
        let mut builder = BatchBuilder::default();
        ["body 0", "body 1"].iter().for_each(|body| builder.push([("Type", value)], body.as_bytes()));
        Batch::parse(builder.finish().buffer().clone()).expect("own bytes")
    };
    let wanted = batch("LOGIN");
    let map = wanted.model().expect("all alike").header_bytes().to_vec();
    let set = batch("x").with_headers(map.into());
    for serializer in ["text", "header_and_text", "avro_event"] {
        for codec in Codec::ALL.map(Codec::name) {
            let pairs = [("sink.serializer", serializer), ("sink.serializer.compressionCodec", codec)];
            assert_eq!(
                written(&pairs, std::slice::from_ref(&set)),
                written(&pairs, std::slice::from_ref(&wanted)),
                "{pairs:?}"
            );
        }
    }
}

#[test]
fn two_files_have_two_sync_markers() {
    let mut serializer = serializer(&[("sink.serializer", "avro_event")]).expect("valid");
    let (mut first, mut second) = (Vec::new(), Vec::new());
    serializer.begin(&mut first);
    serializer.begin(&mut second);
    assert_ne!(first, second);
}

#[test]
fn large_blocks_that_do_not_compress_come_through() {
    let mut random = Random::seeded(7);
    let body: Vec<u8> = (0..100_000).flat_map(|_| random.next().to_le_bytes()).collect();
    let mut builder = BatchBuilder::default();
    builder.push([], &body);
    let batch = builder.finish();
    let pairs = [("sink.serializer", "avro_event"), ("sink.serializer.compressionCodec", "deflate")];
    let file = written(&pairs, std::slice::from_ref(&batch));
    let head = container::head(&file).expect("a head").expect("all of it");
    let block =
        container::block(&file[head.size..], &head.sync, file.len()).expect("a block").expect("all of it");
    assert_eq!(block.records, 1);
    let mut records = Vec::new();
    let packed = &file[head.size..][block.data];
    Codec::Deflate.unpack(packed, batch.buffer().len(), &mut records).expect("deflated");
    assert_eq!(records[..], batch.buffer()[..]);
}

#[test]
fn what_cannot_be_built_is_said() {
    let cases: [(&[(&str, &str)], &str); 2] = [
        (&[("sink.serializer", "json")], "there is no serializer `json`"),
        (
            &[("sink.serializer", "avro_event"), ("sink.serializer.syncIntervalBytes", "1")],
            "syncIntervalBytes` is `1`: less than 32",
        ),
    ];
    for (pairs, expected) in cases {
        let error = serializer(pairs).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
}
