//! Values that come as text. Some clients send objects, arrays, numbers and booleans as JSON in a string. Such a string is
//! read as what it says where the type leaves no other reading, and never where the type takes text itself.

use serde_json::Value as Json;

use crate::bounds::{Budget, Exceeded};
use crate::types::Type;

/// The value that `json` says in a string, where `ty` takes no string and what it says is of the kind that `ty` takes.
/// The text is paid for with `budget`; what is in it is not.
pub(super) fn unquoted(
    json: &Json,
    ty: &Type,
    budget: &mut Budget,
) -> Result<Option<Json>, Exceeded> {
    let Json::String(text) = json else { return Ok(None) };
    let is_of_kind: fn(&Json) -> bool = match ty {
        Type::Bool => Json::is_boolean,
        Type::S8
        | Type::U8
        | Type::S16
        | Type::U16
        | Type::S32
        | Type::U32
        | Type::S64
        | Type::U64 => Json::is_number,
        Type::F32 | Type::F64 => Json::is_number,
        Type::Map(key, _) if **key == Type::String => Json::is_object,
        // Base64 has no brackets.
        Type::List(_) | Type::FixedList(..) | Type::Map(..) | Type::Tuple(_) | Type::Flags(_) => {
            Json::is_array
        }
        Type::Record(_) | Type::Variant(_) | Type::Result { .. } => Json::is_object,
        Type::Option(some) if takes_text(some) => return Ok(None),
        Type::Option(some) if matches!(**some, Type::Option(_)) => {
            |json| json.is_null() || json.is_object()
        }
        // What is inside of it is looked at by itself.
        Type::Option(_) => Json::is_null,
        Type::String | Type::Char | Type::Enum(_) | Type::Uncallable(_) => return Ok(None),
    };
    budget.bytes(text.len())?;
    // Before they are built: each takes many times its size.
    budget.room(text.bytes().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count())?;
    Ok(serde_json::from_str(text).ok().filter(is_of_kind))
}

/// Whether a string is a value of `ty` as it is, so that `null` in one may mean itself.
fn takes_text(ty: &Type) -> bool {
    match ty {
        Type::String | Type::Char | Type::Enum(_) => true,
        Type::List(element) => **element == Type::U8,
        Type::Option(some) => takes_text(some),
        _ => false,
    }
}
