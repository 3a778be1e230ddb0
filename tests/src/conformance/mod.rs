//! What every database under the store must do, whichever it is.
//!
//! Each case is a function over a [`Database`]: a place for one store that starts out empty. A database joins with
//! one line, `tests::store_conformance!(Kind::fresh)`, and then runs all of them.

#![allow(clippy::missing_panics_doc, reason = "a case that does not hold panics: that is what it is for")]

pub mod access;
pub mod agreed;
pub mod consented;
pub mod consents;
pub mod desks;
pub mod erasing;
pub mod events;
pub mod given;
pub mod handed;
pub mod handovers;
pub mod inbound;
pub mod log;
pub mod matching;
pub mod model;
pub mod outbound;
pub mod person;
pub mod races;
pub mod rules;
pub mod signal_terms;
pub mod undelivered;
pub mod witness;

use store::{Store, StoreError};

/// A place for one store, empty at first.
#[expect(async_fn_in_trait, reason = "only used within this workspace, by tests")]
pub trait Database: Sync {
    /// Makes the store of [`given::us`] under [`given::STORAGE_KEY`].
    async fn create(&self) -> Result<Store, StoreError>;

    /// Opens it; more than once at a time is allowed.
    async fn open(&self) -> Result<Store, StoreError>;

    /// Opens it as another organisation than made it.
    async fn open_as_another(&self) -> Result<Store, StoreError>;

    /// Opens it with another key than it was made with.
    async fn open_with_another_key(&self) -> Result<Store, StoreError>;
}

