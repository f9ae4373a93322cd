//! The outline of a component: the same component, but each core module in it has no more than others
//! can see of it, and functions that only trap. Its types, imports and exports are those of the
//! original, and it compiles in milliseconds, however large that is: so Wasmtime itself says what is
//! missing before anybody pays for the code.
//!
//! An outline is looked at and thrown away; it must never be run or stored. Where one cannot be made,
//! nothing is lost but time.

use std::collections::HashMap;

use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{
    CodeSection, ConstExpr, Encode, EntityType, ExportKind, ExportSection, Function,
    FunctionSection, GlobalSection, GlobalType, HeapType, ImportSection, MemorySection, MemoryType,
    Module, RefType, TableSection, TableType, TypeSection, ValType,
};
use wasmparser::{BinaryReader, CompositeInnerType, ExternalKind, Parser, Payload, TypeRef};

/// Magic and version.
const HEADER: usize = 8;
/// The ids of a component's sections that are left out or rewritten.
const CUSTOM: u8 = 0;
const MODULE: u8 = 1;
const COMPONENT: u8 = 4;
/// Components within components, at most.
const DEPTH: u32 = 100;

/// The outline of the component `bytes`, or `None` where it has parts that this cannot outline.
pub(crate) fn of(bytes: &[u8]) -> Option<Vec<u8>> {
    component(bytes, DEPTH)
}

fn component(bytes: &[u8], depth: u32) -> Option<Vec<u8>> {
    let depth = depth.checked_sub(1)?;
    let mut outlined = bytes.get(..HEADER)?.to_vec();
    let mut reader = BinaryReader::new(bytes.get(HEADER..)?, HEADER);
    while !reader.eof() {
        let id = reader.read_u8().ok()?;
        let size = usize::try_from(reader.read_var_u32().ok()?).ok()?;
        let content = reader.read_bytes(size).ok()?;
        match id {
            CUSTOM => continue,
            MODULE => section(&mut outlined, id, &Parts::read(content)?.module()?),
            COMPONENT => section(&mut outlined, id, &component(content, depth)?),
            _ => section(&mut outlined, id, content),
        }
    }
    Some(outlined)
}

fn section(component: &mut Vec<u8>, id: u8, content: &[u8]) {
    component.push(id);
    content.encode(component);
}

/// What a core module shows of itself, in the order of its index spaces.
#[derive(Default)]
struct Parts<'a> {
    /// The signatures; a type that is no function's has none.
    types: Vec<Option<wasmparser::FuncType>>,
    imports: Vec<wasmparser::Import<'a>>,
    /// The types of all functions, the imported ones first; so are tables, memories and globals.
    functions: Vec<u32>,
    imported: usize,
    tables: Vec<wasmparser::TableType>,
    memories: Vec<wasmparser::MemoryType>,
    globals: Vec<wasmparser::GlobalType>,
    exports: Vec<wasmparser::Export<'a>>,
}

