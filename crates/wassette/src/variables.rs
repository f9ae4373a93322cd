//! `KEY=VALUE`, on the command line and line by line.
//!
//! Blank lines and lines that begin with `#` are nothing. The value of a line is what stands behind
//! the `=`, without the blanks around it and without one pair of quotes; nothing in it is replaced.
//! No message may show a value, not even that of a text which cannot be read.

use std::collections::BTreeMap;

use wassette_policy::{KeyError, VariableRule};

/// All variables of `text`; else the number of the line that is wrong, from 1, and what is.
pub(crate) fn parse(text: &str) -> Result<BTreeMap<String, String>, (usize, &'static str)> {
    let mut variables = BTreeMap::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.lines().enumerate() {
        let wrong = |fault| (index + 1, fault);
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = variable(line).map_err(wrong)?;
        let value = unquoted(value.trim_start()).map_err(wrong)?;
        if variables.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(wrong("the variable was set above already"));
        }
    }
    Ok(variables)
}

/// The two sides of `KEY=VALUE`, or what is wrong with it. The value may be empty.
pub(crate) fn variable(text: &str) -> Result<(&str, &str), &'static str> {
    let (key, value) = text.split_once('=').ok_or("there is no `=`")?;
    let key = key.trim_end();
    // What stands before the first `=` may be a part of a secret: it is not shown.
    VariableRule::check_key(key).map_err(|error| match error {
        KeyError::Empty => "there is no name before `=`",
        KeyError::TooLong => "the name before `=` is too long",
        KeyError::Character(_) => "what stands before `=` is not the name of a variable",
    })?;
    if value.contains('\0') {
        return Err("the value has a NUL in it");
    }
    Ok((key, value))
}

fn unquoted(value: &str) -> Result<&str, &'static str> {
    let Some(quote) = value.chars().next().filter(|first| matches!(first, '"' | '\'')) else {
        return Ok(value);
    };
    let inner = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inner.ok_or("the quote before the value is not closed behind it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_read() {
        let text = "\u{feff}# keys\n\nA=1\r\n  B = two words \nC=\"quoted # not a remark\"\nD='it''s'\n\
                    E=\nF=a=b\nG=\"\n";
        let without_last = text.strip_suffix("G=\"\n").unwrap();
        let pairs = parse(without_last).unwrap();
        let pairs: Vec<(&str, &str)> =
            pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(
            pairs,
            [
                ("A", "1"),
                ("B", "two words"),
                ("C", "quoted # not a remark"),
                ("D", "it''s"),
                ("E", ""),
                ("F", "a=b"),
            ]
        );
        assert_eq!(parse(text).unwrap_err().0, 9);
    }

    #[test]
    fn a_line_that_is_wrong_is_named_and_not_shown() {
        for (text, line) in [
            ("A=1\nCANARY", 2),
            ("=CANARY", 1),
            ("# x\n\nexport A=CANARY", 3),
            ("A='CANARY\"", 1),
            ("A=1\nA=CANARY", 2),
            ("A=CAN\0ARY", 1),
        ] {
            let (found, fault) = parse(text).unwrap_err();
            assert_eq!(found, line, "{text:?}");
            assert!(!fault.contains("CAN"), "{fault}");
        }
    }
}
