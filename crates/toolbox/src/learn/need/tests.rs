use super::*;

const USE: Manner = Manner::Use;

fn need(uses: &[(&str, Access, Manner)]) -> Need {
    let uses: Vec<_> =
        uses.iter().map(|(uri, access, manner)| ((*uri).to_owned(), *access, *manner)).collect();
    needed(&uses, |uri, _| uri.starts_with("fs:///granted/"), |rule| rule == "fs:///closed read")
}

fn rules(need: &Need) -> Vec<String> {
    need.policy.storage.allow.iter().map(ToString::to_string).collect()
}

#[test]
fn what_was_used_is_allowed_and_nothing_else() {
    let need = need(&[
        ("fs:///d/a", Access::Read, USE),
        ("fs:///d/a", Access::Write, USE),
        ("fs:///granted/x", Access::Write, USE),
        ("fs://workspace/notes", Access::Write, USE),
    ]);
    assert_eq!(rules(&need), ["fs:///d/a read,write", "fs://workspace/notes write"]);
    assert_eq!(need.folders, [""; 0]);
}

#[test]
fn who_may_use_something_may_look_at_the_way_to_it() {
    for (uses, wanted) in [
        (vec![("fs:///d", Access::Read, Manner::Look)], vec!["fs:///d read"]),
        (
            vec![("fs:///d", Access::Read, Manner::Look), ("fs:///d/a", Access::Read, USE)],
            vec!["fs:///d/a read"],
        ),
        (
            vec![("fs:///d/a", Access::Read, Manner::Look), ("fs:///d/a", Access::Write, USE)],
            vec!["fs:///d/a write"],
        ),
        // What was listed is more than looked at.
        (
            vec![("fs:///d", Access::Read, USE), ("fs:///d/a", Access::Read, USE)],
            vec!["fs:///d read"],
        ),
        (
            vec![("fs:///d", Access::Read, Manner::Look), ("fs:///da", Access::Read, USE)],
            vec!["fs:///d read", "fs:///da read"],
        ),
    ] {
        assert_eq!(rules(&need(&uses)), wanted, "{uses:?}");
    }
}

#[test]
fn many_files_of_a_folder_become_the_folder() {
    let files = |folder: &str, count: usize| -> Vec<String> {
        (0..count).map(|number| format!("fs://{folder}/{number}")).collect()
    };
    let read = |files: &[String]| {
        let uses: Vec<_> = files.iter().map(|uri| (uri.as_str(), Access::Read, USE)).collect();
        need(&uses)
    };
    assert_eq!(rules(&read(&files("/d", 8))).len(), 8);
    let many = read(&files("/d", 9));
    assert_eq!(rules(&many), ["fs:///d read"]);
    assert_eq!(many.folders, ["9 files of `fs:///d` were used, so the rule is for all of it"]);
    assert_eq!(rules(&read(&files("workspace", 9))), ["fs://workspace read"]);
    // Neither the root of all nor what no rule can open.
    assert_eq!(rules(&read(&files("", 9))).len(), 9);
    assert_eq!(rules(&read(&files("/closed", 9))).len(), 9);
}

#[test]
fn a_path_that_no_rule_can_name_is_left_out() {
    assert_eq!(rules(&need(&[("fs:///d/a*b", Access::Read, USE)])), [""; 0]);
    assert_eq!(rules(&need(&[("fs:///d/$x", Access::Read, USE)])), [""; 0]);
}
