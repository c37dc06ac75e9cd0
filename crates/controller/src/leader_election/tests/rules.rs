//! The rules, as transcripts.

use std::time::Duration;

use super::super::config::LeaderElectionConfig;
use super::transcript::{check, check_with};

fn coordinated() -> LeaderElectionConfig {
    LeaderElectionConfig { coordinated: true, ..Default::default() }
}

#[test]
fn a_missing_lease_is_created_and_renewed_without_a_read() {
    check(
        "100 due -> get until 105
         101 missing -> create a/15 #0 acquired 101 renewed 101 until 106
         102 written -> wait until 103; leader a; elected #0 until 111; valid until 111
         104 due -> update a/15 #0 acquired 101 renewed 104 until 109; valid until 111
         105 written -> wait until 106; valid until 114",
    );
}

#[test]
fn a_held_lease_is_taken_when_it_has_not_changed_for_its_own_duration_here() {
    check(
        "100 due -> get until 105
         101 found b/20 #3 renewed 1 -> wait; leader b
         120 due -> get until 125
         120.9 found b/20 #3 renewed 1 -> wait
         121 due -> get until 126
         121 found b/20 #3 renewed 1 -> update a/15 #4 acquired 121 renewed 121 until 126
         122 written -> wait until 123; leader a; elected #4 until 131; valid until 131",
    );
}

#[test]
fn times_of_the_record_do_not_count() {
    check(
        "100 due -> get until 105
         100 found b/15 #3 renewed 999999 -> wait; leader b
         115 due -> get until 120
         115 found b/15 #3 renewed 999999 -> update a/15 #4 acquired 115 renewed 115 until 120",
    );
}

#[test]
fn a_renewal_of_the_holder_begins_the_wait_anew() {
    check(
        "100 due -> get until 105
         100 found b/15 #3 renewed 1 -> wait; leader b
         114 due -> get until 119
         114 found b/15 #3 renewed 2 -> wait
         116 due -> get until 121
         116 found b/15 #3 renewed 2 -> wait
         129 due -> get until 134
         129 found b/15 #3 renewed 2 -> update a/15 #4 acquired 129 renewed 129 until 134",
    );
}

#[test]
fn a_change_of_other_fields_does_not_begin_the_wait_anew() {
    check(
        "100 due -> get until 105
         100 found b/15 #3 renewed 1 -> wait; leader b
         115 due -> get until 120
         115 found b/15 #3 renewed 1 labelled x -> update a/15 #4 acquired 115 renewed 115 x=yes until 120",
    );
}

#[test]
fn a_free_lease_and_one_without_a_duration_are_taken_at_once() {
    for free in ["/1", "/15", "b/0", "b/none", "b/-5"] {
        let leader = if free.starts_with('b') { "; leader b" } else { "" };
        check(&format!(
            "100 due -> get until 105
             100 found {free} #3 renewed 1 -> update a/15 #4 acquired 100 renewed 100 until 105{leader}"
        ));
    }
}

#[test]
fn a_lease_of_the_same_identity_is_taken_at_once_with_a_new_token() {
    check(
        "100 due -> get until 105
         100 found a/15 #3 acquired 50 renewed 99 -> update a/15 #4 acquired 100 renewed 100 until 105; leader a
         101 written -> wait until 102; elected #4 until 110; valid until 110",
    );
}

#[test]
fn a_conflict_of_a_candidate_is_a_failed_attempt() {
    check(
        "100 due -> get until 105
         100 found /1 #3 renewed 1 -> update a/15 #4 acquired 100 renewed 100 until 105
         101 conflict -> wait
         103 due -> get until 108
         103 found b/15 #4 renewed 101 -> wait; leader b",
    );
}

#[test]
fn a_failed_fast_path_is_followed_by_a_read_at_once() {
    for failure in ["conflict", "failed", "missing"] {
        check(&format!(
            "100 due -> get until 105
             100 missing -> create a/15 #0 acquired 100 renewed 100 until 105
             100 written -> wait until 102; leader a; elected #0 until 110; valid until 110
             102 due -> update a/15 #0 acquired 100 renewed 102 until 107; valid until 110
             103 {failure} -> get until 108; valid until 110
             104 found a/15 #0 acquired 100 renewed 100 labelled x -> update a/15 #0 acquired 100 renewed 104 x=yes until 109; slow path; valid until 110
             105 written -> wait until 106; valid until 114"
        ));
    }
}

