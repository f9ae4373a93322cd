//! Which of several numbered things a person means.

use std::str::FromStr;

use crate::error::CommandError;

/// `all`, `none`, or numbers from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Which {
    All,
    None,
    These(Vec<usize>),
}

impl FromStr for Which {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "all" => Ok(Self::All),
            "none" | "" => Ok(Self::None),
            numbers => {
                let number = |word: &str| word.trim().parse().ok().filter(|number| *number > 0);
                let numbers: Option<Vec<usize>> = numbers.split(',').map(number).collect();
                numbers
                    .map(Self::These)
                    .ok_or_else(|| "write `all`, `none`, or numbers such as `1,3`".to_owned())
            }
        }
    }
}

impl Which {
    /// Those of `all` that are meant, each once.
    pub(super) fn of<'a, T>(&self, all: &'a [T]) -> Result<Vec<&'a T>, CommandError> {
        let numbers = match self {
            Self::All => return Ok(all.iter().collect()),
            Self::None => return Ok(Vec::new()),
            Self::These(numbers) => numbers,
        };
        if let Some(number) = numbers.iter().find(|number| **number > all.len()) {
            return Err(CommandError::Rule {
                fault: format!("there is no number {number}, so nothing was done"),
                help: Some(match all.len() {
                    0 => "nothing is proposed".to_owned(),
                    1 => "there is only number 1".to_owned(),
                    last => format!("the numbers go from 1 to {last}"),
                }),
            });
        }
        let is_meant = |(number, one)| numbers.contains(&number).then_some(one);
        Ok((1..).zip(all).filter_map(is_meant).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_mean_what_they_stand_for() {
        let of = |text: &str| -> Vec<char> {
            let which: Which = text.parse().unwrap();
            which.of(&['a', 'b', 'c']).unwrap().into_iter().copied().collect()
        };
        assert_eq!(of("all"), ['a', 'b', 'c']);
        assert_eq!(of(" 3, 1,3"), ['a', 'c']);
        assert!(of("none").is_empty() && of("").is_empty());
        for text in ["0", "1,", "1-3", "some", "-1"] {
            assert!(text.parse::<Which>().is_err(), "{text}");
        }
        assert!(Which::These(vec![1, 4]).of(&['a', 'b', 'c']).is_err());
    }
}
