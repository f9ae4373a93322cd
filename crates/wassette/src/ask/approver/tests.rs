use std::collections::VecDeque;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};

use wassette_toolbox::{Choice, LoadRequest, Options, Step, Toolbox};

use super::*;

/// A terminal in memory.
#[derive(Default)]
struct Paper {
    shown: std::sync::Mutex<String>,
    typed: std::sync::Mutex<VecDeque<String>>,
    is_elsewhere: AtomicBool,
    is_closed: AtomicBool,
    /// Somebody types yes as soon as anything appears.
    is_hasty: AtomicBool,
}

impl Paper {
    fn types(&self, line: &str) {
        let mut typed = self.typed.lock().unwrap_or_else(PoisonError::into_inner);
        typed.push_back(line.to_owned());
    }

    fn shown(&self) -> String {
        self.shown.lock().unwrap().clone()
    }

    /// Waits until `text` has been shown `times` times.
    async fn shows(&self, text: &str, times: usize) {
        while self.shown().matches(text).count() < times {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Console for Arc<Paper> {
    fn is_ours(&self) -> bool {
        !self.is_elsewhere.load(Ordering::Relaxed)
    }

    fn show(&self, text: &str) {
        self.shown.lock().unwrap().push_str(text);
        if self.is_hasty.swap(false, Ordering::Relaxed) {
            self.types("1");
        }
    }

    fn forget(&self) {
        self.typed.lock().unwrap().clear();
    }

    fn typed(&self) -> io::Result<Option<String>> {
        if self.is_closed.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(self.typed.lock().unwrap().pop_front())
    }
}

/// What the prompt of a question whose choices are yes and no ends with.
const PROMPT: &str = "1 to 2: ";

fn approver() -> (Arc<Paper>, Arc<TerminalApprover<Arc<Paper>>>) {
    let paper = Arc::new(Paper::default());
    (paper.clone(), Arc::new(TerminalApprover::new(paper, LOOK / 10)))
}

/// The question whether `name` may be loaded.
async fn inquiry(name: &str) -> Inquiry {
    let folder = tempfile::tempdir().unwrap();
    // What no person is asked about: anything that does not begin like a component.
    let bytes = [b"\0asm\x0d\0\x01\0", name.as_bytes()].concat();
    std::fs::write(folder.path().join(format!("{name}.wasm")), bytes).unwrap();
    let compiler = crate::context::compiler().unwrap();
    let toolbox = Toolbox::open(Options::new(folder.path().join("store"), compiler)).unwrap();
    let request = LoadRequest::new(format!("./{name}.wasm"), folder.path().to_owned());
    match toolbox.request_load(request, None, |_| {}).await.unwrap() {
        Step::Ask(inquiry) => *inquiry,
        Step::Done(_) => panic!("nobody was asked"),
    }
}

#[tokio::test]
async fn a_person_sees_the_question_and_its_choices_and_answers() {
    let (paper, approver) = approver();
    let inquiry = inquiry("weather").await;
    let answer = async {
        paper.shows(PROMPT, 1).await;
        paper.types("maybe");
        paper.shows(PROMPT, 2).await;
        paper.types("1");
    };
    let (verdict, ()) = tokio::join!(approver.ask(&inquiry), answer);
    assert_eq!(verdict, Some(Verdict::Chosen(Choice::Allow)));
    let shown = paper.shown();
    assert!(shown.contains(&inquiry.text()), "{shown}");
    assert!(shown.contains("\n  1  allow\n  2  deny\n"), "{shown}");
}

#[tokio::test]
async fn denied_an_answer_that_was_typed_before_the_question_could_be_read() {
    let (paper, approver) = approver();
    let inquiry = inquiry("weather").await;
    paper.types("1");
    paper.is_hasty.store(true, Ordering::Relaxed);
    let answer = async {
        paper.shows(PROMPT, 1).await;
        paper.types("2");
    };
    let (verdict, ()) = tokio::join!(approver.ask(&inquiry), answer);
    assert_eq!(verdict, Some(Verdict::Chosen(Choice::Deny)));
}

#[tokio::test]
async fn what_cannot_be_read_three_times_is_no_answer() {
    let (paper, approver) = approver();
    let inquiry = inquiry("weather").await;
    let answer = async {
        for times in 1..=3 {
            paper.shows(PROMPT, times).await;
            paper.types("yes");
        }
    };
    let (verdict, ()) = tokio::join!(approver.ask(&inquiry), answer);
    assert_eq!(verdict, Some(Verdict::Invalid));
    assert!(!paper.shown().contains("withdrawn"), "{}", paper.shown());
}

#[tokio::test]
async fn the_end_of_input_puts_the_question_away() {
    let (paper, approver) = approver();
    let inquiry = inquiry("weather").await;
    paper.is_closed.store(true, Ordering::Relaxed);
    assert_eq!(approver.ask(&inquiry).await, Some(Verdict::Cancelled));
}

#[tokio::test]
async fn a_question_that_is_taken_back_says_so_and_the_next_has_its_turn() {
    let (paper, approver) = approver();
    let (first, second) = (inquiry("first").await, inquiry("second").await);
    let mut taken_back = Box::pin(approver.ask(&first));
    tokio::select! {
        _ = &mut taken_back => panic!("nobody answered"),
        () = paper.shows(PROMPT, 1) => {}
    }
    let next = {
        let approver = approver.clone();
        tokio::spawn(async move { approver.ask(&second).await })
    };
    tokio::time::sleep(LOOK * 2).await;
    assert!(!paper.shown().contains("second"), "one question at a time: {}", paper.shown());
    drop(taken_back);
    paper.shows(PROMPT, 2).await;
    let shown = paper.shown();
    let withdrawn = shown.find("the question is withdrawn").unwrap();
    assert!(withdrawn < shown.find("second").unwrap(), "{shown}");
    paper.types("1");
    assert_eq!(next.await.unwrap(), Some(Verdict::Chosen(Choice::Allow)));
}

#[tokio::test]
async fn a_question_after_one_that_was_taken_back_stands_longer_before_an_answer_counts() {
    let (paper, approver) = approver();
    assert_eq!(approver.next_settle(), approver.settle);
    let first = inquiry("first").await;
    tokio::select! {
        _ = approver.ask(&first) => panic!("nobody answered"),
        () = paper.shows(PROMPT, 1) => {}
    }
    assert_eq!(approver.next_settle(), approver.settle * AFTER_WITHDRAWAL);
    assert_eq!(approver.next_settle(), approver.settle);
}

#[tokio::test]
async fn no_more_questions_wait_than_a_person_can_answer() {
    let (paper, approver) = approver();
    let inquiry = Arc::new(inquiry("weather").await);
    let ask = || {
        let (approver, inquiry) = (approver.clone(), inquiry.clone());
        tokio::spawn(async move { approver.ask(&inquiry).await })
    };
    let waiting: Vec<_> = (0..=IN_LINE).map(|_| ask()).collect();
    paper.shows(PROMPT, 1).await;
    while approver.places.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(ask().await.unwrap(), None);
    for (index, asked) in waiting.into_iter().enumerate() {
        paper.shows(PROMPT, index + 1).await;
        paper.types("2");
        assert_eq!(asked.await.unwrap(), Some(Verdict::Chosen(Choice::Deny)));
    }
}

#[tokio::test]
async fn nobody_is_asked_at_a_terminal_that_belongs_to_another_program_now() {
    let (paper, approver) = approver();
    let inquiry = inquiry("weather").await;
    paper.is_elsewhere.store(true, Ordering::Relaxed);
    assert_eq!(approver.ask(&inquiry).await, None);
    assert_eq!(paper.shown(), "");
}
