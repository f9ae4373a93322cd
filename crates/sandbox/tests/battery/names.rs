//! A resolver that knows what a test has told it, and keeps what it was asked.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use wassette_sandbox::{Addresses, Resolver};

/// Names, each with the answers that it gives one after the other; the last one stays.
#[derive(Debug, Default)]
pub(crate) struct Names {
    answers: Mutex<BTreeMap<String, Vec<Vec<IpAddr>>>>,
    asked: Mutex<Vec<String>>,
}

impl Names {
    /// From now on `name` has these addresses.
    pub(crate) fn set(&self, name: &str, addresses: &[&str]) {
        self.set_each(name, &[addresses]);
    }

    /// From now on `name` has the first of `answers` when it is asked for, then the second.
    pub(crate) fn set_each(&self, name: &str, answers: &[&[&str]]) {
        let parsed = |answer: &&[&str]| answer.iter().map(|a| a.parse().unwrap()).collect();
        let answers = answers.iter().rev().map(parsed).collect();
        self.answers.lock().unwrap().insert(name.to_owned(), answers);
    }

    /// The names that were asked for, in their order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Resolver for Names {
    fn resolve(&self, name: &str) -> Addresses {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(name.to_owned());
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = answers.get_mut(name).and_then(|answers| match answers.len() {
            0 | 1 => answers.first().cloned(),
            _ => answers.pop(),
        });
        Box::pin(async move { answer.ok_or_else(|| io::ErrorKind::NotFound.into()) })
    }
}
