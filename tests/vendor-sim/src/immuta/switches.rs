//! Everything that docs/vendors/immuta.md leaves open, as one set of switches that tests change while the tenant runs.
//! The defaults are what is documented, or else what the assumptions of the page make likely.

use serde::{Deserialize, Serialize};

use super::choices::{
    CanAddUser, CreatedAt, Dates, Duplicate, Exchange, ExpiredSeats, FieldNamed, Needs, PostField, ReAdd, SecondDelete,
    UuidFrom,
};

/// All switches. Missing JSON fields mean the default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Switches {
    /// `Authorization: <api key>` is accepted on `/admin` calls ("Authentication"). On.
    pub raw_key: bool,
    /// `Authorization: Bearer <token>` is accepted ("Authentication"). On.
    pub bearer_token: bool,
    /// `Authorization: <token>` is accepted ("Authentication"). On.
    pub raw_token: bool,
    /// `Authorization: Bearer <api key>` is accepted ("Authentication"). Off.
    pub bearer_key: bool,
    /// How the exchange takes the key ("Authentication").
    pub exchange: Exchange,
    /// Status of an exchange in a form that is not accepted: 400 (default) or 401.
    pub exchange_form_status: u16,
    /// A wrong key at the exchange is answered by 200 `{"authenticated": false}` instead of 401. Off.
    pub exchange_refuses_with_200: bool,
    /// The exchange's answer has `authenticated` and `tokenExpiration` beside `token` ("Authentication"). On.
    pub exchange_shows_expiration: bool,
    /// Life of a token in seconds; not stated, 3600 here.
    pub token_lifetime_seconds: u64,
    /// A token dies after so many `/admin` calls: expiry in the middle of a reconcile ("Authentication"). None: it does
    /// not.
    pub token_calls: Option<u32>,
    /// Tokens outlive the revocation of their key. Off.
    pub tokens_outlive_keys: bool,
    /// Status of an `/admin` call with a token that has died: 401, or 500 as one V1 endpoint ("Authentication").
    pub dead_token_status: u16,
    /// Status of an `/admin` call without credentials: 401, or 500 as one V1 endpoint ("Authentication").
    pub missing_credentials_status: u16,

    /// What POST needs ("Permissions").
    pub add_needs: Needs,
    /// What DELETE needs ("Permissions").
    pub delete_needs: Needs,
    /// What the three GETs need ("Permissions").
    pub read_needs: Needs,

    /// The field of POST ("The name of the key's field").
    pub post_field: PostField,
    /// Status of a body with a wrong or missing field: 400, or 422.
    pub wrong_field_status: u16,
    /// Where that answer names the field ("The name of the key's field").
    pub field_named: FieldNamed,
    /// Status of an unknown key or one of another tenant: 422, or 400 ("Refusals").
    pub invalid_key_status: u16,
    /// A key that has expired can still be added. Off: refused as an unknown one is.
    pub expired_key_accepted: bool,
    /// Adding a key that is there ("Adding a key").
    pub duplicate: Duplicate,
    /// Adding a key that was soft-deleted ("Adding a key").
    pub re_add: ReAdd,
    /// Where `uuid` comes from ("Telling a row from a key").
    pub uuid_from: UuidFrom,
    /// `uuid` is not a UUID ("Slips and gaps of the page"). Off.
    pub odd_uuids: bool,
    /// Status of a successful POST: 200; also 201, 202 or 204 (without a body).
    pub add_status: u16,
    /// Status of a successful DELETE: 200; also 202 or 204 (without a body).
    pub delete_status: u16,
    /// Status of a successful GET: 200; also another 2xx ("Endpoints").
    pub read_status: u16,
    /// A first DELETE removes the row for good, `hardDelete: true` ("The license record"). Off: soft.
    pub first_delete_purges: bool,
    /// A second DELETE ("Deleting a row").
    pub second_delete: SecondDelete,
    /// Refusals of POST repeat the submitted key ("Refusals"). Off.
    pub errors_echo_key: bool,
    /// Error bodies have `message` and nothing else ("Refusals"). Off.
    pub errors_message_only: bool,

    /// The list shows soft-deleted rows, unmarked, for the short form has no `deleted` ("Several keys"). Off.
    pub list_shows_deleted: bool,
    /// The list shows expired rows ("Several keys"). On.
    pub list_shows_expired: bool,
    /// The list shows invalidated rows ("Several keys"). On.
    pub list_shows_invalidated: bool,
    /// The list starts with the newest row. Off.
    pub list_newest_first: bool,
    /// A key without end has no `expires` field ("The license record"). Off: it is null.
    pub perpetual_expires_absent: bool,
    /// Which moment `createdAt` tells ("The license record").
    pub created_at: CreatedAt,
    /// How dates are written ("The license record").
    pub dates: Dates,
    /// `features` and `handlers` are arrays of names, as the table says ("Slips and gaps of the page"). Off: objects.
    pub features_as_array: bool,
    /// Every object has a field that nobody documented, and every key a feature ("Slips and gaps of the page"). Off.
    pub extra_fields: bool,

    /// `licenseSeats` includes soft seats ("The license status"). On.
    pub license_seats_include_soft: bool,
    /// `hardSeats` includes soft seats ("The license status"). Off.
    pub hard_seats_include_soft: bool,
    /// Whether expired keys count as seats ("Several keys").
    pub expired_seats: ExpiredSeats,
    /// Invalidated keys count as seats ("Several keys"). Off.
    pub invalidated_seats_count: bool,
    /// Soft-deleted keys count as seats ("Several keys"). Off.
    pub deleted_seats_count: bool,
    /// When a user may be added ("The license status").
    pub can_add_user: CanAddUser,
    /// `activeUserCount` also has the users without activity in the last year. Off.
    pub inactive_users_count: bool,

    /// `summary.dataConsumers` is an array of one object, as the table says ("The usage report"). Off.
    pub data_consumers_as_array: bool,
    /// `inactiveCount` is the total, as in the published example ("The usage report"). Off: active and inactive add up.
    pub usage_does_not_add_up: bool,
    /// A larger `size` is cut to this ("The usage report"). None: no maximum.
    pub usage_max_size: Option<usize>,
    /// The users move by one place after each page, so that pages repeat or skip some ("The usage report"). Off.
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
            dead_token_status: 401,
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
