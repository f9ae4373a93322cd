use std::time::Duration;

use super::{Reading, Slice, median, percentile, ratio};

#[test]
fn percentiles_are_figures_that_were_measured() {
    let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
    assert_eq!(percentile(&hundred, 50), Some(51.0));
    assert_eq!(percentile(&hundred, 99), Some(100.0));
    assert_eq!(percentile(&[7.0], 99), Some(7.0));
    assert_eq!(percentile(&[], 50), None);
    assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
}

#[test]
fn ratios_are_taken_within_a_round() {
    // The machine was ten times slower in the second round, for both.
    let ours = [Some(2.0), Some(20.0), Some(2.0)];
    let floor = [Some(1.0), Some(10.0), Some(1.0)];
    assert_eq!(ratio(ours, floor), Some(2.0));
    assert_eq!(ratio([None], [Some(1.0)]), None);
}

#[test]
fn a_slice_becomes_figures_of_one_call() {
    let slice = Slice {
        calls: 100,
        time: Duration::from_millis(10),
        latencies: vec![Duration::from_micros(90), Duration::from_micros(30)],
    };
    let reading = Reading::new(slice, Some(Duration::from_millis(2)));
    assert!((reading.rate - 10_000.0).abs() < 1e-6);
    assert!((reading.p50.unwrap() - 90.0).abs() < 1e-6);
    assert!((reading.cpu.unwrap() - 20.0).abs() < 1e-6);
    let nothing = Reading::new(Slice::default(), None);
    assert_eq!((nothing.p50, nothing.p99, nothing.cpu), (None, None, None));
}
