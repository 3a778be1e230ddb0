//! The citizen service number (*burgerservicenummer*; Wet algemene bepalingen burgerservicenummer).

/// Weights of the nine digits in the eleven-test (*elfproef*); the last one counts negatively.
const WEIGHTS: [i32; 9] = [9, 8, 7, 6, 5, 4, 3, 2, -1];

/// Whether `text` is nine digits that pass the eleven-test, and not `000000000`.
///
/// It says nothing about the number having been issued.
pub fn is_valid(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() != WEIGHTS.len() || !bytes.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let sum: i32 = bytes.iter().zip(WEIGHTS).map(|(digit, weight)| i32::from(digit - b'0') * weight).sum();
    sum % 11 == 0 && bytes.iter().any(|digit| *digit != b'0')
}

#[cfg(test)]
mod tests;
