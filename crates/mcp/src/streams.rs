//! Stdin and stdout of this process as non-blocking streams where the system has them: pipes, as
//! most clients give, and the socket pairs that Node's clients give. Anything else (a terminal, a
//! file) goes through the runtime's blocking threads, which cost a hop a message.
//!
//! This must never change how another process sees the streams: a pipe is opened anew, for its
//! flags are shared, and only a socket, whose end nobody shares with us, is switched.

use tokio::io::{AsyncRead, AsyncWrite};

/// Where messages come from.
pub(crate) type Input = Box<dyn AsyncRead + Send + Unpin>;
/// Where answers go.
pub(crate) type Output = Box<dyn AsyncWrite + Send + Unpin>;

/// Stdin and stdout of this process. To be called once, inside a runtime.
pub(crate) fn standard() -> (Input, Output) {
    let input = non_blocking::input(&std::io::stdin());
    let output = non_blocking::output(&std::io::stdout());
    (
        input.unwrap_or_else(|| Box::new(tokio::io::stdin())),
        output.unwrap_or_else(|| Box::new(tokio::io::stdout())),
    )
}

#[cfg(unix)]
mod non_blocking {
    use std::os::fd::{AsFd, AsRawFd as _};
    use std::os::unix::net::UnixStream as BlockingSocket;

    use tokio::net::UnixStream;
    use tokio::net::unix::pipe::OpenOptions;

    use super::{Input, Output};

    pub(super) fn input(stream: &impl AsFd) -> Option<Input> {
        let pipe = OpenOptions::new().open_receiver(path(stream)).ok();
        pipe.map(|pipe| Box::new(pipe) as Input)
            .or_else(|| socket(stream).map(|socket| Box::new(socket) as Input))
    }

    pub(super) fn output(stream: &impl AsFd) -> Option<Output> {
        let pipe = OpenOptions::new().open_sender(path(stream)).ok();
        pipe.map(|pipe| Box::new(pipe) as Output)
            .or_else(|| socket(stream).map(|socket| Box::new(socket) as Output))
    }

    /// Opening this gives a description with flags of its own on Linux. Elsewhere there is no such
    /// path, and the blocking way is taken.
    fn path(stream: &impl AsFd) -> String {
        format!("/proc/self/fd/{}", stream.as_fd().as_raw_fd())
    }

    fn socket(stream: &impl AsFd) -> Option<UnixStream> {
        let socket = BlockingSocket::from(stream.as_fd().try_clone_to_owned().ok()?);
        // Fails for whatever is no Unix socket.
        socket.peer_addr().ok()?;
        socket.set_nonblocking(true).ok()?;
        UnixStream::from_std(socket).ok()
    }
}

#[cfg(not(unix))]
mod non_blocking {
    use super::{Input, Output};

    pub(super) fn input<T>(_: &T) -> Option<Input> {
        None
    }

    pub(super) fn output<T>(_: &T) -> Option<Output> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream as BlockingSocket;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::non_blocking::{input, output};

    #[tokio::test]
    async fn pipes_are_read_and_written_without_blocking() {
        let (reader, mut client) = std::io::pipe().unwrap();
        client.write_all(b"hello").unwrap();
        let mut bytes = [0; 5];
        input(&reader).unwrap().read_exact(&mut bytes).await.unwrap();
        assert_eq!(&bytes, b"hello");

        let (mut client, writer) = std::io::pipe().unwrap();
        output(&writer).unwrap().write_all(b"world").await.unwrap();
        client.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"world");
    }

    #[tokio::test]
    async fn a_socket_pair_serves_as_both() {
        let (server, mut client) = BlockingSocket::pair().unwrap();
        client.write_all(b"hello").unwrap();
        let mut bytes = [0; 5];
        input(&server).unwrap().read_exact(&mut bytes).await.unwrap();
        assert_eq!(&bytes, b"hello");
        output(&server).unwrap().write_all(b"world").await.unwrap();
        client.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"world");
    }

    #[tokio::test]
    async fn a_file_is_left_to_the_blocking_way() {
        let file = tempfile::tempfile().unwrap();
        assert!(input(&file).is_none());
        assert!(output(&file).is_none());
    }
}
