//! What the tests of this crate share.
#![allow(dead_code)] // each test uses a part

use bytes::BytesMut;
use std::path::{Path, PathBuf};
use wire::avro::{Frame, FrameDecoder, MAX_FRAME_BYTES};

/// The bytes of `testdata/avro/NAME.hex`.
pub(crate) fn recorded(name: &str) -> Vec<u8> {
    bytes(&text(name))
}

/// What went to a server and what came back, from `testdata/avro/NAME.hex`.
pub(crate) fn conversation(name: &str) -> (Vec<u8>, Vec<u8>) {
    let text = text(name);
    let (to, from) = text.split_once("# from the server\n").expect("two directions");
    (bytes(to), bytes(from))
}

/// The names of the recordings of one release.
pub(crate) fn recordings(release: &str) -> Vec<String> {
    let files = std::fs::read_dir(directory().join(release)).expect("recordings");
    let name = |file: std::io::Result<std::fs::DirEntry>| file.expect("a file").path().with_extension("");
    let names = files.map(|file| name(file).strip_prefix(directory()).expect("below").display().to_string());
    names.collect()
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/avro")
}

fn text(name: &str) -> String {
    let path = directory().join(format!("{name}.hex"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn bytes(text: &str) -> Vec<u8> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let digits: String = lines.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex")).collect()
}

/// Those of a recording, as a frame.
pub(crate) fn frame(name: &str) -> Frame {
    one_frame(&recorded(name))
}

/// The one frame that `bytes` hold.
pub(crate) fn one_frame(bytes: &[u8]) -> Frame {
    let mut input = BytesMut::from(bytes);
    let frame = FrameDecoder::new(MAX_FRAME_BYTES).decode(&mut input).expect("a frame").expect("a whole one");
    assert!(input.is_empty(), "one frame and nothing else");
    frame
}

/// All frames that `bytes` hold.
pub(crate) fn frames(bytes: &[u8]) -> Vec<Frame> {
    let (mut decoder, mut input) = (FrameDecoder::new(MAX_FRAME_BYTES), BytesMut::from(bytes));
    std::iter::from_fn(|| decoder.decode(&mut input).expect("frames")).collect()
}

/// `message` in a frame whose buffers have the lengths that `sizes` gives again and again.
pub(crate) fn framed(serial: i32, message: &[u8], sizes: &[usize]) -> Vec<u8> {
    let mut buffers = Vec::new();
    let (mut rest, mut sizes) = (message, sizes.iter().cycle());
    while !rest.is_empty() || buffers.is_empty() {
        let (buffer, more) = rest.split_at((*sizes.next().expect("sizes")).min(rest.len()));
        buffers.push(buffer);
        rest = more;
    }
    let mut out = serial.to_be_bytes().to_vec();
    out.extend_from_slice(&(buffers.len() as i32).to_be_bytes());
    for buffer in buffers {
        out.extend_from_slice(&(buffer.len() as i32).to_be_bytes());
        out.extend_from_slice(buffer);
    }
    out
}
