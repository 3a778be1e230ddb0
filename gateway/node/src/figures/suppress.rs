//! Leaving out small numbers, and with them as many others that the total does not give them away.

use super::{Counted, Group, Line, SMALLEST};

/// A part of a number that is shown, and what is left of it: neither may be small, unless there is none.
pub(super) fn part(part: u64, whole: u64) -> Option<u64> {
    let may = |number: u64| number == 0 || number >= SMALLEST;
    (may(part) && may(whole.saturating_sub(part))).then_some(part)
}

/// The lines of a group with their total. Small numbers are left out. What is left out together can be computed from the total,
/// so that is never one number alone and never small: more lines are left out, the smallest first, and at last the total.
pub(super) fn group(group: Group, mut lines: Vec<(Line, u64)>) -> Counted {
    let total: u64 = lines.iter().map(|(_, count)| count).sum();
    let mut hidden: Vec<bool> = lines.iter().map(|(_, count)| *count < SMALLEST).collect();
    let mut by_size: Vec<usize> = (0..lines.len()).filter(|place| !hidden[*place]).collect();
    by_size.sort_by_key(|place| std::cmp::Reverse(lines[*place].1));
    let gives_away = |hidden: &[bool]| {
        let together: Vec<u64> =
            lines.iter().zip(hidden).filter(|(_, hidden)| **hidden).map(|((_, count), _)| *count).collect();
        !together.is_empty() && (together.len() < 2 || together.iter().sum::<u64>() < SMALLEST)
    };
    while gives_away(&hidden) {
        match by_size.pop() {
            Some(place) => hidden[place] = true,
            None => break,
        }
    }
    let total = (!gives_away(&hidden) && total >= SMALLEST).then_some(total);
    for ((line, _), hidden) in lines.iter_mut().zip(&hidden) {
        if *hidden {
            *line = Line {
                count: None,
                asked: None,
                answered: None,
                termed: None,
                in_time: None,
                answer: None,
                contact: None,
                ..line.clone()
            };
        }
    }
    Counted { group, total, lines: lines.into_iter().map(|(line, _)| line).collect() }
}
