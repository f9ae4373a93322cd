//! One function for each type of WIT; each gives back what it was given.
//! It must never change a value: the tests compare what comes out with what went in.

wit_bindgen::generate!({ path: "wit", world: "zoo" });

use exports::test::zoo::types::*;

struct Zoo;

/// Functions from a type to itself.
macro_rules! echo {
    ($($name:ident: $type:ty;)*) => { $(fn $name(v: $type) -> $type { v })* };
}

impl Guest for Zoo {
    fn ping() -> String {
        "pong".into()
    }
}

impl exports::test::zoo::types::Guest for Zoo {
    echo! {
        echo_bool: bool;
        echo_u8: u8;
        echo_s8: i8;
        echo_u16: u16;
        echo_s16: i16;
        echo_u32: u32;
        echo_s32: i32;
        echo_u64: u64;
        echo_s64: i64;
        echo_f32: f32;
        echo_f64: f64;
        echo_char: char;
        echo_string: String;
        echo_bytes: Vec<u8>;
        echo_list_string: Vec<String>;
        echo_list_u64: Vec<u64>;
        echo_list_f64: Vec<f64>;
        echo_list_bool: Vec<bool>;
        echo_list_char: Vec<char>;
        echo_matrix: Vec<Vec<i32>>;
        echo_pairs: Vec<(String, u32)>;
        echo_point: Point;
        echo_person: Person;
        echo_list_point: Vec<Point>;
        echo_tuple1: (String,);
        echo_tuple2: (u8, String);
        echo_tuple5: (bool, i8, f64, char, Vec<u8>);
        echo_shape: Shape;
        echo_color: Color;
        echo_permissions: Permissions;
        echo_many_flags: ManyFlags;
        echo_list_shape: Vec<Shape>;
        echo_option_u32: Option<u32>;
        echo_option_string: Option<String>;
        echo_option_option: Option<Option<u32>>;
        echo_option_option_option: Option<Option<Option<String>>>;
        echo_list_option: Vec<Option<String>>;
        echo_option_list: Option<Vec<String>>;
        echo_option_result: Option<Result<u8, String>>;
        echo_result: Result<String, String>;
        echo_result_ok_only: Result<u32, ()>;
        echo_result_err_only: Result<(), String>;
        echo_result_neither: Result<(), ()>;
        echo_result_variant: Result<Person, Failure>;
        echo_result_nested: Result<Result<u8, u16>, Result<String, u64>>;
        echo_list_result: Vec<Result<u8, String>>;
        echo_alias: Identifier;
        echo_alias_list: Identifiers;
    }

    fn nothing() {}
    fn no_parameters() -> String {
        "no parameters".into()
    }
    fn no_result(_v: String) {}
    fn many_parameters(
        a: bool, b: u8, c: i16, d: u32, e: i64, f: f32, g: f64, h: char, i: String, j: Vec<u8>, k: Option<String>,
        l: (u8, u8), m: Color, n: Permissions, o: Point, p: Result<u8, String>, q: Shape, r: String,
    ) -> String {
        format!("{a}, {b}, {c}, {d}, {e}, {f}, {g}, {h}, {i}, {j:?}, {k:?}, {l:?}, {m:?}, {n:?}, {o:?}, {p:?}, {q:?}, {r}")
    }
    fn type_(record: String, list: Vec<String>, func: u32) -> String {
        format!("{record}, {list:?}, {func}")
    }
}

export!(Zoo);
