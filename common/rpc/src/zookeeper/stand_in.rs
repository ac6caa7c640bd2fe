//! A server that a test speaks for.

use super::Ensemble;
use runtime::{
    net::{TcpListener, TcpStream},
    within::Within,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wire::zookeeper::WATCH;

/// Reads one frame of a client's.
pub async fn asked(stream: &mut TcpStream) -> Vec<u8> {
    let length = stream.read_u32().within("a request").await.expect("the connection holds");
    let mut frame = vec![0; length as usize];
    stream.read_exact(&mut frame).within("a request").await.expect("the connection holds");
    frame
}

/// Sends one.
pub async fn say(stream: &mut TcpStream, frame: &[u8]) {
    stream.write_u32(frame.len() as u32).await.expect("the connection holds");
    stream.write_all(frame).await.expect("the connection holds");
}

/// The first frame, with a session of `ms`.
pub async fn greet(listener: &TcpListener, ms: i32) -> TcpStream {
    let (mut stream, _) = listener.accept().within("a connection").await.expect("the connection holds");
    assert_eq!(asked(&mut stream).await.len(), 45);
    let welcome = [&[0; 4][..], &ms.to_be_bytes(), &[0; 8], &16u32.to_be_bytes(), &[0; 17]].concat();
    say(&mut stream, &welcome).await;
    stream
}

/// An answer's head, to the request in `frame`.
pub fn head(frame: &[u8], code: i32) -> Vec<u8> {
    [&frame[..4], &[0; 8], &code.to_be_bytes()].concat()
}

/// What stands behind the bytes of a node.
pub fn stat(version: i32) -> Vec<u8> {
    [&[0; 32][..], &version.to_be_bytes(), &[0; 32]].concat()
}

/// A port, and the ensemble that it is.
pub async fn listen() -> (TcpListener, Ensemble) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("the connection holds");
    let port = listener.local_addr().expect("it is one").port();
    (listener, Ensemble::parse(&format!("127.0.0.1:{port}")).expect("it is one"))
}

/// A watch fires.
pub async fn fire(stream: &mut TcpStream) {
    let event = [&WATCH.to_be_bytes()[..], &[0; 12], &[0, 0, 0, 1, 0, 0, 0, 3], &[0; 4]].concat();
    say(stream, &event).await;
}

/// Answers the next question with `bytes`, at version 7.
pub async fn give(stream: &mut TcpStream, bytes: &[u8]) {
    let get = asked(stream).await;
    assert_eq!(get[4..8], 4i32.to_be_bytes());
    let length = (bytes.len() as u32).to_be_bytes();
    say(stream, &[&head(&get, 0)[..], &length, bytes, &stat(7)].concat()).await;
}
