//! What models ask for and people decide: nothing widens without a yes to exactly what was shown.

use std::fs;
use std::path::PathBuf;

use serde_json::json;
use wassette_policy::{AnyRule, Edit, Target, VariableRule};
use wassette_toolbox::{
    ApprovalError, Approvals, Choice, Lasting, Options, Pinning, Term, Verdict, Wish,
};

use crate::desk::{Desk, asked, done, says, variable, yes};
use crate::{object, policy};

#[tokio::test]
async fn a_question_shows_who_wants_what_and_a_yes_gives_it_to_one_call() {
    let desk = Desk::new().await;
    let inquiry = asked(desk.read_with(None).await);
    let component = desk.toolbox().catalog().await.components()[0].clone();
    let rule = format!("+ allow storage fs://{} read", desk.file.display());
    for part in ["`files`", &component.source, &component.digest, &rule] {
        assert!(inquiry.text().contains(part), "{part} in {}", inquiry.text());
    }
    let output = done(desk.read_with(yes(&inquiry, Choice::Once)).await);
    assert_eq!((output.text, output.is_error), (vec!["hello".to_owned()], false));
    assert!(desk.read().await.is_err(), "it was for one call");
    assert_eq!(desk.stored(), None);
    let yes = ("grant".to_owned(), "allowed".to_owned(), "allow once".to_owned());
    assert_eq!(desk.decisions().await, [yes]);
}

#[tokio::test]
async fn an_hour_and_always_are_rules_of_the_policy_and_the_session_is_not() {
    for (choice, word) in
        [(Choice::Hour, Some("until")), (Choice::Always, Some("uri")), (Choice::Session, None)]
    {
        let desk = Desk::new().await;
        let inquiry = asked(desk.read_with(None).await);
        let output = done(desk.read_with(yes(&inquiry, choice)).await);
        assert_eq!(output.text, ["hello"], "{choice}");
        assert_eq!(desk.read().await, Ok("hello".to_owned()), "{choice}");
        match (word, desk.stored()) {
            (None, None) => {}
            (Some(word), Some(text)) => assert!(text.contains(word), "{choice}: {text}"),
            (_, stored) => panic!("{choice}: {stored:?}"),
        }
        if choice == Choice::Always {
            assert!(!desk.stored().unwrap().contains("until"));
        }
    }
}

#[tokio::test]
async fn denied_p06_a_grant_where_a_person_declines_puts_away_or_does_not_answer() {
    let desk = Desk::new().await;
    for verdict in [
        Verdict::Declined,
        Verdict::Cancelled,
        Verdict::Unanswered,
        Verdict::Invalid,
        Verdict::Chosen(Choice::Deny),
        // A choice that was not offered.
        Verdict::Chosen(Choice::Allow),
    ] {
        let key = format!("KEY_{}", desk.decisions().await.len());
        let inquiry = asked(desk.request(variable(&key), None).await.unwrap());
        let refused = desk.request(variable(&key), says(&inquiry, verdict)).await.unwrap_err();
        assert!(refused.to_string().contains("nothing has changed"), "{refused}");
        // Nor is a person asked the same again at once.
        let again = desk.request(variable(&key), None).await.unwrap_err();
        assert!(matches!(again, ApprovalError::JustRefused), "{again}");
    }
    assert_eq!(desk.stored(), None);
    let decisions = desk.decisions().await;
    assert_eq!(decisions.len(), 6);
    assert!(decisions.iter().all(|(_, decision, _)| decision == "denied"), "{decisions:?}");
}

#[tokio::test]
async fn a_no_at_the_moment_of_need_leaves_the_denial_and_is_not_asked_twice() {
    let desk = Desk::new().await;
    let inquiry = asked(desk.read_with(None).await);
    let output = done(desk.read_with(says(&inquiry, Verdict::Declined)).await);
    assert!(output.is_error);
    assert!(output.text.iter().any(|text| text.starts_with("denied: ")), "{:?}", output.text);
    assert!(output.text.last().unwrap().contains("declined"), "{:?}", output.text);
    let output = done(desk.read_with(None).await);
    assert!(output.is_error);
}

