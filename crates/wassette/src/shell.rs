//! Words as a shell takes them, for commands that are shown to be copied.

/// `word` as one word of a POSIX shell.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:@%=,".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_shell_takes_it_as_one_word() {
        assert_eq!(quoted("/usr/bin/wassette"), "/usr/bin/wassette");
        assert_eq!(quoted("https://api.example.com:8443"), "https://api.example.com:8443");
        assert_eq!(quoted("/my files/it's"), r"'/my files/it'\''s'");
        assert_eq!(quoted("*.example.com"), "'*.example.com'");
        assert_eq!(quoted(""), "''");
    }
}
