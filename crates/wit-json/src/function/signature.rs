//! A function's signature in WIT, for people and models to read. Must stop writing at a bound instead of unfolding a type.

use std::fmt::{self, Write};

use crate::function::Function;
use crate::types::{Definition, Type, Uncallable};

/// The longest signature in bytes, before the mark of the cut.
const LIMIT: usize = 1024;

/// The signature of `function`, cut and marked by `…` where it is too long.
pub(super) fn of(function: &Function) -> String {
    let mut capped = Capped { text: String::new() };
    if write_signature(&mut capped, function).is_err() {
        capped.text.push('…');
    }
    capped.text
}

/// Takes text until it is full, then fails, which ends the walk over the type.
struct Capped {
    text: String,
}

impl Write for Capped {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.text.len() + text.len() > LIMIT {
            return Err(fmt::Error);
        }
        self.text.push_str(text);
        Ok(())
    }
}

fn write_signature(out: &mut Capped, function: &Function) -> fmt::Result {
    write!(out, "{}(", function.id.name)?;
    for (index, param) in function.params.iter().enumerate() {
        write!(out, "{}{}: ", separator(index), param.name)?;
        write_type(out, &param.ty)?;
    }
    out.write_str(")")?;
    match &function.result {
        Some(ty) => {
            out.write_str(" -> ")?;
            write_type(out, ty)
        }
        None => Ok(()),
    }
}

/// Every level writes before it descends, so the cap also bounds the recursion.
fn write_type(out: &mut Capped, ty: &Type) -> fmt::Result {
    match ty {
        Type::List(element) => write_generic(out, ty, [&**element]),
        Type::FixedList(element, length) => {
            out.write_str("list<")?;
            write_type(out, element)?;
            write!(out, ", {length}>")
        }
        Type::Map(key, value) => write_generic(out, ty, [&**key, &**value]),
        Type::Tuple(elements) => write_generic(out, ty, elements.iter()),
        Type::Option(some) => write_generic(out, ty, [&**some]),
        Type::Result { ok, err } => write_result(out, ty, ok.as_deref(), err.as_deref()),
        Type::Record(record) => write_items(out, ty, record, |out, field| {
            write!(out, "{}: ", field.name)?;
            write_type(out, &field.ty)
        }),
        Type::Variant(variant) => write_items(out, ty, variant, |out, case| {
            out.write_str(&case.name)?;
            let Some(ty) = &case.ty else { return Ok(()) };
            out.write_str("(")?;
            write_type(out, ty)?;
            out.write_str(")")
        }),
        Type::Enum(labels) => write_items(out, ty, labels, |out, label| out.write_str(&label.name)),
        Type::Flags(labels) => {
            write_items(out, ty, labels, |out, label| out.write_str(&label.name))
        }
        Type::Uncallable(kind) => write_uncallable(out, kind),
        plain => out.write_str(plain.keyword()),
    }
}

fn write_generic<'a>(
    out: &mut Capped,
    ty: &Type,
    arguments: impl IntoIterator<Item = &'a Type>,
) -> fmt::Result {
    write!(out, "{}<", ty.keyword())?;
    for (index, argument) in arguments.into_iter().enumerate() {
        out.write_str(separator(index))?;
        write_type(out, argument)?;
    }
    out.write_str(">")
}

/// WIT writes `result`, `result<T>`, `result<_, E>` and `result<T, E>`.
fn write_result(out: &mut Capped, ty: &Type, ok: Option<&Type>, err: Option<&Type>) -> fmt::Result {
    match (ok, err) {
        (None, None) => out.write_str("result"),
        (Some(ok), None) => write_generic(out, ty, [ok]),
        (Some(ok), Some(err)) => write_generic(out, ty, [ok, err]),
        (None, Some(err)) => {
            out.write_str("result<_, ")?;
            write_type(out, err)?;
            out.write_str(">")
        }
    }
}

/// A definition by its name where it has one, else written out.
fn write_items<T>(
    out: &mut Capped,
    ty: &Type,
    definition: &Definition<T>,
    write_item: impl Fn(&mut Capped, &T) -> fmt::Result,
) -> fmt::Result {
    if let Some(name) = &definition.name {
        return out.write_str(name);
    }
    write!(out, "{} {{ ", ty.keyword())?;
    for (index, item) in definition.items.iter().enumerate() {
        out.write_str(separator(index))?;
        write_item(out, item)?;
    }
    out.write_str(" }")
}

fn write_uncallable(out: &mut Capped, kind: &Uncallable) -> fmt::Result {
    match kind {
        Uncallable::Own(Some(resource)) => out.write_str(resource),
        Uncallable::Borrow(Some(resource)) => write!(out, "borrow<{resource}>"),
        unnamed => out.write_str(unnamed.keyword()),
    }
}

fn separator(index: usize) -> &'static str {
    if index == 0 { "" } else { ", " }
}
