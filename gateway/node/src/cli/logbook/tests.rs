use super::*;

#[test]
fn what_differs_ends_in_one_sign() {
    for (what, expected) in [("is weg", "is weg."), ("is weg.", "is weg."), ("teruggezet?", "teruggezet?")] {
        assert_eq!(sentence(what), expected);
    }
}
