//! Everything the Immuta reference leaves open, as one set of switches that tests change while the tenant runs.
//! The defaults are what is documented, or else what the inferences of the reference make likely.

use serde::{Deserialize, Serialize};

use super::choices::{
    CanAddUser, CreatedAt, Dates, Duplicate, Exchange, ExpiredSeats, FieldNamed, Needs, PostField, ReAdd, SecondDelete,
    UuidFrom,
};

/// All switches. Missing JSON fields mean the default. Sections are those of the Immuta reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Switches {
    /// Section 2: `Authorization: <api key>` is accepted on `/admin` calls. On.
    pub raw_key: bool,
    /// Section 2: `Authorization: Bearer <token>` is accepted. On.
    pub bearer_token: bool,
    /// Section 2: `Authorization: <token>` is accepted. On.
    pub raw_token: bool,
    /// Section 2: `Authorization: Bearer <api key>` is accepted. Off.
    pub bearer_key: bool,
    /// Section 2: how the exchange takes the key.
    pub exchange: Exchange,
    /// Status of an exchange in a form that is not accepted: 400 (default) or 401.
    pub exchange_form_status: u16,
    /// A wrong key at the exchange is answered by 200 `{"authenticated": false}` instead of 401. Off.
    pub exchange_refuses_with_200: bool,
    /// Section 2: the exchange's answer has `authenticated` and `tokenExpiration` beside `token`. On.
    pub exchange_shows_expiration: bool,
    /// Life of a token in seconds; not stated, 3600 here.
    pub token_lifetime_seconds: u64,
    /// A token dies after so many `/admin` calls: expiry in the middle of a reconcile (section 10). None: it does not.
    pub token_calls: Option<u32>,
    /// Tokens outlive the revocation of their key. Off.
    pub tokens_outlive_keys: bool,
    /// Section 2: status of an `/admin` call without credentials: 401, or 500 as one V1 endpoint.
    pub missing_credentials_status: u16,

    /// Section 3: what POST needs.
    pub add_needs: Needs,
    /// Section 3: what DELETE needs.
    pub delete_needs: Needs,
    /// Section 3: what the three GETs need.
    pub read_needs: Needs,

    /// Section 7.3: the field of POST.
    pub post_field: PostField,
    /// Status of a body with a wrong or missing field: 400, or 422.
    pub wrong_field_status: u16,
    /// Section 7.3: where that answer names the field.
    pub field_named: FieldNamed,
    /// Section 6: status of an unknown key or one of another tenant: 422, or 400.
    pub invalid_key_status: u16,
    /// A key that has expired can still be added. Off: refused as an unknown one is.
    pub expired_key_accepted: bool,
    /// Section 7.2: adding a key that is there.
    pub duplicate: Duplicate,
    /// Section 7.2: adding a key that was soft-deleted.
    pub re_add: ReAdd,
    /// Section 7.1: where `uuid` comes from.
    pub uuid_from: UuidFrom,
    /// Section 8: `uuid` is not a UUID. Off.
    pub odd_uuids: bool,
    /// Status of a successful POST: 200; also 201, 202 or 204 (without a body).
    pub add_status: u16,
    /// Status of a successful DELETE: 200; also 202 or 204 (without a body).
    pub delete_status: u16,
    /// Status of a successful GET: 200; also another 2xx, as section 4 warns.
    pub read_status: u16,
    /// Section 4.1: a first DELETE removes the row for good, `hardDelete: true`. Off: soft.
    pub first_delete_purges: bool,
    /// Section 7.4: a second DELETE.
    pub second_delete: SecondDelete,
    /// Section 6: refusals of POST repeat the submitted key. Off.
    pub errors_echo_key: bool,
    /// Section 6: error bodies have `message` and nothing else. Off.
    pub errors_message_only: bool,

    /// Section 5: the list shows soft-deleted rows (unmarked: the short form has no `deleted`). Off.
    pub list_shows_deleted: bool,
    /// Section 5: the list shows expired rows. On.
    pub list_shows_expired: bool,
    /// Section 5: the list shows invalidated rows. On.
    pub list_shows_invalidated: bool,
    /// The list starts with the newest row. Off.
    pub list_newest_first: bool,
    /// Section 4.1: a key without end has no `expires` field. Off: it is null.
    pub perpetual_expires_absent: bool,
    /// Section 4.1: which moment `createdAt` tells.
    pub created_at: CreatedAt,
    /// Section 4.1: how dates are written.
    pub dates: Dates,
    /// Section 8: `features` and `handlers` are arrays of names, as the table says. Off: objects.
    pub features_as_array: bool,
    /// Section 1: every object has a field that nobody documented, and every key a feature. Off.
    pub extra_fields: bool,

    /// Section 4.2: `licenseSeats` includes soft seats. On.
    pub license_seats_include_soft: bool,
    /// Section 4.2: `hardSeats` includes soft seats. Off.
    pub hard_seats_include_soft: bool,
    /// Section 5: whether expired keys count as seats.
    pub expired_seats: ExpiredSeats,
    /// Section 5: invalidated keys count as seats. Off.
    pub invalidated_seats_count: bool,
    /// Section 5: soft-deleted keys count as seats. Off.
    pub deleted_seats_count: bool,
    /// Section 4.2: when a user may be added.
    pub can_add_user: CanAddUser,
    /// `activeUserCount` also has the users without activity in the last year. Off.
    pub inactive_users_count: bool,

    /// Section 4.3: `summary.dataConsumers` is an array of one object, as the table says. Off.
    pub data_consumers_as_array: bool,
    /// Section 4.3: `inactiveCount` is the total, as in the published example. Off: active and inactive add up.
    pub usage_does_not_add_up: bool,
    /// Section 4.3: a larger `size` is cut to this. None: no maximum.
    pub usage_max_size: Option<usize>,
    /// Section 4.3: the users move by one place after each page, so that pages repeat or skip some. Off.
    pub usage_moves: bool,
}

