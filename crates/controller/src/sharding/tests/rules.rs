//! The rules, with replicas on a server that answers at once.

use super::super::member::{Action, Answer, Input, Request};
use super::super::record::{CLAIM_ANNOTATION, claim_text};
use super::group::Group;

#[test]
fn a_replica_has_keys_when_its_claim_is_published_and_the_group_was_listed_after_that() {
    let mut group = Group::of(&[]);
    group.add("a");
    let mut action = group.step("a", Input::Due);
    for expected in ["List", "Create", "List"] {
        let Action::Send(request, _) = action else { panic!("{action:?}, and not {expected}") };
        assert!(format!("{request:?}").starts_with(expected), "{request:?}, and not {expected}");
        assert_eq!(group.shares(), "a 0, nobody 300");
        let answer = group.server.serve(request);
        action = group.step("a", Input::Answer(answer));
    }
    assert!(matches!(action, Action::Wait(_)), "{action:?}");
    assert_eq!(group.shares(), "a 300, nobody 0");
}

#[test]
fn keys_are_shared_evenly_and_only_those_of_one_who_comes_or_goes_change_hands() {
    let mut group = Group::of(&["a", "b"]);
    assert_eq!(group.shares(), "a 141, b 159, nobody 0");
    let before: Vec<_> = (0..300).map(|key| group.owns("a", key)).collect();
    group.add("c");
    group.settle();
    assert_eq!(group.shares(), "a 96, b 103, c 101, nobody 0");
    for (key, was_of_a) in (0..).zip(&before) {
        assert!(group.owns("c", key) || group.owns("a", key) == *was_of_a, "key {key}");
    }
    group.stop("c");
    group.settle();
    let after: Vec<_> = (0..300).map(|key| group.owns("a", key)).collect();
    assert_eq!(before, after);
}

#[test]
fn one_who_comes_gets_no_key_before_its_owner_has_published_that_it_gives_it_up() {
    let mut group = Group::of(&["a"]);
    group.add("b");
    group.cycle("b");
    assert_eq!(group.shares(), "a 300, b 0, nobody 0");
    group.cycle("b");
    assert_eq!(group.shares(), "a 300, b 0, nobody 0");
    group.cycle("a");
    assert_eq!(group.shares(), "a 141, b 0, nobody 159");
    group.cycle("b");
    assert_eq!(group.shares(), "a 141, b 159, nobody 0");
}

#[test]
fn a_key_in_hand_stays_until_its_guard_is_dropped_and_others_do_not_wait_for_it() {
    let mut group = Group::of(&["a", "b"]);
    let key = group.key_of("b");
    group.stop("b");
    group.settle();
    let in_hand = group.begin("a", key).unwrap();
    group.add("c");
    // The key is that of another replica than a.
    group.add("b");
    group.settle();
    assert_eq!(group.shares(), "a 96, b 102, c 101, nobody 1");
    assert!(!group.owns("a", key) && group.begin("a", key).is_none() && group.is_valid(&in_hand));
    group.pass(60.0);
    assert!(group.is_valid(&in_hand) && !group.owns("b", key));
    drop(in_hand);
    group.cycle("a");
    group.cycle("b");
    assert_eq!(group.shares(), "a 96, b 103, c 101, nobody 0");
    assert!(group.owns("b", key));
}

#[test]
fn the_keys_of_the_dead_are_taken_when_their_lease_has_not_changed_for_its_duration() {
    let mut group = Group::of(&["a", "b"]);
    group.cycle("a");
    group.kill("b");
    group.pass(14.0);
    assert_eq!(group.shares(), "a 141, nobody 159");
    group.pass(2.0);
    assert_eq!(group.shares(), "a 300, nobody 0");
}

