//! Values across the border to Wasmtime. What a value may be was decided by `wit-json`; here it only
//! changes its clothes.

use wasmtime::component::Val;
use wassette_wit_json::{Type, Value};

/// A value for a guest, written as `ty`. `None` where the value is not of that type, which would be
/// a fault of ours: arguments are checked before they come here.
pub(crate) fn lower(value: Value, ty: &Type) -> Option<Val> {
    Some(match (value, ty) {
        (Value::Bool(value), _) => Val::Bool(value),
        (Value::S8(value), _) => Val::S8(value),
        (Value::U8(value), _) => Val::U8(value),
        (Value::S16(value), _) => Val::S16(value),
        (Value::U16(value), _) => Val::U16(value),
        (Value::S32(value), _) => Val::S32(value),
        (Value::U32(value), _) => Val::U32(value),
        (Value::S64(value), _) => Val::S64(value),
        (Value::U64(value), _) => Val::U64(value),
        (Value::F32(value), _) => Val::Float32(value),
        (Value::F64(value), _) => Val::Float64(value),
        (Value::Char(value), _) => Val::Char(value),
        (Value::String(value), _) => Val::String(value),
        (Value::Enum(name), _) => Val::Enum(name),
        (Value::Flags(names), _) => Val::Flags(names),
        (Value::Bytes(bytes), _) => Val::List(bytes.into_iter().map(Val::U8).collect()),
        (Value::List(values), Type::List(ty)) => Val::List(lower_all(values, ty)?),
        (Value::List(values), Type::FixedList(ty, _)) => {
            Val::FixedLengthList(lower_all(values, ty)?)
        }
        (Value::Map(entries), Type::Map(key, value)) => Val::Map(
            entries
                .into_iter()
                .map(|(k, v)| Some((lower(k, key)?, lower(v, value)?)))
                .collect::<Option<_>>()?,
        ),
        (Value::Record(values), Type::Record(record)) => Val::Record(
            values
                .into_iter()
                .zip(&record.items)
                .map(|((name, value), field)| Some((name, lower(value, &field.ty)?)))
                .collect::<Option<_>>()?,
        ),
        (Value::Tuple(values), Type::Tuple(types)) => Val::Tuple(
            values
                .into_iter()
                .zip(types.iter())
                .map(|(value, ty)| lower(value, ty))
                .collect::<Option<_>>()?,
        ),
        (Value::Variant(name, payload), Type::Variant(variant)) => {
            let case = variant.items.iter().find(|case| case.name == name)?;
            Val::Variant(name, lower_payload(payload, case.ty.as_ref())?)
        }
        (Value::Option(value), Type::Option(ty)) => Val::Option(match value {
            Some(value) => Some(Box::new(lower(*value, ty)?)),
            None => None,
        }),
        (Value::Result(Ok(value)), Type::Result { ok, .. }) => {
            Val::Result(Ok(lower_payload(value, ok.as_deref())?))
        }
        (Value::Result(Err(value)), Type::Result { err, .. }) => {
            Val::Result(Err(lower_payload(value, err.as_deref())?))
        }
        _ => return None,
    })
}

fn lower_all(values: Vec<Value>, ty: &Type) -> Option<Vec<Val>> {
    values.into_iter().map(|value| lower(value, ty)).collect()
}

/// The payload, which must be there exactly if its type is.
fn lower_payload(payload: Option<Box<Value>>, ty: Option<&Type>) -> Option<Option<Box<Val>>> {
    match (payload, ty) {
        (None, None) => Some(None),
        (Some(value), Some(ty)) => Some(Some(Box::new(lower(*value, ty)?))),
        _ => None,
    }
}

/// A value from a guest, read as `ty`. `None` where the value is not of that type or cannot leave
/// the engine, which would be a fault of ours.
pub(crate) fn lift(value: Val, ty: &Type) -> Option<Value> {
    Some(match (value, ty) {
        (Val::Bool(value), Type::Bool) => Value::Bool(value),
        (Val::S8(value), Type::S8) => Value::S8(value),
        (Val::U8(value), Type::U8) => Value::U8(value),
        (Val::S16(value), Type::S16) => Value::S16(value),
        (Val::U16(value), Type::U16) => Value::U16(value),
        (Val::S32(value), Type::S32) => Value::S32(value),
        (Val::U32(value), Type::U32) => Value::U32(value),
        (Val::S64(value), Type::S64) => Value::S64(value),
        (Val::U64(value), Type::U64) => Value::U64(value),
        (Val::Float32(value), Type::F32) => Value::F32(value),
        (Val::Float64(value), Type::F64) => Value::F64(value),
        (Val::Char(value), Type::Char) => Value::Char(value),
        (Val::String(value), Type::String) => Value::String(value),
        (Val::List(values), Type::List(ty)) if **ty == Type::U8 => Value::Bytes(
            values
                .into_iter()
                .map(|value| if let Val::U8(byte) = value { Some(byte) } else { None })
                .collect::<Option<_>>()?,
        ),
        (Val::List(values), Type::List(ty)) => Value::List(lift_all(values, ty)?),
        (Val::FixedLengthList(values), Type::FixedList(ty, _)) => {
            Value::List(lift_all(values, ty)?)
        }
        (Val::Map(entries), Type::Map(key, value)) => Value::Map(
            entries
                .into_iter()
                .map(|(k, v)| Some((lift(k, key)?, lift(v, value)?)))
                .collect::<Option<_>>()?,
        ),
        (Val::Record(values), Type::Record(record)) => Value::Record(
            values
                .into_iter()
                .zip(&record.items)
                .map(|((name, value), field)| Some((name, lift(value, &field.ty)?)))
                .collect::<Option<_>>()?,
        ),
        (Val::Tuple(values), Type::Tuple(types)) => Value::Tuple(
            values
                .into_iter()
                .zip(types.iter())
                .map(|(value, ty)| lift(value, ty))
                .collect::<Option<_>>()?,
        ),
        (Val::Variant(name, payload), Type::Variant(variant)) => {
            let case = variant.items.iter().find(|case| case.name == name)?;
            Value::Variant(name, lift_payload(payload, case.ty.as_ref())?)
        }
        (Val::Enum(name), Type::Enum(_)) => Value::Enum(name),
        (Val::Flags(names), Type::Flags(_)) => Value::Flags(names),
        (Val::Option(value), Type::Option(ty)) => Value::Option(match value {
            Some(value) => Some(Box::new(lift(*value, ty)?)),
            None => None,
        }),
        (Val::Result(Ok(value)), Type::Result { ok, .. }) => {
            Value::Result(Ok(lift_payload(value, ok.as_deref())?))
        }
        (Val::Result(Err(value)), Type::Result { err, .. }) => {
            Value::Result(Err(lift_payload(value, err.as_deref())?))
        }
        _ => return None,
    })
}

fn lift_all(values: Vec<Val>, ty: &Type) -> Option<Vec<Value>> {
    values.into_iter().map(|value| lift(value, ty)).collect()
}

/// The payload, which must be there exactly if its type is.
fn lift_payload(payload: Option<Box<Val>>, ty: Option<&Type>) -> Option<Option<Box<Value>>> {
    match (payload, ty) {
        (None, None) => Some(None),
        (Some(value), Some(ty)) => Some(Some(Box::new(lift(*value, ty)?))),
        _ => None,
    }
}