impl<'a> Parts<'a> {
    fn read(module: &'a [u8]) -> Option<Self> {
        let mut parts = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload.ok()? {
                Payload::TypeSection(groups) => {
                    for group in groups {
                        for ty in group.ok()?.into_types() {
                            parts.types.push(match ty.composite_type.inner {
                                CompositeInnerType::Func(function) => Some(function),
                                _ => None,
                            });
                        }
                    }
                }
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        let import = import.ok()?;
                        if let TypeRef::Func(ty) = import.ty {
                            parts.functions.push(ty);
                        }
                        // What has to do with exceptions cannot be looked at here.
                        if !matches!(import.ty, TypeRef::Tag(_)) {
                            parts.imports.push(import);
                        }
                    }
                    parts.imported = parts.functions.len();
                }
                Payload::FunctionSection(types) => {
                    for ty in types {
                        parts.functions.push(ty.ok()?);
                    }
                }
                Payload::TableSection(tables) => {
                    for table in tables {
                        parts.tables.push(table.ok()?.ty);
                    }
                }
                Payload::MemorySection(memories) => {
                    for memory in memories {
                        parts.memories.push(memory.ok()?);
                    }
                }
                Payload::GlobalSection(globals) => {
                    for global in globals {
                        parts.globals.push(global.ok()?.ty);
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        parts.exports.push(export.ok()?);
                    }
                }
                // All that others can see has been read.
                Payload::CodeSectionStart { .. } => break,
                _ => {}
            }
        }
        Some(parts)
    }

    fn module(&self) -> Option<Vec<u8>> {
        let mut types = TypeSection::new();
        let mut imports = ImportSection::new();
        for import in &self.imports {
            let ty = match import.ty {
                TypeRef::Func(ty) => EntityType::Function(self.signature(&mut types, ty)?),
                TypeRef::Table(ty) => EntityType::Table(table(ty)?),
                TypeRef::Memory(ty) => EntityType::Memory(memory(ty)?),
                TypeRef::Global(ty) => EntityType::Global(global(ty)?),
                TypeRef::Tag(_) | TypeRef::FuncExact(_) => return None,
            };
            imports.import(import.module, import.name, ty);
        }

        let mut functions = FunctionSection::new();
        let mut code = CodeSection::new();
        let mut exports = ExportSection::new();
        let mut renumbered = HashMap::new();
        for export in &self.exports {
            let kind = match export.kind {
                ExternalKind::Func => ExportKind::Func,
                ExternalKind::Table => ExportKind::Table,
                ExternalKind::Memory => ExportKind::Memory,
                ExternalKind::Global => ExportKind::Global,
                ExternalKind::Tag => continue,
                ExternalKind::FuncExact => return None,
            };
            let index = usize::try_from(export.index).ok()?;
            if kind != ExportKind::Func || index < self.imported {
                exports.export(export.name, kind, export.index);
                continue;
            }
            let next = u32::try_from(self.imported + renumbered.len()).ok()?;
            let number = *renumbered.entry(index).or_insert(next);
            if number == next {
                let ty = *self.functions.get(index)?;
                functions.function(self.signature(&mut types, ty)?);
                let mut body = Function::new([]);
                body.instructions().unreachable().end();
                code.function(&body);
            }
            exports.export(export.name, kind, number);
        }

        let (mut tables, mut memories) = (TableSection::new(), MemorySection::new());
        for ty in &self.tables {
            tables.table(table(*ty)?);
        }
        for ty in &self.memories {
            memories.memory(memory(*ty)?);
        }
        let mut globals = GlobalSection::new();
        for ty in &self.globals {
            let ty = global(*ty)?;
            globals.global(ty, &zero(ty.val_type)?);
        }

        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions).section(&tables);
        module.section(&memories).section(&globals).section(&exports).section(&code);
        Some(module.finish())
    }

    /// Writes the signature number `ty` to `types`, and returns its number there.
    fn signature(&self, types: &mut TypeSection, ty: u32) -> Option<u32> {
        let signature = self.types.get(usize::try_from(ty).ok()?)?.as_ref()?;
        let values = |values: &[wasmparser::ValType]| -> Option<Vec<ValType>> {
            values.iter().map(|value| value_type(*value)).collect()
        };
        let number = types.len();
        types.ty().function(values(signature.params())?, values(signature.results())?);
        Some(number)
    }
}

/// What a table, a memory, a global and a value become where their like is switched off here: what
/// uses them is refused for that, but can still be looked at.
fn table(ty: wasmparser::TableType) -> Option<TableType> {
    let ty = RoundtripReencoder.table_type(ty).ok()?;
    let (minimum, maximum) = (bounded(ty.minimum), ty.maximum.map(bounded));
    Some(TableType {
        element_type: RefType::FUNCREF,
        minimum,
        maximum,
        table64: false,
        shared: false,
    })
}

fn memory(ty: wasmparser::MemoryType) -> Option<MemoryType> {
    let ty = RoundtripReencoder.memory_type(ty).ok()?;
    let pages = |pages: u64| pages.min(1 << 16);
    let (minimum, maximum) = (pages(ty.minimum), ty.maximum.map(pages));
    Some(MemoryType { minimum, maximum, memory64: false, shared: false, page_size_log2: None })
}

fn global(ty: wasmparser::GlobalType) -> Option<GlobalType> {
    let ty = RoundtripReencoder.global_type(ty).ok()?;
    Some(GlobalType { val_type: plain(ty.val_type), shared: false, ..ty })
}

fn value_type(ty: wasmparser::ValType) -> Option<ValType> {
    RoundtripReencoder.val_type(ty).ok().map(plain)
}

fn plain(ty: ValType) -> ValType {
    match ty {
        ValType::Ref(_) => ValType::Ref(RefType::FUNCREF),
        number => number,
    }
}

fn bounded(elements: u64) -> u64 {
    elements.min(u64::from(u32::MAX))
}

