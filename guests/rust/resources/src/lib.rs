//! Functions that pass handles, and one that passes none. A counter must never outlive its handle: `alive` tells.

wit_bindgen::generate!({ path: "wit", world: "resources" });

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use exports::test::resources::counters::{self, Counter, CounterBorrow};

struct Resources;

static ALIVE: AtomicU32 = AtomicU32::new(0);

struct Count(Cell<i32>);

impl Count {
    fn at(v: i32) -> Self {
        ALIVE.fetch_add(1, Relaxed);
        Count(Cell::new(v))
    }
}
impl Drop for Count {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Relaxed);
    }
}

impl counters::GuestCounter for Count {
    fn new(start: i32) -> Self {
        Count::at(start)
    }
    fn increment(&self, by: i32) -> i32 {
        self.0.set(self.0.get().wrapping_add(by));
        self.0.get()
    }
    fn value(&self) -> i32 {
        self.0.get()
    }
    fn merge(a: Counter, b: CounterBorrow<'_>) -> Counter {
        Counter::new(Count::at(a.get::<Count>().0.get().wrapping_add(b.get::<Count>().0.get())))
    }
    fn alive() -> u32 {
        ALIVE.load(Relaxed)
    }
}

impl counters::Guest for Resources {
    type Counter = Count;
    fn make(start: i32) -> Counter {
        Counter::new(Count::at(start))
    }
    fn make_many(starts: Vec<i32>) -> Vec<Counter> {
        starts.into_iter().map(Self::make).collect()
    }
    fn maybe_make(start: i32) -> Result<Counter, String> {
        if start < 0 {
            Err(format!("{start} is below 0"))
        } else {
            Ok(Self::make(start))
        }
    }
    fn read(c: CounterBorrow<'_>) -> i32 {
        c.get::<Count>().0.get()
    }
    fn finish(c: Counter) -> i32 {
        c.get::<Count>().0.get()
    }
}

impl Guest for Resources {
    fn plain(v: String) -> String {
        v
    }
}

export!(Resources);
