//! Frames of both ways, whole, cut and damaged.

use super::*;
use crate::{
    Attribute, Bean, Spec,
    frame::{FrameDecoder, Outgoing},
};
use event::BatchBuilder;

fn batch() -> Batch {
    let mut builder = BatchBuilder::default();
    builder.push([("k", "v")], b"one");
    builder.push([], b"");
    builder.finish()
}

fn texts(out: &mut BytesMut, texts: &[&str]) {
    texts.iter().for_each(|text| push_text(out, text));
}

fn numbers(out: &mut BytesMut, numbers: &[i64]) {
    numbers.iter().for_each(|number| push_zigzag(out, *number));
}

/// One frame of each kind that a JVM sends, as `Bridge.java` writes it.
fn samples() -> Vec<(u8, BytesMut)> {
    let made = |kind: u8, write: &dyn Fn(&mut BytesMut)| {
        let mut out = BytesMut::new();
        write(&mut out);
        (kind, out)
    };
    let events = |out: &mut BytesMut| {
        push_zigzag(out, 2);
        batch().append_to(out);
    };
    let thrown = ["java.lang.IllegalStateException", "no", "org.acme.X", "java.lang...\n\tat x\n"];
    vec![
        made(0x81, &|out| {
            numbers(out, &[1]);
            texts(out, &["1.9.0", "17", "7@host"]);
            numbers(out, &[200, 1 << 26]);
        }),
        made(0x82, &|out| {
            texts(out, &["org.acme.Sink"]);
            numbers(out, &[100]);
            texts(out, &["sink"]);
        }),
        made(0x83, &|_| {}),
        made(0x84, &|_| {}),
        made(0x8f, &|out| {
            texts(out, &["create"]);
            texts(out, &thrown);
        }),
        made(0x90, &|out| numbers(out, &[5, 0, 0])),
        made(0xa1, &|out| numbers(out, &[2, 0, 3, 7, 1])),
        made(0xa2, &|out| numbers(out, &[1, 3, 4])),
        made(0xa3, &|out| numbers(out, &[1, 9, 1])),
        made(0xa3, &|out| {
            numbers(out, &[3, 9, 0]);
            texts(out, &thrown);
        }),
        made(0xa4, &|out| numbers(out, &[0])),
        made(0xb0, &|out| {
            numbers(out, &[4, 1]);
            events(out);
        }),
        made(0xc0, &|out| {
            numbers(out, &[1]);
            texts(out, &["SINK.k1"]);
            numbers(out, &[1]);
            texts(out, &["EventDrainSuccessCount", "3"]);
        }),
        made(0xc1, &|_| {}),
        made(0xe1, &|_| {}),
        made(0xc2, &|out| texts(out, &["", "\"main\""])),
        made(0xcd, &|out| {
            texts(out, &["WARN", "org.acme.Sink", "main", "careful", ""]);
            numbers(out, &[1_700_000_000_000]);
        }),
        made(0xce, &|out| {
            texts(out, &["worker"]);
            texts(out, &thrown);
        }),
        made(0xcf, &|out| texts(out, &["sink k1", "stack"])),
        made(0xd0, &|out| {
            numbers(out, &[8]);
            events(out);
        }),
        made(0xd1, &|out| numbers(out, &[8, 0])),
        made(0xd1, &|out| {
            numbers(out, &[8, 1]);
            texts(out, &thrown);
        }),
        made(0xe0, &|out| numbers(out, &[1])),
        made(0x98, &|out| numbers(out, &[6, 5, 0, 0])),
        made(0xb8, &|out| {
            numbers(out, &[6, 4, 1]);
            events(out);
        }),
        made(0xd8, &|out| {
            numbers(out, &[6, 8]);
            events(out);
        }),
    ]
}

fn read(kind: u8, payload: &[u8]) -> Result<Option<FromJvm>, Malformed> {
    FromJvm::read(Frame { kind, component: 1, payload: Bytes::copy_from_slice(payload) })
}

