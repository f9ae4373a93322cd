//! `demo`.

use insta::assert_snapshot;

use crate::empty;

#[test]
fn the_demo_fits_a_screen_and_leaves_nothing_behind() {
    let env = empty();
    let output = env.run(["demo"]).success();
    assert!(output.stdout.lines().count() <= 24, "{output}");
    // The last line holds the path of the program, which is as long as it is.
    for line in output.stdout.lines().filter(|line| !line.contains("claude mcp add")) {
        assert!(line.chars().count() <= 100, "too long: {line}");
    }
    assert!(!env.store_dir().exists());
    let shown = output.to_string();
    let lines: Vec<_> = shown.lines().filter(|line| !line.ends_with(" ms")).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    exit code: 0
    ----- stdout -----
    An agent loads two components, one written in C and one in Rust:

    Their functions are tools now, with schemas made from their types:
      count-lines(text: string) -> integer  Counts lines
      count-words(text: string) -> integer  Counts words: runs of characters between spaces, tabs and l…
      crc32(text: string) -> string  The CRC-32 (as in zip and PNG) of a text's UTF-8 bytes, in eight h…
      fetch(url: string) -> string  Fetches a URL with GET and gives the body as text

    It calls them. Each call runs in a sandbox of its own:
      count-words {"text":"to be or not to be"}
        {"result":6}
      count-words {"text":42}
        arguments.text: expected string, found number 42
      fetch {"url":"https://example.com/"}
        `https://example.com/` can't be reached: it is not permitted
        denied: component `fetch` may not GET https://example.com/
          no rule allows host `example.com`
          to allow it: wassette permission grant network fetch https://example.com --methods GET

    Add Wassette to an agent:
      claude mcp add wassette -- [WASSETTE] run
    "#);
}