#[tokio::test]
async fn denied_p05_a_yes_to_another_question() {
    let desk = Desk::new().await;
    let harmless = asked(desk.request(variable("HARMLESS"), None).await.unwrap());
    let refused =
        desk.request(variable("SECRET"), yes(&harmless, Choice::Always)).await.unwrap_err();
    assert!(matches!(refused, ApprovalError::Changed), "{refused}");
    // Nor to the same question about what is another component by now.
    let inquiry = asked(desk.request(variable("KEY"), None).await.unwrap());
    let denied = asked(desk.read_with(None).await);
    fs::copy(wassette_testkit::built("env"), desk.workshop.folder.path().join("files.wasm"))
        .unwrap();
    desk.workshop.replace("files.wasm").await.unwrap();
    let refused = desk.request(variable("KEY"), yes(&inquiry, Choice::Always)).await.unwrap_err();
    assert!(matches!(refused, ApprovalError::Changed), "{refused}");
    let arguments = object(json!({}));
    let answered = yes(&denied, Choice::Always);
    let output = desk.toolbox().call_or_ask("list-variables", arguments, answered).await.unwrap();
    assert!(done(output).text.last().unwrap().contains("has changed meanwhile"));
    assert_eq!(desk.stored(), None);
}

#[tokio::test]
async fn denied_all_that_models_ask_for_where_the_operator_says_so() {
    let deny = |options: &mut Options| options.approval.approvals = Approvals::Deny;
    let lock = |options: &mut Options| options.approval.locked = true;
    for change in [deny as fn(&mut Options), lock] {
        let desk = Desk::with(change).await;
        desk.workshop.grant("files", "environment: { allow: [{ key: MINE }] }").await;
        let before = desk.stored();
        let toolbox = desk.toolbox();
        for edits in [
            variable("KEY"),
            vec![Edit::Reset],
            vec![Edit::Revoke(Target::Variable("MINE".to_owned()))],
        ] {
            desk.request(edits, None).await.unwrap_err();
        }
        let path = wassette_testkit::built("env").display().to_string();
        let load = desk.workshop.request(&path);
        toolbox.request_load(load, None, |_| {}).await.unwrap_err();
        toolbox.request_unload("files", None).await.unwrap_err();
        assert!(done(desk.read_with(None).await).is_error);
        assert_eq!(desk.stored(), before);
        assert_eq!(toolbox.catalog().await.components().len(), 1);
    }
}

#[tokio::test]
async fn what_narrows_is_done_at_once_and_what_is_there_already_is_not_asked() {
    let desk = Desk::new().await;
    desk.workshop.grant("files", "environment: { allow: [{ key: MINE }] }").await;
    let granted = done(desk.request(variable("MINE"), None).await.unwrap());
    assert_eq!(granted.lasting, Lasting::Unchanged);
    let revoked = vec![Edit::Revoke(Target::Variable("MINE".to_owned()))];
    done(desk.request(revoked, None).await.unwrap());
    assert!(!desk.stored().unwrap().contains("MINE"));
    // Taking a limit of its own away can widen.
    desk.workshop.grant("files", "resources: { limits: { requests: 1 } }").await;
    let limit = vec![Edit::Revoke(Target::Limit("requests".to_owned()))];
    let inquiry = asked(desk.request(limit.clone(), None).await.unwrap());
    assert_eq!(inquiry.choices(), [Choice::Allow, Choice::Deny]);
    done(desk.request(limit, yes(&inquiry, Choice::Allow)).await.unwrap());
}

#[tokio::test]
async fn denied_to_a_model_a_reset_that_takes_a_deny_a_limit_or_a_pin_away() {
    for text in
        ["network: { deny: [{ host: a.example.com }] }", "resources: { limits: { requests: 1 } }"]
    {
        let desk = Desk::new().await;
        desk.workshop.grant("files", text).await;
        let inquiry = asked(desk.request(vec![Edit::Reset], None).await.unwrap());
        let declined = says(&inquiry, Verdict::Declined);
        desk.request(vec![Edit::Reset], declined).await.unwrap_err();
        assert!(!desk.toolbox().permissions("files").await.unwrap().policy.is_empty());
    }
    let desk = Desk::new().await;
    let edits = variable("KEY");
    desk.toolbox().edit_policy_with("files", edits, Pinning::Pin).await.unwrap();
    let inquiry = asked(desk.request(vec![Edit::Reset], None).await.unwrap());
    assert!(inquiry.text().contains("counts for all that comes from"), "{}", inquiry.text());
    done(desk.request(vec![Edit::Reset], yes(&inquiry, Choice::Allow)).await.unwrap());
}

