//! The limits that Wasmtime asks about while a guest runs. They hold for the call as a whole: a
//! component with two hundred memories has one limit, not two hundred.

use std::sync::Arc;

use wasmtime::{Error, ResourceLimiter, Result};
use wassette_policy::{Bytes, Limits};

use crate::error::CallError;
use crate::meter::Meter;

/// Sums what all memories and tables of one call take.
pub(crate) struct Growth {
    memory: u64,
    memory_limit: Bytes,
    elements: u64,
    element_limit: u32,
    instances: usize,
    meter: Arc<Meter>,
}

impl Growth {
    pub(crate) fn new(limits: &Limits, meter: Arc<Meter>) -> Self {
        Self {
            memory: 0,
            memory_limit: limits.memory,
            elements: 0,
            element_limit: limits.table_elements,
            instances: usize::try_from(limits.instances).unwrap_or(usize::MAX),
            meter,
        }
    }
}

impl ResourceLimiter for Growth {
    /// Beyond the limit the call ends: a guest that is told "no" instead often dies of it in a way
    /// that nobody can read.
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        let total = self.memory.saturating_add(added(current, desired));
        if total > self.memory_limit.count() {
            return Err(Error::new(CallError::Memory { limit: self.memory_limit }));
        }
        self.memory = total;
        self.meter.grown(total);
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        let total = self.elements.saturating_add(added(current, desired));
        if total > u64::from(self.element_limit) {
            return Err(Error::new(CallError::Tables { limit: self.element_limit }));
        }
        self.elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.instances
    }

    fn memories(&self) -> usize {
        self.instances
    }
}

fn added(current: usize, desired: usize) -> u64 {
    u64::try_from(desired.saturating_sub(current)).unwrap_or(u64::MAX)
}