/// Runs the whole suite; `$fresh` makes a [`Database`](crate::conformance::Database).
#[macro_export]
macro_rules! store_conformance {
    ($fresh:path) => {
        $crate::store_conformance_cases! { $fresh;
            access::is_made_once,
            access::is_not_made_by_opening,
            access::refuses_another_organisation,
            access::refuses_another_key,
            access::survives_being_dropped,
            access::says_closed_after_closing,
            outbound::gives_indexes_in_order,
            outbound::logs_what_was_held_back,
            outbound::keeps_what_was_queued,
            outbound::leases_in_the_order_of_the_queue,
            outbound::leases_withdrawals_first,
            outbound::leases_nothing_twice,
            outbound::keeps_the_order_of_a_case,
            outbound::lets_others_overtake_a_case,
            outbound::keeps_to_the_limits_of_a_batch,
            outbound::sends_no_row_of_a_source_twice,
            outbound::repairs_what_was_not_taken,
            outbound::refuses_an_identifier_in_use_and_nothing_else,
            outbound::records_outcomes,
            outbound::wants_an_outcome_for_each,
            outbound::makes_due_again_what_was_given_back,
            outbound::makes_due_again_what_was_leased_in_a_crash,
            outbound::expires_what_waited_too_long,
            outbound::leaves_alone_what_is_under_way,
            outbound::believes_a_receipt_that_comes_late,
            outbound::sends_again_what_was_not_delivered,
            outbound::leaves_a_silent_partner_alone,
            outbound::serves_who_waits_longest,
            outbound::refuses_what_is_too_large,
            outbound::keeps_the_latest_checkpoint_of_a_partner,
            events::keeps_what_happened_while_that_is_wanted,
            events::keeps_what_happened_to_cases_and_consents,
            events::remembers_who_was_told,
            events::keeps_what_was_not_taken,
            undelivered::lists_what_did_not_arrive,
            undelivered::tells_who_waits_longest,
            undelivered::gives_up_for_good,
            undelivered::believes_a_receipt_after_giving_up,
            undelivered::gives_up_what_did_not_arrive_and_nothing_else,
            desks::passes_on_from_where_it_is,
            desks::tells_what_moved,
            inbound::answers_with_a_receipt_that_verifies,
            inbound::keeps_what_was_admitted,
            inbound::files_each_message_once,
            inbound::tells_the_sender_what_became_of_a_message,
            inbound::recognises_a_message_within_its_batch,
            inbound::recognises_messages_after_reopening,
            inbound::recognises_refusals,
            inbound::refuses_other_content_under_a_known_identifier,
            inbound::keeps_senders_apart,
            inbound::logs_each_unverified_arrival,
            inbound::answers_an_empty_batch,
            inbound::lists_what_was_asked_for,
            erasing::erases_a_case,
            erasing::ends_what_waits_in_the_case,
            erasing::lets_a_receipt_have_the_last_word,
            erasing::sees_what_another_process_erased,
            erasing::erases_wholly_or_not_at_all,
            erasing::forgets_the_rows_of_what_it_erased,
            erasing::proves_what_it_erased,
            erasing::erases_what_is_there,
            erasing::keeps_no_longer_than_the_purpose_allows,
            person::finds_a_person,
            person::forgets_who_was_erased,
            person::keeps_who_saw_what,
            person::finds_who_looked_after_erasing,
            person::keeps_what_was_shown_as_perhaps,
            person::keeps_who_sent_with_what_it_became,
            person::keeps_who_erased_a_case,
            matching::joins_signals_of_several_senders,
            matching::remembers_what_was_decided,
            matching::refuses_what_cannot_be_decided,
            matching::forgets_what_was_erased,
            matching::matches_nothing_under_an_ended_consent,
            matching::joins_within_the_period_only,
            signal_terms::notes_each_signal_once,
            signal_terms::tells_each_once_of_a_signal,
            signal_terms::meets_a_term_by_feedback_that_stands,
            signal_terms::tells_nothing_of_a_signal_that_is_gone,
            signal_terms::lists_terms_in_the_order_of_their_end,
            handovers::keeps_the_steps_of_a_case,
            handovers::refuses_what_was_decided_without_the_last_step,
            handovers::looks_again_at_what_changed_meanwhile,
            handovers::looks_at_what_is_owed,
            handovers::looks_again_at_what_was_given_up,
            handovers::gives_cases_in_order,
            handovers::keeps_what_was_told_of_a_term,
            handovers::gives_terms_in_the_order_of_their_end,
            consents::knows_what_was_recorded,
            consents::ends_what_waits,
            consents::keeps_nothing_that_was_decided_before,
            consents::takes_a_withdrawal_in,
            consents::takes_a_report_in,
            consents::tells_the_holder_until_it_withdraws,
            consents::takes_no_withdrawal_by_someone_who_may_not,
            consents::tells_everybody_once,
            consents::tells_once_in_one_transaction,
            consents::knows_what_reached_whom,
            consents::tells_again_what_was_not_taken,
            consents::finishes_what_is_still_so,
            consents::ends_when_the_time_has_come,
            consents::keeps_on_another_basis,
            consents::forgets_what_was_said_of_an_earlier_end,
            consents::believes_a_confirmation_as_far_as_it_can,
            consents::knows_who_may_confirm,
            consents::queues_nothing_after_a_withdrawal,
            consents::leases_nothing_after_a_withdrawal,
            consents::withdraws_once_from_two_handles,
            consents::files_nothing_after_a_withdrawal,
            log::proves_every_leaf,
            log::proves_growth,
            log::proves_across_many_tiles,
            log::signs_its_head_once,
            log::refuses_what_it_does_not_have,
            races::enqueues_and_files_at_the_same_time,
            races::answers_the_same_batch_sent_many_times_at_once,
            races::leases_each_message_to_one,
            races::repeats_a_row_once,
            races::writes_from_two_handles,
            races::loses_no_message_between_lease_and_receipt,
            rules::keeps_partners,
            rules::refreshes_what_is_still_known,
            rules::keeps_agreements_and_answers,
            rules::tells_each_answer_to_each_party,
            rules::forgets_one_agreement,
            rules::shows_that_rules_changed,
            rules::refuses_what_older_rules_decided,
            rules::refuses_what_older_rules_decided_and_nothing_else,
            witness::keeps_the_last_checkpoint_that_was_verified,
            witness::thins_out_old_checkpoints,
            witness::keeps_alarms_for_good,
            witness::refuses_alarms_that_are_too_large,
        }

        #[test]
        fn does_what_the_model_does() -> anyhow::Result<()> {
            $crate::conformance::model::check($fresh)
        }
    };
}

/// Makes a test of each case.
#[macro_export]
macro_rules! store_conformance_cases {
    ($fresh:path; $($topic:ident :: $case:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() -> anyhow::Result<()> {
                $crate::conformance::$topic::$case(&$fresh()?).await
            }
        )*
    };
}
