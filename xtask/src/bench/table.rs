//! The figures as text for a terminal, every ratio below the figures that it compares. It must never
//! show a figure that was not measured.

use super::lane::Lane;
use super::rounds::Plan;
use super::starts::Starts;
use super::statistics::{Reading, median, ratio};

/// The columns of the calls: a title and a width.
const COLUMNS: [(&str, usize); 9] = [
    ("p50 us", 8),
    ("p99 us", 8),
    ("calls/s, 1", 11),
    ("8", 8),
    ("64 in flight", 14),
    ("CPU us, 1", 11),
    ("64", 7),
    ("MB first", 10),
    ("last", 6),
];

/// What was measured, where, and how.
pub(super) fn heading(plan: &Plan, base: &str, machine: &str) -> String {
    format!(
        "one call of `add`, Wassette beside {base}\n{machine}\nmedians of {} rounds of {} ms, the servers in turn; ratios within a round\n\n",
        plan.rounds(),
        plan.slice().as_millis(),
    )
}

/// The table of calls.
pub(super) fn calls(pairs: &[[Lane; 2]]) -> String {
    let mut text = format!("{:<28}", "");
    for (title, width) in COLUMNS {
        text.push_str(&format!("{title:>width$}"));
    }
    text.push('\n');
    for [floor, ours] in pairs {
        for lane in [floor, ours] {
            let name = format!("{:<18}{}", lane.way.to_string(), lane.subject.name());
            text.push_str(&row(&name, figures(lane)));
        }
        text.push_str(&row("  ratio", ratios(ours, floor)));
    }
    text
}

/// The table of starts.
pub(super) fn starts([floor, ours]: &[Starts; 2]) -> String {
    let mut text = String::from("\nfrom the start of the process, stdio, ms\n");
    text.push_str(&format!("{:<18}{:>16}{:>18}\n", "", "initialize", "first result"));
    for server in [floor, ours] {
        let milliseconds = |figures: &[Option<f64>]| {
            let middle = median(figures.iter().flatten().copied());
            middle.map_or("-".to_owned(), |middle| format!("{:.2}", middle / 1000.0))
        };
        let (opened, called) = (milliseconds(&server.opened), milliseconds(&server.called));
        text.push_str(&format!("{:<18}{opened:>16}{called:>18}\n", server.subject.name()));
    }
    let times = |ours: &[Option<f64>], floor: &[Option<f64>]| {
        times(ratio(ours.iter().copied(), floor.iter().copied()))
    };
    let (opened, called) = (times(&ours.opened, &floor.opened), times(&ours.called, &floor.called));
    text.push_str(&format!("{:<18}{opened:>16}{called:>18}\n", "  ratio"));
    text
}

fn row(name: &str, cells: [String; 9]) -> String {
    let mut text = format!("{name:<28}");
    for (cell, (_, width)) in cells.iter().zip(COLUMNS) {
        text.push_str(&format!("{cell:>width$}"));
    }
    text.push('\n');
    text
}

/// One figure of a reading, if it was measured.
type Figure = fn(&Reading) -> Option<f64>;

/// What is in the columns before the memory: the place of a load, and a figure under that load.
const FIGURES: [(usize, Figure); 7] = [
    (0, |reading| reading.p50),
    (0, |reading| reading.p99),
    (0, |reading| Some(reading.rate)),
    (1, |reading| Some(reading.rate)),
    (2, |reading| Some(reading.rate)),
    (0, |reading| reading.cpu),
    (2, |reading| reading.cpu),
];

fn figures(lane: &Lane) -> [String; 9] {
    let [p50, p99, one, eight, many, cpu, cpu_many] =
        FIGURES.map(|(load, figure)| median(all(lane, load, figure).flatten()));
    let [first, last] = lane.memory;
    [
        number(p50),
        number(p99),
        thousands(one),
        thousands(eight),
        thousands(many),
        number(cpu),
        number(cpu_many),
        number(first),
        number(last),
    ]
}

fn ratios(ours: &Lane, floor: &Lane) -> [String; 9] {
    let [p50, p99, one, eight, many, cpu, cpu_many] = FIGURES
        .map(|(load, figure)| times(ratio(all(ours, load, figure), all(floor, load, figure))));
    let memory = |ours: Option<f64>, floor| times(ratio([ours], [floor]));
    let ([first, last], [floor_first, floor_last]) = (ours.memory, floor.memory);
    let (first, last) = (memory(first, floor_first), memory(last, floor_last));
    [p50, p99, one, eight, many, cpu, cpu_many, first, last]
}

fn all(lane: &Lane, load: usize, figure: Figure) -> impl Iterator<Item = Option<f64>> {
    lane.readings.get(load).into_iter().flatten().map(figure)
}

fn number(figure: Option<f64>) -> String {
    match figure {
        None => "-".to_owned(),
        Some(figure) if figure < 100.0 => format!("{figure:.1}"),
        Some(figure) => format!("{figure:.0}"),
    }
}

fn thousands(figure: Option<f64>) -> String {
    figure.map_or("-".to_owned(), |figure| format!("{:.1}k", figure / 1000.0))
}

fn times(ratio: Option<f64>) -> String {
    ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}x"))
}

#[cfg(test)]
mod tests {
    use super::{number, thousands, times};

    #[test]
    fn what_was_not_measured_is_not_shown() {
        assert_eq!(
            (number(None), thousands(None), times(None)),
            ("-".into(), "-".into(), "-".into())
        );
    }

    #[test]
    fn figures_are_as_exact_as_they_are_worth() {
        assert_eq!(number(Some(61.23)), "61.2");
        assert_eq!(number(Some(1234.5)), "1234");
        assert_eq!(thousands(Some(125_400.0)), "125.4k");
        assert_eq!(times(Some(1.204)), "1.20x");
    }
}