#[test]
fn a_renewal_that_timed_out_and_took_effect_goes_on_with_the_term() {
    check(
        "100 due -> get until 105
         100 missing -> create a/15 #0 acquired 100 renewed 100 until 105
         100 written -> wait until 102; leader a; elected #0 until 110; valid until 110
         102 due -> update a/15 #0 acquired 100 renewed 102 until 107; valid until 110
         107 failed -> get until 110; valid until 110
         108 found sent -> update a/15 #0 acquired 100 renewed 108 until 110; slow path; valid until 110
         109 written -> wait until 110; valid until 118",
    );
}

#[test]
fn an_acquisition_that_timed_out_and_took_effect_is_a_term_when_it_was_confirmed() {
    check(
        "100 due -> get until 105
         100 found /1 #3 renewed 1 -> update a/15 #4 acquired 100 renewed 100 until 105
         105 failed -> wait
         108 due -> get until 113
         108 found sent -> update a/15 #5 acquired 108 renewed 108 until 113; leader a
         109 written -> wait until 110; elected #5 until 118; valid until 118",
    );
}

#[test]
fn an_answer_after_the_deadline_elects_nobody_and_prolongs_nothing() {
    check(
        "100 due -> get until 105
         100 missing -> create a/15 #0 acquired 100 renewed 100 until 105
         110 written -> wait; leader a",
    );
    check(
        "100 due -> get until 105
         100 missing -> create a/15 #0 acquired 100 renewed 100 until 105
         100 written -> wait until 102; leader a; elected #0 until 110; valid until 110
         102 due -> update a/15 #0 acquired 100 renewed 102 until 107; valid until 110
         110 written -> done; leadership lost: the Lease was not renewed in time",
    );
}

#[test]
fn a_leader_that_cannot_renew_stops_at_the_deadline() {
    check(
        "100 due -> get until 105
         100 missing -> create a/15 #0 acquired 100 renewed 100 until 105
         101 written -> wait until 102; leader a; elected #0 until 110; valid until 110
         103 due -> update a/15 #0 acquired 100 renewed 103 until 108; valid until 110
         104 failed -> get until 109; valid until 110
         104 failed -> wait until 105; valid until 110
         106 due -> update a/15 #0 acquired 100 renewed 106 until 110; valid until 110
         109 failed -> get until 110; valid until 110
         109.5 failed -> wait until 109.5; valid until 110
         110 due -> done; leadership lost: the Lease was not renewed in time
         110 due -> get until 115
         110 found a/15 #0 acquired 100 renewed 100 -> update a/15 #1 acquired 110 renewed 110 until 115
         111 written -> wait until 112; elected #1 until 120; valid until 120",
    );
}

#[test]
fn a_leader_that_sees_another_holder_stops_at_once() {
    for (lease, loss) in [
        ("b/15 #1", "the Lease is held by \"b\"; leader b"),
        ("/1 #0", "the holder of the Lease was removed"),
        (
            "a/15 #1",
            "another process took the Lease under the same identity; give each process one of its own",
        ),
    ] {
        let (loss, leader) = loss.split_once("; leader").map_or((loss, ""), |(loss, _)| (loss, "; leader b"));
        check(&format!(
            "100 due -> get until 105
             100 missing -> create a/15 #0 acquired 100 renewed 100 until 105
             100 written -> wait until 102; leader a; elected #0 until 110; valid until 110
             102 due -> update a/15 #0 acquired 100 renewed 102 until 107; valid until 110
             102 conflict -> get until 107; valid until 110
             103 found {lease} renewed 101 -> done{leader}; leadership lost: {loss}"
        ));
    }
}

#[test]
fn a_leader_writes_a_deleted_lease_again_and_keeps_its_token() {
    check(
        "100 due -> get until 105
         100 found /1 #6 renewed 1 labelled x -> update a/15 #7 acquired 100 renewed 100 x=yes until 105
         100 written -> wait until 102; leader a; elected #7 until 110; valid until 110
         102 due -> update a/15 #7 acquired 100 renewed 102 x=yes until 107; valid until 110
         102 missing -> get until 107; valid until 110
         102 missing -> create a/15 #7 acquired 100 renewed 102 until 107; valid until 110
         103 written -> wait until 104; valid until 112",
    );
    check(
        "100 due -> get until 105
         100 missing -> create a/15 #0 acquired 100 renewed 100 until 105
         100 written -> wait until 102; leader a; elected #0 until 110; valid until 110
         102 due -> update a/15 #0 acquired 100 renewed 102 until 107; valid until 110
         102 missing -> get until 107; valid until 110
         102 missing -> create a/15 #0 acquired 100 renewed 102 until 107; valid until 110
         103 conflict -> wait until 104; valid until 110
         105 due -> get until 110; valid until 110
         105 found b/15 #0 renewed 101 -> done; leader b; leadership lost: the Lease is held by \"b\"",
    );
}

