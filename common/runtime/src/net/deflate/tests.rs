use super::read::MOST_EXPANDED;
use super::*;
use crate::within::Within;
use std::io::Write;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

#[tokio::test]
async fn a_flush_completes_what_was_written_and_an_end_is_sent() {
    let (near, mut far) = duplex(1 << 20);
    let mut stream = Deflate::new(near, 6);
    stream.write_all(b"hello").within("a write").await.unwrap();
    stream.flush().within("a flush").await.unwrap();
    stream.flush().within("a flush").await.unwrap();
    stream.write_all(b" world").within("a write").await.unwrap();
    stream.shutdown().within("the end of the stream").await.unwrap();
    drop(stream);
    let mut wire = Vec::new();
    far.read_to_end(&mut wire).within("the end of the stream").await.unwrap();
    assert_eq!(wire[..2], [0x78, 0x9c]);
    // One flush that had something to say, one that had not.
    assert_eq!(wire.windows(4).filter(|window| *window == [0, 0, 0xff, 0xff]).count(), 1);
    let mut plain = Vec::new();
    std::io::copy(&mut flate2::read::ZlibDecoder::new(&wire[..]), &mut plain).unwrap();
    assert_eq!(plain, b"hello world");
}

/// The client's stream of two calls and its end, as captured from Flume 1.11.0.
#[tokio::test]
async fn what_flume_sent_comes_out_in_whatever_pieces_it_comes() {
    let wire = hex(
        "789c626060606460606002628386b2a3e6220fe4f374645f4f7579bef11f03ba005095586241416a5e8a5362497206508f2a130b474865412a978fbfbba79f90737e4e4e6a72497e1157467e7189210357466a4e4e3e03000000ffff\
         825a00c2bca49a509e5f9493c200000000ffff\
         03001abc2fb7",
    );
    for piece in [1, 7, 1000] {
        let (near, mut far) = duplex(piece);
        let sent = wire.clone();
        let sending = tokio::spawn(async move {
            far.write_all(&sent).within("a write").await.unwrap();
            far.shutdown().within("the end of the stream").await.unwrap();
        });
        let mut plain = Vec::new();
        Deflate::new(near, 6).read_to_end(&mut plain).within("the end of the stream").await.unwrap();
        sending.within("the task that sends").await.unwrap();
        assert_eq!(plain.len(), 101 + 66, "{piece}");
        assert_eq!(plain[..8], [0, 0, 0, 1, 0, 0, 0, 2]);
        assert!(plain.windows(5).any(|window| window == b"hello"));
    }
}

#[tokio::test]
async fn both_ways_through_a_narrow_pipe_at_every_level() {
    let data: Vec<u8> =
        (0..200_000_u32).flat_map(|n| (n.wrapping_mul(2_654_435_761) >> (n % 29)).to_le_bytes()).collect();
    for level in 0..=9 {
        let (near, far) = duplex(777);
        let (mut near, mut far) = (Deflate::new(near, level), Deflate::new(far, 6));
        let sent = data.clone();
        let sending = tokio::spawn(async move {
            for part in sent.chunks(9_001) {
                near.write_all(part).within("a write").await.unwrap();
                near.flush().within("a flush").await.unwrap();
            }
            near.shutdown().within("the end of the stream").await.unwrap();
        });
        let mut received = Vec::new();
        far.read_to_end(&mut received).within("the end of the stream").await.unwrap();
        sending.within("the task that sends").await.unwrap();
        assert!(received == data, "level {level}");
    }
}

#[tokio::test]
async fn a_bomb_expands_no_further_than_the_reader_asks() {
    let mut bomb = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![0; 64 << 20]).unwrap();
    let bomb = bomb.finish().unwrap();
    let mut stream = Deflate::new(std::io::Cursor::new(bomb), 6);
    let mut asked = [1; 1000];
    assert_eq!(stream.read(&mut asked).within("an answer").await.unwrap(), 1000);
    let mut large = vec![1; 1 << 20];
    assert!(stream.read(&mut large).within("an answer").await.unwrap() <= MOST_EXPANDED);
}

#[tokio::test]
async fn bytes_that_are_not_compressed_are_told_from_a_damaged_stream() {
    let broken = |wire: Vec<u8>| async move {
        let mut plain = Vec::new();
        let error = Deflate::new(std::io::Cursor::new(wire), 6)
            .read_to_end(&mut plain)
            .within("the end of the stream")
            .await
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        error.into_inner().unwrap().downcast::<Broken>().unwrap()
    };
    let frame = [0, 0, 0, 1, 0, 0, 0, 2, 0, 0];
    assert_eq!(*broken(frame.to_vec()).await, Broken::NotZlib(frame.to_vec()));
    assert!(matches!(*broken(b"xyz".to_vec()).await, Broken::NotZlib(_)));
    let damaged = hex("789cff60606064606060");
    assert!(matches!(*broken(damaged).await, Broken::Damaged(_)));
}

#[tokio::test]
async fn a_peer_that_leaves_in_the_middle_is_no_error() {
    let mut plain = Vec::new();
    Deflate::new(std::io::Cursor::new(hex("789c6260")), 6)
        .read_to_end(&mut plain)
        .within("the end of the stream")
        .await
        .unwrap();
    Deflate::new(std::io::Cursor::new(hex("78")), 6)
        .read_to_end(&mut plain)
        .within("the end of the stream")
        .await
        .unwrap();
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap()).collect()
}
