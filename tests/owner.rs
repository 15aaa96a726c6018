//! The personal key of an owner, beside the organization's key and alone: what it shows, and what is changed with it.

use seatkeeper_support::{needs_control_plane, wait_for};
use serde_json::{Value, json};
use vendor_sim::{Fault, FaultKind, Role, UserKey};

use crate::tenants::{Tenant, fast_but};
use crate::world::{PATIENCE, World, condition, object_in, organization, said, world};

impl Tenant<'_> {
    /// A personal key with this role in the organization, in Secret `owner-<name>`.
    pub async fn person(&self, role: Role) -> UserKey {
        let key = self.world.bitwarden().add_user_key(&self.key.id, role);
        self.world.secret(&self.owner_secret(), self.world.personal(&key)).await;
        key
    }

    pub fn owner_secret(&self) -> String {
        format!("owner-{}", self.name)
    }

    /// Both keys.
    pub fn both(&self, more: Value) -> Value {
        let keys = json!({ "vendor": { "bitwarden": {
            "credentialsSecretRef": { "name": self.name }, "ownerCredentialsSecretRef": { "name": self.owner_secret() },
        } } });
        merged(keys, more)
    }

    /// The personal key alone.
    pub fn alone(&self, more: Value) -> Value {
        let keys = json!({ "vendor": { "bitwarden": {
            "credentialsSecretRef": null, "ownerCredentialsSecretRef": { "name": self.owner_secret() },
        } } });
        merged(keys, more)
    }

    /// Requests of this method that the vendor took for this organization's owner API.
    pub fn owner_requests(&self, method: &str) -> usize {
        let path = format!("/organizations/{}", self.key.id);
        self.world.bitwarden().count(|r| r.method == method && r.path.contains(&path))
    }
}

impl World {
    /// What a complete Secret holds for a personal key.
    pub fn personal(&self, key: &UserKey) -> Value {
        json!({
            "clientId": key.client_id, "clientSecret": key.client_secret,
            "server": self.vendor.url(), "ca.crt": self.vendor.ca_pem(),
        })
    }
}

/// One spec over another; nulls stay, for they take away what is declared where nothing is said.
pub fn merged(spec: Value, more: Value) -> Value {
    match (spec, more) {
        (Value::Object(mut spec), Value::Object(more)) => {
            for (key, value) in more {
                let before = spec.remove(&key);
                spec.insert(key, before.map_or(value.clone(), |before| merged(before, value)));
            }
            Value::Object(spec)
        }
        (_, more) => more,
    }
}

