//! `licenseStatus` and `usage`, and users that come and go (docs/vendors/immuta.md, "The license status",
//! "The usage report" and "Several keys").

use std::time::Duration;

use serde_json::{Value, json};

use crate::{Bench, STATUS, answer};
use vendor_sim::immuta::{CanAddUser, ExpiredSeats, LicenseKey, Switches, Tenant};

const DAY: Duration = Duration::from_secs(24 * 3600);
const USAGE: &str = "/admin/license/usage";

#[tokio::test]
async fn status_adds_the_keys_up() {
    let bench = Bench::new().await;
    let none = json!({ "activeUserCount": 31, "licenseSeats": 0, "canAddUser": false, "hardSeats": 0 });
    assert_eq!(bench.get(STATUS).await, (200, none));
    bench.added(LicenseKey::seats(40)).await;
    bench.added(LicenseKey::seats(20).soft_seats(5)).await;
    let both = json!({ "activeUserCount": 31, "licenseSeats": 65, "canAddUser": true, "hardSeats": 60 });
    assert_eq!(bench.get(STATUS).await, (200, both), "the documented example");
    let seats = async || {
        let status = bench.get(STATUS).await.1;
        (status["licenseSeats"].as_i64().unwrap(), status["hardSeats"].as_i64().unwrap())
    };
    bench.immuta.switch(|s| s.hard_seats_include_soft = true);
    assert_eq!(seats().await, (65, 65));
    bench.immuta.switch(|s| (s.license_seats_include_soft, s.hard_seats_include_soft) = (false, false));
    assert_eq!(seats().await, (60, 60));
}

#[tokio::test]
async fn expired_invalidated_and_deleted_keys_count_by_their_switches() {
    let bench = Bench::new().await;
    bench.added(LicenseKey::seats(1)).await;
    bench.added(LicenseKey::seats(10).expires_in(DAY)).await;
    bench.added(LicenseKey::seats(100).expires_in(DAY).hard_expiration()).await;
    let (_, invalidated) = bench.added(LicenseKey::seats(1_000)).await;
    let (_, deleted) = bench.added(LicenseKey::seats(10_000)).await;
    assert_eq!(bench.license_seats().await, 11_111);
    bench.immuta.invalidate(invalidated.as_i64().unwrap());
    bench.delete(&deleted).await;
    bench.immuta.advance(2 * DAY);
    type Set = fn(&mut Switches);
    let table: [(Set, i64); 6] = [
        (|_| {}, 11),
        (|s| s.expired_seats = ExpiredSeats::Gone, 1),
        (|s| s.expired_seats = ExpiredSeats::Count, 111),
        (|s| s.expired_seats = ExpiredSeats::CountUnlessHard, 11),
        (|s| s.invalidated_seats_count = true, 1_011),
        (|s| s.deleted_seats_count = true, 11_011),
    ];
    for (set, expected) in table {
        bench.immuta.switch(set);
        assert_eq!(bench.license_seats().await, expected);
    }
}

#[tokio::test]
async fn users_join_while_there_is_a_seat_as_the_switch_counts_them() {
    for (switch, joined) in [
        (CanAddUser::WithinSeats, 2),
        (CanAddUser::WithinSoftSeats, 5),
        (CanAddUser::Always, 9),
        (CanAddUser::Never, 0),
    ] {
        let bench = Bench::with(|s| s.can_add_user = switch).await;
        bench.added(LicenseKey::seats(33).soft_seats(3)).await;
        assert_eq!(bench.get(STATUS).await.1["canAddUser"], joined > 0, "{switch:?}");
        assert_eq!((0..9).filter(|_| bench.immuta.user_joins()).count(), joined);
        let status = bench.get(STATUS).await.1;
        assert_eq!((&status["activeUserCount"], &status["canAddUser"]), (&json!(31 + joined), &json!(joined == 9)));
    }
    let bench = Bench::new().await;
    bench.added(LicenseKey::seats(33)).await;
    bench.immuta.add_users(10);
    let over = json!({ "activeUserCount": 41, "licenseSeats": 33, "canAddUser": false, "hardSeats": 33 });
    assert_eq!(bench.get(STATUS).await.1, over);
    assert!(!bench.immuta.user_joins());
    assert_eq!((bench.immuta.remove_users(9), bench.immuta.remove_users(100)), (9, 32));
    assert!(bench.immuta.user_joins());
}