/// A value of the type, whichever.
fn zero(ty: ValType) -> Option<ConstExpr> {
    Some(match ty {
        ValType::I32 => ConstExpr::i32_const(0),
        ValType::I64 => ConstExpr::i64_const(0),
        ValType::F32 => ConstExpr::f32_const(0.0.into()),
        ValType::F64 => ConstExpr::f64_const(0.0.into()),
        ValType::V128 => ConstExpr::v128_const(0),
        ValType::Ref(_) => ConstExpr::ref_null(HeapType::FUNC),
    })
}

#[cfg(test)]
mod tests {
    use wasmtime::component::Component;

    use super::*;
    use crate::engine;

    fn outlined(bytes: &[u8]) -> Component {
        let engine = wasmtime::Engine::new(&engine::config()).unwrap();
        Component::from_binary(&engine, &of(bytes).unwrap()).unwrap()
    }

    #[test]
    fn an_outline_has_the_types_of_the_original_and_none_of_its_code() {
        for name in ["zoo", "files", "requests", "resources", "sockets", "names"] {
            let bytes = std::fs::read(wassette_testkit::built(name)).unwrap();
            let outline = of(&bytes).unwrap();
            assert!(outline.len() < bytes.len() / 2, "{name}: {} bytes", outline.len());
            let engine = wasmtime::Engine::new(&engine::config()).unwrap();
            let whole = Component::from_binary(&engine, &bytes).unwrap();
            let outline = Component::from_binary(&engine, &outline).unwrap();
            let (whole, outline) = (whole.component_type(), outline.component_type());
            let imports = |ty: &wasmtime::component::types::Component| {
                ty.imports(&engine).map(|(name, _)| name.to_owned()).collect::<Vec<_>>()
            };
            assert_eq!(imports(&whole), imports(&outline), "{name}");
            let exports = |ty| {
                let exports = crate::describe::exports(&engine, ty);
                (exports.functions, exports.others)
            };
            assert_eq!(exports(&whole), exports(&outline), "{name}");
        }
    }

    #[test]
    fn modules_that_meet_through_memories_tables_and_globals_still_do() {
        let text = r#"(component
          (core module $a
            (memory (export "memory") 1) (table (export "table") 3 funcref)
            (global (export "global") (mut i64) (i64.const 7))
            (func $hidden (param f64)) (func (export "twice") (param i32 f32) (result i64) i64.const 1)
            (func (export "same") (param i32 f32) (result i64) i64.const 2)
            (elem (i32.const 0) $hidden) (data (i32.const 0) "data") (start $s) (func $s))
          (core module $b
            (import "a" "memory" (memory 1)) (import "a" "table" (table 1 funcref))
            (import "a" "global" (global (mut i64)))
            (import "a" "twice" (func (param i32 f32) (result i64)))
            (func (export "f") (result i32) i32.const 1))
          (core instance $one (instantiate $a))
          (core instance $two (instantiate $b (with "a" (instance $one))))
          (func (export "f") (result u32) (canon lift (core func $two "f"))))"#;
        let component = outlined(&wat::parse_str(text).unwrap());
        assert!(component.get_export_index(None, "f").is_some());
    }

    #[test]
    fn what_is_switched_off_can_still_be_outlined() {
        for text in [
            r#"(component (core module $m (memory i64 1 70000) (table i64 1 externref)
                 (tag $e (param i32)) (type $s (struct (field i32)))
                 (func (export "f") (result i32) (struct.get $s 0 (struct.new $s (i32.const 9)))))
               (core instance $i (instantiate $m))
               (func (export "f") (result u32) (canon lift (core func $i "f"))))"#,
            r#"(component (component (core module (memory 1 1 shared) (func (export "f")))))"#,
        ] {
            outlined(&wat::parse_str(text).unwrap());
        }
    }

    #[test]
    fn what_cannot_be_read_has_no_outline() {
        let bytes = wassette_testkit::compiled("strings");
        for end in 0..bytes.len() {
            // Between two sections a shorter component may end.
            let _ = of(bytes.get(..end).unwrap());
        }
        let mut nested = wat::parse_str("(component)").unwrap();
        for _ in 0..DEPTH {
            let mut outer = wat::parse_str("(component)").unwrap();
            section(&mut outer, COMPONENT, &nested);
            nested = outer;
        }
        assert_eq!(of(&nested), None);
    }
}
