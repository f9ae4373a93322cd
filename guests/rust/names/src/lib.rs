//! Names that are hard on a tool host. Each function answers with where it lives, and must never answer for another.

wit_bindgen::generate!({ path: "wit", world: "names" });

struct Names;

impl Guest for Names {
    fn get() -> String {
        "top get".into()
    }
}
impl exports::test::names::alpha::Guest for Names {
    fn get() -> String {
        "alpha get".into()
    }
    fn a_b() -> String {
        "alpha a-b".into()
    }
    fn get_http_status2(url: String) -> String {
        format!("alpha get-HTTP-status2 {url}")
    }
    fn this_is_a_very_long_function_name_that_goes_on_and_on_until_it_is_longer_than_any_client_of_the_protocol_would_like_a_tool_name_to_be() -> String {
        "alpha long".into()
    }
}
impl exports::test::names::alpha_get::Guest for Names {
    fn x() -> String {
        "alpha-get x".into()
    }
}
impl exports::test::names::beta::Guest for Names {
    fn get() -> String {
        "beta get".into()
    }
    fn get_x() -> String {
        "beta get-x".into()
    }
}
impl exports::inline::Guest for Names {
    fn get() -> String {
        "inline get".into()
    }
}

export!(Names);
