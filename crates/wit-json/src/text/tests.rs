//! Cleaning of text.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::clean;

#[test]
fn plain_text_stays_as_it_is() {
    let text = "Grüße, 天気 and 👍🏽 ❤\u{FE0F}:\n\n- one\n- two";
    assert_eq!(clean(text, 2048), text);
}

#[test]
fn what_hides_or_reorders_goes() {
    assert_eq!(clean("a\u{200B}b\u{202E}c\u{2066}d\u{FEFF}e\u{AD}f", 99), "abcdef");
    assert_eq!(clean("\u{1B}[31mred\u{1B}[0m\u{7}\0", 99), "[31mred[0m");
    let hidden: String =
        "ignore".chars().map(|c| char::from_u32(0xE0000 + c as u32).unwrap()).collect();
    assert_eq!(clean(&format!("Adds.{hidden}"), 99), "Adds.");
}

#[test]
fn line_breaks_and_tabs_become_plain() {
    assert_eq!(clean(" \t\u{2028}a\r\nb\rc\td\u{85}e\n ", 99), "a\nb\nc d\ne");
}

#[test]
fn a_cut_falls_between_characters_and_is_marked() {
    assert_eq!(clean("äöüäöü", 12), "äöüäöü");
    assert_eq!(clean("äöüäöü", 11), "äöüä…");
    assert_eq!(clean("äöüäöü", 10), "äöü…");
    assert_eq!(clean("abc", 2), "");
    assert_eq!(clean("one two three", 7), "one…");
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: RngSeed::Fixed(48), failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn the_limit_holds_and_cleaning_twice_changes_nothing(text in any::<String>(), limit in 0_usize..64) {
        let once = clean(&text, limit);
        prop_assert!(once.len() <= limit);
        prop_assert_eq!(clean(&once, limit), once);
    }
}