#[test]
fn each_frame_of_a_jvm_is_read_and_no_cut_or_damage_of_it_panics() {
    for (kind, payload) in samples() {
        let whole = read(kind, &payload).unwrap_or_else(|error| panic!("{kind:x}: {error}"));
        assert!(whole.is_some(), "{kind:x} is known");
        for cut in 0..payload.len() {
            // The answer of interceptors is read later, beside its call.
            assert!(kind & !OBJECTS == 0x90 || read(kind, &payload[..cut]).is_err(), "{kind:x} cut at {cut}");
            for damage in [1, 4, 0x40, 0x80, 0xff] {
                let mut damaged = payload.to_vec();
                damaged[cut] ^= damage;
                let _ = read(kind, &damaged);
            }
        }
    }
    assert!(read(0x77, b"anything").expect("no error").is_none(), "a kind that is not known is passed over");
}

#[test]
fn a_stream_of_all_frames_is_the_same_in_any_pieces() {
    let frames = samples().into_iter().map(|(kind, payload)| Outgoing::new(kind, 3, &payload, []));
    let bytes: Vec<u8> = frames.flat_map(|frame| frame.parts.concat()).collect();
    fuzz(&bytes);
    for at in (0..bytes.len()).step_by(3) {
        for damage in [1, 0x80] {
            let mut damaged = bytes.clone();
            damaged[at] ^= damage;
            fuzz(&damaged);
        }
    }
}

#[test]
fn counts_that_lie_take_no_memory() {
    for kind in [0xa1, 0xb0, 0xc0, 0xd0] {
        let mut payload = BytesMut::new();
        numbers(&mut payload, &[i64::MAX, i64::MAX, i64::MAX]);
        assert!(read(kind, &payload).is_err(), "{kind:x}");
    }
}

#[test]
fn events_are_slices_on_the_way_in_and_out() {
    let batch = batch();
    let call = to_jvm::call(7, 1, false, &batch);
    assert_eq!(call.parts[1].as_ptr(), batch.buffer().as_ptr());
    let (_, payload) = samples().swap_remove(11);
    let payload = payload.freeze();
    let range = payload.as_ptr_range();
    let frame = Frame { kind: 0xb0, component: 1, payload };
    let Ok(Some(FromJvm::Put { transaction, channel, batch })) = FromJvm::read(frame) else {
        panic!("a put")
    };
    let bodies: Vec<_> = batch.events().map(|event| event.body()).collect();
    assert_eq!((transaction, channel, &bodies[..]), (4, 1, &[&b"one"[..], b""][..]));
    assert!(range.contains(&bodies[0].as_ptr()));
}

#[test]
fn objects_are_named_by_their_number_and_their_places() {
    for (kind, payload) in samples().split_off(samples().len() - 3) {
        match read(kind, &payload) {
            Ok(Some(FromJvm::WithObjects { id: 6, .. })) => {}
            other => panic!("{kind:x}: {other:?}"),
        }
    }
    let known = to_jvm::Known { id: 6, places: &[2, 5] };
    let payload = to_jvm::events(7, 40, &batch(), Some(known)).parts[0].slice(9..);
    let mut r = Reader::new(payload);
    let all: Vec<i64> = (0..5).map(|_| r.number().expect("a number")).collect();
    assert_eq!((all, r.rest().len()), (vec![40, -2, 6, 2, 5], 0));
}

#[test]
fn a_component_is_described_as_the_jvm_reads_it() {
    let spec = Spec::new(ComponentKind::Sink, "k1", "null").with("batchSize", "7").names(["c1"]);
    let mut decoder = FrameDecoder::new(1 << 20);
    for part in to_jvm::create(9, &spec).parts {
        decoder.room().extend_from_slice(&part);
    }
    let frame = decoder.next_frame().expect("a frame").expect("whole");
    assert_eq!((frame.kind, frame.component), (2, 9));
    let mut r = Reader::new(frame.payload);
    assert_eq!(r.number(), Ok(1));
    assert_eq!([r.text(), r.text()], [Ok("k1".into()), Ok("null".into())]);
    assert_eq!(r.number(), Ok(2));
    let map: Vec<_> = (0..4).map(|_| r.text().expect("a text")).collect();
    assert_eq!(map, ["batchSize", "7", "type", "null"]);
    assert_eq!((r.number(), r.text()), (Ok(1), Ok("c1".into())));
    assert_eq!([r.number(), r.number()], [Ok(100), Ok(3000)]);
}

