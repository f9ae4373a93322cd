use super::Response;

const COUNTED: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nMcp-Session-Id: abc\r\n\r\nhello";
const CHUNKED: &[u8] =
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";

#[test]
fn a_body_is_read_by_its_length_or_by_its_chunks() {
    let counted = Response::read(COUNTED).unwrap().unwrap();
    assert_eq!(counted.body, b"hello");
    assert_eq!(counted.session.as_deref(), Some("abc"));
    let chunked = Response::read(CHUNKED).unwrap().unwrap();
    assert_eq!(chunked.body, b"hello");
    assert_eq!(chunked.session, None);
}

#[test]
fn a_part_is_never_taken_for_the_whole() {
    for whole in [COUNTED, CHUNKED] {
        for end in 0..whole.len() {
            assert_eq!(Response::read(&whole[..end]).unwrap(), None, "{end}");
        }
    }
}

#[test]
fn an_answer_without_a_body_is_whole() {
    let accepted = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(Response::read(accepted).unwrap().unwrap().body, b"");
}

#[test]
fn what_is_no_success_or_no_http_is_an_error() {
    for wrong in [
        b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n".as_slice(),
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabcd\r\n",
        b"HTTP/1.1 200 \xff\r\n\r\n",
    ] {
        assert!(Response::read(wrong).is_err(), "{}", String::from_utf8_lossy(wrong));
    }
}
