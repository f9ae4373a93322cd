//! Pages of a sorted list. A cursor names the last tool that was sent, so it stays good whatever is
//! loaded or unloaded between two pages: nothing is sent twice and nothing that stayed is left out.
//! Clients must take it as opaque, and it must never hold more than a name.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Tools on one page. More than most hosts let a model see at all.
pub(crate) const PAGE: usize = 100;

/// The longest cursor that is looked at; a tool's name is far shorter.
const LONGEST: usize = 1024;

/// Marks what is a cursor of ours, so that another text is refused and not taken for a name.
const MARK: &str = "after:";

/// The cursor for what follows `name`.
pub(crate) fn cursor(name: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{MARK}{name}"))
}

/// The name in a cursor of ours; `None` for any other text.
pub(crate) fn after(cursor: &str) -> Option<String> {
    if cursor.len() > LONGEST {
        return None;
    }
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    text.strip_prefix(MARK).map(str::to_owned)
}

/// The items of `sorted` (by the rank of the name that `name` gives) on the page after `start`, and the
/// cursor of the next page if there is one.
pub(crate) fn page<T>(
    sorted: Vec<T>,
    start: Option<&str>,
    name: impl Fn(&T) -> &str,
    rank: impl for<'a> Fn(&'a str) -> (bool, &'a str),
) -> (Vec<T>, Option<String>) {
    let skipped =
        start.map_or(0, |start| sorted.partition_point(|item| rank(name(item)) <= rank(start)));
    let left = sorted.len().saturating_sub(skipped);
    let items: Vec<T> = sorted.into_iter().skip(skipped).take(PAGE).collect();
    let next = items.last().filter(|_| left > PAGE).map(|last| cursor(name(last)));
    (items, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A few stand before all others.
    fn rank(name: &str) -> (bool, &str) {
        (!name.starts_with("ours-"), name)
    }

    fn names(count: usize) -> Vec<String> {
        let few = count.min(3);
        let ours = (0..few).map(|number| format!("ours-{number}"));
        ours.chain((few..count).map(|number| format!("a-tool-{number:04}"))).collect()
    }

    fn walk(list: &[String]) -> Vec<Vec<String>> {
        let mut pages = Vec::new();
        let mut start: Option<String> = None;
        loop {
            let (items, next) = page(list.to_vec(), start.as_deref(), |name| name, rank);
            pages.push(items);
            match next {
                Some(next) => start = Some(after(&next).unwrap()),
                None => return pages,
            }
        }
    }

    #[test]
    fn every_item_comes_once_and_in_order() {
        for count in [0, 1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE, 3 * PAGE + 7] {
            let list = names(count);
            let pages = walk(&list);
            assert_eq!(pages.concat(), list);
            assert_eq!(pages.len(), count.div_ceil(PAGE).max(1));
        }
    }

    #[test]
    fn a_cursor_survives_the_unloading_of_what_it_names() {
        let mut list = names(2 * PAGE);
        let (first, next) = page(list.clone(), None, |name| name, rank);
        let start = after(&next.unwrap()).unwrap();
        list.retain(|name| *name != start);
        let (second, next) = page(list, Some(&start), |name| name, rank);
        assert_eq!([first, second].concat(), names(2 * PAGE));
        assert_eq!(next, None);
    }

    #[test]
    fn what_is_not_a_cursor_of_ours_is_refused() {
        for text in ["", "1", "tool-0001", "!!!", &URL_SAFE_NO_PAD.encode("tool"), "_w"] {
            assert_eq!(after(text), None, "{text:?}");
        }
        assert_eq!(after(&cursor(&"x".repeat(2000))), None);
        assert_eq!(after(&cursor("tool-0001")).as_deref(), Some("tool-0001"));
    }
}
