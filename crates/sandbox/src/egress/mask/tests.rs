use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

fn masker(secrets: &[&str]) -> Masker {
    let masker = Masker::default();
    for secret in secrets {
        masker.hide(secret);
    }
    masker
}

#[test]
fn denied_a_secret_in_any_common_spelling() {
    let secret = "gh/p_s3cr3t+\"täken\"";
    let masker = masker(&[secret]);
    for text in [
        format!("<{secret}>"),
        "gh%2Fp_s3cr3t%2B%22t%C3%A4ken%22".to_owned(),
        "gh%2fp_s3cr3t%2b%22t%c3%a4ken%22".to_owned(),
        serde_json::to_string(secret).unwrap(),
    ] {
        let masked = masker.text(&text);
        assert_eq!(masked.len(), text.len(), "{text}");
        assert!(!masked.contains("s3cr3t"), "{masked}");
        assert!(!masked.contains("ken"), "{masked}");
    }
    for before in ["", "u", "us", "user:", "user2:"] {
        let text = STANDARD.encode(format!("{before}{secret}!"));
        let masked = masker.text(&text).into_owned();
        let left: String = masked.chars().filter(|&c| c != '*').collect();
        // At most the characters that the secret shares with its neighbours are left.
        assert!(left.len() <= (before.len() * 8).div_ceil(6) + 5, "{masked}");
    }
}

#[test]
fn what_is_no_secret_is_left_alone_and_not_held_back() {
    let masker = masker(&["topsecret"]);
    let mut masking = masker.stream();
    assert_eq!(&masking.push(b"data: 1\n\n")[..], b"data: 1\n\n");
    assert_eq!(&masking.push(b"data: to")[..], b"data: ");
    assert_eq!(&masking.push(b"morrow")[..], b"tomorrow");
    assert_eq!(&masking.push(b"... tops")[..], b"... ");
    assert_eq!(&masking.push(b"ecret!")[..], b"*********!");
    assert_eq!(&masking.push(b"top")[..], b"");
    assert_eq!(&masking.finish()[..], b"top");
    assert!(matches!(Masker::default().text("as it is"), Cow::Borrowed("as it is")));
}

#[test]
fn denied_a_secret_in_json_that_escapes_its_slashes() {
    let text = r#"{"token":"ab\/cd+ef\/12"}"#;
    assert_eq!(masker(&["ab/cd+ef/12"]).text(text), r#"{"token":"*************"}"#);
}

#[test]
fn a_value_too_short_to_be_one_is_not_hidden() {
    assert_eq!(masker(&["abc"]).text("abcabc"), "abcabc");
}

#[test]
fn secrets_that_overlap_are_hidden_whole() {
    let masker = masker(&["abab", "babx"]);
    assert_eq!(masker.text("ababab"), "******");
    assert_eq!(masker.text("ababx"), "*****");
    // One that ends within what might have become another.
    assert_eq!(self::masker(&["abbbba", "abbb"]).text("abbbb"), "****b");
    let mut masking = masker.stream();
    let mut text = masking.push(b"abab").to_vec();
    text.extend_from_slice(&masking.push(b"x."));
    text.extend_from_slice(&masking.finish());
    assert_eq!(text, b"*****.");
}

proptest! {
    #[test]
    fn pieces_are_masked_as_the_whole_is(
        text in "[ab]{0,40}",
        secrets in prop::collection::vec("[ab]{4,6}", 1..3),
        cuts in prop::collection::vec(1usize..7, 0..20),
    ) {
        let masker = Masker::default();
        secrets.iter().for_each(|secret| masker.hide(secret));
        let whole = masker.bytes(text.as_bytes());
        for secret in &secrets {
            prop_assert!(memmem::find(&whole, secret.as_bytes()).is_none());
        }
        let (mut masking, mut pieces, mut rest) = (masker.stream(), Vec::new(), text.as_bytes());
        for cut in cuts {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            pieces.extend_from_slice(&masking.push(piece));
            rest = after;
        }
        pieces.extend_from_slice(&masking.push(rest));
        pieces.extend_from_slice(&masking.finish());
        prop_assert_eq!(pieces, whole.to_vec());
    }
}