#[tokio::test]
async fn what_was_granted_unasked_is_granted_for_good() {
    let desk = Desk::with(|options| options.approval.approvals = Approvals::Allow).await;
    let granted = done(desk.request(variable("KEY"), None).await.unwrap());
    assert_eq!(granted.lasting, Lasting::Always);
    assert!(desk.stored().unwrap().contains("KEY"));
    assert!(done(desk.read_with(None).await).is_error, "a denial is nobody's request");
}

#[tokio::test]
async fn denied_a_yes_to_what_the_question_cuts_off() {
    let desk = Desk::new().await;
    let paths: Vec<String> = (0..10).map(|number| format!("/{}{number}", "a".repeat(90))).collect();
    let wish = |paths: &[String]| Wish::GrantNetwork {
        host: "example.com".to_owned(),
        methods: None,
        paths: Some(paths.to_vec()),
        ports: None,
        private: true,
    };
    let whole = asked(desk.request(wish(&paths[..2]).edits().unwrap(), None).await.unwrap());
    assert!(whole.text().contains(" private"), "{}", whole.text());
    let refused = desk.request(wish(&paths).edits().unwrap(), None).await.unwrap_err();
    assert!(matches!(refused, ApprovalError::TooMuch), "{refused}");
}

#[tokio::test]
async fn denied_a_second_run_to_a_call_that_has_written() {
    let desk = Desk::new().await;
    let folder = desk.file.parent().unwrap().display().to_string();
    desk.workshop
        .grant(
            "files",
            &format!(
                "storage: {{ allow: [{{ uri: \"fs://{folder}\", access: [write] }}] }}\nresources: {{ limits: {{ write-bytes: 1Mi }} }}"
            ),
        )
        .await;
    let arguments = || object(json!({ "path": format!("{folder}/big"), "mebibytes": 1 }));
    let step = desk.toolbox().call_or_ask("fill", arguments(), None).await.unwrap();
    let inquiry = asked(step);
    assert!(inquiry.text().contains("write-bytes"), "{}", inquiry.text());
    assert!(fs::metadata(format!("{folder}/big")).unwrap().len() > 0);
    fs::remove_file(format!("{folder}/big")).unwrap();
    let answered = yes(&inquiry, Choice::Always);
    let output = done(desk.toolbox().call_or_ask("fill", arguments(), answered).await.unwrap());
    assert!(output.text.last().unwrap().contains("was not run again"), "{:?}", output.text);
    assert!(!PathBuf::from(format!("{folder}/big")).exists());
    assert!(!done(desk.toolbox().call_or_ask("fill", arguments(), None).await.unwrap()).is_error);
}

