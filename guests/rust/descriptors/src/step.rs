//! From a step's words to one call of the host, or a few. It must never try another way when the host refuses.

use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::clocks::wall_clock::Datetime;
use wasip2::filesystem::types::{Advice, DescriptorFlags, NewTimestamp, OpenFlags, PathFlags};

use crate::table::{Table, code};
use crate::{read, write};

const MILLISECOND: u64 = 1_000_000;

/// The words of a step.
pub struct Words(Vec<String>);

impl Words {
    fn of(step: &str) -> Self {
        Self(step.split(' ').map(decoded).collect())
    }
    pub fn word(&self, place: usize) -> Result<&str, String> {
        self.0.get(place).map(String::as_str).ok_or_else(|| format!("`{}` needs more words", self.0.join(" ")))
    }
    pub fn number(&self, place: usize) -> Result<u64, String> {
        let word = self.word(place)?;
        word.parse().map_err(|_| format!("`{word}` is no number"))
    }
    fn has(&self, option: &str) -> bool {
        self.0.iter().skip(2).any(|word| word == option)
    }
    /// The word after `option`.
    fn after(&self, option: &str) -> Option<&str> {
        let place = self.0.iter().skip(2).position(|word| word == option)?;
        self.0.get(place + 3).map(String::as_str)
    }
    pub fn at(&self) -> u64 {
        self.after("at").and_then(|word| word.parse().ok()).unwrap_or(0)
    }
    pub fn follow(&self) -> PathFlags {
        if self.has("follow") { PathFlags::SYMLINK_FOLLOW } else { PathFlags::empty() }
    }
    pub fn open_flags(&self) -> OpenFlags {
        let all = [
            ("create", OpenFlags::CREATE),
            ("directory", OpenFlags::DIRECTORY),
            ("exclusive", OpenFlags::EXCLUSIVE),
            ("truncate", OpenFlags::TRUNCATE),
        ];
        all.into_iter().filter(|(word, _)| self.has(word)).map(|(_, flag)| flag).fold(OpenFlags::empty(), |a, b| a | b)
    }
    fn descriptor_flags(&self) -> DescriptorFlags {
        let chosen = DESCRIPTOR_FLAGS.iter().filter(|(word, _)| self.has(word));
        chosen.fold(DescriptorFlags::empty(), |all, (_, flag)| all | *flag)
    }
}

const DESCRIPTOR_FLAGS: [(&str, DescriptorFlags); 4] = [
    ("read", DescriptorFlags::READ),
    ("write", DescriptorFlags::WRITE),
    ("mutate", DescriptorFlags::MUTATE_DIRECTORY),
    ("sync", DescriptorFlags::FILE_INTEGRITY_SYNC),
];

/// Does what the step says. The error is the host's error code, or says what is wrong with the step.
pub fn run(table: &mut Table, step: &str) -> Result<String, String> {
    let words = Words::of(step);
    match words.word(0)? {
        "roots" => Ok(found(&table.names().join(" "))),
        "open" => open(table, &words),
        "until-refused" => again(table, step, Result::is_err),
        "until-ok" => again(table, step, Result::is_ok),
        "read" | "stream" | "stat" | "hash" | "list" | "readlink" | "same" | "many" => read::run(table, &words),
        "write" | "pour" | "append" | "fill" | "resize" => write::run(table, &words),
        _ => change(table, &words),
    }
}

/// `ok`, and what was found.
pub fn found(what: &str) -> String {
    format!("ok {what}").trim_end().into()
}

fn open(table: &mut Table, words: &Words) -> Result<String, String> {
    let place = table.place(words.word(1)?)?;
    let descriptor = place.open(words.follow(), words.open_flags(), words.descriptor_flags())?;
    let kind = read::kind(descriptor.get_type().map_err(code)?);
    let flags = descriptor.get_flags().map_err(code)?;
    let flags: Vec<&str> =
        DESCRIPTOR_FLAGS.iter().filter(|(_, flag)| flags.contains(*flag)).map(|(word, _)| *word).collect();
    if let Some(name) = words.after("as") {
        table.keep(name.into(), descriptor);
    }
    Ok(found(&format!("{kind} {}", flags.join(" "))))
}

/// The same step until it comes to what is awaited; the limits of the call end it otherwise.
fn again(table: &mut Table, step: &str, awaited: fn(&Result<String, String>) -> bool) -> Result<String, String> {
    let (_, inner) = step.split_once(' ').ok_or("no step is said")?;
    loop {
        let outcome = run(table, inner);
        if awaited(&outcome) {
            return outcome;
        }
        subscribe_duration(MILLISECOND).block();
    }
}

/// What changes names, links and times, or needs no data.
fn change(table: &Table, words: &Words) -> Result<String, String> {
    let last = match words.word(0)? {
        "symlink" => words.word(2)?,
        _ => words.word(1)?,
    };
    let place = table.place(last)?;
    let (here, path) = (place.descriptor, place.path);
    match words.word(0)? {
        "mkdir" => here.create_directory_at(path),
        "rmdir" => here.remove_directory_at(path),
        "unlink" => here.unlink_file_at(path),
        "symlink" => here.symlink_at(words.word(1)?, path),
        "rename" => {
            let to = table.place(words.word(2)?)?;
            here.rename_at(path, to.descriptor, to.path)
        }
        "link" => {
            let to = table.place(words.word(2)?)?;
            here.link_at(words.follow(), path, to.descriptor, to.path)
        }
        "touch" => {
            let time = NewTimestamp::Timestamp(Datetime { seconds: words.number(2).unwrap_or(1), nanoseconds: 0 });
            if path.is_empty() {
                here.set_times(time, time)
            } else {
                here.set_times_at(words.follow(), path, time, time)
            }
        }
        "sync" => here.sync(),
        "sync-data" => here.sync_data(),
        "advise" => here.advise(0, 1, Advice::WillNeed),
        unknown => return Err(format!("there is no step `{unknown}`")),
    }
    .map_err(code)?;
    Ok("ok".into())
}

/// `%41` is `A`; anything else stands for itself.
fn decoded(word: &str) -> String {
    let mut pieces = word.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        match piece.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend_from_slice(&piece.as_bytes()[2..]);
            }
            None => {
                bytes.push(b'%');
                bytes.extend_from_slice(piece.as_bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
