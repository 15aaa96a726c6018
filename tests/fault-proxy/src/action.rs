//! What may be done to one request.

use std::time::Duration;

/// Where in the life of a request something happens to the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before it is forwarded.
    Before,
    /// While the vendor pauses in the middle of it.
    Underway,
    /// After it was carried out, and its answer never arrives.
    Withheld,
    /// After it was carried out; the answer arrives.
    Answered,
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The operator is killed. While a request is underway the Lease goes too, so that the next leader comes at once.
    Kill(Place),
    /// The operator is stopped for this long and then goes on. A purchase is then never forwarded late: the promise
    /// assumes that what has left ends within the settle time.
    Pause(Place, Duration),
    /// Carried out; then the operator is stopped, the answer in its socket, until the next purchase arrives from
    /// somebody else, but no longer than this.
    PauseUntilPurchase(Duration),
    /// Carried out; then the operator has to open its next connection to the vendor anew, and is stopped in the middle
    /// of that, as in [`PauseUntilPurchase`](Self::PauseUntilPurchase).
    PauseInHandshake(Duration),
    /// The Lease is deleted. The request goes through when a purchase has arrived from somebody else, or after this.
    LoseLease(Duration),
    /// The connection closes; nothing is forwarded.
    DropRequest,
    /// It is carried out; the connection closes.
    DropAnswer,
    /// It is carried out; the answer comes this much later.
    Delay(Duration),
    /// It is carried out this much later; nobody waits for the answer any more.
    ApplyLate(Duration),
    /// Another answer. With `apply` the request is carried out first; without it never is.
    Answer {
        /// Status.
        status: u16,
        /// Headers.
        headers: Vec<(&'static str, &'static str)>,
        /// Body.
        body: String,
        /// Carry it out first.
        apply: bool,
    },
    /// Another answer, at once; the request goes on, however long it takes.
    AnswerBeside(Instead),
    /// It is carried out once another purchase has arrived, or once [`Proxy::let_go`](crate::Proxy::let_go) is called. Meanwhile
    /// nothing answers, or something else does at once.
    HoldBack(Option<Instead>),
    /// An outage: from this purchase on, every purchase is answered 503 with `Retry-After`, and none is carried out. Readings
    /// go through.
    Outage(Outage),
    /// The real answer, cut in half.
    Truncate,
    /// The real answer, reset in the middle.
    Reset,
    /// The watch ends and its next request is answered with 410; the request itself goes through.
    WatchGone,
    /// The watch says nothing any more; the request itself goes through.
    WatchFrozen,
    /// Something happens elsewhere, just before the request is forwarded or between its end and its answer.
    Meanwhile(Moment, &'static str),
}

/// An answer in the place of the real one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instead {
    /// Status.
    pub status: u16,
    /// A header.
    pub header: (&'static str, &'static str),
    /// Body.
    pub body: &'static str,
}

/// How long purchases are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// From the first refused purchase on, at least so long.
    pub long: Duration,
    /// At least so many are refused.
    pub least: usize,
    /// What each answer asks for, in seconds.
    pub retry_after: &'static str,
}

/// What becomes of requests for Leases, all of them from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leases {
    /// They go through.
    Pass,
    /// They are answered with this status and go nowhere.
    Refused(u16),
    /// They are neither forwarded nor answered; once this is over, their connections close.
    Unanswered,
}

/// When something happens elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before the request is forwarded.
    Before,
    /// After it was carried out, and before the operator gets the answer.
    After,
}

/// What the proxy asks of whoever runs the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// SIGKILL.
    Kill,
    /// SIGSTOP.
    Stop,
    /// SIGCONT.
    Continue,
    /// Let the vendor pause within the purchase that comes next.
    PauseVendor,
    /// Wait until it does.
    AwaitPause,
    /// Delete the Lease.
    DeleteLease,
    /// A purchase has arrived and is not forwarded yet: the scenario's own doings.
    Purchase,
    /// What an [`Action::Meanwhile`] names.
    Happen(&'static str),
}