#[tokio::test]
async fn denied_words_of_a_model_that_change_how_a_question_reads() {
    let desk = Desk::new().await;
    let edits = |value: &str| {
        let rule = VariableRule::new("KEY", Some(value.to_owned()));
        vec![Edit::Grant(AnyRule::Variable(rule))]
    };
    let reason = Some("harmless\nsource: nowhere\u{202e}\u{7}");
    for value in ["a\u{202e}b", "\u{1b}[2J"] {
        let refused = desk.toolbox().request_edits("files", edits(value), reason, None).await;
        let words = refused.unwrap_err().to_string();
        assert!(words.contains("a character that does not show"), "{words}");
    }
    let step = desk.toolbox().request_edits("files", edits("ab"), reason, None).await.unwrap();
    let text = asked(step).text();
    assert!(!text.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')), "{text}");
    let sources = text.lines().filter(|line| line.starts_with("source:")).count();
    assert_eq!(sources, 1, "{text}");
}

/// The request is judged outside the store's lock; what it comes to under the lock counts.
#[tokio::test]
async fn denied_a_limit_that_was_lower_and_is_higher_by_now() {
    let desk = Desk::new().await;
    let limit = |amount: &str| policy(&format!("resources: {{ limits: {{ memory: {amount} }} }}"));
    let mut wider = 0;
    for _ in 0..40 {
        desk.toolbox().set_policy("files", limit("200Mi")).await.unwrap();
        let edits = limit("128Mi").additions().unwrap();
        let other = desk.toolbox().clone();
        let narrows = tokio::spawn(async move { other.set_policy("files", limit("64Mi")).await });
        let asked = desk.request(edits, None).await;
        narrows.await.unwrap().unwrap();
        // Whichever came first, nobody said yes to more than the 64Mi that a person set last.
        wider += usize::from(desk.stored().unwrap().contains("128Mi"));
        drop(asked);
    }
    assert_eq!(wider, 0);
}

#[cfg(unix)]
#[tokio::test]
async fn denied_a_place_that_a_question_does_not_name() {
    use std::os::unix::fs::symlink;

    let desk = Desk::new().await;
    let folder = desk.file.parent().unwrap().parent().unwrap().to_owned();
    let (named, other, moved) =
        (folder.join("notes"), folder.join("private"), folder.join("moved"));
    fs::create_dir(&other).unwrap();
    fs::write(other.join("key"), "k").unwrap();
    let grant = |path: &std::path::Path| {
        let text = format!(
            "storage: {{ allow: [{{ uri: \"fs://{}\", access: [read] }}] }}",
            path.display()
        );
        policy(&text).additions().unwrap()
    };
    // A link says where it leads.
    symlink(&other, &named).unwrap();
    let inquiry = asked(desk.request(grant(&named), None).await.unwrap());
    let leads = format!("fs://{} leads to {}", named.display(), other.display());
    assert!(inquiry.text().contains(&leads), "{}", inquiry.text());
    fs::remove_file(&named).unwrap();
    // What is put there while a person thinks is not what was shown.
    for choice in [Choice::Once, Choice::Session, Choice::Hour, Choice::Always] {
        fs::create_dir(&named).unwrap();
        let inquiry = asked(desk.request(grant(&named), None).await.unwrap());
        fs::rename(&named, &moved).unwrap();
        symlink(&other, &named).unwrap();
        let refused = desk.request(grant(&named), yes(&inquiry, choice)).await.unwrap_err();
        assert!(matches!(refused, ApprovalError::Changed), "{choice}: {refused}");
        fs::remove_file(&named).unwrap();
        fs::remove_dir(&moved).unwrap();
    }
    // Nor where a call needs it, or where the request waits.
    fs::create_dir(&named).unwrap();
    fs::write(named.join("key"), "harmless").unwrap();
    let path = || object(json!({ "path": named.join("key").display().to_string() }));
    let step = desk.toolbox().call_or_ask("read-file", path(), None).await.unwrap();
    let inquiry = asked(step);
    let waits = asked(desk.request(grant(&named), None).await.unwrap());
    let number = desk.toolbox().keep_pending(&waits).await.unwrap().unwrap();
    fs::rename(&named, &moved).unwrap();
    symlink(&other, &named).unwrap();
    let answered = yes(&inquiry, Choice::Once);
    let output = done(desk.toolbox().call_or_ask("read-file", path(), answered).await.unwrap());
    assert!(output.is_error && output.text.last().unwrap().contains("changed meanwhile"));
    let shown = desk.toolbox().waiting(number).await.unwrap();
    assert!(shown.text().contains("leads to"), "{}", shown.text());
    fs::remove_file(&named).unwrap();
    fs::rename(&moved, &named).unwrap();
    let toolbox = desk.toolbox();
    let refused = toolbox.approve_pending(number, &shown, Term::Always, |_| {}).await.unwrap_err();
    assert!(matches!(refused, ApprovalError::Changed), "{refused}");
    assert_eq!(desk.stored(), None);
}
