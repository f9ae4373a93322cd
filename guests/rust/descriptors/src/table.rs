//! The descriptors at hand, by name. It must never look at what a path says.

use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

/// What the host opened, and what the steps have opened since.
pub struct Table(Vec<(String, Descriptor)>);

/// A descriptor, and a path below it.
pub struct Place<'a> {
    pub descriptor: &'a Descriptor,
    pub path: &'a str,
}

impl Table {
    pub fn of_the_host() -> Self {
        Self(get_directories().into_iter().map(|(descriptor, name)| (name, descriptor)).collect())
    }

    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }

    pub fn keep(&mut self, name: String, descriptor: Descriptor) {
        self.0.push((name, descriptor));
    }

    pub fn place<'a>(&'a self, word: &'a str) -> Result<Place<'a>, String> {
        let (name, path) = word.split_once(':').ok_or_else(|| format!("`{word}` is no place"))?;
        let found = self.0.iter().rev().find(|(kept, _)| kept == name);
        let (_, descriptor) = found.ok_or_else(|| format!("`{name}` is not open"))?;
        Ok(Place { descriptor, path })
    }
}

impl Place<'_> {
    pub fn open(&self, follow: PathFlags, open: OpenFlags, flags: DescriptorFlags) -> Result<Descriptor, String> {
        self.descriptor.open_at(follow, self.path, open, flags).map_err(code)
    }

    /// Does something with the file there, or with the open descriptor where the path is empty.
    pub fn with<R>(
        &self,
        follow: PathFlags,
        open: OpenFlags,
        flags: DescriptorFlags,
        work: impl FnOnce(&Descriptor) -> Result<R, String>,
    ) -> Result<R, String> {
        if self.path.is_empty() { work(self.descriptor) } else { work(&self.open(follow, open, flags)?) }
    }
}

/// The error code as WIT spells it.
pub fn code(code: ErrorCode) -> String {
    code.name().into()
}
