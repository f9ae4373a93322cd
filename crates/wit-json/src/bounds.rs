//! How much of a type, a schema or a value is worked on before it is refused.
//!
//! Everything that walks what a component or a client sent spends a [`Budget`]; no limit here may be infinite by default.

use std::fmt;

/// Finite limits for one walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Levels of types, the outermost being the first.
    pub depth: u32,
    /// Schema objects, types or values, whichever is walked.
    pub nodes: u32,
    /// Bytes of text and binary data in it.
    pub bytes: usize,
}

impl Bounds {
    /// For a type as it is converted and for one schema of a tool.
    ///
    /// A type level takes at most four JSON levels (in a schema and in the stored form), so 24 of them with their envelope
    /// stay below the 128 levels at which common JSON readers give up.
    pub const SCHEMA: Bounds = Bounds { depth: 24, nodes: 2_000, bytes: 128 * 1024 };
    /// For the arguments of a call.
    pub const ARGUMENTS: Bounds = Bounds { depth: 24, nodes: 1_000_000, bytes: 16 * 1024 * 1024 };
    /// For the result of a call.
    pub const RESULT: Bounds = Bounds { depth: 24, nodes: 1_000_000, bytes: 16 * 1024 * 1024 };
}

/// What is left of some [`Bounds`] while something is walked.
#[derive(Debug, Clone)]
pub struct Budget {
    bounds: Bounds,
    nodes: u32,
    bytes: usize,
}

impl Budget {
    /// How many names can be compared in about the time that one value takes.
    const NAMES_A_NODE: usize = 32;

    /// The whole of `bounds`.
    pub fn new(bounds: Bounds) -> Budget {
        Budget { bounds, nodes: bounds.nodes, bytes: bounds.bytes }
    }

    /// Pays for one node at `level`, the outermost level being 1. After an error the walk must stop.
    pub fn node(&mut self, level: u32) -> Result<(), Exceeded> {
        if level > self.bounds.depth {
            return Err(Exceeded::Depth(self.bounds.depth));
        }
        self.nodes = self.nodes.checked_sub(1).ok_or(Exceeded::Nodes(self.bounds.nodes))?;
        Ok(())
    }

    /// Whether `count` nodes could still be paid for.
    pub fn room(&self, count: usize) -> Result<(), Exceeded> {
        let fits = u32::try_from(count).is_ok_and(|count| count <= self.nodes);
        if fits { Ok(()) } else { Err(Exceeded::Nodes(self.bounds.nodes)) }
    }

    /// Pays for a look through `count` names. Cheap, but a large enum in a long list must not cost their product for free.
    pub fn search(&mut self, count: usize) -> Result<(), Exceeded> {
        let nodes = u32::try_from(count / Budget::NAMES_A_NODE).unwrap_or(u32::MAX);
        self.nodes = self.nodes.checked_sub(nodes).ok_or(Exceeded::Nodes(self.bounds.nodes))?;
        Ok(())
    }

    /// Pays for `count` bytes. After an error the walk must stop.
    pub fn bytes(&mut self, count: usize) -> Result<(), Exceeded> {
        self.bytes = self.bytes.checked_sub(count).ok_or(Exceeded::Bytes(self.bounds.bytes))?;
        Ok(())
    }
}

/// Which limit was met, with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exceeded {
    /// More than this many levels.
    Depth(u32),
    /// More than this many nodes.
    Nodes(u32),
    /// More than this many bytes.
    Bytes(usize),
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exceeded::Depth(limit) => write!(f, "more than {limit} levels"),
            Exceeded::Nodes(limit) => write!(f, "more than {limit} parts"),
            Exceeded::Bytes(limit) => write!(f, "more than {limit} bytes"),
        }
    }
}