#[test]
fn a_candidate_waits_for_the_holder_of_a_deleted_lease_from_when_that_was_noticed() {
    check(
        "100 due -> get until 105
         100 found b/15 #3 renewed 1 -> wait; leader b
         103 due -> get until 108
         103 missing -> wait
         117.9 due -> get until 122.9
         117.9 missing -> wait
         118 due -> get until 123
         118 missing -> create a/15 #4 acquired 118 renewed 118 until 123",
    );
    // The holder may have renewed it since this candidate last saw it.
    check(
        "100 due -> get until 105
         100 found b/15 #3 renewed 1 -> wait; leader b
         103 due -> get until 108
         108 failed -> wait
         200 due -> get until 205
         200 missing -> wait
         215 due -> get until 220
         215 missing -> create a/15 #4 acquired 215 renewed 215 until 220",
    );
}

#[test]
fn a_leader_whose_answers_take_almost_the_time_out_keeps_the_lease() {
    check(
        "100 due -> get until 105
         100 missing -> create a/15 #0 acquired 100 renewed 100 until 105
         104.5 written -> wait until 104.5; leader a; elected #0 until 110; valid until 110
         104.5 due -> update a/15 #0 acquired 100 renewed 104.5 until 109.5; valid until 110
         109 written -> wait until 109; valid until 114.5
         109 due -> update a/15 #0 acquired 100 renewed 109 until 114; valid until 114.5
         113.5 written -> wait until 113.5; valid until 119",
    );
}

#[test]
fn renew_times_are_in_different_seconds_and_follow_a_wall_clock_that_was_set_back() {
    check(
        "100 due -> get until 105
         100.5 missing -> create a/15 #0 acquired 100.5 renewed 100.5 until 105.5
         100.5 written -> wait until 102.5; leader a; elected #0 until 110.5; valid until 110.5
         wall -50
         102 due -> update a/15 #0 acquired 100.5 renewed 52 until 107; valid until 110.5
         102 written -> wait until 104; valid until 112
         wall -52
         104 due -> update a/15 #0 acquired 100.5 renewed 53 until 109; valid until 112
         104 written -> wait until 106; valid until 114
         106 due -> update a/15 #0 acquired 100.5 renewed 54 until 111; valid until 114
         106 written -> wait until 108; valid until 116",
    );
}

#[test]
fn a_leader_that_stops_gives_the_lease_up() {
    check(
        "100 due -> get until 105
         100 missing -> create a/15 #0 acquired 100 renewed 100 until 105
         100 written -> wait until 102; leader a; elected #0 until 110; valid until 110
         101 stop -> update /1 #0 acquired 101 renewed 101 until 111; leadership ended: it was released
         102 written -> done",
    );
}

#[test]
fn a_leader_that_stops_during_a_renewal_reads_before_it_gives_the_lease_up() {
    check(
        "100 due -> get until 105
         100 missing -> create a/15 #0 acquired 100 renewed 100 until 105
         100 written -> wait until 102; leader a; elected #0 until 110; valid until 110
         102 due -> update a/15 #0 acquired 100 renewed 102 until 107; valid until 110
         103 stop -> get until 113; leadership ended: it was released
         103 found a/15 #0 acquired 100 renewed 100 -> update /1 #0 acquired 103 renewed 103 until 113
         104 conflict -> get until 113
         104 found a/15 #0 acquired 100 renewed 102 -> update /1 #0 acquired 104 renewed 104 until 113
         104 written -> done",
    );
}

#[test]
fn a_lease_that_others_have_is_not_given_up() {
    check(
        "100 due -> get until 105
         100 missing -> create a/15 #0 acquired 100 renewed 100 until 105
         100 written -> wait until 102; leader a; elected #0 until 110; valid until 110
         101 stop -> update /1 #0 acquired 101 renewed 101 until 111; leadership ended: it was released
         102 conflict -> get until 111
         102 found b/15 #1 renewed 101 -> done; leader b",
    );
    check(
        "100 due -> get until 105
         100 found b/15 #3 renewed 1 -> wait; leader b
         101 stop -> done",
    );
}