#[tokio::test]
async fn inactive_users_take_a_seat_only_by_the_switch() {
    let bench = Bench::new().await;
    bench.api_key_of(Tenant::new("Acme").users(5).inactive_users(3).policy_owners(2));
    for (on, expected) in [(false, 7), (true, 10)] {
        bench.immuta.switch(|s| s.inactive_users_count = on);
        assert_eq!(bench.immuta.view().status["activeUserCount"], expected);
    }
}

impl Bench {
    /// The tenant made anew; its key.
    fn api_key_of(&self, tenant: Tenant) -> String {
        self.immuta.add_tenant(tenant).api_key
    }

    async fn usage(&self, key: &str, query: &str) -> Value {
        let request = self.anonymous("GET", &format!("{USAGE}{query}")).header("authorization", key);
        let (status, body) = answer(request).await;
        assert_eq!(status, 200, "{body}");
        body
    }
}

fn names(page: &Value) -> Vec<String> {
    page["users"].as_array().unwrap().iter().map(|u| u["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn usage_is_paged_and_its_summary_covers_all_users() {
    let bench = Bench::new().await;
    let key = bench.api_key_of(Tenant::new("Acme").users(10).inactive_users(4).policy_owners(2));
    let first = bench.usage(&key, "").await;
    let summary = json!({
        "dataConsumers": { "totalCount": 14, "activeCount": 10, "inactiveCount": 4 },
        "policyOwners": { "totalCount": 2 },
    });
    assert_eq!((names(&first).len(), &first["summary"]), (10, &summary));
    let second = bench.usage(&key, "?offset=10").await;
    assert_eq!((names(&second).len(), &second["summary"]), (6, &summary));
    assert!(names(&first).iter().all(|name| !names(&second).contains(name)));
    let consumer = json!({
        "userType": "dataConsumer", "name": first["users"][0]["name"], "email": first["users"][0]["email"],
        "userid": first["users"][0]["userid"], "iamid": "bim", "active": true,
    });
    assert_eq!(first["users"][0], consumer);
    let owner = &second["users"][5];
    assert_eq!((&owner["userType"], owner.get("active")), (&json!("policyOwner"), None));
    assert_eq!(second["users"][0]["active"], false);
    assert_eq!(names(&bench.usage(&key, "?offset=0&size=1").await).len(), 1);
    assert!(names(&bench.usage(&key, "?offset=16&size=5").await).is_empty());
    for wrong in ["?size=x", "?offset=-1", "?page=1"] {
        let request = bench.anonymous("GET", &format!("{USAGE}{wrong}")).header("authorization", &key);
        assert_eq!(answer(request).await.0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn usage_may_be_an_array_may_not_add_up_and_may_cap_its_pages() {
    let bench = Bench::new().await;
    let key = bench.api_key_of(Tenant::new("Acme").users(10).inactive_users(15));
    let consumers = json!({ "totalCount": 25, "activeCount": 10, "inactiveCount": 15 });
    assert_eq!(bench.usage(&key, "").await["summary"]["dataConsumers"], consumers);
    bench.immuta.switch(|s| s.data_consumers_as_array = true);
    assert_eq!(bench.usage(&key, "").await["summary"]["dataConsumers"], json!([consumers]));
    bench.immuta.switch(|s| s.usage_does_not_add_up = true);
    assert_eq!(bench.usage(&key, "").await["summary"]["dataConsumers"][0]["inactiveCount"], 25);
    assert_eq!(names(&bench.usage(&key, "?size=100").await).len(), 25);
    bench.immuta.switch(|s| s.usage_max_size = Some(20));
    assert_eq!(names(&bench.usage(&key, "?size=100").await).len(), 20);
}

#[tokio::test]
async fn usage_pages_may_repeat_and_skip_users() {
    let bench = Bench::new().await;
    let key = bench.api_key_of(Tenant::new("Acme").users(20));
    for (moves, repeated) in [(false, 0), (true, 1)] {
        bench.immuta.switch(|s| s.usage_moves = moves);
        let first = names(&bench.usage(&key, "").await);
        let second = names(&bench.usage(&key, "?offset=10").await);
        assert_eq!(first.iter().filter(|name| second.contains(name)).count(), repeated);
    }
}