#[test]
fn counters_are_written_as_the_jvm_reads_them() {
    let attributes = [
        ("EventReceivedCount", Attribute::Long(7)),
        ("ChannelFillPercentage", Attribute::Double(f64::MAX)),
        ("Type", Attribute::Text("SOURCE".into())),
    ];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value)).into();
    let beans = [Bean { kind: "SOURCE".into(), name: "r1".into(), attributes }];
    let mut decoder = FrameDecoder::new(1 << 20);
    for part in to_jvm::counters(9, &beans).parts {
        decoder.room().extend_from_slice(&part);
    }
    let frame = decoder.next_frame().expect("a frame").expect("whole");
    assert_eq!((frame.kind, frame.component), (0x71, 9));
    let mut r = Reader::new(frame.payload);
    assert_eq!(
        (r.number(), r.text(), r.text(), r.number()),
        (Ok(1), Ok("SOURCE".into()), Ok("r1".into()), Ok(3))
    );
    assert_eq!((r.text(), r.number(), r.number()), (Ok("EventReceivedCount".into()), Ok(0), Ok(7)));
    let double = (r.text(), r.number(), r.text());
    assert_eq!(double, (Ok("ChannelFillPercentage".into()), Ok(1), Ok("1.7976931348623157e308".into())));
    assert_eq!((r.text(), r.number(), r.text()), (Ok("Type".into()), Ok(2), Ok("SOURCE".into())));
    assert!(r.rest().is_empty());
}

#[test]
fn what_was_thrown_is_told_with_what_it_began_with() {
    let told = |message: &str, causes: &[&str]| {
        let causes: String = causes
            .iter()
            .map(|cause| format!("Caused by: {cause}\n\tat a.B.c(B.java:1)\n\t... 3 more\n"))
            .collect();
        let stack = format!("org.acme.Odd: {message}\n\tat a.B.c(B.java:7)\n{causes}");
        Thrown { class: "org.acme.Odd".into(), message: message.into(), missing: None, stack }.to_string()
    };
    assert_eq!(told("no login", &[]), "Odd: no login");
    assert_eq!(
        told("no login", &["java.io.IOException: no way", "javax.x.LoginException: no keytab: /a"]),
        "Odd: no login; its cause is LoginException: no keytab: /a"
    );
    assert_eq!(told("", &["java.lang.NullPointerException"]), "Odd; its cause is NullPointerException");
    let wrapped = "java.io.IOException: no way";
    assert_eq!(told(wrapped, &[wrapped]), "Odd: java.io.IOException: no way");
    assert_eq!(Thrown::default().to_string(), "");
}

#[test]
fn a_failure_to_cast_is_one_by_its_class_or_a_cause_and_not_by_a_message() {
    let is = |class: &str, stack: &str| {
        Thrown { class: class.into(), stack: stack.into(), ..Thrown::default() }.is_a_cast()
    };
    assert!(is("java.lang.ClassCastException", ""));
    assert!(is(
        "org.acme.Odd",
        "org.acme.Odd: x\n\tat a.B\nCaused by: java.lang.ClassCastException: A is no B\n"
    ));
    assert!(is("org.acme.Odd", "org.acme.Odd\nCaused by: java.lang.ClassCastException\n\tat a.B\n"));
    assert!(!is("org.acme.Odd", "org.acme.Odd: it was no java.lang.ClassCastException: but a sink's\n"));
    assert!(!is("org.acme.Odd", "org.acme.Odd\nCaused by: java.lang.ClassCastExceptions: x\n"));
}