#[test]
fn conflicts_end_the_attempt_to_give_a_lease_up() {
    check(
        "100 due -> get until 105
         100 missing -> create a/15 #0 acquired 100 renewed 100 until 105
         100 written -> wait until 102; leader a; elected #0 until 110; valid until 110
         101 stop -> update /1 #0 acquired 101 renewed 101 until 111; leadership ended: it was released
         101 conflict -> get until 111
         101 found a/15 #0 renewed 102 -> update /1 #0 acquired 101 renewed 101 until 111
         101 conflict -> get until 111
         101 found a/15 #0 renewed 103 -> update /1 #0 acquired 101 renewed 101 until 111
         101 conflict -> get until 111
         101 found a/15 #0 renewed 104 -> update /1 #0 acquired 101 renewed 101 until 111
         101 conflict -> done",
    );
}

#[test]
fn a_candidate_that_stops_gives_up_a_lease_that_it_may_have_got() {
    check(
        "100 due -> get until 105
         100 missing -> create a/15 #0 acquired 100 renewed 100 until 105
         101 stop -> get until 111
         101 found sent -> update /1 #0 acquired 101 renewed 101 until 111; leader a
         101 written -> done",
    );
    check(
        "100 due -> get until 105
         100 missing -> create a/15 #0 acquired 100 renewed 100 until 105
         105 failed -> wait
         106 stop -> get until 116
         107 missing -> done",
    );
}

#[test]
fn a_lease_stays_until_it_expires_if_it_is_not_to_be_released() {
    let config = LeaderElectionConfig { release_on_cancel: false, ..Default::default() };
    check_with(
        config,
        "100 due -> get until 105
         100 missing -> create a/15 #0 acquired 100 renewed 100 until 105
         100 written -> wait until 102; leader a; elected #0 until 110; valid until 110
         101 stop -> done; leadership ended: it was released",
    );
}

#[test]
fn a_holder_that_does_not_renew_and_does_not_expire_is_told_of_once() {
    check(
        "100 due -> get until 105
         100 found b/2000000000 #3 renewed 1 -> wait; leader b
         160 due -> get until 165
         160 found b/2000000000 #3 renewed 1 -> wait
         161 due -> get until 166
         161 found b/2000000000 #3 renewed 1 -> wait; unchanged b/2000000000
         190 due -> get until 195
         190 found b/2000000000 #3 renewed 1 -> wait",
    );
}

#[test]
fn fractions_of_a_lease_duration_are_rounded_up() {
    let config = LeaderElectionConfig {
        lease_duration: Duration::from_millis(1500),
        renew_deadline: Duration::from_millis(1200),
        retry_period: Duration::from_millis(100),
        ..Default::default()
    };
    check_with(
        config,
        "100 due -> get until 101
         100 missing -> create a/2 #0 acquired 100 renewed 100 until 101
         100 written -> wait until 100.1; leader a; elected #0 until 101.2; valid until 101.2",
    );
}

#[test]
fn a_coordinated_candidate_renews_the_lease_that_it_is_given_and_takes_none() {
    check_with(
        coordinated(),
        "100 due -> get until 105
         100 missing -> wait
         103 due -> get until 108
         103 found /15 #3 renewed 1 -> wait
         106 due -> get until 111
         106 found b/15 #4 renewed 106 -> wait; leader b
         130 due -> get until 135
         130 found b/15 #4 renewed 106 -> wait
         133 due -> get until 138
         133 found a/15 #5 renewed 132 -> update a/15 #6 acquired 133 renewed 133 until 138; leader a
         134 written -> wait until 135; elected #6 until 143; valid until 143
         136 due -> get until 141; valid until 143
         136 found sent -> update a/15 #6 acquired 133 renewed 136 until 141; slow path; valid until 143
         137 written -> wait until 138; valid until 146",
    );
}

#[test]
fn a_coordinated_leader_steps_down_for_the_preferred_holder() {
    check_with(
        coordinated(),
        "100 due -> get until 105
         100 found a/15 #5 renewed 99 -> update a/15 #6 acquired 100 renewed 100 until 105; leader a
         101 written -> wait until 102; elected #6 until 110; valid until 110
         103 due -> get until 108; valid until 110
         103 found a/15 #6 renewed 100 preferring b -> done; leadership lost: \"b\" is preferred as the holder of the Lease
         103 due -> get until 108
         103 found a/15 #6 renewed 100 preferring b -> wait",
    );
}

#[test]
fn a_coordinated_candidate_does_not_renew_a_lease_that_has_expired() {
    check_with(
        coordinated(),
        "100 due -> get until 105
         100 found a/15 #5 renewed 99 -> update a/15 #6 acquired 100 renewed 100 until 105; leader a
         105 failed -> wait
         115 due -> get until 120
         115 found a/15 #5 renewed 99 -> wait",
    );
}
