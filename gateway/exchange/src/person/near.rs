//! What is nearly the same: texts with one mistake in them, and names that sound alike.

/// How many letters must be put in, left out, replaced or swapped with their neighbour to make the one of the other; a
/// number above `most` when it is more than that.
pub(super) fn distance(one: &str, other: &str, most: usize) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    if one.len().abs_diff(other.len()) > most {
        return most + 1;
    }
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, with) in other.iter().enumerate() {
            let replaced = last[column] + usize::from(letter != with);
            let mut fewest = replaced.min(last[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && *letter == other[column - 1] && one[row - 1] == *with {
                fewest = fewest.min(before_last[column - 1] + 1);
            }
            current.push(fewest);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[other.len()].min(most + 1)
}

/// Whether one letter or digit at most is another, missing, or swapped with its neighbour.
pub(super) fn one_apart(one: &str, other: &str) -> bool {
    distance(one, other, 1) == 1
}

/// Whether two surnames are nearly spelled the same: the longer they are, the more may differ.
pub(super) fn is_spelled_alike(one: &str, other: &str) -> bool {
    let length = one.chars().count().min(other.chars().count());
    let most = match length {
        0..=3 => return false,
        4..=7 => 1,
        _ => 2,
    };
    distance(one, other, most) <= most || skeleton(one) == skeleton(other)
}

/// What is left of a name of which vowels, doubled letters and letters that sound alike no longer matter. Of plain small
/// letters; never empty for what is not.
pub(super) fn skeleton(name: &str) -> String {
    let plain = name.replace("sch", "s").replace("ch", "g").replace("ck", "k").replace("ph", "f");
    let plain = plain.replace("th", "t").replace("dt", "t");
    let mut skeleton = String::new();
    for (place, letter) in plain.chars().enumerate() {
        let sound = match letter {
            'a' | 'e' | 'i' | 'o' | 'u' | 'y' => '-',
            'c' | 'k' | 'q' | 'x' => 'k',
            'z' | 's' => 's',
            'v' | 'f' | 'w' => 'f',
            'd' | 't' => 't',
            'h' => continue,
            other => other,
        };
        // A vowel only says something at the beginning.
        if (sound != '-' || place == 0) && !skeleton.ends_with(sound) {
            skeleton.push(sound);
        }
    }
    if skeleton.is_empty() { name.to_owned() } else { skeleton }
}

#[cfg(test)]
mod tests;
