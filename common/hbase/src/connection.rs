//! A connection to one server: one call at a time.

use crate::policy;
use crate::wire::message::ExceptionResponse;
use crate::wire::{Answer, Answers, call, preamble, server_of};
use bytes::{Bytes, BytesMut};
use prost::Message;
use runtime::clock::{self, Instant};
use runtime::net::{TcpStream, keep_alive};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout_at;

/// Why a call has no answer. The connection is of no use any more: what was called may have been done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lost(pub(crate) String);

/// What a method says, or why the server has not done it.
pub(crate) type Said<A> = Result<A, ExceptionResponse>;

/// A connection.
pub(crate) struct Connection {
    stream: TcpStream,
    answers: Answers,
    /// What is to be written; its memory is used again.
    out: BytesMut,
    id: u32,
}

impl Connection {
    /// To `server` (`HOST:PORT`), as `user`; `cells` as in [`preamble`].
    pub(crate) async fn open(
        server: &str,
        user: &str,
        cells: bool,
        deadline: Instant,
    ) -> Result<Connection, Lost> {
        let (host, port) = server_of(server).ok_or_else(|| Lost(format!("`{server}` is no HOST:PORT")))?;
        let stream = timeout_at(deadline, TcpStream::connect((host, port))).await;
        let stream = stream.map_err(|_| late(server))?.map_err(|error| lost(server, &error))?;
        stream.set_nodelay(true).map_err(|error| lost(server, &error))?;
        keep_alive(&stream).map_err(|error| lost(server, &error.into()))?;
        Ok(Connection { stream, answers: Answers::default(), out: preamble(user, cells), id: 0 })
    }

    /// Calls `method`, with `cells` behind its request. When this is dropped half way, the connection is of no use any more.
    pub(crate) async fn call<'c, A: Message + Default>(
        &mut self,
        server: &str,
        method: &str,
        request: &impl Message,
        cells: impl Iterator<Item = &'c Bytes> + Clone,
        deadline: Instant,
    ) -> Result<Said<A>, Lost> {
        self.id = self.id.wrapping_add(1);
        let left = deadline.saturating_duration_since(clock::now()).as_millis();
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        call(self.id, method, request, cells, left, &mut self.out);
        let answered = timeout_at(deadline, self.exchange()).await.map_err(|_| late(server))?;
        match answered.map_err(|error| lost(server, &error))? {
            Ok(body) => {
                let read = Answer::read(body).map_err(|error| Lost(format!("{server}: {error}")));
                read.map(Ok)
            }
            Err(exception) => Ok(Err(exception)),
        }
    }

    async fn exchange(&mut self) -> io::Result<Said<Bytes>> {
        self.stream.write_all(&self.out).await?;
        self.out.clear();
        loop {
            while let Some(answer) = self.answers.take().map_err(io::Error::other)? {
                match answer.body {
                    body if answer.id == self.id => return Ok(body),
                    Err(refusal) if answer.id == OF_THE_CONNECTION => {
                        return Err(io::Error::other(format!(
                            "it refuses the connection: {}",
                            said(&refusal)
                        )));
                    }
                    _ => {} // to a call that nobody waits for
                }
            }
            if self.stream.read_buf(self.answers.buffer()).await? == 0 {
                return Err(io::Error::other("it closed the connection"));
            }
        }
    }
}

fn said(refusal: &ExceptionResponse) -> String {
    format!("{}: {}", policy::short(&refusal.class), policy::first_line(&refusal.trace))
}

/// -1: the answer is to no call.
const OF_THE_CONNECTION: u32 = u32::MAX;

fn lost(server: &str, error: &io::Error) -> Lost {
    Lost(format!("{server}: {error}"))
}

fn late(server: &str) -> Lost {
    Lost(format!("{server}: no answer in time"))
}
