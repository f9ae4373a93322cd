//! What holds of files, row by row: the table of escapes that were measured, the battery's storage
//! rows, and a property over random trees. The rules are resolved and the operations called as for a
//! guest; tests with real guests stand elsewhere.

mod enforce;
mod grant;
mod here;
mod interface;
mod overlay;
mod property;
mod world;
