//! Component-model values between JSON and the engine: what the sandbox lowers into a guest and lifts out of it.
//!
//! A value does not carry its type; it must only be read together with the type that it was made for.

/// A component-model value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `bool`
    Bool(bool),
    /// `s8`
    S8(i8),
    /// `u8`
    U8(u8),
    /// `s16`
    S16(i16),
    /// `u16`
    U16(u16),
    /// `s32`
    S32(i32),
    /// `u32`
    U32(u32),
    /// `s64`
    S64(i64),
    /// `u64`
    U64(u64),
    /// `f32`
    F32(f32),
    /// `f64`
    F64(f64),
    /// `char`
    Char(char),
    /// `string`
    String(String),
    /// `list<u8>`, always in this form and never as [`Value::List`]. (`list<u8, N>` is a [`Value::List`].)
    Bytes(Vec<u8>),
    /// `list<T>` and `list<T, N>`
    List(Vec<Value>),
    /// `map<K, V>`; where a key stands twice the later entry counts.
    Map(Vec<(Value, Value)>),
    /// `record`: every field, in WIT order.
    Record(Vec<(String, Value)>),
    /// `tuple`
    Tuple(Vec<Value>),
    /// `variant`: the case's name and its payload.
    Variant(String, Option<Box<Value>>),
    /// `enum`
    Enum(String),
    /// `flags`: the names that are set.
    Flags(Vec<String>),
    /// `option<T>`
    Option(Option<Box<Value>>),
    /// `result<T, E>`
    Result(Result<Option<Box<Value>>, Option<Box<Value>>>),
}
