#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use proptest::prelude::*;

use super::*;

proptest! {
    /// A cursor leads back to its place in its list.
    #[test]
    fn leads_back(list in ".{0,40}", place_in in "[0-9a-f ]{0,80}") {
        prop_assert_eq!(place(&list, &cursor(&list, &place_in)), Some(place_in));
    }

    /// In another list, or changed in one character, it leads nowhere.
    #[test]
    fn leads_nowhere_else(list in "[a-z]{1,20}", other in "[a-z]{1,20}", place_in in 0_u64.., at in 0_usize..16) {
        let text = cursor(&list, &place_in.to_string());
        if list != other {
            prop_assert_eq!(place(&other, &text), None);
        }
        let mut changed = text.clone().into_bytes();
        changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
        prop_assert_eq!(place(&list, &String::from_utf8(changed).unwrap()), None);
    }

    /// Whatever comes as a cursor is refused and breaks nothing.
    #[test]
    fn reads_anything(text in ".{0,500}") {
        prop_assert_eq!(place("berichten?", &text), None);
    }

    /// The order of the filters and the size of a page do not matter; the filters do.
    #[test]
    fn belongs_to_its_filters(one in "[a-z]{1,8}", other in "[a-z]{1,8}") {
        let query = |text: &str| Query::parse(Some(text), &["stand", "partner", "limiet", "cursor"]).unwrap();
        let list = |text: &str| list("berichten", &query(text));
        let this = list(&format!("stand={one}&partner={other}"));
        prop_assert_eq!(&this, &list(&format!("partner={other}&limiet=3&stand={one}&cursor=00")));
        if one != other {
            prop_assert_ne!(&this, &list(&format!("stand={other}&partner={one}")));
        }
    }
}
