//! The tools that the protocol's conformance suite calls. It must never say anything but the texts that the suite expects.

wit_bindgen::generate!({ path: "wit", world: "conformance" });

struct Conformance;

impl Guest for Conformance {
    fn test_simple_text() -> String {
        "This is a simple text response for testing.".into()
    }
    fn test_error_handling() -> Result<String, String> {
        Err("This tool intentionally returns an error for testing".into())
    }
}

export!(Conformance);