#[test]
fn a_share_is_not_taken_before_the_write_of_its_claim_is_answered() {
    let mut group = Group::of(&["a", "b"]);
    group.cycle("a");
    group.kill("b");
    group.pass(14.0);
    group.now += 1.0;
    let mut requests = Vec::new();
    let mut action = group.step("a", Input::Due);
    while let Action::Send(request, _) = action {
        let answer = match &request {
            // The claim without b is lost on the way.
            Request::Update(lease) if claim_text(lease) == Some(r#"{"members":["a"]}"#) => Answer::Failed,
            _ => group.server.serve(request),
        };
        requests.push(format!("{answer:?}").split([' ', '(']).next().unwrap().to_owned());
        action = group.step("a", Input::Answer(answer));
    }
    // The last one removes the claim of the dead.
    assert_eq!(requests, ["Written", "Listed", "Failed", "Listed", "Written"]);
    assert_eq!(group.shares(), "a 141, nobody 159");
    group.now += 2.0;
    group.cycle("a");
    assert_eq!(group.shares(), "a 300, nobody 0");
}

#[test]
fn a_renewal_counts_from_the_moment_at_which_it_was_sent() {
    let mut group = Group::of(&["a"]);
    group.now = 102.0;
    let Action::Send(write, _) = group.step("a", Input::Due) else { panic!("no write") };
    group.now = 105.0;
    let answer = group.server.serve(write);
    let action = group.step("a", Input::Answer(answer));
    group.go_on("a", action);
    group.now = 111.9;
    assert_eq!(group.shares(), "a 300, nobody 0");
    group.now = 112.0;
    assert_eq!(group.shares(), "a 0, nobody 300");
}

#[test]
fn a_list_that_is_answered_late_does_not_tell_that_one_is_dead() {
    let mut group = Group::of(&["a", "b"]);
    group.cycle("a");
    group.now += 4.0;
    group.cycle("a");
    group.now += 4.0;
    group.cycle("a");
    // By a clock that is as fast as is allowed, a lease duration passes within the renew deadline of b.
    group.now += 6.9;
    let Action::Send(write, _) = group.step("a", Input::Due) else { panic!("no write") };
    let written = group.server.serve(write);
    let Action::Send(list, _) = group.step("a", Input::Answer(written)) else { panic!("no list") };
    let listed = group.server.serve(list);
    group.now += 2.0;
    let action = group.step("a", Input::Answer(listed));
    group.go_on("a", action);
    assert_eq!(group.shares(), "a 141, b 0, nobody 159");
    group.cycle("a");
    assert_eq!(group.shares(), "a 300, b 0, nobody 0");
}

#[test]
fn a_replica_that_cannot_renew_loses_its_keys_at_the_renew_deadline() {
    let mut group = Group::of(&["a"]);
    let in_hand = group.begin("a", 1).unwrap();
    group.now = 109.9;
    assert!(group.owns("a", 1) && group.is_valid(&in_hand));
    group.now = 110.0;
    assert!(!group.owns("a", 1) && !group.is_valid(&in_hand) && group.begin("a", 1).is_none());
    // It comes back with another term, and the guard does not.
    group.cycle("a");
    assert_eq!(group.losses("a"), ["Expired"]);
    assert!(group.owns("a", 1) && !group.is_valid(&in_hand));
}

#[test]
fn an_answer_after_the_renew_deadline_prolongs_nothing() {
    let mut group = Group::of(&["a"]);
    group.now = 109.0;
    let Action::Send(write, end) = group.step("a", Input::Due) else { panic!("no write") };
    assert_eq!(format!("{end:?}"), "Moment(110s)");
    let answer = group.server.serve(write);
    group.now = 110.0;
    let action = group.step("a", Input::Answer(answer));
    assert_eq!(group.shares(), "a 0, nobody 300");
    group.go_on("a", action);
    assert_eq!(group.shares(), "a 0, nobody 300");
    group.now += 2.0;
    group.cycle("a");
    assert_eq!(group.shares(), "a 300, nobody 0");
}

#[test]
fn a_write_that_is_answered_after_its_own_renew_deadline_does_not_begin_a_term() {
    let mut group = Group::of(&[]);
    group.add("a");
    let Action::Send(list, _) = group.step("a", Input::Due) else { panic!("no list") };
    let listed = group.server.serve(list);
    let Action::Send(write, _) = group.step("a", Input::Answer(listed)) else { panic!("no write") };
    let written = group.server.serve(write);
    group.now += 10.0;
    let action = group.step("a", Input::Answer(written));
    group.go_on("a", action);
    assert_eq!(group.shares(), "a 0, nobody 300");
    assert!(group.losses("a").is_empty());
    group.cycle("a");
    assert_eq!(group.shares(), "a 300, nobody 0");
}

#[test]
fn a_replica_whose_writes_succeed_and_whose_lists_fail_loses_its_keys_to_others() {
    let mut group = Group::of(&["a", "b"]);
    group.stop("b");
    group.add("c");
    // The last list that a gets tells that b has left: a publishes a claim to all keys, and cannot take those of b.
    let mut lists = 0;
    for cycle in 0..25 {
        group.now += 2.0;
        let mut action = group.step("a", Input::Due);
        while let Action::Send(request, _) = action {
            lists += usize::from(matches!(request, Request::List));
            let answer = match request {
                Request::List if lists > 1 => Answer::Failed,
                _ => group.server.serve(request),
            };
            action = group.step("a", Input::Answer(answer));
        }
        group.cycle("c");
        if cycle == 0 {
            assert_eq!(group.shares(), "a 141, b 0, c 0, nobody 159");
        }
    }
    assert_eq!(group.losses("a"), ["Unlisted"]);
    assert_eq!(group.shares(), "a 0, b 0, c 300, nobody 0");
    group.settle();
    let shares = group.shares();
    assert!(!shares.contains("a 0") && shares.ends_with("nobody 0"), "{shares}");
}

#[test]
fn one_who_comes_back_after_its_death_finds_the_claims_of_those_who_have_its_keys() {
    let mut group = Group::of(&["a", "b"]);
    let mut action = Some(group.step("b", Input::Due));
    // The write of b is under way while the others take its keys, and takes effect late.
    for _ in 0..10 {
        group.now += 2.0;
        group.cycle("a");
    }
    assert_eq!(group.shares(), "a 300, b 0, nobody 0");
    let Some(Action::Send(write, _)) = action.take() else { panic!("no write") };
    let answer = group.server.serve(write);
    assert!(matches!(answer, Answer::Conflict), "{answer:?}, though the claim of the dead was removed");
    let action = group.step("b", Input::Answer(answer));
    group.go_on("b", action);
    group.cycle("b");
    assert_eq!(group.shares(), "a 300, b 0, nobody 0");
    group.settle();
    assert_eq!(group.shares(), "a 141, b 159, nobody 0");
}

#[test]
fn a_key_is_in_hand_only_if_it_is_in_all_claims_that_the_lease_may_have() {
    let mut group = Group::of(&["a"]);
    group.add("b");
    group.cycle("b");
    // A list tells a of b, and the claim without b's keys is sent without an answer.
    let Action::Send(write, _) = group.step("a", Input::Due) else { panic!("no write") };
    let answer = group.server.serve(write);
    let Action::Send(list, _) = group.step("a", Input::Answer(answer)) else { panic!("no list") };
    let answer = group.server.serve(list);
    let Action::Send(write, _) = group.step("a", Input::Answer(answer)) else { panic!("no second write") };
    assert_eq!(group.shares(), "a 141, b 0, nobody 159");
    let action = group.step("a", Input::Answer(Answer::Failed));
    group.go_on("a", action);
    assert_eq!(group.shares(), "a 141, b 0, nobody 159");
    // It takes effect after all, and the next write does not.
    group.server.serve(write);
    group.cycle("b");
    assert_eq!(group.shares(), "a 141, b 159, nobody 0");
    group.cycle("a");
    group.cycle("a");
    assert_eq!(group.shares(), "a 141, b 159, nobody 0");
    assert!(group.losses("a").is_empty());
}

#[test]
fn a_lease_that_was_deleted_costs_its_replica_the_keys_until_it_is_written_again() {
    let mut group = Group::of(&["a", "b"]);
    group.server.leases.remove("shop-b");
    group.cycle("a");
    // Nobody takes the keys, and nobody loses any by that.
    assert_eq!(group.shares(), "a 141, b 159, nobody 0");
    group.cycle("b");
    assert_eq!(group.losses("b"), ["Changed"]);
    group.cycle("a");
    group.cycle("b");
    assert_eq!(group.shares(), "a 141, b 159, nobody 0");
    // Deleted for good, it is dead a lease duration after that was noticed.
    group.server.leases.remove("shop-b");
    group.kill("b");
    group.cycle("a");
    group.pass(14.0);
    assert_eq!(group.shares(), "a 141, nobody 159");
    group.pass(2.0);
    assert_eq!(group.shares(), "a 300, nobody 0");
}

#[test]
fn a_claim_that_somebody_else_has_changed_is_lost() {
    let mut group = Group::of(&["a", "b"]);
    let mut lease = group.lease("b");
    lease.metadata.annotations.insert(CLAIM_ANNOTATION, r#"{"members":[]}"#.into());
    group.server.store(lease);
    group.cycle("b");
    assert_eq!(group.losses("b"), ["Changed"]);
    // A change of other fields costs nothing.
    group.settle();
    let mut lease = group.lease("b");
    lease.metadata.labels.insert("team", "blue".into());
    group.server.store(lease);
    group.cycle("b");
    group.settle();
    assert!(group.losses("b").is_empty());
    assert_eq!(group.shares(), "a 141, b 159, nobody 0");
    assert!(group.lease("b").metadata.labels.contains_key("team"));
}

#[test]
fn a_claim_that_cannot_be_read_is_one_to_all_keys_until_its_replica_is_dead() {
    let mut group = Group::of(&["a"]);
    let mut lease = group.lease("a");
    lease.metadata.name = Some("shop-x".into());
    lease.spec.holder_identity = Some("x".into());
    lease.metadata.annotations.insert(CLAIM_ANNOTATION, "{}}".into());
    group.server.store(lease);
    group.settle();
    let shares = group.shares();
    assert!(shares.starts_with("a 1"), "{shares}");
    group.add("b");
    group.settle();
    assert!(group.shares().contains("b 0"), "{}", group.shares());
    group.pass(16.0);
    assert_eq!(group.shares(), "a 141, b 159, nobody 0");
}

#[test]
fn one_who_leaves_gives_its_keys_up_when_those_in_hand_are_back_and_its_lease_is_deleted_later() {
    let mut group = Group::of(&["a", "b"]);
    let key = group.key_of("b");
    let in_hand = group.begin("b", key).unwrap();
    group.stop("b");
    assert!(!group.has_left("b") && group.begin("b", key).is_none() && group.is_valid(&in_hand));
    group.cycle("a");
    assert_eq!(group.shares(), "a 299, b 0, nobody 1");
    group.pass(30.0);
    assert!(group.is_valid(&in_hand));
    drop(in_hand);
    group.cycle("b");
    assert!(group.has_left("b"));
    group.cycle("a");
    assert_eq!(group.shares(), "a 300, b 0, nobody 0");
    assert_eq!(group.claim("b").as_deref(), Some(r#"{"members":[]}"#));
    group.pass(34.0);
    assert_eq!(group.claim("b"), None);
}

#[test]
fn one_who_leaves_before_it_has_joined_or_without_a_server_ends() {
    let mut group = Group::of(&["a"]);
    group.add("b");
    group.stop("b");
    assert!(group.has_left("b"));
    let mut action = group.step("a", Input::Stop);
    while !matches!(action, Action::Done) {
        group.now += 2.0;
        assert!(group.now < 150.0);
        let input = match action {
            Action::Send(..) => Input::Answer(Answer::Failed),
            _ => Input::Due,
        };
        action = group.step("a", input);
    }
}

#[test]
fn the_versions_that_the_dead_have_written_stay_when_their_claim_is_removed() {
    let mut group = Group::of(&["a", "b"]);
    group.wrote("b", "configmaps", "7");
    group.cycle("b");
    group.kill("b");
    group.pass(18.0);
    assert_eq!(group.claim("b").as_deref(), Some(r#"{"members":[],"written":{"configmaps":"7"}}"#));
    group.add("c");
    group.settle();
    assert_eq!(group.written("c"), ["configmaps 7"]);
}

#[test]
fn a_lease_whose_claim_was_removed_stays_until_all_others_have_had_the_time_to_see_that() {
    let mut group = Group::of(&["a", "b"]);
    group.cycle("a");
    group.kill("b");
    // The Lease of the dead does not change for long before its claim is removed.
    group.now += 60.0;
    group.pass(4.0);
    assert_eq!(group.claim("b").as_deref(), Some(r#"{"members":[]}"#));
    group.pass(28.0);
    assert_eq!(group.claim("b").as_deref(), Some(r#"{"members":[]}"#));
    group.pass(4.0);
    assert_eq!(group.claim("b"), None);
}

#[test]
fn a_renewal_of_one_who_retains_a_key_makes_no_assignment() {
    let mut group = Group::of(&["a"]);
    let keys: Vec<_> = (0..300).filter_map(|key| group.begin("a", key)).collect();
    group.add("b");
    group.settle();
    assert_eq!(group.shares(), "a 141, b 0, nobody 159");
    let before = group.serial("b");
    for version in ["7", "8"] {
        group.wrote("a", "configmaps", version);
        group.cycle_all();
    }
    assert!(group.claim("a").unwrap().contains(r#""written":{"configmaps":"8"}"#));
    assert_eq!(group.serial("b"), before);
    drop(keys);
    group.settle();
    assert!(group.serial("b") > before);
    assert_eq!(group.written("b"), ["configmaps 8"]);
}

#[test]
fn one_who_comes_after_a_death_was_noticed_need_not_wait() {
    let mut group = Group::of(&["a", "b"]);
    group.kill("b");
    group.pass(18.0);
    group.add("c");
    group.settle();
    let shares = group.shares();
    assert!(shares.ends_with("nobody 0"), "{shares}");
}

#[test]
fn tokens_grow_from_owner_to_owner() {
    let mut group = Group::of(&["a", "b"]);
    let key = group.key_of("b");
    let mut last = 0;
    for owner in ["b", "a", "b", "a"] {
        match owner {
            "a" => group.stop("b"),
            _ if last > 0 => {
                group.kill("b");
                group.server.leases.remove("shop-b");
                group.add("b");
            }
            _ => {}
        }
        group.pass(20.0);
        assert!(group.owns(owner, key), "{owner} does not own the key");
        let token = group.token(owner);
        assert!(token > last, "{token} after {last}");
        last = token;
    }
}

#[test]
fn requests_are_few_when_nothing_changes() {
    let mut group = Group::of(&["a", "b"]);
    let mut requests = Vec::new();
    let mut action = group.step("a", Input::Due);
    while let Action::Send(request, _) = action {
        requests.push(match &request {
            Request::Update(_) => "update",
            Request::List => "list",
            _ => "other",
        });
        let answer = group.server.serve(request);
        action = group.step("a", Input::Answer(answer));
    }
    assert_eq!(requests, ["update", "list"]);
}