fn allows(status: &seatkeeper::api::LicenseSeatsStatus) -> String {
    serde_json::to_string(&status.capabilities).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn owner_beside_organization_key_shows_exact_use_and_seats_set_by_totals() {
    needs_control_plane!();
    let w = world("owner").await;
    let t = w.tenant("both", organization().sponsored_families(3)).await;
    t.person(Role::Owner).await;
    w.declare("both", t.both(json!({}))).await;
    let status = w.until_in_sync("both", 150).await;
    assert_eq!((status.used, status.used_is_lower_bound), (Some(83), Some(false)), "families take seats too");
    assert_eq!((t.puts(), t.owner_requests("POST")), (1, 0));
    assert_eq!(said(&status, "LicenseValid"), "True/Active");
    assert!(status.license.as_ref().is_some_and(|license| license.period_end.is_some()));
    assert_eq!(status.billed, None, "what is billed is what is shown");
    for (key, capability) in [("Organization", "WriteSeats"), ("Owner", "ClearLimit"), ("Owner", "ReadExactUsage")] {
        assert!(allows(&status).contains(key) && allows(&status).contains(capability), "{}", allows(&status));
    }
    let members = w.bitwarden().count(|r| r.path.ends_with("/public/members"));
    assert_eq!(members, 0, "the long list is not read where the number is shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn owner_key_alone_finds_organization_and_buys_by_difference_once() {
    needs_control_plane!();
    let w = world("owner-alone").await;
    let t = w.tenant("alone", organization()).await;
    let person = t.person(Role::Owner).await;
    w.declare("alone", t.alone(json!({}))).await;
    let status = w.until_in_sync("alone", 150).await;
    assert_eq!(status.account.and_then(|account| account.id).as_deref(), Some(t.key.id.as_str()));
    assert_eq!((status.limit, status.used), (Some(150), Some(80)));
    let o = t.organization();
    assert_eq!((o.seats, o.limit, o.billed.seats), (Some(150), Some(150), Some(150)));
    assert_eq!((t.puts(), t.owner_requests("POST")), (0, 1));
    w.edit("alone", json!({ "seats": 120 })).await;
    w.until_in_sync("alone", 120).await;
    assert_eq!((t.organization().billed.seats, t.owner_requests("POST")), (Some(120), 2));
    assert_eq!(w.bitwarden().device_mails(&person.user_id), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn limit_is_removed_with_owner_key_and_kept_if_undeclared() {
    needs_control_plane!();
    let w = world("unlimited").await;
    for both in [true, false] {
        let name = if both { "both" } else { "alone" };
        let t = w.tenant(name, organization().limit(140)).await;
        t.person(Role::Owner).await;
        let spec = |more| if both { t.both(more) } else { t.alone(more) };
        w.declare(name, spec(json!({ "seats": 120, "limit": null }))).await;
        let status = w.until_in_sync(name, 120).await;
        assert_eq!(status.limit, Some(140), "{name}: kept");
        w.edit(name, json!({ "limit": { "mode": "Unlimited" } })).await;
        let status = w.until(name, "no limit", |status| status.limited == Some(false)).await;
        assert_eq!((status.seats, status.limit), (Some(120), None), "{name}");
        let account = status.account.and_then(|account| account.key()).expect("an account");
        let line = format!("name=\"{name}\" account=\"{account}\" from=120 to=120 limit=\"none\" outcome=\"ok\"");
        assert!(w.operator.log().contains(&line), "{line} is not in {}", w.operator.log());
        w.edit(name, json!({ "seats": 130 })).await;
        w.until_in_sync(name, 130).await;
        assert_eq!((t.organization().seats, t.organization().limit), (Some(130), None), "{name}");
        assert_eq!(t.puts(), if both { 2 } else { 0 }, "{name}: seats go by totals where they can");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn owner_key_alone_changes_one_pool_and_keeps_other_limits() {
    needs_control_plane!();
    let w = world("owner-pools").await;
    let with = organization().secrets_manager(20, 50).sm_limit(25).service_account_limit(60).sm_members(10);
    let t = w.tenant("pools", with).await;
    t.person(Role::Owner).await;
    let product = |product: &str| json!({ "vendor": { "bitwarden": { "product": product } } });
    let keep = |seats: i32| json!({ "seats": seats, "limit": null });
    w.declare("sm", t.alone(merged(product("SecretsManager"), keep(22)))).await;
    w.until_in_sync("sm", 22).await;
    w.declare("machines", t.alone(merged(product("MachineAccounts"), keep(55)))).await;
    w.until_in_sync("machines", 55).await;
    let o = t.organization();
    assert_eq!((o.seats, o.limit), (Some(100), Some(100)));
    assert_eq!((o.sm_seats, o.sm_limit), (Some(22), Some(25)));
    assert_eq!((o.service_accounts, o.service_account_limit), (Some(55), Some(60)));
}

#[tokio::test(flavor = "multi_thread")]
async fn owner_alone_under_secrets_manager_discount_spares_password_manager() {
    needs_control_plane!();
    let w = world("standalone").await;
    let with = || organization().secrets_manager(20, 50).sm_members(5);
    for alone in [true, false] {
        let t = w.tenant(if alone { "alone" } else { "both" }, with()).await;
        w.bitwarden().change_terms(&t.key.id, |terms| terms.secrets_manager_standalone = true);
        t.person(Role::Owner).await;
        let more = json!({ "vendor": { "bitwarden": { "product": "SecretsManager" } }, "seats": 30 });
        w.declare(&t.name, if alone { t.alone(more) } else { t.both(more) }).await;
        if alone {
            let status = w.until_reason("alone", "Ready", "UnsupportedByVendor").await;
            let message = &condition(&status, "Ready").expect("Ready").message;
            assert!(message.contains("discount") && message.contains("credentialsSecretRef"), "{message}");
            assert_eq!(t.owner_requests("POST"), 0);
        } else {
            w.until_in_sync("both", 30).await;
        }
        assert_eq!((t.organization().seats, t.organization().limit), (Some(100), Some(100)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pools_of_one_organization_change_in_order_that_vendor_allows() {
    needs_control_plane!();
    let w = world("order").await;
    let t = w.tenant("order", organization().members(10).secrets_manager(90, 50).sm_limit(90)).await;
    t.person(Role::Owner).await;
    let secrets_manager = |seats: i32| {
        let product = json!({ "vendor": { "bitwarden": { "product": "SecretsManager" } }, "seats": seats });
        t.both(product)
    };
    // Secrets Manager first, so that it has to wait for what is declared after it.
    let paused = t.inject(Fault::on_put(FaultKind::PauseBeforeRow { ms: 3_600_000 }));
    w.declare("sm", secrets_manager(160)).await;
    w.declare("pm", t.both(json!({ "seats": 170 }))).await;
    assert!(w.bitwarden().wait_fired(paused, 1).await);
    let waiting = w.until_reason("sm", "Ready", "AwaitingOtherPool").await;
    assert_eq!(said(&waiting, "ChangePending"), "True/AwaitingOtherPool");
    w.bitwarden().release(paused);
    w.until_in_sync("pm", 170).await;
    w.until_in_sync("sm", 160).await;
    assert_eq!(w.bitwarden().last_refusal(&t.key.id), None, "nothing was sent that the vendor refuses");
    let status = w.status("sm").await;
    assert_eq!(status.history.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn downwards_secrets_manager_goes_first() {
    needs_control_plane!();
    let w = world("down").await;
    let t = w.tenant("down", organization().members(10).secrets_manager(90, 50).sm_limit(90).sm_members(7)).await;
    t.person(Role::Owner).await;
    let both = |name: &'static str, more: Value| {
        let (w, t) = (&w, &t);
        async move { w.declare(name, t.both(more)).await }
    };
    both("pm", json!({ "seats": 60 })).await;
    let status = w.until_reason("pm", "Ready", "VendorRejected").await;
    assert_eq!(said(&status, "ChangePending"), "True/VendorRejected");
    assert!(condition(&status, "Ready").expect("Ready").message.contains("lower those first"));
    both("sm", json!({ "vendor": { "bitwarden": { "product": "SecretsManager" } }, "seats": 50 })).await;
    w.agree("sm").await;
    let status = w.until_in_sync("sm", 50).await;
    assert_eq!((status.used, status.used_is_lower_bound), (Some(7), Some(false)));
    w.agree("pm").await;
    w.until_in_sync("pm", 60).await;
    assert_eq!(w.bitwarden().last_refusal(&t.key.id), None, "nothing was sent that the vendor refuses");
    w.edit("sm", json!({ "seats": 5 })).await;
    let status = w.until_reason("sm", "Ready", "GuardrailViolated").await;
    let message = &condition(&status, "Ready").expect("Ready").message;
    assert!(message.contains("take access to Secrets Manager away from 2 members first"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn seats_above_limit_are_shown_as_they_are_and_corrected_by_spec() {
    needs_control_plane!();
    let w = world("above").await;
    for both in [true, false] {
        let t = w.tenant(if both { "both" } else { "alone" }, organization().seats(110).limit(100)).await;
        t.person(Role::Owner).await;
        let spec = |more| if both { t.both(more) } else { t.alone(more) };
        w.declare(&t.name, spec(json!({ "seats": 110, "limit": null }))).await;
        let status = w.until_in_sync(&t.name, 110).await;
        assert_eq!(status.limit, Some(100), "{}: left as it is", t.name);
        w.edit(&t.name, json!({ "seats": 112 })).await;
        let status = w.until_reason(&t.name, "Ready", "VendorRejected").await;
        assert!(condition(&status, "Ready").expect("Ready").message.contains("above the limit of 100"));
        w.edit(&t.name, json!({ "limit": { "mode": "Pinned" } })).await;
        if !both {
            // A difference rests on numbers that agree: first the limit, which is sent as it should be, and then the seats.
            let status = w.until_reason(&t.name, "Ready", "NumbersInDoubt").await;
            let message = &condition(&status, "Ready").expect("Ready").message;
            assert!(message.contains("a limit of 100 below 110 seats"), "{message}");
            w.edit(&t.name, json!({ "seats": 110 })).await;
            w.until(&t.name, "the limit", |status| status.limit == Some(110)).await;
            w.edit(&t.name, json!({ "seats": 112 })).await;
        }
        w.until_in_sync(&t.name, 112).await;
        assert_eq!((t.organization().billed.seats, t.organization().limit), (Some(112), Some(112)), "{}", t.name);
        assert_eq!(w.bitwarden().writes(&t.key.id), if both { 1 } else { 2 }, "{}", t.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_reports_bill_that_differs_from_seats_and_users_without_seats() {
    needs_control_plane!();
    let w = world("billed").await;
    let t = w.tenant("billed", organization().members(80)).await;
    t.person(Role::Owner).await;
    w.declare("billed", t.both(json!({ "managementPolicy": "Observe" }))).await;
    w.until_reason("billed", "Ready", "Observed").await;
    w.bitwarden().force_row(&t.key.id, Some(70), Some(70));
    let status = w.until("billed", "70 seats", |status| status.seats == Some(70) && status.billed.is_some()).await;
    assert_eq!((status.billed, status.free), (Some(100), Some(-10)));
    assert_eq!(said(&status, "SeatShortage"), "True/OverAllocated");
    let message = &condition(&status, "Ready").expect("Ready").message;
    assert!(message.contains("100 are billed"), "{message}");
    w.until_told("BilledDiffers", 1).await;
    w.bitwarden().force_row(&t.key.id, Some(100), Some(100));
    w.until("billed", "the bill to agree", |status| status.seats == Some(100) && status.billed.is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn owner_api_refusal_is_reported_in_own_words_and_not_repeated() {
    needs_control_plane!();
    let w = world("refusals").await;
    let t = w.tenant("refused", organization()).await;
    t.person(Role::Owner).await;
    w.bitwarden().set_stripe(&t.key.id, false, true, Some(vendor_sim::SubscriptionStatus::Active));
    w.declare("refused", t.alone(json!({}))).await;
    let status = w.until_reason("refused", "Ready", "VendorRejected").await;
    let message = &condition(&status, "Ready").expect("Ready").message;
    assert!(message.contains("no payment method: add one"), "{message}");
    assert!(!message.contains("No payment method found."), "the vendor's text is not copied");
    assert_eq!((status.summary.as_deref(), t.owner_requests("POST")), (Some("vendor refused"), 1));
    w.bitwarden().set_stripe(&t.key.id, true, true, Some(vendor_sim::SubscriptionStatus::Active));
    w.edit("refused", json!({ "seats": 140 })).await;
    w.until_in_sync("refused", 140).await;
    assert_eq!(t.organization().billed.seats, Some(140));
}

#[tokio::test(flavor = "multi_thread")]
async fn difference_that_fails_as_only_the_owner_api_can_is_bought_once() {
    needs_control_plane!();
    let w = world("differences").await;
    w.needs_many_tokens();
    let faults = [
        ("draft invoice lost", Fault::on_owner_write(FaultKind::DraftInvoiceLost)),
        ("card declined", Fault::on_owner_write(FaultKind::CardDeclined)),
    ];
    let mut all = Vec::new();
    for (what, fault) in faults {
        let t = w.tenant(what, organization()).await;
        t.person(Role::Owner).await;
        let fault = w.bitwarden().inject(fault.organization(&t.key.id));
        w.declare(&t.name, t.alone(json!({}))).await;
        all.push((what, t, fault));
    }
    for (what, t, fault) in all {
        w.until_in_sync(&t.name, 150).await;
        assert_eq!(w.bitwarden().fired(fault), 1, "{what}");
        let o = t.organization();
        assert_eq!((o.seats, o.billed.seats), (Some(150), Some(150)), "{what}");
        let most = w.bitwarden().ledger(&t.key.id).iter().filter_map(|entry| entry.billed_after.seats).max();
        assert_eq!(most, Some(150), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bill_of_change_refused_after_billing_is_reported_for_either_key() {
    needs_control_plane!();
    let w = World::with("billed-refused", organization(), &fast_but(&["--account-recheck=1h"])).await;
    let play = async |what: &str, fault: Fault, both: bool| {
        let t = w.tenant(what, organization()).await;
        t.person(Role::Owner).await;
        t.inject(fault.for_ever());
        let spec = if both { t.both(json!({})) } else { t.alone(json!({})) };
        w.declare(&t.name, spec).await;
        let status = t.until_said("Ready", "False/VendorRejected").await;
        assert_eq!((status.seats, status.billed), (Some(100), Some(150)), "{what}");
    };
    tokio::join!(
        play("owner alone", Fault::on_owner_write(FaultKind::FailAfterBilling), false),
        play("both keys", Fault::on_put(FaultKind::FailAfterBilling), true),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn difference_is_not_sent_after_external_change() {
    needs_control_plane!();
    let w = world("faster").await;
    let t = w.tenant("faster", organization().limit(None)).await;
    t.person(Role::Owner).await;
    // Looks take a while, and during the last one before the change somebody buys 20 in the web vault.
    let slow = Fault::always(FaultKind::Delay { before_ms: 1200, after_ms: 0 });
    let slow = slow.method("GET").whole_path(format!("/api/organizations/{}", t.key.id));
    let slow = w.bitwarden().inject(slow);
    w.declare("faster", t.alone(json!({ "limit": null }))).await;
    w.until("faster", "an intent", |status| status.intent.is_some()).await;
    w.bitwarden().set_seats(&t.key.id, 120).expect("the vendor allows it");
    w.bitwarden().clear_fault(slow);
    w.until_in_sync("faster", 150).await;
    t.assert_never_above(150);
    assert_eq!(t.organization().billed.seats, Some(150));
}

#[tokio::test(flavor = "multi_thread")]
async fn device_is_made_once_despite_restart_and_reinstall() {
    needs_control_plane!();
    let mut w = world("device").await;
    let key = w.bitwarden().add_user_key(&w.key.id, Role::Owner);
    w.secret("owner", w.personal(&key)).await;
    let spec = json!({ "vendor": { "bitwarden": { "ownerCredentialsSecretRef": { "name": "owner" } } } });
    w.declare("acme", spec).await;
    w.until_in_sync("acme", 150).await;
    w.bitwarden().expire_tokens();
    w.crash_and_restart(crate::world::FAST).await;
    let logins = || w.bitwarden().find_user(&key.user_id).map_or(0, |user| user.logins);
    let before = logins();
    wait_for("another login", PATIENCE, async || (logins() > before).then_some(())).await;
    assert_eq!(w.bitwarden().device_mails(&key.user_id), 1);
    assert_eq!(w.bitwarden().devices(&key.user_id).len(), 1);
    // Another installation with the same key is the same device, and a rotated key is another one.
    let elsewhere = w.plane.namespace("device-again").await;
    let installed = w.another_installation(&elsewhere).await;
    installed.wait_ready().await;
    let install = async |key: &UserKey| {
        let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "owner" },
            "type": seatkeeper::api::SECRET_TYPE, "stringData": w.personal(key) });
        let owner =
            json!({ "bitwarden": { "credentialsSecretRef": null, "ownerCredentialsSecretRef": { "name": "owner" } } });
        let object = object_in(&elsewhere, "acme", json!({ "vendor": owner, "managementPolicy": "Observe" }));
        for applied in [secret, object] {
            w.plane.kubectl_in(&elsewhere, &["apply", "-f", "-"], &applied.to_string()).await.ok();
        }
    };
    let before = logins();
    install(&key).await;
    wait_for("its login", PATIENCE, async || (logins() > before).then_some(())).await;
    assert_eq!(w.bitwarden().devices(&key.user_id).len(), 1);
    let rotated = w.bitwarden().rotate_user_key(&key.user_id);
    w.bitwarden().forget_keys();
    w.bitwarden().expire_tokens();
    install(&rotated).await;
    let devices = async || (w.bitwarden().devices(&key.user_id).len() == 2).then_some(());
    wait_for("another device", PATIENCE, devices).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn occupied_count_of_zero_is_not_believed_beside_members_that_take_seats() {
    needs_control_plane!();
    let w = world("occupied-zero").await;
    let text = json!({ "isOnSecretsManagerStandalone": false, "organizationOccupiedSeats": 0 }).to_string();
    w.bitwarden().inject(Fault::on_owner_read(FaultKind::Body { text }).path("/billing/vnext/metadata").for_ever());
    let (both, alone) = (w.tenant("both", organization()).await, w.tenant("alone", organization()).await);
    for t in [&both, &alone] {
        t.person(Role::Owner).await;
    }
    w.declare("both", both.both(json!({ "seats": 100 }))).await;
    w.declare("alone", alone.alone(json!({ "seats": 100 }))).await;
    let status = both.until_in_sync(100).await;
    assert_eq!((status.used, status.used_is_lower_bound), (Some(80), Some(true)), "members are counted");
    assert_eq!(said(&status, "CredentialsValid"), "Unknown/VendorUnreachable");
    let status = alone.until_said("Ready", "Unknown/ObservationStale").await;
    assert_eq!(status.used, None);
    let message = &condition(&status, "Ready").expect("Ready").message;
    assert!(message.contains("cannot be read"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn owner_key_shows_use_of_uncounted_seats_without_read_seats_hint() {
    needs_control_plane!();
    let w = world("owner-uncounted").await;
    let t = w.tenant("uncounted", organization().seats(None).limit(None)).await;
    t.person(Role::Owner).await;
    let watched = json!({ "managementPolicy": "Observe", "seats": null, "limit": null });
    w.declare("uncounted", t.alone(watched)).await;
    let status = t.until_said("Ready", "True/Observed").await;
    assert_eq!((status.used, status.summary.as_deref()), (Some(80), Some("observed")));
    assert_eq!(said(&status, "SeatShortage"), "False/SeatsNotReported");
    let message = &condition(&status, "SeatShortage").expect("told").message;
    assert_eq!(message, "80 in use; the server shows no seat count, so none can be short");
    assert_eq!(said(&status, "Stalled"), "");
    let allows = allows(&status);
    assert!(allows.contains("ReadExactUsage") && !allows.contains("Seats\""), "{allows}");
}
