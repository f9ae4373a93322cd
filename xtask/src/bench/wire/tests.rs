use super::{Calls, Revision, is_news, is_result, is_right};

#[test]
fn only_the_sum_of_its_own_call_is_right() {
    let answer = |id: &str, sum: &str| {
        let text = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":"{sum}"}}]}}}}"#
        );
        is_right(text.as_bytes())
    };
    assert!(answer("7", "8"));
    assert!(!answer("7", "9"));
    assert!(!answer("7", "division by zero"));
    assert!(!answer("99999999999999999999", "8"));
    assert!(!is_right(br#"{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"no"}}"#));
    assert!(!is_right(b""));
}

#[test]
fn every_call_has_an_id_of_its_own() {
    let mut calls = Calls::new(Revision::Handshake, 40);
    let mut out = Vec::new();
    calls.write(&mut out);
    calls.write(&mut out);
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains(r#""id":41"#) && text.contains(r#""a":41"#));
    assert!(text.contains(r#""id":42"#) && text.contains(r#""a":42"#));
    assert!(!text.contains("_meta"));
}

#[test]
fn requests_of_the_newer_revision_describe_themselves() {
    let mut out = Vec::new();
    Calls::new(Revision::PerRequest, 0).write(&mut out);
    for text in [String::from_utf8(out).unwrap(), Revision::PerRequest.opening()] {
        assert!(text.contains(r#""io.modelcontextprotocol/protocolVersion":"2026-07-28""#));
        assert_eq!(text.matches('{').count(), text.matches('}').count());
    }
}

#[test]
fn news_is_no_answer() {
    let news = br#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
    assert!(is_news(news) && !is_result(news));
    assert!(is_result(br#"{"jsonrpc":"2.0","id":0,"result":{}}"#));
}
