//! How a host that vanished is noticed when nobody has anything to say: the kernel asks after it.

use super::TcpStream;
use crate::clock::Duration;
use rustix::io;
use rustix::net::sockopt;

/// Has the kernel ask after a silent peer, and end the connection when the peer's host does not answer for [`GONE`]. Flume
/// sets it, too, and leaves the times to the system: two hours.
pub fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, QUIET)?;
    sockopt::set_tcp_keepintvl(stream, AGAIN)?;
    sockopt::set_tcp_keepcnt(stream, TIMES)
}

/// The same for what was sent and is not acknowledged: the kernel does not ask after a peer while something is under way.
/// For answers of a source; what a sink sends may take its time.
pub(crate) fn give_up_unacknowledged(stream: &TcpStream) -> io::Result<()> {
    let millis = u32::try_from(GONE.as_millis()).unwrap_or(u32::MAX);
    sockopt::set_tcp_user_timeout(stream, millis)
}

/// What is said of it.
pub const HOST_GONE: &str =
    "its host has not answered for 120 s, or it has read nothing for so long; its connection is closed";
const QUIET: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_secs(10);
const TIMES: u32 = 6;
/// The sum.
const GONE: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::TcpListener;

    #[tokio::test]
    async fn the_kernel_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        keep_alive(&stream).unwrap();
        give_up_unacknowledged(&stream).unwrap();
        assert_eq!(sockopt::socket_keepalive(&stream), Ok(true));
        assert_eq!(sockopt::tcp_keepidle(&stream), Ok(QUIET));
        assert_eq!(sockopt::tcp_user_timeout(&stream), Ok(120_000));
        assert_eq!(QUIET + AGAIN * TIMES, GONE);
    }
}