impl Default for Switches {
    #[expect(clippy::too_many_lines, reason = "one value: its length is the number of its fields")]
    fn default() -> Self {
        Self {
            raw_key: true,
            bearer_token: true,
            raw_token: true,
            bearer_key: false,
            exchange: Exchange::default(),
            exchange_form_status: 400,
            exchange_refuses_with_200: false,
            exchange_shows_expiration: true,
            token_lifetime_seconds: 3600,
            token_calls: None,
            tokens_outlive_keys: false,
            missing_credentials_status: 401,
            add_needs: Needs::default(),
            delete_needs: Needs::default(),
            read_needs: Needs::default(),
            post_field: PostField::default(),
            wrong_field_status: 400,
            field_named: FieldNamed::default(),
            invalid_key_status: 422,
            expired_key_accepted: false,
            duplicate: Duplicate::default(),
            re_add: ReAdd::default(),
            uuid_from: UuidFrom::default(),
            odd_uuids: false,
            add_status: 200,
            delete_status: 200,
            read_status: 200,
            first_delete_purges: false,
            second_delete: SecondDelete::default(),
            errors_echo_key: false,
            errors_message_only: false,
            list_shows_deleted: false,
            list_shows_expired: true,
            list_shows_invalidated: true,
            list_newest_first: false,
            perpetual_expires_absent: false,
            created_at: CreatedAt::default(),
            dates: Dates::default(),
            features_as_array: false,
            extra_fields: false,
            license_seats_include_soft: true,
            hard_seats_include_soft: false,
            expired_seats: ExpiredSeats::default(),
            invalidated_seats_count: false,
            deleted_seats_count: false,
            can_add_user: CanAddUser::default(),
            inactive_users_count: false,
            data_consumers_as_array: false,
            usage_does_not_add_up: false,
            usage_max_size: None,
            usage_moves: false,
        }
    }
}
